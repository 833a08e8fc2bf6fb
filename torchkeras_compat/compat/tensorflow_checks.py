"""`tf.debugging`, `tf.errors`, `tf.print` and `tf.nest`: what a script asks of its tensors, and shows of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.errors import argument_error, show
from .._core.strings import StringTensor
from ..backend.variables import value_of
from .tensorflow_calls import are_known, function, tensor

# --- checks ------------------------------------------------------------------------------------------------------

_COMPARISONS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str]] = {
    "equal": (torch.eq, "=="),
    "none_equal": (torch.ne, "!="),
    "less": (torch.lt, "<"),
    "less_equal": (torch.le, "<="),
    "greater": (torch.gt, ">"),
    "greater_equal": (torch.ge, ">="),
    "near": (lambda x, y: torch.isclose(x, y, 10 * _precision(x), 10 * _precision(x)), "≈"),
}
_SIGNS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "positive": (lambda x: x > 0, "> 0"),
    "negative": (lambda x: x < 0, "< 0"),
    "non_negative": (lambda x: x >= 0, ">= 0"),
    "non_positive": (lambda x: x <= 0, "<= 0"),
}


def _precision(x: Tensor) -> float:
    return torch.finfo(x.dtype).eps


def _expect(holds: bool, what: str, message: Any) -> None:
    if not holds:
        raise ValueError(f"{what}{'' if message is None else f': {message}'}")


def _enter_comparison(name: str) -> Callable[..., None]:
    compare, sign = _COMPARISONS[name]

    def check(x: Any, y: Any, message: Any = None, *args: Any, **kwargs: Any) -> None:
        if not isinstance(message, (str, type(None))):  # `data` stands there in TensorFlow 1
            message = kwargs.get("message")
        if are_known(x, y):
            a = tensor(x, beside=y if isinstance(y, Tensor) else None)
            b = tensor(y, beside=a)
            _expect(bool(compare(a, b).all()), f"tf.debugging.assert_{name}: {show(x)} {sign} {show(y)}", message)

    return check


def _enter_sign(name: str) -> Callable[..., None]:
    holds, sign = _SIGNS[name]

    def check(x: Any, message: Any = None, summarize: Any = None, name_of_op: Any = None, **kwargs: Any) -> None:
        if are_known(x):
            _expect(bool(holds(tensor(x)).all()), f"tf.debugging.assert_{name}: {show(x)} {sign}", message)

    return check


def assert_rank(x: Any, rank: int, message: Any = None, summarize: Any = None, name: str | None = None) -> None:
    """Raise where a tensor has another number of axes.

    Args:
        x: The tensor, a symbolic one too.
        rank: The number.
        message: Said in the error.
        summarize: Accepted.
        name: Accepted.

    Raises:
        ValueError: It has another number of axes.
    """
    axes = len(tensor(x).shape)
    _expect(axes == int(rank), f"tf.debugging.assert_rank: {rank} axes are needed; got {show(x)}", message)


def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None
) -> None:
    """Raise where the shapes of tensors disagree: names stand for lengths, equal for equal names.

    Args:
        shapes: Pairs of a tensor and its shape, of numbers, names and `None`.
        data: Accepted.
        summarize: Accepted.
        message: Said in the error.
        name: Accepted.

    Raises:
        ValueError: They disagree.
    """
    lengths: dict[str, int] = {}
    for value, wanted in shapes.items() if isinstance(shapes, Mapping) else shapes:
        shape = tuple(tensor(value).shape)
        told = tuple(wanted) if isinstance(wanted, (str, list, tuple)) else (wanted,)
        agree = len(shape) == len(told) and all(
            n is None or one in (None, ".") or n == (lengths.setdefault(one, n) if isinstance(one, str) else int(one))
            for n, one in zip(shape, told)
        )
        _expect(agree, f"tf.debugging.assert_shapes: {told} is needed; got {shape}", message)


def assert_type(tensor_: Any, tf_type: Any, message: Any = None, name: str | None = None) -> None:
    """Raise where a tensor has another type.

    Args:
        tensor_: The tensor.
        tf_type: The type.
        message: Said in the error.
        name: Accepted.

    Raises:
        TypeError: It has another one.
    """
    if tensor(tensor_).dtype != tf_type:
        raise TypeError(f"tf.debugging.assert_type: {tf_type} is needed; got {tensor(tensor_).dtype}: {message or ''}")


def assert_(condition: Any, data: Any, summarize: Any = None, name: str | None = None) -> None:
    """Raise where a condition does not hold.

    Args:
        condition: The condition.
        data: Shown in the error.
        summarize: Accepted.
        name: Accepted.

    Raises:
        ValueError: It does not hold.
    """
    if are_known(condition):
        _expect(bool(tensor(condition).all()), "tf.debugging.Assert", [value_of(value) for value in data])


@function("debugging.check_numerics")
def check_numerics(tensor: Tensor, message: str = "") -> Tensor:
    """Return a tensor, and raise where it holds NaN or infinity."""
    if tensor.device.type != "meta" and not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{message} : the tensor has NaN or infinite values.")
    return tensor


@function("debugging.assert_all_finite verify_tensor_all_finite", also={"t": "x", "msg": "message"})
def assert_all_finite(x: Tensor, message: str = "") -> Tensor:
    """Return a tensor, and raise where it holds NaN or infinity."""
    return check_numerics(x, message)


CHECKS: dict[str, Any] = {
    **{f"assert_{name}": _enter_comparison(name) for name in _COMPARISONS},
    **{f"assert_{name}": _enter_sign(name) for name in _SIGNS},
    "assert_rank": assert_rank,
    "assert_shapes": assert_shapes,
    "assert_type": assert_type,
    "Assert": assert_,
}
# What this package raises where TensorFlow raises these.
ERRORS: dict[str, Any] = {
    "InvalidArgumentError": ValueError,
    "FailedPreconditionError": RuntimeError,
    "UnimplementedError": NotImplementedError,
    "NotFoundError": FileNotFoundError,
    "OutOfRangeError": IndexError,
    "ResourceExhaustedError": torch.OutOfMemoryError,
    "OpError": Exception,
}


# --- printed -----------------------------------------------------------------------------------------------------


def _as_text(value: Any, summarize: int) -> str:
    """Return what TensorFlow prints for a value: tensors without commas, each float by the digits of its type."""
    if isinstance(value, (list, tuple, dict)):
        return _of_tree(value, summarize)
    if not isinstance(value, Tensor):
        return repr(value) if isinstance(value, np.ndarray) else str(value)
    strings = isinstance(value, StringTensor)
    array = np.asarray(value.numpy(), dtype=object) if strings else np.asarray(value_of(value))
    word = _WORDS.get(array.dtype.kind, str)
    if array.ndim == 0:
        return word(array[()])
    ends = array.size or 1 if summarize == -1 else summarize
    options: dict[str, Any] = {"formatter": {"all": word}, "max_line_width": 10**9}
    return np.array2string(array, threshold=0, edgeitems=ends, **options)


def _as_float(number: Any) -> str:
    """Return a number by the digits that its type is sure of, or by all where those are not enough."""
    few, all_digits = (15, 17) if isinstance(number, np.float64) else (6, 9)
    text = f"{number:.{few}g}"
    return text if type(number)(text) == number else f"{number:.{all_digits}g}"


_WORDS: dict[str, Callable[[Any], str]] = {
    "f": _as_float,
    "b": lambda truth: str(int(truth)),
    "O": lambda text: f'"{text.decode()}"',
}


def _of_tree(value: Any, summarize: int) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_inside(part, summarize)}" for key, part in value.items()) + "}"
    text = ", ".join(_inside(part, summarize) for part in value)
    return f"[{text}]" if isinstance(value, list) else f"({text})"


def _inside(value: Any, summarize: int) -> str:
    return repr(value) if isinstance(value, str) else _as_text(value, summarize)


def print_(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> None:
    """Print values and tensors on the standard error, as TensorFlow does.

    Args:
        inputs: What to print; symbolic tensors have no value, and nothing is printed.
        output_stream: A file instead.
        summarize: How many values at each end of an axis are shown; -1 for all.
        sep: Stands between them.
        end: Stands behind them.
        name: Accepted.

    Raises:
        ValueError: The stream is no file.
    """
    stream = sys.stderr if output_stream is None else output_stream
    if not hasattr(stream, "write"):
        raise argument_error("tf.print", "output_stream", "a file that is open, such as sys.stdout", output_stream)
    if are_known(*inputs):
        print(*[_as_text(value, summarize) for value in inputs], sep=sep, end=end, file=stream)


def print_of_version_1(
    input_: Any,
    data: Sequence[Any],
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Any:
    """Print tensors, and return another.

    Args:
        input_: Returned.
        data: What to print.
        message: Printed in front of it.
        first_n: Accepted.
        summarize: How many values at each end of an axis are shown.
        name: Accepted.
    """
    if are_known(*data):
        print(message or "", *[f"[{_as_text(value, summarize or 3)}]" for value in data], sep="", file=sys.stderr)
    return input_


# --- trees -------------------------------------------------------------------------------------------------------


def _leaves(tree: Any) -> Iterator[Any]:
    """Yield the leaves of a tree, those of dictionaries in the order of their keys."""
    if isinstance(tree, Mapping):
        for key in sorted(tree):
            yield from _leaves(tree[key])
    elif isinstance(tree, (list, tuple)):
        for part in tree:
            yield from _leaves(part)
    else:
        yield tree


def nest_flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """Return the leaves of a tree, those of dictionaries in the order of their keys.

    Args:
        structure: The tree.
        expand_composites: Accepted.

    Example:
        >>> nest_flatten({'b': 1, 'a': (2, [3])})
        [2, 3, 1]
    """
    return list(_leaves(structure))


def _filled(tree: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(tree, Mapping):
        parts = {key: _filled(tree[key], leaves) for key in sorted(tree)}
        return type(tree)((key, parts[key]) for key in tree)  # type: ignore[call-arg]
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[_filled(part, leaves) for part in tree])
    if isinstance(tree, (list, tuple)):
        return type(tree)([_filled(part, leaves) for part in tree])
    return next(leaves)


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any], expand_composites: bool = False) -> Any:
    """Return a tree of the same structure with other leaves.

    Args:
        structure: The tree.
        flat_sequence: The leaves.
        expand_composites: Accepted.

    Raises:
        ValueError: There are more leaves, or fewer.

    Example:
        >>> pack_sequence_as({'b': 0, 'a': (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    count, leaves = len(nest_flatten(structure)), list(flat_sequence)
    if count != len(leaves):
        raise argument_error("tf.nest.pack_sequence_as", "flat_sequence", f"{count} values", len(leaves))
    return _filled(structure, iter(leaves))


def _expect_same(a: Any, b: Any) -> None:
    branches = (Mapping, list, tuple)
    kinds = [next((kind for kind in branches if isinstance(tree, kind)), None) for tree in (a, b)]
    keys = [sorted(t) if isinstance(t, Mapping) else len(t) if isinstance(t, (list, tuple)) else None for t in (a, b)]
    if kinds[0] is not kinds[1] or keys[0] != keys[1]:
        raise ValueError(f"tf.nest: the structures differ: {show(a)} and {show(b)}.")
    if kinds[0] is not None:
        parts = (a.keys(), b.keys()) if isinstance(a, Mapping) else (range(len(a)),)
        for key in parts[0]:
            _expect_same(a[key], b[key])


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raise where two trees differ in structure.

    Args:
        nest1: One.
        nest2: The other.
        check_types: Accepted.
        expand_composites: Accepted.

    Raises:
        ValueError: They differ.
    """
    _expect_same(nest1, nest2)


def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """Return the tree of what a function makes of the leaves at each place.

    Args:
        func: The function.
        structure: The trees.
        kwargs: Accepted: `check_types`, `expand_composites`.

    Raises:
        ValueError: They differ in structure.

    Example:
        >>> map_structure(lambda a, b: a + b, {'x': 1, 'y': [2]}, {'x': 10, 'y': [20]})
        {'x': 11, 'y': [22]}
    """
    for other in structure[1:]:
        _expect_same(structure[0], other)
    leaves = zip(*[nest_flatten(tree) for tree in structure])
    return _filled(structure[0], iter([func(*parts) for parts in leaves]))


NEST: dict[str, Any] = {
    "flatten": nest_flatten,
    "map_structure": map_structure,
    "pack_sequence_as": pack_sequence_as,
    "assert_same_structure": assert_same_structure,
    "is_nested": lambda structure: isinstance(structure, (Mapping, list, tuple)),
}
