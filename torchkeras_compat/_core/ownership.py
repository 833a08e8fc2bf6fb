"""What is this package's own, and what is a user's."""

from __future__ import annotations

from typing import Any

PACKAGE = __name__.partition(".")[0]


def origin(cls: type) -> type:
    """Return a class as it was written: of one that was made of it under a dialect, the class behind it."""
    while "_behind" in cls.__dict__:
        cls = cls.__dict__["_behind"]
    return cls


def is_ours(value: Any) -> bool:
    """Tell whether a class or function is this package's own, and no user's."""
    written = origin(value) if isinstance(value, type) else value
    return str(getattr(written, "__module__", "")).partition(".")[0] == PACKAGE


def own_names(cls: type) -> tuple[str, ...]:
    """Return the names of the package's classes that a class is or descends from, the nearest first.

    Example:
        >>> from torchkeras_compat import layers
        >>> class Mine(layers.Conv2D): pass
        >>> own_names(Mine)[:2]
        ('Conv2D', 'ConvOfBatches')
    """
    return tuple(dict.fromkeys(base.__name__ for base in cls.__mro__ if is_ours(base)))
