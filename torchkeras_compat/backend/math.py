"""Arithmetic, comparisons, reductions and products."""

from __future__ import annotations

import builtins
import math as _math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core import bounds, dialects, settings
from .._core.errors import argument_error
from .._core.operations import as_tensor, operation

F = TypeVar("F", bound=Callable[..., Any])
Axis = int | Sequence[int] | None


def _unary(function: Callable[[Tensor], Tensor], name: str, text: str) -> Callable[[Any], Any]:
    def computed(x: Tensor) -> Tensor:
        return function(x)

    computed.__name__ = computed.__qualname__ = name
    computed.__doc__ = f"Return {text}, element by element."
    return operation(computed)


def _binary(function: Callable[[Tensor, Tensor], Tensor], name: str, text: str) -> Callable[[Any, Any], Any]:
    def computed(x: Tensor, y: Tensor) -> Tensor:
        return function(x, y)

    computed.__name__ = computed.__qualname__ = name
    computed.__doc__ = f"Return {text}, element by element; the shapes are broadcast."
    return operation(computed)


abs = _unary(torch.abs, "abs", "the absolute value")
square = _unary(torch.square, "square", "the square")
exp = _unary(torch.exp, "exp", "e to the power of x")
log = _unary(torch.log, "log", "the natural logarithm")
round = _unary(torch.round, "round", "the nearest integer, the even one of two,")
sign = _unary(torch.sign, "sign", "-1, 0 or 1")
sin = _unary(torch.sin, "sin", "the sine")
cos = _unary(torch.cos, "cos", "the cosine")
sqrt = _unary(lambda x: bounds.clip(x, 0).sqrt(), "sqrt", "the square root, of a negative number 0")

equal = _binary(torch.eq, "equal", "whether x = y")
not_equal = _binary(torch.ne, "not_equal", "whether x ≠ y")
greater = _binary(torch.gt, "greater", "whether x > y")
greater_equal = _binary(torch.ge, "greater_equal", "whether x ≥ y")
less = _binary(torch.lt, "less", "whether x < y")
less_equal = _binary(torch.le, "less_equal", "whether x ≤ y")
maximum = _binary(bounds.maximum, "maximum", "the larger of x and y")
minimum = _binary(bounds.minimum, "minimum", "the smaller of x and y")


@operation
def pow(x: Tensor, a: Any) -> Tensor:
    """Return `x` to the power of `a`, element by element.

    Example:
        >>> pow([1.0, 2.0], 3)
        tensor([1., 8.])
    """
    return torch.pow(x, as_tensor(a, x.device) if isinstance(a, _ARRAYS) else a)


_ARRAYS = (np.ndarray, list, tuple)


@operation
def clip(x: Tensor, min_value: Any, max_value: Any) -> Tensor:
    """Return `x` kept between two bounds.

    Args:
        x: Any tensor.
        min_value: The lower one; `None` for none.
        max_value: The upper one; `None` for none. A number below `min_value` counts as `min_value`.

    Example:
        >>> clip([-1.0, 5.0], 0, 2)
        tensor([0., 2.])
    """
    low, high = (as_tensor(v, x.device) if isinstance(v, _ARRAYS) else v for v in (min_value, max_value))
    return bounds.clip(x, low, high)


def _axes(x: Tensor, axis: Axis) -> tuple[int, ...]:
    """Return the axes to reduce over; `None` are all, and without any each element stays by itself."""
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(int(a) for a in axis)


def _countable(x: Tensor) -> Tensor:
    return x if x.is_floating_point() or x.is_complex() else x.to(settings.torch_dtype(None))


@operation
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over one axis, several or all.

    Args:
        x: Any tensor; truth values count as 0 and 1. The mean of integers is an integer, cut, as in Keras.
        axis: An axis, a list of them, or `None` for all.
        keepdims: Whether reduced axes stay, with length 1.

    Example:
        >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=0)
        tensor([2., 3.])
    """
    if x.is_floating_point() or x.is_complex():
        return x.mean(axes, keepdim=keepdims) if (axes := _axes(x, axis)) else x
    if x.dtype == torch.bool:
        return mean(_countable(x), axis, keepdims)
    total = x.sum(axes, keepdim=keepdims, dtype=x.dtype) if (axes := _axes(x, axis)) else x
    return torch.div(total, builtins.max(x.numel() // builtins.max(total.numel(), 1), 1), rounding_mode="trunc")


@operation
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum over one axis, several or all; the arguments are those of `mean`.

    Example:
        >>> sum([[1.0, 2.0], [3.0, 4.0]])
        tensor(10.)
    """
    kept = None if x.dtype == torch.bool else x.dtype
    return x.sum(axes, keepdim=keepdims, dtype=kept) if (axes := _axes(x, axis)) else x


@operation
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the product over one axis, several or all; the arguments are those of `mean`.

    Example:
        >>> prod([2.0, 3.0])
        tensor(6.)
    """
    kept = None if x.dtype == torch.bool else x.dtype
    for a in sorted((a % x.ndim for a in _axes(x, axis)), reverse=True):
        x = x.prod(a, keepdim=keepdims, dtype=kept)
    return x


@operation
def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest value over one axis, several or all; the arguments are those of `mean`.

    Example:
        >>> max([[1.0, 2.0], [3.0, 4.0]], axis=-1)
        tensor([2., 4.])
    """
    return x.amax(axes, keepdim=keepdims) if (axes := _axes(x, axis)) else x


@operation
def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest value over one axis, several or all; the arguments are those of `mean`.

    Example:
        >>> min([[1.0, 2.0], [3.0, 4.0]], axis=-1)
        tensor([1., 3.])
    """
    return x.amin(axes, keepdim=keepdims) if (axes := _axes(x, axis)) else x


@operation
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the variance (divided by n) over one axis, several or all; the arguments are those of `mean`.

    Example:
        >>> var([1.0, 3.0])
        tensor(1.)
    """
    x = _countable(x)
    return x.var(axes, correction=0, keepdim=keepdims) if (axes := _axes(x, axis)) else x - x


@operation
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation (divided by n) over one axis, several or all; the arguments are those of `mean`.

    Example:
        >>> std([1.0, 3.0])
        tensor(1.)
    """
    x = _countable(x)
    return x.std(axes, correction=0, keepdim=keepdims) if (axes := _axes(x, axis)) else (x - x).sqrt()


@operation
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))), computed without overflow; the arguments are those of `mean`.

    Example:
        >>> logsumexp([0.0, 0.0])
        tensor(0.6931)
    """
    return torch.logsumexp(x, _axes(x, axis), keepdim=keepdims)


@operation
def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether some value is true (not 0); the arguments are those of `mean`.

    Example:
        >>> any([[0, 1], [0, 0]], axis=1)
        tensor([ True, False])
    """
    x = x.to(torch.bool)
    return torch.any(x, axes, keepdim=keepdims) if (axes := _axes(x, axis)) else x


@operation
def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether every value is true (not 0); the arguments are those of `mean`.

    Example:
        >>> all([[0, 1], [1, 1]], axis=1)
        tensor([False,  True])
    """
    x = x.to(torch.bool)
    return torch.all(x, axes, keepdim=keepdims) if (axes := _axes(x, axis)) else x


@operation
def argmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return the index of the largest value along an axis, the first one of several.

    Example:
        >>> argmax([[1.0, 5.0, 5.0]])
        tensor([1])
    """
    return _first_index(x, x.amax(axis, keepdim=True), axis)


@operation
def argmin(x: Tensor, axis: int = -1) -> Tensor:
    """Return the index of the smallest value along an axis, the first one of several.

    Example:
        >>> argmin([[1.0, 5.0, 1.0]])
        tensor([0])
    """
    return _first_index(x, x.amin(axis, keepdim=True), axis)


def _first_index(x: Tensor, wanted: Tensor, axis: int) -> Tensor:
    # torch.argmax does not promise which of several equal values it names; on truth values it takes the first.
    return (x == wanted).to(torch.uint8).argmax(axis)


@operation
def cumsum(x: Tensor, axis: int = 0) -> Tensor:
    """Return the running sum along an axis.

    Example:
        >>> cumsum([1.0, 2.0, 3.0])
        tensor([1., 3., 6.])
    """
    return torch.cumsum(x, axis, dtype=x.dtype)


@operation
def cumprod(x: Tensor, axis: int = 0) -> Tensor:
    """Return the running product along an axis.

    Example:
        >>> cumprod([1.0, 2.0, 3.0])
        tensor([1., 2., 6.])
    """
    return torch.cumprod(x, axis, dtype=x.dtype)


@operation
def l2_normalize(x: Tensor, axis: Axis = None) -> Tensor:
    """Return `x` divided by its Euclidean norm over `axis`.

    Example:
        >>> l2_normalize([3.0, 4.0])
        tensor([0.6000, 0.8000])
    """
    return x * torch.rsqrt(bounds.clip(x.square().sum(_axes(x, axis), keepdim=True), 1e-12))


@operation
def dot(x: Tensor, y: Tensor) -> Tensor:
    """Return the matrix product; with more axes, the last of `x` meets the last but one of `y`.

    Shape:
        `(…, n)` and `(…, n, m)` give `(…, …, m)`.

    Example:
        >>> dot(torch.ones(2, 3, 4), torch.ones(5, 4, 6)).shape
        torch.Size([2, 3, 5, 6])
    """
    if x.ndim > 2 or y.ndim > 2:
        product: Tensor = torch.tensordot(x, y, dims=([x.ndim - 1], [y.ndim - 2]))
        return product
    return torch.matmul(x, y)


def batch_dot(x: Any, y: Any, axes: int | Sequence[int] | None = None) -> Any:
    """Return the product of each sample of `x` with the same sample of `y`.

    In the dialects `keras-2.2` and `keras-1`, tensors of three axes and more are multiplied as stacks of matrices: axes
    between the first and the last two have to correspond, and are in the result once.

    Args:
        x: At least two axes, the first of them the batch.
        y: Likewise.
        axes: Which axis of each is summed over; `None` for the last of `x` and the last but one of `y` (of a matrix
            the last).

    Shape:
        The batch, then the other axes of `x`, then those of `y`; `(batch, 1)` where none are left. In the dialects of
        Keras 2.2 and before, of more than three axes all but the last two are batches.

    Raises:
        ValueError: An input has no axis beside the batch, the batches differ, `axes` names axis 0, or lengths differ.

    Source:
        `keras.backend.batch_dot`, Keras 2.15; 2.2.4 in its dialect, and in that of Keras 1.

    Example:
        >>> batch_dot(torch.ones(2, 3, 4), torch.ones(2, 4, 5)).shape
        torch.Size([2, 3, 5])
    """
    if not (axes is None or isinstance(axes, int)) and not _is_pair(axes):
        raise argument_error("batch_dot", "axes", "None, an integer or two of them", axes)
    rules = dialects.current().rules
    product = matrix_products if rules.batch_dot_multiplies_matrices else sample_products
    return product(x, y) if axes is None else product(x, y, axes=axes)


def _is_pair(axes: Any) -> bool:
    return isinstance(axes, (list, tuple)) and len(axes) == 2 and builtins.all(isinstance(a, int) for a in axes)


def _correspond(one: Sequence[int], other: Sequence[int]) -> bool:
    return builtins.all(m == n or 1 in (m, n) for m, n in zip(one, other))


def _as_batch_dot(function: F) -> F:
    """Let layers of graphs be named after `batch_dot`; configurations name the meaning that a graph was made with."""
    function.__name__ = batch_dot.__name__
    return function


batch_dot._is_operation = True  # type: ignore[attr-defined]


@_as_batch_dot
@operation
def sample_products(x: Tensor, y: Tensor, axes: int | Sequence[int] | None = None) -> Tensor:
    """Return what `batch_dot` means from Keras 2.3 on."""
    shapes = f"x of shape {tuple(x.shape)} and y of shape {tuple(y.shape)}"
    if builtins.min(x.ndim, y.ndim) < 2 or x.shape[0] != y.shape[0]:
        raise ValueError(f"batch_dot: x and y must have two axes or more and one batch size; got {shapes}.")
    if axes is None:
        axes = (x.ndim - 1, y.ndim - 1 if y.ndim == 2 else y.ndim - 2)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    a, b = pair[0] % x.ndim, pair[1] % y.ndim
    if 0 in (a, b) or x.shape[a] != y.shape[b]:
        raise ValueError(f"batch_dot(axes={axes}): the axes must have one length and not be the batch; got {shapes}.")
    x, y = x.movedim(a, -1), y.movedim(b, 1)
    # (batch, m, n) @ (batch, n, k), with the other axes of each folded into m and k
    more_x, more_y = _math.prod(x.shape[1:-1]), _math.prod(y.shape[2:])
    result = torch.bmm(x.reshape(x.shape[0], more_x, x.shape[-1]), y.reshape(*y.shape[:2], more_y))
    shape = (*x.shape[:-1], *y.shape[2:])
    return result.reshape(shape if len(shape) > 1 else (x.shape[0], 1))


batch_dot._in_graphs = sample_products  # type: ignore[attr-defined]
sample_products._name_in_graphs = "backend.math.batch_dot"  # type: ignore[attr-defined]  # as in every file so far


@_as_batch_dot
@operation
def matrix_products(x: Tensor, y: Tensor, axes: int | Sequence[int] | None = None) -> Tensor:
    """Return what `batch_dot` means up to Keras 2.2.4: `tf.matmul` of the last two axes, turned round where `axes` say.

    There an axis is compared with the number of the last one, so that -1 is not the last.
    """
    if axes is None:
        axes = (x.ndim - 1, y.ndim - 2)
    a, b = (axes, axes) if isinstance(axes, int) else axes
    known = f"batch_dot(axes={axes}), as up to Keras 2.2.4"
    shapes = f"x of shape {tuple(x.shape)} and y of shape {tuple(y.shape)}"
    if x.ndim == y.ndim == 2:
        x = x if a == b else x.mT
        if not _correspond(x.shape, y.shape):
            raise ValueError(f"{known}: of two matrices the same axis is summed over, write axes=1; got {shapes}.")
        return (x * y).sum(b).unsqueeze(1)
    rank, more = builtins.max(x.ndim, y.ndim), builtins.abs(x.ndim - y.ndim)
    ones = slice(x.ndim + y.ndim - 3, None) if x.ndim > y.ndim else slice(x.ndim - 1, x.ndim - 1 + more)
    x, y = (tensor.reshape(*tensor.shape, *(1,) * (rank - tensor.ndim)) for tensor in (x, y))
    x = x if a == rank - 1 else x.mT
    y = y.mT if b == rank - 1 else y
    if x.shape[-1] != y.shape[-2] or not _correspond(x.shape[:-2], y.shape[:-2]):
        raise ValueError(
            f"{known}: matrices of the last two axes are multiplied, and the axes before them must have the same "
            f"lengths; got {shapes}. set_dialect('keras-2.3') has the product over all other axes."
        )
    result = torch.matmul(x, y)
    kept = list(result.shape)
    if more and kept[ones] != [1] * more:
        raise ValueError(f"{known}: it has no product for these ranks; got {shapes}. set_dialect('keras-2.3') has one.")
    del kept[ones if more else slice(0)]
    return result.reshape(kept)


def count_params(x: Any) -> int:
    """Return the number of elements.

    Example:
        >>> count_params(torch.zeros(2, 3))
        6
    """
    return _math.prod(x.shape)
