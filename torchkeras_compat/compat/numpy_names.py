"""Names that numpy has removed and old scripts use, as data, and how numpy gets them back for a while.

Source: the release notes of numpy 1.16 to 2.4.
"""

from __future__ import annotations

import math
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
    "NINF": "(-np.inf)",
    "round_": "np.round",
    "mat": "np.asmatrix",
    "trapz": "np.trapezoid",
    "rank": "np.ndim",
    "alen": "len",
    "cfloat": "np.complex128",
    "singlecomplex": "np.complex64",
    **dict.fromkeys(("clongfloat", "longcomplex"), "np.clongdouble"),
    "longfloat": "np.longdouble",
    "issubsctype": "np.issubdtype",
    "int0": "np.intp",
    "uint0": "np.uintp",
    "bool8": "np.bool_",
    **{f"{name}0": f"np.{name}_" for name in "str bytes object".split()},
}


def _asscalar(a: Any) -> Any:
    return np.asarray(a).item()


def _asfarray(a: Any, dtype: Any = float) -> Any:
    return np.asarray(a, dtype=dtype if np.issubdtype(dtype, np.inexact) else float)


def _msort(a: Any) -> Any:
    return np.sort(a, axis=0)


# Name → what it was, which no other name says, and what to write.
REWRITTEN: dict[str, tuple[Any, str]] = {
    "asscalar": (_asscalar, "a.item()"),
    "asfarray": (_asfarray, "np.asarray(a, dtype=float)"),
    "msort": (_msort, "np.sort(a, axis=0)"),
    "math": (math, "Python's own module math"),
}

_PYTHON: dict[str, Any] = {
    **{kind.__name__: kind for kind in (bool, int, float, complex, object, str)},
    "len": len,
    "(-np.inf)": -np.inf,
}
_own: Callable[[str], Any] | None = None


def provide(told: Callable[[str, str], None] | None = None) -> None:
    """Let numpy have the names of `REMOVED` and `REWRITTEN` that it has not, until `withdraw` is called.

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
        if name not in REMOVED and name not in REWRITTEN:
            return own(name)
        what, new = REWRITTEN.get(name) or (None, REMOVED[name])
        if told is not None:
            told(f"np.{name}", new)
        if what is not None:
            return what
        return getattr(np, new.removeprefix("np.")) if new.startswith("np.") else _PYTHON[new]

    _own = own
    vars(np)["__getattr__"] = attribute


def withdraw() -> None:
    """Let numpy have its own names alone again."""
    global _own
    if _own is not None:
        vars(np)["__getattr__"] = _own
        _own = None
