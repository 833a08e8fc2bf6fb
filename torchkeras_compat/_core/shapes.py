"""Shapes in Keras order: tuples of integers with `None` for what is not known yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import argument_error, choice

Shape = tuple[int | None, ...]


def shape_tuple(owner: str, argument: str, value: Any, *, batch: bool = False) -> Shape:
    """Return `value` as a shape, or raise an error that shows how to write one.

    Args:
        owner: Who takes the argument.
        argument: The argument's name.
        value: A sequence of positive integers and `None`.
        batch: Whether the first entry is the batch size.
    """
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        hint = f"({value},)" if isinstance(value, int) else "(784,)"
        if batch:
            hint = "(32, 8, 16) or (None, 784)"
        raise argument_error(owner, argument, f"a tuple such as {hint}", value, TypeError)
    items = tuple(value)
    for item in items:
        whole = hasattr(item, "__index__") and not isinstance(item, bool)
        if item is not None and (not whole or int(item) <= 0):
            raise argument_error(owner, argument, "a tuple of positive integers and None", value)
    if batch and not items:
        raise argument_error(owner, argument, "a tuple with the batch size first, such as (None, 784)", value)
    return tuple(None if item is None else int(item) for item in items)


def conv_length(length: int | None, kernel: int, stride: int, padding: str, dilation: int = 1) -> int | None:
    """Return the length that a convolution or pooling makes of `length`, by Keras's rules for `padding`."""
    if length is None:
        return None
    reach = (kernel - 1) * dilation + 1
    out = length if padding in ("same", "causal") else length - reach + 1
    return (out + stride - 1) // stride


def same_padding(length: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Return how many zeros Keras puts before and after for `padding='same'`: the odd one comes after."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-length // stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def data_format(owner: str, value: str | None, default: str) -> str:
    """Return `'channels_last'` or `'channels_first'`, the process's default for `None`."""
    return default if value is None else choice(owner, "data_format", value, ("channels_last", "channels_first"))


def compatible(expected: Shape, got: Sequence[int | None]) -> bool:
    """Tell whether `got` fits `expected`, where `None` fits anything."""
    return len(expected) == len(got) and all(e is None or g is None or e == g for e, g in zip(expected, got))


def one_sample_hint(expected: Shape, got: Sequence[int | None]) -> str:
    """Return what to write for one sample without the axis of samples; nothing where `got` is not one."""
    if not compatible(expected[1:], got):
        return ""
    return f" For one sample of shape {tuple(got)} write x[np.newaxis]."


def text(shape: Sequence[int | None]) -> str:
    """Return the shape as Keras prints it: `(None, 784)`."""
    return str(tuple(shape))


def sizes(shape: Any) -> tuple[int, ...]:
    """Return the sizes that a user asks for, as one number, a list, a shape or the tensor that `K.shape` gives.

    Example:
        >>> sizes(3), sizes([2, 3])
        ((3,), (2, 3))
    """
    return (int(shape),) if hasattr(shape, "__index__") and not getattr(shape, "ndim", 0) else tuple(map(int, shape))
