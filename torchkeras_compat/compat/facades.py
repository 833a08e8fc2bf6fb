"""`import keras` and `import tensorflow.keras`: modules that pass every name on to this package."""

from __future__ import annotations

import copyreg
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NoReturn

from .. import backend
from .._core import dialects, planned, registry
from .._core.config import Configurable
from .._core.errors import did_you_mean
from .._core.ownership import PACKAGE, is_ours
from . import companions
from .carried import CARRIED, SOURCES
from .eras import FIRST
from .inner_names import NO_MODULES, REFUSED
from .names import (
    ALIASES,
    ALSO_IN_TENSORFLOW,
    BACKEND_FUNCTIONS,
    BESIDE,
    KIND_OF,
    LOOKED_IN,
    MODULES,
    MOVED,
    PACKAGES,
    PLANNED_ALONE,
    ROOTS,
    VERSIONS,
)

# Functions that construct objects, which then belong to the facade's dialect.
MERGING = set("add subtract multiply average maximum minimum concatenate dot merge".split())  # of `layers`
CARRY = ("keras", "tensorflow.python.keras")  # roots whose modules are Keras's sources, not its published names
CONSTRUCTING = {"get", "deserialize", "clone_model", "load_model", "model_from_json", "model_from_config"}


class Faced(type):
    """The class of the classes of facades: what is an instance of the class behind one is an instance of it."""

    def __instancecheck__(cls, value: object) -> bool:
        behind = cls.__dict__.get("_behind")  # a user's subclass inherits this metaclass but has nothing behind it
        return super().__instancecheck__(value) if behind is None else isinstance(value, behind)

    def __subclasscheck__(cls, other: type) -> bool:
        behind = cls.__dict__.get("_behind")
        return super().__subclasscheck__(other) if behind is None else issubclass(other, behind)


def _reduced(cls: Any) -> Any:
    """Return how a class is pickled: by what is behind it, which a process finds that never called `install`."""
    behind = cls.__dict__.get("_behind")
    return cls.__qualname__ if behind is None else (faced, (behind, cls._dialect, cls.__module__))


copyreg.pickle(Faced, _reduced)

_faced: dict[tuple[int, str, str], Any] = {}  # the classes are kept for good, as modules keep theirs


def faced(cls: type[Configurable], dialect: str, module: str) -> Any:
    """Return the class as the facade module `module` has it: its objects are made under `dialect`.

    `isinstance(x, facade class)` is true for what is an instance of the class behind it.
    """
    key = (id(cls), dialect, module)
    if key not in _faced:
        meta = Faced if type(cls) is type else type(f"Faced{type(cls).__name__}", (Faced, type(cls)), {})
        body = {"_dialect": dialect, "_behind": cls, "__module__": module, "__qualname__": cls.__qualname__}
        _faced[key] = meta(cls.__name__, (cls,), {**body, "__doc__": cls.__doc__})
    return _faced[key]


CLASSIC = ("keras-1", "keras-2.2", "keras-2.3")  # dialects in the order of their releases


@functools.cache
def newer_names(module: str, dialect: str) -> frozenset[str]:
    """Return the names of a module that the releases of a dialect had not; none where they are all of its time."""
    if dialect not in CLASSIC:
        return frozenset()
    known = CLASSIC[: CLASSIC.index(dialect) + 1]
    return frozenset(
        name for first, names in FIRST.get(module, {}).items() if first not in known for name in names.split()
    )


def _reinstalled(name: str) -> ModuleType:
    """Return a module of a facade in a process that may have none yet, such as a worker of joblib."""
    install()
    return importlib.import_module(name)


def _is_own(name: str, value: Any) -> bool:
    """Tell whether a name of a module is public, and no import from elsewhere."""
    home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", PACKAGE)
    return not name.startswith("_") and str(home).partition(".")[0] == PACKAGE


def _constructing(function: Callable[..., Any], dialect: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with dialects.using(dialect):
            return function(*args, **kwargs)

    return call


class Facade(ModuleType):
    """One module of a facade; attributes are looked up in the module behind it when they are asked for."""

    def __init__(self, name: str, part: str, dialect: str | None) -> None:
        super().__init__(name, f"`{PACKAGE}` under the name {name}.")
        self.__path__: list[str] = []
        self.part, self._dialect_name = part, dialect

    @property
    def _behind(self) -> ModuleType:
        canonical = MODULES.get(self.part, self.part)
        if canonical in PLANNED_ALONE:
            return ModuleType(canonical)
        return importlib.import_module(f"{PACKAGE}.{canonical}" if canonical else PACKAGE)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = self._faced(name, self._find(name))
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep a value; a user's class or function is known by its name from then on, as Keras looks names up here."""
        super().__setattr__(name, value)
        known = name.startswith("_") or isinstance(value, ModuleType) or not callable(value) or is_ours(value)
        if not known and MODULES.get(self.part) in LOOKED_IN:
            registry.get_custom_objects()[name] = value

    def place(self, name: str) -> str | None:
        """Return where a name is today, `'torchkeras_compat.layers:Conv2D'`, or `None` where it is not.

        What the module had imported itself stands in `SOURCES`; a module of this facade has no colon.

        Args:
            name: The name.
        """
        inner = f"{self.part}.{name}" if self.part else name
        if inner in MODULES or f"{self.__name__}.{name}" in PACKAGES:
            return f"{self.__name__}.{name}"
        module, moved = MOVED.get(self.part, {}).get(name, ("", ""))
        if module:
            return f"{PACKAGE}.{module}:{moved}"
        if name in (aliases := self._aliases()):
            return f"{PACKAGE}.{aliases[name]}"
        if hasattr(behind := self._behind, name):
            return f"{behind.__name__}:{name}"
        if planned.find(MODULES.get(self.part, self.part), name) is None and name in self._carried():
            source = SOURCES[name]
            return f"{self._root}{source}" if source.startswith(".") else source
        return None

    def _find(self, name: str) -> Any:
        if (place := self.place(name)) is not None:
            module, _, inside = place.partition(":")
            holder = importlib.import_module(module)
            return getattr(holder, inside) if inside else holder
        if (later := planned.find(MODULES.get(self.part, self.part), name)) is not None:
            return later
        if name in (refused := REFUSED.get(self.part, {})):
            raise planned.missing(3)(f"{self.__name__}.{name} has no meaning in {PACKAGE}: {refused[name]}.")
        raise planned.missing(3)(
            f"module {self.__name__!r} has no attribute {name!r}: {PACKAGE} has no such name; "
            f"{did_you_mean(name, self.public_names)}"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call what has the name of a module and was a function once, such as `keras.layers.merge`."""
        part, _, name = self.part.rpartition(".")
        holder = MODULES.get(part, part)
        function = getattr(importlib.import_module(f"{PACKAGE}.{holder}".rstrip(".")), name, None)
        if callable(function):
            return self._faced(name, function)(*args, **kwargs)
        raise TypeError(f"module {self.__name__!r} is not callable")

    def _carried(self) -> Sequence[str]:
        """Return the names that the module had because it imported them."""
        return CARRIED.get(self.part, ()) if self._root in CARRY else ()

    @property
    def _root(self) -> str:
        return self.__name__.removesuffix(f".{self.part}")

    def _aliases(self) -> dict[str, str]:
        """Return the old names of what this module holds, and where each is in the package."""
        if self._behind is backend:
            return {old: ":".join(place.rsplit(".", 1)) for old, place in BACKEND_FUNCTIONS.items()}
        module = MODULES.get(self.part, "")
        kind = KIND_OF.get(module, "")
        entries = registry.KINDS[kind].entries if kind else {}
        return {old: f"{module}:{new}" for old, new in ALIASES.get(kind, {}).items() if new in entries}

    def _faced(self, name: str, value: Any) -> Any:
        dialect = self._dialect_name
        if dialect is None or isinstance(value, (planned.Planned, ModuleType)):
            return value  # a module that can be called, `keras.layers.merge`, calls by its own dialect
        if isinstance(value, type) and issubclass(value, Configurable) and value._dialect is None:
            return faced(value, dialect, self.__name__)
        merges = MODULES.get(self.part) == "layers" and name in MERGING
        is_network = self.part.partition(".")[0] == "applications" and name[:1].isupper()
        constructs = name in CONSTRUCTING or merges or is_network
        if constructs and callable(value):
            return _constructing(value, dialect)
        return value

    def __reduce__(self) -> Any:
        return _reinstalled, (self.__name__,)

    def __dir__(self) -> list[str]:
        inner = [m.rpartition(".")[2] for m in MODULES if m.rpartition(".")[0] == self.part]
        return sorted({*super().__dir__(), *inner, *self.public_names})

    @property
    def __all__(self) -> list[str]:
        """What a star import brings: no name newer than a classic dialect that stands there already, of a user's."""
        newer = newer_names(MODULES.get(self.part, self.part), self._dialect_name or dialects.current().name)
        importing = sys._getframe(1).f_globals
        kept = newer & importing.keys() - self._moved_here()
        return [name for name in self.public_names if name not in kept]

    @property
    def public_names(self) -> list[str]:
        """The names that the module has, in any dialect."""
        return sorted({*self.own_names, *self._moved_here()})

    @property
    def own_names(self) -> set[str]:
        """The names among them that are those of the module of this package behind it, today's or older ones."""
        behind = self._behind
        public = getattr(behind, "__all__", None) or [
            name for name, value in vars(behind).items() if _is_own(name, value)
        ]
        return {*public, *self._aliases(), *planned.names(MODULES.get(self.part, self.part))}

    def _moved_here(self) -> set[str]:
        """Return the names that stand elsewhere today, or that the module had imported."""
        return {*(name for name in MOVED.get(self.part, {}) if not name.startswith("_")), *self._carried()}


class TensorFlow(ModuleType):
    """`tensorflow`: `tensorflow.keras`, and what is beside it that needs no graph (`tensorflow_names`)."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"What {PACKAGE} has of {name}.")
        self.__path__: list[str] = []
        self.__version__ = VERSIONS["tensorflow"]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = self._find(name)
        setattr(self, name, value)
        return value

    def _find(self, name: str) -> Any:
        inner = f"{self.__name__}.{name}"
        if inner in ROOTS or inner in PACKAGES:
            return importlib.import_module(inner)
        # Not before they are asked for: scripts that import keras alone never do.
        from . import tensorflow_names

        part = self.__name__.partition(".")[2]
        if name in ALSO_IN_TENSORFLOW and part in ("", "compat.v1", "compat.v2"):
            return importlib.import_module(f"tensorflow.keras.{name}")
        try:
            return tensorflow_names.find(part, name)
        except KeyError:
            self.refuse(name, planned.missing(3))

    def refuse(self, name: str, error: type[Exception]) -> NoReturn:
        """Raise the error of a name that is not here, with what to write.

        Args:
            name: The name.
            error: The class of the error.
        """
        from . import tensorflow_refused

        part = self.__name__.partition(".")[2]
        raise error(
            f"module {self.__name__!r} has no attribute {name!r}: {PACKAGE} stands in for tensorflow.keras and a "
            f"few names beside it; {tensorflow_refused.instead(part, name)}."
        ) from None

    def __reduce__(self) -> Any:
        return _reinstalled, (self.__name__,)


# By this module tensorboard is told to do without TensorFlow, whose files and folders it would ask the facade for.
NO_TENSORFLOW = "tensorboard.compat.notf"


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of the facades.

    Attributes:
        dialect: What classes of every root carry, in place of what `ROOTS` says.
    """

    dialect: str | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return how to make the module `fullname`, if it belongs to a facade."""
        instead = NO_MODULES.get(fullname.removeprefix("keras."))
        if instead is not None and companions.is_import():
            raise ModuleNotFoundError(f"{fullname} has no meaning in {PACKAGE}: {instead}.", name=fullname)
        if fullname == NO_TENSORFLOW or fullname in PACKAGES or fullname in BESIDE or self._place(fullname) is not None:
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        holder, _, name = fullname.rpartition(".")
        if isinstance(module := sys.modules.get(holder), TensorFlow) and companions.is_import():
            module.refuse(name, ModuleNotFoundError)
        return None

    def _place(self, fullname: str) -> tuple[str, str | None] | None:
        """Return (part, dialect) of a facade's module."""
        for root, dialect in ROOTS.items():
            part = "" if fullname == root else fullname.removeprefix(f"{root}.")
            if part != fullname and (part == "" or part in MODULES):
                return part, self.dialect or dialect
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Make the module."""
        if spec.name == NO_TENSORFLOW:
            return ModuleType(spec.name)
        if spec.name in PACKAGES:
            return TensorFlow(spec.name)
        if spec.name in BESIDE:
            return Facade(spec.name, BESIDE[spec.name], None)
        part, dialect = self._place(spec.name) or ("", None)
        module = Facade(spec.name, part, dialect)
        if not part:
            module.__version__ = VERSIONS[spec.name.partition(".")[0]]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: attributes are found when they are asked for."""


_finder = Finder()
_companions = companions.Finder()  # behind all others: what is installed comes first


def install(dialect: str | None = None) -> None:
    """Let `import keras`, `import tensorflow.keras` and their modules reach this package.

    Args:
        dialect: The dialect of what is imported from any of them, `'keras-2.15'`; if `None`, classes of `keras` follow
            `set_dialect`, and those of `tensorflow.keras` are under `'tf.keras'`.

    Raises:
        RuntimeError: Another Keras or TensorFlow is imported already.

    Example:
        >>> from torchkeras_compat import compat
        >>> compat.install()
        >>> from keras.layers import Dense, Convolution2D
        >>> from tensorflow.keras.layers import GRU
        >>> GRU(2).reset_after
        True
        >>> compat.uninstall()
    """
    for root in ("keras", "tensorflow"):
        module = sys.modules.get(root)
        if module is not None and not isinstance(module, (Facade, TensorFlow)):
            raise RuntimeError(
                f"compat.install(): {root} is imported already, from {getattr(module, '__file__', None)}; call "
                f"install() before the first import of it."
            )
    _finder.dialect = None if dialect is None else dialects.named(dialect).name
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
        sys.meta_path.append(_companions)


def uninstall() -> None:
    """Undo `install`: the names are free again."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
        sys.meta_path.remove(_companions)
    companions.forget()
    sys.modules.pop(NO_TENSORFLOW, None)
    for name in [n for n, m in sys.modules.items() if isinstance(m, (Facade, TensorFlow))]:
        del sys.modules[name]
