"""`Configurable`: constructors that pass the border, and configurations derived from their signatures."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import numpy as np

from . import border, dialects, registry
from .dialects import Rules
from .errors import UnknownName, did_you_mean, misfit, show
from .ownership import is_ours

C = TypeVar("C", bound="Configurable")
R = TypeVar("R")


def cached_by_class(function: Callable[[type], R]) -> Callable[[type], R]:
    """Cache a function of a class; type checkers take no class that defines `__hash__` for hashable itself."""
    return functools.cache(function)


class Configurable:
    """Base of everything that has a configuration.

    Each `__init__` of a subclass is wrapped once: old spellings are translated, the dialect's defaults filled in and
    its rules left on the object as `_rules`, and an argument that nothing takes is refused by name.  `get_config` reads
    the attributes named like the constructor's arguments.
    """

    _dialect: ClassVar[str | None] = None
    _takes_anything: ClassVar[bool] = False  # the constructor passes arguments of any name on to a user's function
    _takes_paths: ClassVar[tuple[str, ...]] = ()  # arguments that may be the path of a file, but not in a configuration
    _rules: Rules
    _init_arguments: Mapping[str, Any] = MappingProxyType({})  # of a user's class: what it was made with, where plain

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = _entered(cls, cls.__init__)  # type: ignore[method-assign]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal object."""
        return {name: self._config_of(name) for name in arguments(type(self))}

    def _config_of(self, name: str) -> Any:
        """Return an argument of the constructor: what a user's class was made with, or the attribute of that name.

        Raises:
            NotImplementedError: It is neither, and has no default.
        """
        if name in self._init_arguments:
            return self._init_arguments[name]
        if hasattr(self, name):
            return plain(getattr(self, name))
        parameter = inspect.signature(type(self).__init__).parameters.get(name)
        if parameter is None or parameter.default is parameter.empty:
            raise NotImplementedError(
                f"{type(self).__name__}: __init__ takes {name!r} but the object has no attribute of that name; "
                f"store self.{name}, or override get_config()."
            )
        return plain(parameter.default)

    def _check_made(self) -> None:
        """Raise where an `__init__` that a user wrote has left something out; called behind the outermost one."""

    @classmethod
    def from_config(cls: type[C], config: dict[str, Any]) -> C:
        """Make an object from what `get_config` returned; the dictionary is not changed.

        Raises:
            ValueError: It names a file to read, which a configuration that comes from somebody else must not do.
        """
        for name in cls._takes_paths:
            if isinstance(config.get(name), (str, bytes, os.PathLike)):
                raise ValueError(
                    f"{cls.__name__}({name}={show(config[name])}): a configuration must not name a file to read; put "
                    f"what is in it into the configuration, as a list."
                )
        return cls(**dict(config))


def with_dialect(cls: type[C], dialect: str, module: str | None = None) -> type[C]:
    """Return the class as a facade module has it: the same, but its objects are made under `dialect`.

    Args:
        cls: The class.
        dialect: The name of the dialect.
        module: The name of the module that holds the result under the class's own name, so that objects can be pickled.
    """
    body = {"_dialect": dialects.named(dialect).name, "__module__": module or cls.__module__, "__doc__": cls.__doc__}
    metaclass: Any = type(cls)
    made: type[C] = metaclass(cls.__name__, (cls,), {**body, "_behind": cls, "__qualname__": cls.__qualname__})
    return made


@cached_by_class
def arguments(cls: type) -> tuple[str, ...]:
    """Return the names of the constructor's arguments, those of the bases that take the rest included."""
    names: list[str] = []
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or not issubclass(base, Configurable):
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]  # the first is the object itself
        named = (p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        names += [n for n in list(named) if n not in names and not n.startswith("_")]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return tuple(names)


def _is_plain(value: Any) -> bool:
    """Tell whether JSON can hold a value as it is."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return type(value) in (list, tuple) and all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: objects as name or configuration, arrays as lists."""
    if isinstance(value, float):
        return float(value)  # without what a subclass knows of its owner
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value] if isinstance(value, list) else tuple(plain(v) for v in value)
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if hasattr(value, "get_config"):
        layer = isinstance(value, registry.KINDS["layer"].bases)
        return registry.serialize("layer" if layer else "", value)
    for kind, table in registry.KINDS.items():
        if table.takes_callables and (name := registry.name_of(kind, value)):
            return name
    return getattr(value, "__name__", str(value))


def _entered(owner: type[Configurable], init: Callable[..., None]) -> Callable[..., None]:
    parameters = list(inspect.signature(init).parameters.values())[1:]
    signature = inspect.Signature(parameters)
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    own = frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    ours = is_ours(owner)

    @functools.wraps(init)
    def entered(self: Configurable, *args: Any, **kwargs: Any) -> None:
        if "_rules" not in self.__dict__:
            made_under = dialects.of_new(self)
            object.__setattr__(self, "_rules", made_under.rules)
            object.__setattr__(self, "_dialect", made_under.name)
        if ours:
            kind: Any = type(self)
            dialect, name = dialects.of(self), called_as(kind, entered)
            args, kwargs = border.by_order(name, args, kwargs, dialect)
            args, kwargs = border.translate(name, args, kwargs, dialect, own)
            by_position = positional[: len(args)]
            for argument, default in dialect.defaults.get(name, {}).items():
                if argument not in by_position:
                    kwargs.setdefault(argument, default)
            if not owner._takes_anything:
                _refuse_unknown(self, owner, kwargs)
        elif owner is type(self):
            named = {**dict(zip(positional, args)), **kwargs}
            self.__dict__["_init_arguments"] = {n: v for n, v in named.items() if n in own and _is_plain(v)}
        try:
            init(self, *args, **kwargs)
        except UnknownName as error:
            raise error.at(type(self).__name__, {**dict(zip(positional, args)), **kwargs}) from None
        except TypeError:
            if ours and (wrong := misfit(_written_as(type(self), entered), signature, args, kwargs)):
                raise TypeError(wrong) from None
            raise
        if owner is type(self):
            self._check_made()

    return entered


@functools.cache
def called_as(cls: type, init: Callable[..., None]) -> str:
    """Return whose tables apply to `init`: of our classes that share it, the one nearest to the object's own."""
    sharing = (base.__name__ for base in cls.__mro__ if is_ours(base) and getattr(base, "__init__", None) is init)
    return next(sharing, init.__qualname__.rpartition(".")[0])


def _written_as(cls: type, init: Callable[..., None]) -> str:
    """Return the class that the caller of `init` wrote: the object's own, or the one whose `__init__` it calls."""
    return cls.__name__ if cls.__init__ is init else called_as(cls, init)  # type: ignore[misc]


def _refuse_unknown(self: Configurable, owner: type, kwargs: dict[str, Any]) -> None:
    known = arguments(owner)
    for argument, value in kwargs.items():
        if argument not in known and not argument.startswith("_"):
            hint = did_you_mean(argument, known)
            raise TypeError(f"{type(self).__name__}({argument}={show(value)}): unknown argument; {hint}")
