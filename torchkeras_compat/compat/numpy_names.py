"""Names that numpy has removed and old scripts use, as data, and how numpy gets them back for a while.

Source: the release notes of numpy 1.24 and 2.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# Name → what it was: a name of Python, or, behind `np.`, one that numpy has.
REMOVED: dict[str, str] = {
    **{name: name for name in "bool int float complex object str".split()},
    "long": "int",
    "unicode": "str",
    "float_": "np.float64",
    "complex_": "np.complex128",
    "string_": "np.bytes_",
    "unicode_": "np.str_",
    **dict.fromkeys(("Inf", "Infinity", "infty", "PINF"), "np.inf"),
    **dict.fromkeys(("NaN", "NAN"), "np.nan"),
    "product": "np.prod",
    "cumproduct": "np.cumprod",
    "sometrue": "np.any",
    "alltrue": "np.all",
    "row_stack": "np.vstack",
    "in1d": "np.isin",
}

_PYTHON: dict[str, Any] = {kind.__name__: kind for kind in (bool, int, float, complex, object, str)}
_own: Callable[[str], Any] | None = None


def provide(told: Callable[[str, str], None] | None = None) -> None:
    """Let numpy have the names of `REMOVED` that it has not, until `withdraw` is called.

    Args:
        told: Is told of each use, as (old, new).

    Example:
        >>> provide()
        >>> np.zeros(2, dtype=np.float_).dtype
        dtype('float64')
        >>> withdraw()
    """
    global _own
    own = vars(np)["__getattr__"] if _own is None else _own

    def attribute(name: str) -> Any:
        if name not in REMOVED:
            return own(name)
        new = REMOVED[name]
        if told is not None:
            told(f"np.{name}", new)
        return getattr(np, new.removeprefix("np.")) if new.startswith("np.") else _PYTHON[new]

    _own = own
    vars(np)["__getattr__"] = attribute


def withdraw() -> None:
    """Let numpy have its own names alone again."""
    global _own
    if _own is not None:
        vars(np)["__getattr__"] = _own
        _own = None
