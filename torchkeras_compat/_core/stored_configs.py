"""Configurations in files: those of every Keras become this package's own, from tables that `compat` hands over.

A file says by its version, or by what is in it, which Keras wrote it.  From then on, and for all that is inside, that
Keras's tables apply: classes and arguments that were called otherwise, arguments that only files have, and defaults
that a file leaves out and that changed later.  Nothing here imports, calls or changes what is in a configuration.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import dialects
from .border import Spelling, converted
from .errors import show
from .ownership import PACKAGE, is_ours, own_names

OWN = f"{PACKAGE}>"  # before names that only this package knows
MOST_LEVELS = 400  # of lists and dictionaries inside each other; a model in a model takes four


@dataclass(frozen=True)
class Era:
    """One generation of Keras, as its files tell.

    Attributes:
        name: What messages call it.
        dialect: The dialect that its layers are made under.
        versions: How the version begins that its files have.
        signs: Keys of configurations that only its files have.
    """

    name: str
    dialect: str
    versions: tuple[str, ...] = ()
    signs: frozenset[str] = frozenset()


@dataclass
class Tables:
    """What files have, by kind or owner (the name of a class, or of one of its bases); filled by `compat`."""

    eras: tuple[Era, ...] = ()
    classes: dict[str, Mapping[str, str]] = field(default_factory=dict)  # kind → name in files → name
    refused: Mapping[str, str] = field(default_factory=dict)  # class → why no file of it is read
    arguments: Mapping[str, Mapping[str, Spelling]] = field(default_factory=dict)
    changed: Mapping[str, Mapping[str, Mapping[str, Spelling]]] = field(default_factory=dict)  # era → as `arguments`
    absent: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)  # era → owner → defaults
    function: Callable[[str], Any] = lambda name: None  # functions of tensors by the names that graphs have for them
    operation: Callable[..., Any] = lambda name, config: None  # and by class and configuration, as Keras 3 has them
    has_operation: Callable[[str], bool] = lambda name: False  # whether there is one of that class
    class_of_operation: Callable[[str], Any] = lambda name: None  # the other way round
    names_in_keras_2: Callable[[str], Any] = lambda name: None  # of functions here: the name there, and parameters
    call_arguments: Mapping[str, Callable[..., Any]] = field(default_factory=dict)  # class → arguments of its calls


TABLES = Tables()


@dataclass(frozen=True)
class Reading:
    """What is known of the configuration that is being read.

    Attributes:
        era: The Keras that wrote it, `None` where it does not tell.
        dialect: The dialect of its layers, `None` for that of whoever reads.
        shared: Layers that stand in several places, by the number that the file has for each.
    """

    era: Era | None = None
    dialect: str | None = None
    shared: dict[int, Any] = field(default_factory=dict)


_reading: contextvars.ContextVar[Reading | None] = contextvars.ContextVar("reading", default=None)


def install(tables: Tables) -> None:
    """Take over the tables."""
    vars(TABLES).update(vars(tables))


def era_of_version(version: str | None) -> Era | None:
    """Return the Keras that a version, such as `'2.2.4-tf'`, belongs to."""
    if not isinstance(version, str):
        return None
    fitting = [era for era in TABLES.eras if version.startswith(era.versions)]
    if "-tf" in version:
        fitting = [era for era in fitting if era.dialect == dialects.TF_KERAS.name] or fitting
    return fitting[0] if fitting else None


@contextlib.contextmanager
def reading(config: Any, version: str | None = None, dialect: str | None = None) -> Iterator[Reading]:
    """Know, inside the `with` block, which Keras wrote a configuration; inside another such block nothing changes.

    Args:
        config: The configuration.
        version: The version that the file tells.
        dialect: The dialect of its layers, where the file tells it, as those of this package do.

    Raises:
        ValueError: It has too many levels, or leads back to itself.
    """
    known = _reading.get()
    if known is not None:
        yield known
        return
    signs = _signs(config) if isinstance(config, (dict, list, tuple)) else set()
    era = era_of_version(version) or next((era for era in TABLES.eras if era.signs & signs), None)
    now = Reading(era, dialect or (era.dialect if era else None))
    token = _reading.set(now)
    try:
        yield now
    except RecursionError:
        raise ValueError(f"the configuration has too many models or layers inside each other: {show(config)}") from None
    finally:
        _reading.reset(token)


@contextlib.contextmanager
def of_this_package(own: bool = True) -> Iterator[None]:
    """Read what is inside the `with` block as this package writes it, whatever wrote the rest of the file.

    Args:
        own: Whether it is so.
    """
    token = _reading.set(replace(current(), era=None)) if own else None
    try:
        yield
    finally:
        if token is not None:
            _reading.reset(token)


def current() -> Reading:
    """Return what is known of the configuration that is being read."""
    return _reading.get() or Reading()


def _signs(config: Any) -> set[str]:
    """Return the keys of a configuration by which a Keras is known; a walk without recursion.

    Raises:
        ValueError: It has too many levels.
    """
    known = frozenset().union(*(era.signs for era in TABLES.eras))
    seen: set[str] = set()
    level: dict[int, Any] = {id(config): config}
    for _ in range(MOST_LEVELS):
        below: dict[int, Any] = {}  # by identity: what is held in two places is walked over once
        for value in level.values():
            if isinstance(value, dict):
                seen.update(known & value.keys())
                name = value.get("class_name")
                if isinstance(name, str) and name in known:
                    seen.add(name)
                value = value.values()
            below.update((id(item), item) for item in value if isinstance(item, (dict, list, tuple)))
        if not below:
            return seen
        level = below
    raise ValueError(f"the configuration has more than {MOST_LEVELS} levels, or leads back to itself: {show(config)}")


def with_class(kind: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a configuration with its class beside it; regularizers and constraints of Keras 1 have it as `name`.

    Args:
        kind: The kind of thing that it is of.
        config: The configuration.
    """
    if kind in ("regularizer", "constraint") and "class_name" not in config and isinstance(config.get("name"), str):
        return {"class_name": config["name"], "config": {k: v for k, v in config.items() if k != "name"}}
    return config


def class_in(kind: str, name: str) -> str:
    """Return today's name of a class that a file names.

    Args:
        kind: The kind of thing that is asked for.
        name: The name in the file.

    Raises:
        ValueError: A class of which no file is read.
    """
    name = name.removeprefix(OWN)
    if name in TABLES.refused:
        raise ValueError(f"{name}: {TABLES.refused[name]}")
    return TABLES.classes.get(kind, {}).get(name, name)


def arguments_in(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a configuration in a file has, under the names of this package.

    Args:
        cls: The class that they are of.
        config: The configuration, which is not changed.

    Raises:
        ValueError: An argument that only files have, at a value that is not served.
    """
    era = current().era
    told = {argument: value_in(value) for argument, value in config.items()}
    owners = own_names(cls)
    tables = [TABLES.changed.get(era.name, {}) if era else {}, TABLES.arguments]
    for table in tables:
        for owner in owners:
            for argument, spelling in table.get(owner, {}).items():
                if argument in told:
                    _respell(cls.__name__, argument, spelling, told)
    if era is not None:
        for owner in owners:
            for argument, value in TABLES.absent.get(era.name, {}).get(owner, {}).items():
                told.setdefault(argument, value)
    return told


def _respell(owner: str, argument: str, spelling: Spelling, told: dict[str, Any]) -> None:
    value = told.pop(argument)
    if spelling.harmless is not None and value not in spelling.harmless:
        raise ValueError(f"{owner}({argument}={show(value)}): {spelling.note}")
    if spelling.new is not None:
        told.setdefault(spelling.new, converted(spelling, value))


@contextlib.contextmanager
def under_dialect(cls: type) -> Iterator[None]:
    """Make what is constructed inside the `with` block under the dialect of the file that is being read.

    Args:
        cls: The class that is constructed: models train, and users' code runs, under the dialect of whoever reads.
    """
    dialect = current().dialect
    if dialect is None or not is_ours(cls) or getattr(cls, "_trains", False):
        yield
        return
    with dialects.using(dialect):
        yield


# --- values ------------------------------------------------------------------------------------------------------


def _items(value: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(value_in(item) for item in _of(value, "items", list))


def _slice(value: Mapping[str, Any]) -> slice:
    config = _of(value, "config", dict)
    return slice(*(config.get(end) for end in ("start", "stop", "step")))


# What stands for a value in a configuration → the value.
CONTAINERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "__tuple__": _items,
    "__numpy__": lambda value: _of(_of(value, "config", dict), "value", object),
    "__tensor__": lambda value: _of(_of(value, "config", dict), "value", object),
    "__slice__": _slice,
    "__ellipsis__": lambda value: Ellipsis,
}


def _of(value: Mapping[str, Any], key: str, kind: type) -> Any:
    if key not in value or not isinstance(value[key], kind):
        raise ValueError(f"{value.get('class_name')} in a configuration needs {key!r}; got {show(value)}.")
    return value[key]


def value_in(value: Any) -> Any:
    """Return a value of a configuration, where tuples, arrays and the like stand as dictionaries; objects stay so."""
    if isinstance(value, dict):
        name = value.get("class_name")
        if isinstance(name, str):
            return CONTAINERS[name](value) if name in CONTAINERS else value
        return {key: value_in(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(value_in(item) for item in value)
    return value
