"""Names that are planned and not there yet: they can be imported, and say what to write now when they are used."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from .errors import did_you_mean


class ComesLater(NotImplementedError):
    """Something that is planned and not there yet; the text names what to write now."""


class _NoAttribute(ComesLater, AttributeError):
    """The same where an attribute is asked for, so that `hasattr` and `getattr` with a default keep working."""


class Planned(type):
    """The class of placeholders: calling or subclassing one, or asking it for an attribute, raises."""

    _text: str

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Planned:
        """Make a placeholder; a user's subclass of one is refused."""
        for base in bases:
            if isinstance(base, Planned):
                raise ComesLater(base._text)
        return super().__new__(mcs, name, bases, body)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Raise."""
        raise ComesLater(cls._text)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):  # what Python itself asks every object for
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        raise _NoAttribute(cls._text)

    def __repr__(cls) -> str:
        return f"<planned: {cls._text}>"


def placeholder(name: str, instead: str, module: str = "") -> Planned:
    """Return what stands for a planned class or function.

    Args:
        name: Its name.
        instead: What to write now, the end of a sentence.
        module: Where it is imported from.
    """
    text = f"{name} comes later; {instead}."
    return Planned(name, (), {"_text": text, "__module__": module, "__doc__": text})


_made: dict[tuple[str, str], Planned] = {}
TABLES: dict[str, Mapping[str, str]] = {}


def install(tables: Mapping[str, Mapping[str, str]]) -> None:
    """Take over the tables of planned names.

    Args:
        tables: Part of the package → name → what to write now.
    """
    TABLES.update(tables)


def find(part: str, name: str) -> Planned | None:
    """Return the placeholder of a planned name of one part of the package, such as `'layers'`."""
    if name not in TABLES.get(part, ()):
        return None
    key = (part, name)
    if key not in _made:
        _made[key] = placeholder(name, TABLES[part][name], f"keras.{part}".rstrip("."))
    return _made[key]


def names(part: str) -> list[str]:
    """Return the planned names of one part of the package."""
    return list(TABLES.get(part, ()))


def missing(depth: int = 2) -> type[Exception]:
    """Return what to raise for a missing name: `from keras.layers import Dens` shows the text of ImportErrors only.

    Args:
        depth: How many frames up the module is asked for the name.
    """
    return ImportError if sys._getframe(depth).f_code.co_name == "_handle_fromlist" else AttributeError


def attend(module: ModuleType, part: str) -> None:
    """Let a module answer for the names that it does not have.

    Args:
        module: The module.
        part: Its place in the tables.
    """

    def lookup(name: str) -> Any:
        stand_in = None if name.startswith("__") else find(part, name)
        if stand_in is not None:
            return stand_in
        is_package = "__path__" in vars(module) and not name.startswith("__")
        if is_package and importlib.util.find_spec(f"{module.__name__}.{name}") is not None:
            raise AttributeError(name)  # a module inside, which `from … import` finds by itself
        hint = "" if name.startswith("_") else f"; {did_you_mean(name, [*module.__all__, *names(part)])}"
        raise missing()(f"module {module.__name__!r} has no attribute {name!r}{hint}")

    module.__getattr__ = lookup  # type: ignore[method-assign]
