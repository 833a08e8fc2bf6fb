"""Shapes and types: making tensors, and moving, joining, repeating and padding what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error
from .._core.lookups import guarded, marked
from .._core.operations import as_tensor, creation, operation
from .._core.symbolic import SymbolicTensor
from .common import normalize_data_format


@operation
def shape(x: Tensor) -> Tensor:
    """Return the lengths of the axes as a tensor of the host, symbolic of a symbolic tensor.

    Example:
        >>> shape(torch.zeros(2, 3))
        tensor([2, 3], dtype=torch.int32)
    """
    return torch.tensor(tuple(x.shape), dtype=torch.int32)


def int_shape(x: Any) -> tuple[int | None, ...]:
    """Return the lengths of the axes as a tuple, with `None` for those not known.

    Example:
        >>> int_shape(torch.zeros(2, 3))
        (2, 3)
    """
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """Return the number of axes.

    Example:
        >>> ndim(torch.zeros(2, 3))
        2
    """
    return len(x.shape)


def dtype(x: Any) -> str:
    """Return the name of the type.

    Example:
        >>> dtype(torch.zeros(2))
        'float32'
    """
    kind = x.dtype
    return settings.dtype_name(kind) if isinstance(kind, torch.dtype) else str(kind)


@operation
def size(x: Tensor) -> Tensor:
    """Return the number of elements, as a tensor.

    Example:
        >>> size(torch.zeros(2, 3))
        tensor(6)
    """
    return torch.tensor(x.numel(), device=x.device)


@operation
def cast(x: Tensor, dtype: Any) -> Tensor:
    """Return `x` in another type.

    Args:
        x: Any tensor.
        dtype: Such as `'float32'` or `'int32'`.

    Raises:
        ValueError: An unknown type.

    Example:
        >>> cast([1.7, -1.7], 'int32')
        tensor([ 1, -1], dtype=torch.int32)
    """
    return x.to(settings.torch_dtype(dtype))


@operation
def identity(x: Tensor, name: str | None = None) -> Tensor:
    """Return a copy of `x`.

    Example:
        >>> identity([1.0])
        tensor([1.])
    """
    return x.clone()


@operation
def zeros_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return zeros in the shape of `x`.

    Example:
        >>> zeros_like([1.0, 2.0])
        tensor([0., 0.])
    """
    return torch.zeros_like(x, dtype=x.dtype if dtype is None else settings.torch_dtype(dtype))


@operation
def ones_like(x: Tensor, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return ones in the shape of `x`.

    Example:
        >>> ones_like([3.0, 2.0])
        tensor([1., 1.])
    """
    return torch.ones_like(x, dtype=x.dtype if dtype is None else settings.torch_dtype(dtype))


@creation
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Tensor:
    """Return the numbers from `start` to before `stop`; one number alone is `stop`.

    Raises:
        ValueError: `step` is 0.

    Example:
        >>> arange(3)
        tensor([0, 1, 2], dtype=torch.int32)
    """
    start, stop, step = (n.item() if hasattr(n, "item") else n for n in (start, stop, step))
    if step == 0:
        raise argument_error("arange", "step", "another number than 0", step)
    first, last = (0, max(start, 0)) if stop is None else (start, stop)
    numbers = as_tensor(np.arange(first, last, step))
    whole = not numbers.is_floating_point()
    # Keras asks for a cast where `dtype` is another than its default: floats stay floats under that.
    return numbers.to(settings.torch_dtype(dtype if whole or dtype != "int32" else None))


@operation
def reshape(x: Tensor, shape: Any) -> Tensor:
    """Return `x` in another shape.

    Args:
        x: Any tensor.
        shape: The lengths; one may be -1.

    Example:
        >>> reshape([1.0, 2.0, 3.0, 4.0], (2, -1))
        tensor([[1., 2.],
                [3., 4.]])
    """
    return x.reshape([-1 if n is None else int(n) for n in shape])


@operation
def permute_dimensions(x: Tensor, pattern: Any) -> Tensor:
    """Return `x` with its axes in another order.

    Example:
        >>> permute_dimensions(torch.zeros(2, 3, 4), (0, 2, 1)).shape
        torch.Size([2, 4, 3])
    """
    return x.permute(*(int(i) for i in pattern))


@operation
def transpose(x: Tensor) -> Tensor:
    """Return `x` with its axes in the reverse order.

    Example:
        >>> transpose(torch.zeros(2, 3)).shape
        torch.Size([3, 2])
    """
    return x.permute(tuple(reversed(range(x.ndim))))


@operation
def flatten(x: Tensor) -> Tensor:
    """Return all elements on one axis.

    Example:
        >>> flatten([[1.0], [2.0]])
        tensor([1., 2.])
    """
    return x.reshape(-1)


@operation
def batch_flatten(x: Tensor) -> Tensor:
    """Return each sample's elements on one axis.

    Example:
        >>> batch_flatten(torch.zeros(2, 3, 4)).shape
        torch.Size([2, 12])
    """
    return x.reshape(x.shape[0], x[:1].numel() if x.shape[0] else -1)


@operation
def expand_dims(x: Tensor, axis: int = -1) -> Tensor:
    """Return `x` with a new axis of length 1.

    Example:
        >>> expand_dims([1.0, 2.0]).shape
        (2, 1)
    """
    return x.unsqueeze(axis)


@operation
def squeeze(x: Tensor, axis: int) -> Tensor:
    """Return `x` without an axis of length 1.

    Raises:
        ValueError: The axis is longer.

    Example:
        >>> squeeze([[1.0], [2.0]], 1)
        tensor([1., 2.])
    """
    if x.shape[axis] != 1:
        raise argument_error("squeeze", "axis", f"an axis of length 1 of shape {tuple(x.shape)}", axis)
    return x.squeeze(axis)


@operation
def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """Return tensors joined along an axis they have.

    Example:
        >>> concatenate([[1.0], [2.0, 3.0]])
        tensor([1., 2., 3.])
    """
    return torch.cat(list(tensors), axis)


@operation
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new axis.

    Example:
        >>> stack([[1.0, 2.0], [3.0, 4.0]], axis=1)
        tensor([[1., 3.],
                [2., 4.]])
    """
    return torch.stack(list(x), axis)


@operation
def repeat(x: Tensor, n: int) -> Tensor:
    """Return each row `n` times, along a new second axis.

    Shape:
        `(batch, features)` gives `(batch, n, features)`.

    Example:
        >>> repeat(torch.zeros(2, 3), 4).shape
        torch.Size([2, 4, 3])
    """
    if x.ndim != 2:
        raise argument_error("repeat", "x", "a matrix (batch, features)", x)
    return x.unsqueeze(1).repeat(1, n, 1)


@operation
def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Return `x` with each element `rep` times in a row along an axis, as `numpy.repeat` does.

    Example:
        >>> repeat_elements([1.0, 2.0], 2, axis=0)
        tensor([1., 1., 2., 2.])
    """
    return x.repeat_interleave(rep, axis)


@operation
def tile(x: Tensor, n: Any) -> Tensor:
    """Return copies of `x` side by side.

    Args:
        x: Any tensor.
        n: How often along each axis.

    Example:
        >>> tile([1.0, 2.0], 2)
        tensor([1., 2., 1., 2.])
    """
    counts = [int(n)] if not hasattr(n, "__len__") else [int(i) for i in n]
    if len(counts) != x.ndim:
        raise argument_error("tile", "n", f"{x.ndim} integers, one for each axis of {tuple(x.shape)}", n)
    return x.repeat(counts)


@operation
def reverse(x: Tensor, axes: int | Sequence[int]) -> Tensor:
    """Return `x` with the order along one axis or several turned round.

    Example:
        >>> reverse([1.0, 2.0, 3.0], 0)
        tensor([3., 2., 1.])
    """
    return x.flip([axes] if isinstance(axes, int) else list(axes))


@operation
def slice(x: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    """Return the block of `x` that begins at `start` and has this size; -1 reaches to the end.

    Example:
        >>> slice([1.0, 2.0, 3.0, 4.0], [1], [2])
        tensor([2., 3.])
    """
    for axis, (first, length) in enumerate(zip(start, size)):
        x = x.narrow(axis, int(first), x.shape[axis] - int(first) if int(length) == -1 else int(length))
    return x


@operation
def gather(reference: Tensor, indices: Tensor) -> Tensor:
    """Return the rows of `reference` that `indices` name.

    Example:
        >>> gather([1.0, 2.0, 3.0], [2, 0])
        tensor([3., 1.])
    """
    rows, outside = guarded(indices.long(), len(reference), -len(reference))
    values = reference[rows.reshape(-1)].reshape((*rows.shape, *reference.shape[1:]))  # a lone index would be read
    return marked(values, outside)


@operation
def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """Return a new last axis that is 1 at the index and 0 elsewhere; an index out of range gives zeros.

    Example:
        >>> one_hot([0, 2], 3)
        tensor([[1., 0., 0.],
                [0., 0., 1.]])
    """
    if indices.is_floating_point():
        raise argument_error("one_hot", "indices", "integers, such as K.cast(x, 'int32')", indices, TypeError)
    classes = torch.arange(num_classes, device=indices.device)
    return (indices.long().unsqueeze(-1) == classes).to(settings.torch_dtype(None))


def _padded(x: Tensor, padding: Any, owner: str, spatial: int, data_format: str | None = None) -> Tensor:
    rows = tuple(tuple(int(i) for i in row) for row in padding)
    if len(rows) != spatial or {len(row) for row in rows} != {2}:
        raise argument_error(owner, "padding", f"{spatial} pairs of integers", padding)
    flat = [i for row in reversed(rows) for i in row]
    return F.pad(x, flat if normalize_data_format(data_format) == "channels_first" else [0, 0, *flat])


@operation
def temporal_padding(x: Tensor, padding: Any = (1, 1)) -> Tensor:
    """Return `x` with zeros before and after its middle axis.

    Shape:
        `(batch, steps, features)`.

    Example:
        >>> temporal_padding(torch.ones(2, 3, 4), (1, 2)).shape
        torch.Size([2, 6, 4])
    """
    return _padded(x, (padding,), "temporal_padding", 1, "channels_last")


@operation
def spatial_2d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Return images with zeros around them.

    Args:
        x: Images.
        padding: How many above and below, and left and right.
        data_format: `'channels_last'`, `'channels_first'` or `None` for the default.

    Shape:
        `(batch, rows, columns, channels)`, with channels first the channels second.

    Example:
        >>> spatial_2d_padding(torch.ones(2, 3, 4, 1), ((1, 1), (2, 2))).shape
        torch.Size([2, 5, 8, 1])
    """
    return _padded(x, padding, "spatial_2d_padding", 2, data_format)


@operation
def spatial_3d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Return volumes with zeros around them; the arguments are those of `spatial_2d_padding`.

    Example:
        >>> spatial_3d_padding(torch.ones(1, 2, 3, 4, 1)).shape
        torch.Size([1, 4, 5, 6, 1])
    """
    return _padded(x, padding, "spatial_3d_padding", 3, data_format)


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is a symbolic tensor, such as a layer's output, rather than one with values.

    Raises:
        ValueError: `x` is no tensor at all.

    Example:
        >>> is_keras_tensor(torch.zeros(2))
        False
    """
    if not isinstance(x, (Tensor, SymbolicTensor)):
        raise argument_error("is_keras_tensor", "x", "a tensor", x)
    return isinstance(x, SymbolicTensor)


def is_tensor(x: Any) -> bool:
    """Return whether `x` is a tensor, symbolic or not.

    Example:
        >>> is_tensor(torch.zeros(2))
        True
    """
    return isinstance(x, (Tensor, SymbolicTensor))


def is_placeholder(x: Any) -> bool:
    """Return whether `x` is a symbolic tensor that waits for a value.

    Example:
        >>> is_placeholder(torch.zeros(2))
        False
    """
    return isinstance(x, SymbolicTensor) and x.node is None


def is_sparse(tensor: Any) -> bool:
    """Return whether a tensor stores only what is not zero.

    Example:
        >>> is_sparse(torch.zeros(2).to_sparse())
        True
    """
    return isinstance(tensor, Tensor) and tensor.layout != torch.strided


def to_dense(tensor: Any) -> Any:
    """Return a sparse tensor as an ordinary one; another is returned as it is.

    Example:
        >>> to_dense(torch.zeros(2).to_sparse())
        tensor([0., 0.])
    """
    return tensor.to_dense() if is_sparse(tensor) else tensor
