"""The symbolic tensors that a user's code names beside its arguments, which a graph of classic Keras just had."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from ..._core.bound_functions import names_in, variables_around
from ..._core.ownership import is_ours
from ..._core.symbolic import SymbolicTensor

_MOST = 1000


def symbols_in_code(functions: Iterable[Any]) -> list[SymbolicTensor]:
    """Return the symbolic tensors in the variables that functions see around them.

    Args:
        functions: Functions written in Python, methods or anything else, which names nothing.

    Example:
        >>> h = SymbolicTensor((None, 2), name='h')
        >>> symbols_in_code([lambda x: x + h])
        [<SymbolicTensor 'h' shape=(None, 2) dtype=float32>]
    """
    values = [value for function in map(_as_written, functions) for value in variables_around(function).values()]
    symbols = [symbol for value in values for symbol in _held_by(value) if isinstance(symbol, SymbolicTensor)]
    return list({id(symbol): symbol for symbol in symbols}.values())


def _held_by(value: Any) -> Iterable[Any]:
    """Return a value, or what a list or dictionary holds, one level of few items: code names a user's data, too."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
    return items if len(items) <= _MOST else ()


def differentiates(functions: Iterable[Any]) -> bool:
    """Tell whether functions ask for gradients, by `K.gradients` or `tf.gradients`.

    Args:
        functions: Functions written in Python, methods or anything else.
    """
    return "gradients" in names_in(map(_as_written, functions))


def _as_written(function: Any) -> Any:
    """Return the function behind a method and what decorators have put around it."""
    return inspect.unwrap(getattr(function, "__func__", function))


def functions_of(layer: Any) -> list[Any]:
    """Return the methods that a user wrote for a layer.

    Args:
        layer: A layer of a user's class.
    """
    classes = [cls for cls in type(layer).__mro__ if not is_ours(cls) and cls.__module__.partition(".")[0] != "torch"]
    return [value for cls in classes for value in vars(cls).values()]
