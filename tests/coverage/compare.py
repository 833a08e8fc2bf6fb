"""What this package has of each name and argument of Keras 2.15: found by looking, not by being told."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torchkeras_compat
from torchkeras_compat._core import config
from torchkeras_compat._core.border import TABLES
from torchkeras_compat._core.planned import Planned

SURFACE: dict[str, dict[str, list[str] | None]] = json.loads(
    Path(__file__).with_name("surface.json").read_text(encoding="utf-8")
)
MEMBERS = " (members)"
ABSENT = object()
TAKES_ANY = inspect.Parameter.VAR_KEYWORD


@dataclass(frozen=True)
class Entry:
    """A name of Keras, and what there is of it here.

    Attributes:
        section: The module, or the class whose member it is.
        name: The name.
        there: Whether there is anything under it.
        later: What its placeholder says, where it is planned alone; else nothing.
        missing: The arguments that Keras has and that are not taken here.
    """

    section: str
    name: str
    there: bool
    later: str
    missing: tuple[str, ...]


def entries() -> list[Entry]:
    """Return all names of Keras, in the order of its sections."""
    return [_entry(section, name, names) for section, table in SURFACE.items() for name, names in table.items()]


def _entry(section: str, name: str, names: list[str] | None) -> Entry:
    value = _member(section, name) if section.endswith(MEMBERS) else getattr(_reached(section), name, ABSENT)
    later = value.__doc__ or "" if isinstance(value, Planned) else ""
    accepted = _arguments(name, value)
    missing = tuple(argument for argument in names or () if accepted is not None and argument not in accepted)
    return Entry(section, name, value is not ABSENT, later, () if later or value is ABSENT else missing)


def _reached(path: str) -> Any:
    """Return what a dotted path leads to from the package: modules, and classes in them."""
    value: Any = torchkeras_compat
    for part in path.split("."):
        if inspect.ismodule(value) and not hasattr(value, part):
            importlib.import_module(f"{value.__name__}.{part}")
        value = getattr(value, part)
    return value


@functools.cache
def _an_object(path: str) -> Any:
    """Return an object of a class, whose attributes count as members."""
    cls = _reached(path)
    made: dict[str, Any] = {
        "losses.Loss": lambda: torchkeras_compat.losses.MeanSquaredError(),
        "metrics.Metric": lambda: torchkeras_compat.metrics.Mean(),
        "optimizers.Optimizer": lambda: torchkeras_compat.optimizers.SGD(),
    }
    return made.get(path, cls)()


def _member(section: str, name: str) -> Any:
    path = section.removesuffix(MEMBERS)
    own = inspect.getattr_static(_reached(path), name, ABSENT)
    if own is not ABSENT:
        return own if isinstance(own, property) else getattr(_reached(path), name)
    thing = _an_object(path)
    return inspect.getattr_static(thing, name, ABSENT) if name not in vars(thing) else vars(thing)[name]


def _arguments(name: str, value: Any) -> set[str] | None:
    """Return the names of the arguments that something takes, old spellings included; `None` where it takes any."""
    if not callable(value) or isinstance(value, Planned):
        return None
    spelled = set(TABLES.spellings.get(getattr(value, "__name__", name), {}))
    if isinstance(value, type) and issubclass(value, config.Configurable):
        return {*config.arguments(value), *spelled}
    parameters = inspect.signature(value).parameters.values()
    if any(parameter.kind is TAKES_ANY for parameter in parameters):
        return None
    return {*(parameter.name for parameter in parameters), *spelled}
