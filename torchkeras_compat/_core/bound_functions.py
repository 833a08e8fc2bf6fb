"""Functions of users with the variables around them as they stood at some moment: what classic Keras's graphs kept."""

from __future__ import annotations

import dis
import functools
from collections.abc import Callable, Iterable
from types import CellType, CodeType, FunctionType
from typing import Any

from .ownership import is_ours

_GLOBALS = frozenset(("LOAD_GLOBAL", "LOAD_NAME"))


def as_bound_now(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that sees the variables around it as they are bound now; what they hold may change.

    Args:
        function: A function written in Python; anything else is returned as it is.

    Example:
        >>> doubled = [as_bound_now(lambda: 2 * i) for i in range(3)]
        >>> [f() for f in doubled]
        [0, 2, 4]
    """
    if not isinstance(function, FunctionType) or not variables_around(function):
        return function
    closure = None if function.__closure__ is None else tuple(map(_copied, function.__closure__))
    copy = FunctionType(function.__code__, {**function.__globals__}, function.__name__, function.__defaults__, closure)
    copy.__kwdefaults__, copy.__qualname__ = function.__kwdefaults__, function.__qualname__
    copy.__module__, copy.__doc__ = function.__module__, function.__doc__
    return copy


def variables_around(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the variables around a function that its code reads, by name: the enclosing functions' and global ones.

    Args:
        function: A function written in Python; anything else reads none.

    Example:
        >>> scale = 2
        >>> variables_around(lambda x: x * scale)
        {'scale': 2}
    """
    if not isinstance(function, FunctionType):
        return {}
    told = function.__globals__
    variables = {name: told[name] for name in sorted(_globals_in(function.__code__)) if name in told}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if _holds_something(cell):
            variables[name] = cell.cell_contents
    return variables


def names_in(functions: Iterable[Any]) -> set[str]:
    """Return the names that functions read, of attributes too, and those in the functions of a user that they name.

    Args:
        functions: Functions written in Python; anything else reads none.

    Example:
        >>> sorted(names_in([lambda x: K.gradients(x, y)]))
        ['K', 'gradients', 'y']
    """
    names: set[str] = set()
    seen: set[int] = set()
    pending = [function for function in functions if isinstance(function, FunctionType)]
    while pending:
        function = pending.pop()
        if id(function) in seen or is_ours(function):
            continue
        seen.add(id(function))
        names.update(_names_in(function.__code__))
        pending += [value for value in variables_around(function).values() if isinstance(value, FunctionType)]
    return names


@functools.lru_cache(maxsize=4096)  # a layer's class is looked at for each of its calls in a graph
def _names_in(code: CodeType) -> frozenset[str]:
    inner = (_names_in(const) for const in code.co_consts if isinstance(const, CodeType))
    return frozenset((*code.co_names, *code.co_freevars)).union(*inner)


def _copied(cell: CellType) -> CellType:
    return CellType(cell.cell_contents) if _holds_something(cell) else cell


def _holds_something(cell: CellType) -> bool:
    """Tell whether the variable has been assigned to: a function may be made before what it names."""
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


@functools.lru_cache(maxsize=4096)
def _globals_in(code: CodeType) -> frozenset[str]:
    names = frozenset(step.argval for step in dis.get_instructions(code) if step.opname in _GLOBALS)
    return names.union(*(_globals_in(inner) for inner in code.co_consts if isinstance(inner, CodeType)))
