"""`tf.sparse`: tensors of which only some values are written down, made and made dense again."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.strings import StringTensor
from .._core.tensor_shape import TensorShape
from .._core.user_tensors import hand_out
from .tensorflow_calls import sizes, tensor


class SparseTensor:
    """A tensor that is zero but at some places.

    Args:
        indices: The places, `(count, axes)`.
        values: What stands there.
        dense_shape: The shape.

    Example:
        >>> SparseTensor([[0, 1]], [3.0], [2, 2]).shape.as_list()
        [2, 2]
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.dense_shape = hand_out(tensor(dense_shape, "int64"))
        self.indices = hand_out(tensor(indices, "int64").reshape(-1, len(self.dense_shape)))
        self.values = hand_out(tensor(values))
        if len(self.indices) != len(self.values):
            raise ValueError(f"tf.SparseTensor: {len(self.indices)} places have {len(self.values)} values.")

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return TensorShape(sizes(self.dense_shape))

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return self.shape

    @property
    def dtype(self) -> Any:
        """The type of the values."""
        return self.values.dtype

    def to_torch(self) -> Tensor:
        """Return the same as torch has it."""
        return torch.sparse_coo_tensor(self.indices.T, self.values, sizes(self.dense_shape), check_invariants=True)


def to_dense(
    sp_input: SparseTensor, default_value: Any = None, validate_indices: bool = True, name: Any = None
) -> Tensor:
    """Return a sparse tensor as a dense one.

    Args:
        sp_input: The sparse tensor.
        default_value: What stands elsewhere, 0 if `None`.
        validate_indices: Accepted.
        name: Accepted.
    """
    shape = sizes(sp_input.dense_shape)
    if isinstance(sp_input.values, StringTensor):
        words = np.full(shape, b"" if default_value is None else default_value, dtype=object)
        words[tuple(sp_input.indices.T.numpy())] = sp_input.values.numpy()
        return StringTensor.of(words)
    dense = torch.full(shape, 0 if default_value is None else default_value, dtype=sp_input.dtype)
    dense = dense.to(sp_input.values.device)
    dense[tuple(sp_input.indices.T)] = sp_input.values
    return dense


def from_dense(x: Any, name: str | None = None) -> SparseTensor:
    """Return a dense tensor as a sparse one.

    Args:
        x: The dense tensor.
        name: Accepted.
    """
    dense = tensor(x)
    places = dense.nonzero()
    return SparseTensor(places, dense[tuple(places.T)], tuple(dense.shape))


def reorder(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """Return a sparse tensor with its places in order.

    Args:
        sp_input: The sparse tensor.
        name: Accepted.
    """
    order = sorted(range(len(sp_input.indices)), key=lambda i: sp_input.indices[i].tolist())
    return SparseTensor(sp_input.indices[order], sp_input.values[order], sp_input.dense_shape)


def sparse_dense_matmul(
    sp_a: SparseTensor, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """Return the product of a sparse matrix and a dense one.

    Args:
        sp_a: The sparse matrix.
        b: The dense one.
        adjoint_a: Whether the first is transposed.
        adjoint_b: Whether the second is.
        name: Accepted.
    """
    left, right = sp_a.to_torch(), tensor(b)
    product: Tensor = torch.sparse.mm(left.t() if adjoint_a else left, right.T if adjoint_b else right)
    return product


SPARSE: dict[str, Any] = {
    "SparseTensor": SparseTensor,
    **{f.__name__: f for f in (to_dense, from_dense, reorder, sparse_dense_matmul)},
}
