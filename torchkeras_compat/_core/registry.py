"""One mechanism for everything that has a name: strings, configs, classes, instances and callables become objects.

A *kind* is a family of nameable things (`'layer'`, `'loss'`, …).  `register` puts a class or function into its kind,
`get` finds it again; `serialize`, `deserialize`, the allow-list for loading and the contract tests read the same
tables.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import border, dialects, stored_configs
from .errors import UnknownName, did_you_mean, show
from .ownership import is_ours
from .planned import find as find_planned
from .planned import names as planned_names

T = TypeVar("T")


@dataclass
class Kind:
    """A family of nameable things.

    Attributes:
        name: What messages call one of them.
        takes_callables: Whether a plain callable is accepted as it is.
        none: Whether `None` means "none of them" (`get` then returns `none_value`).
        none_value: The name that `None` stands for, such as `'linear'` for activations.
        entries: Canonical name → class or function.
        aliases: Other spellings, in lower case → canonical name.
        old: Those of them that are the words of older releases.
        bases: Classes whose instances `get` returns unchanged.
    """

    name: str
    takes_callables: bool = False
    none: bool = True
    none_value: str | None = None
    entries: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    old: set[str] = field(default_factory=set)
    bases: tuple[type, ...] = ()

    def find(self, name: str) -> Any | None:
        """Return the entry called `name`: exactly, then without regard to case, then as an alias."""
        if name in self.entries:
            return self.entries[name]
        canonical = self.aliases.get(name) or self.aliases.get(name.lower())
        return self.entries.get(canonical) if canonical else None


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("layer", none=False),
        Kind("activation", takes_callables=True, none_value="linear"),
        Kind("initializer", takes_callables=True),
        Kind("regularizer", takes_callables=True),
        Kind("constraint", takes_callables=True),
        Kind("loss", takes_callables=True),
        Kind("metric", takes_callables=True),
        Kind("optimizer", none=False),
        Kind("schedule", none=False),
        Kind("callback", none=False),
    )
}

# Kind → the part of the package whose planned names are of that kind.
PLANNED_IN = {"layer": "layers", "callback": "callbacks"}

_custom: dict[str, Any] = {}


class _Scopes(threading.local):
    """The scopes of `custom_object_scope` that a thread is in, the innermost first, and what all threads know."""

    def __init__(self) -> None:
        self.stack: tuple[dict[str, Any], ...] = (_custom,)


_scopes = _Scopes()


def register(kind: str, *aliases: str, name: str | None = None) -> Callable[[T], T]:
    """Register the decorated class or function under its own name (or `name`) and `aliases`."""
    table = KINDS[kind]

    def enter(entry: T) -> T:
        canonical = name or entry.__name__  # type: ignore[attr-defined]
        table.entries[canonical] = entry
        table.aliases.setdefault(canonical.lower(), canonical)
        for alias in aliases:
            table.aliases[alias.lower()] = canonical
        return entry

    return enter


def base(kind: str) -> Callable[[type[T]], type[T]]:
    """Declare the decorated class the base of `kind`: its instances pass through `get` unchanged."""

    def enter(cls: type[T]) -> type[T]:
        KINDS[kind].bases += (cls,)
        return cls

    return enter


def alias(kind: str, old: str, canonical: str) -> None:
    """Let `old` stand for the entry `canonical`; tables of old spellings come in through here."""
    KINDS[kind].aliases[old.lower()] = canonical
    KINDS[kind].old.add(old.lower())


def canonical_of_old(kind: str, name: str) -> str | None:
    """Return the canonical name that an older release's word stands for, `None` for any other word."""
    table = KINDS[kind]
    return table.aliases[name.lower()] if name.lower() in table.old and name not in table.entries else None


def names(kind: str) -> list[str]:
    """Return the canonical names of a kind."""
    return sorted(KINDS[kind].entries)


def name_of(kind: str, entry: object) -> str | None:
    """Return the canonical name that `entry` is registered under, if it is."""
    for name, known in KINDS[kind].entries.items():
        if known is entry:
            return name
    return next((n for scope in _scopes.stack for n, known in scope.items() if known is entry), None)


def lookup(kind: str, name: str) -> Any:
    """Return the class or function called `name`, user objects first, or raise with «did you mean»."""
    if (own := custom_object(name)) is not None:
        return own
    table = KINDS[kind]
    entry = table.find(name)
    if entry is None and kind in PLANNED_IN and (planned := find_planned(PLANNED_IN[kind], name)) is not None:
        return planned()
    if entry is None:
        folded = {known.lower() for known in table.entries}
        others = [alias for alias in table.aliases if alias not in folded]
        others += planned_names(PLANNED_IN.get(kind, kind))
        raise UnknownName(kind, name, did_you_mean(name, [*table.entries, *others]))
    return entry


def get(kind: str, identifier: Any, *, dialect: str | None = None) -> Any:
    """Return the object that `identifier` names.

    Args:
        kind: A key of `KINDS`.
        identifier: A string, a configuration `{'class_name': …, 'config': …}`, an instance, a class, a callable or
            `None`.
        dialect: The dialect under which a string, configuration or class becomes an object; the current one if `None`.

    Raises:
        ValueError: A name that is not known, with «did you mean».
        TypeError: Something that cannot stand for one of this kind.
    """
    table = KINDS[kind]
    if identifier is None and table.none:
        if table.none_value is None:
            return None
        identifier = table.none_value
    with dialects.using(dialect) if dialect else contextlib.nullcontext():
        if isinstance(identifier, str):
            return _instance(lookup(kind, identifier))
        if isinstance(identifier, dict):
            return deserialize(kind, identifier)
        if isinstance(identifier, table.bases):
            return identifier
        if inspect.isclass(identifier) and (issubclass(identifier, table.bases) or table.takes_callables):
            return identifier()
    if table.takes_callables and callable(identifier):
        return identifier
    article = "an" if kind[0] in "aeiou" else "a"
    raise TypeError(
        f"{article} {kind} must be a string, a configuration, an instance"
        f"{' or a function' if table.takes_callables else ''}; got {show(identifier)}."
    )


def _instance(entry: Any) -> Any:
    return entry() if inspect.isclass(entry) else entry


def deserialize(kind: str, config: Mapping[str, Any]) -> Any:
    """Make the object that a configuration describes; only registered and custom objects can be named.

    Args:
        kind: A key of `KINDS`.
        config: `{'class_name': …, 'config': …}` as any Keras has written it; it is not changed.

    Raises:
        ValueError: A name that is not known, or a configuration that makes no object; it says which layer's.
    """
    if isinstance(config, Mapping):
        config = stored_configs.with_class(kind, config)
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise ValueError(f"a {kind} configuration needs 'class_name', a string; got {show(config)}.")
    with stored_configs.reading(config) as known:
        number = config.get("shared_object_id") if kind == "layer" else None
        if not isinstance(number, int):
            return _deserialized(kind, config)
        if number not in known.shared:
            known.shared[number] = _deserialized(kind, config)
        return known.shared[number]


def _deserialized(kind: str, config: Mapping[str, Any]) -> Any:
    name, arguments = config["class_name"], config.get("config")
    if name == "function" and isinstance(arguments, str):  # as Keras 2.12 to 2.15 write a function
        return lookup(kind, arguments)
    try:
        entry = _entry(kind, name, config.get("registered_name"))
    except UnknownName as error:
        raise UnknownName(kind, error.name, _hint_in_config(error), _called(name, arguments)) from None
    if not inspect.isclass(entry):
        return entry
    takes_lists = getattr(entry, "_config_may_be_list", False)
    if arguments is not None and not isinstance(arguments, (dict, list) if takes_lists else dict):
        raise ValueError(f"{name}: 'config' must be a dictionary; got {show(arguments)}.")
    with stored_configs.of_this_package(str(config.get("registered_name")).startswith(stored_configs.OWN)):
        return _made(entry, arguments)


def _hint_in_config(error: UnknownName) -> str:
    """Return what may be meant by a name in a configuration: most likely something of the user's own."""
    name = error.name.rpartition(">")[2]
    own = f"if it is your own, it must be told: custom_objects={{{name!r}: {name}}}."
    return f"{error.hint} {own[0].upper()}{own[1:]}" if error.hint.endswith("?") else own


def _made(entry: Any, arguments: Any) -> Any:
    """Return an object of a class and the arguments in a configuration."""
    with stored_configs.under_dialect(entry), border.quietly(is_ours(entry)), _naming(entry, arguments):
        if not isinstance(arguments, list):
            arguments = stored_configs.arguments_in(entry, arguments or {})
        build = getattr(entry, "from_config", None)
        return entry(**arguments) if build is None else build(arguments)


def _entry(kind: str, name: str, registered: Any) -> Any:
    """Return the class or function that a configuration names: as the user registered it, or by its own name."""
    for spelled in (registered, name):
        if (own := custom_object(spelled)) is not None:
            return own
    # What stands before the optimizers of 2.11 to 2.15 is their own.
    return lookup(kind, stored_configs.class_in(kind, name.removeprefix("Custom>")))


@contextlib.contextmanager
def _naming(entry: Any, arguments: Any) -> Iterator[None]:
    """Have errors about a configuration say whose it is: the class, and the name that the configuration has."""
    try:
        yield
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, ArithmeticError) as error:
        if not is_ours(entry):
            raise
        whose = _called(entry.__name__, arguments)
        if isinstance(error, UnknownName):
            raise UnknownName(error.kind, error.name, error.hint, _joined(whose, error.place)) from None
        if type(error) in (TypeError, ValueError):
            raise type(error)(_joined(whose, str(error))) from error
        if isinstance(error, (TypeError, ValueError)):
            raise
        damage = f"its configuration is damaged: {type(error).__name__}: {error}"
        raise ValueError(_joined(whose, damage)) from error


def _called(name: str, arguments: Any) -> str:
    own = arguments.get("name") if isinstance(arguments, dict) else None
    return f"{name} {own!r}" if isinstance(own, str) else name


def _joined(whose: str, text: str) -> str:
    return text if whose in text else f"{whose}: {text}" if text else whose


def class_name(value: object) -> str:
    """Return the name of an object's class in a configuration: `package>name` where the user registered it so."""
    cls = type(value)
    told = getattr(value, "_class_name", None)
    if isinstance(told, str):
        return told
    return next((name for name, known in _custom.items() if known is cls and ">" in name), cls.__name__)


_places: contextvars.ContextVar[dict[int, dict[str, Any]] | None] = contextvars.ContextVar("places", default=None)


@contextlib.contextmanager
def noting_shared_layers() -> Iterator[None]:
    """Number layers that `serialize` meets in several places inside the `with` block; blocks inside belong to it."""
    token = _places.set({}) if _places.get() is None else None
    try:
        yield
    finally:
        if token is not None:
            _places.reset(token)


def serialize(kind: str, value: Any) -> Any:
    """Return what `get` turns back into `value`: `None`, a name, or `{'class_name': …, 'config': …}`."""
    if value is None:
        return None
    if not hasattr(value, "get_config"):
        return name_of(kind, value) or getattr(value, "__name__", type(value).__name__)
    config = {"class_name": class_name(value), "config": value.get_config()}
    places = _places.get() if kind == "layer" else None
    if places is not None:
        first = places.setdefault(id(value), config)
        if first is not config:
            config["shared_object_id"] = first.setdefault("shared_object_id", list(places).index(id(value)) + 1)
    return config


def get_custom_objects() -> dict[str, Any]:
    """Return the global dictionary of user objects, name → class or function."""
    return _custom


def custom_object(name: Any) -> Any:
    """Return the user's object of a name, of the innermost scope that has it; `None` where there is none."""
    return next((scope[name] for scope in _scopes.stack if name in scope), None) if isinstance(name, str) else None


@contextlib.contextmanager
def custom_object_scope(*objects: dict[str, Any] | None) -> Iterator[None]:
    """Make the user's classes and functions known by name inside the `with` block."""
    scope: dict[str, Any] = {}
    for mapping in objects:
        scope.update(mapping or {})
    before = _scopes.stack
    _scopes.stack = (scope, *before)
    try:
        yield
    finally:
        _scopes.stack = before
