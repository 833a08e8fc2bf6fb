"""Embedding: a table of vectors, looked up by index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .._core import devices, randomness, registry, settings
from .._core.errors import argument_error, fraction, positive_int
from .._core.host_arrays import readable
from .._core.lookups import expect_in_range, guarded, marked, out_of_range
from .._core.ragged import RaggedTensor
from .._core.shapes import Shape, compatible, shape_tuple
from ..mixed_precision.policy import policy_of
from .base import ROW_WISE, Layer, Traits
from .base.weight_options import bare, enter_weight, keep_options

_INDEX_TYPES = (torch.int64, torch.int32)


@registry.register("layer")
class Embedding(Layer):
    """Turns indices into vectors, on a `torch.nn.Embedding`.

    Args:
        input_dim: The number of vectors: the largest index + 1.
        output_dim: The size of a vector.
        embeddings_initializer: Fills the table.
        embeddings_regularizer: Penalty on the table.
        activity_regularizer: Penalty on the output.
        embeddings_constraint: Applied to the table after each update.
        mask_zero: Whether index 0 is padding, which later layers and the loss leave out.
        input_length: The number of indices in a sample, where it is fixed; a tuple for more than one axis.
        sparse: Only `False`; outputs are dense.
        word_dropout: Fraction of the rows that are zero for a batch in training, wherever their index stands; the
            others are scaled by 1 / (1 − word_dropout). Source: Gal & Ghahramani, 2016; `dropout=` of Keras 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, …)` of indices, integers or floats. Output: `(batch, …, output_dim)`.

    Raises:
        ValueError: An argument is out of range; when called, an index is. On CUDA that holds for indices that come from
            the host; an index that only the device knows gives a vector of NaN.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.Embedding(1000, 64, input_length=10)
        >>> layer.compute_output_shape((None, 10))
        (None, 10, 64)
    """

    _class_traits = ROW_WISE
    _takes_integers = True
    _autocast = False  # a shorter type might not hold the indices
    _weights_read_cast = False  # what is looked up is cast, and not the whole table

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: int | Sequence[int | None] | None = None,
        sparse: bool = False,
        word_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        lengths = () if input_length is None else _lengths(input_length)
        if kwargs.get("input_shape") is None and kwargs.get("batch_input_shape") is None:
            kwargs["input_shape"] = lengths or (None,)
        if kwargs.get("dtype") is not None and "float" not in policy_of(kwargs["dtype"]).compute_dtype:
            kwargs["dtype"] = None  # classic scripts give the type of the indices
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.input_dim = positive_int("Embedding", "input_dim", input_dim)
        self.output_dim = positive_int("Embedding", "output_dim", output_dim)
        keep_options(
            self,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self.input_length = input_length
        self._lengths = lengths
        if sparse:
            raise argument_error("Embedding", "sparse", "False; outputs are dense", sparse)
        self.sparse = False
        self.word_dropout = fraction("Embedding", "word_dropout", word_dropout)

    def _own_traits(self) -> Traits:
        return replace(super()._own_traits(), makes_mask=self.mask_zero)

    def build(self, input_shape: Any) -> None:
        """Make the `nn.Embedding`."""
        self.compute_output_shape(input_shape)
        dtype = settings.torch_dtype(self.dtype)
        self.embedding = bare(nn.Embedding, self.input_dim, self.output_dim, dtype=dtype)
        enter_weight(self, "embeddings", self.embedding, "weight")

    def _to_input(self, inputs: Any) -> Any:
        """Return indices on the layer's device; floats stay what they are, for a shorter type might not hold them."""
        tensor = inputs if isinstance(inputs, Tensor) else torch.as_tensor(readable(inputs))
        if not self.built:
            return tensor
        weight = self.embedding.weight
        if devices.on_cuda(weight) and not devices.on_cuda(tensor):
            self._check_indices(tensor)
        return tensor.to(weight.device)

    def _call_on_rows(self, rows: RaggedTensor) -> RaggedTensor:
        """Return rows of the vectors of their indices."""
        return rows.with_each(self)

    @property
    def _index_checks(self) -> tuple[Callable[[Tensor], None], ...]:  # type: ignore[override]
        return (self._check_indices,)

    def _check_indices(self, indices: Tensor) -> None:
        """Raise where an index is out of range."""
        expect_in_range(self, _integers(indices), self.input_dim, "input_dim")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the vectors of the indices."""
        indices, outside = guarded(_integers(inputs), self.input_dim)
        try:
            vectors = marked(F.embedding(indices, self.embedding.weight, sparse=self.embedding.sparse), outside)
        except IndexError:  # the CPU's own check
            raise ValueError(out_of_range(self, indices, self.input_dim, "input_dim")) from None
        if training and self.word_dropout:
            vectors = vectors * self._draw_rows(vectors)[indices].unsqueeze(-1)
        return vectors.to(self._kind) if self._casts else vectors

    def _draw_rows(self, vectors: Tensor) -> Tensor:
        """Return 0 for the rows that are dropped in this batch, 1 / (1 − word_dropout) for the others."""
        return randomness.dropout_mask(vectors, (self.input_dim,), self.word_dropout)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return which indices are not padding."""
        return inputs != 0 if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `(batch, …, output_dim)`."""
        shape = tuple(input_shape)
        if self._lengths:
            if not compatible(self._lengths, shape[1:]):
                raise ValueError(f"{self}: input_length is {self.input_length}; got an input of shape {shape}.")
            shape = (shape[0], *(length if n is None else n for n, length in zip(shape[1:], self._lengths)))
        return (*shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        sizes = {"input_dim": self.input_dim, "output_dim": self.output_dim}
        left_out = {"output_dim", "sparse"} if self.word_dropout else {"output_dim", "sparse", "word_dropout"}
        own = {k: v for k, v in super().get_config().items() if k not in left_out}
        return {**own, **sizes, "input_length": self.input_length}


def _integers(indices: Tensor) -> Tensor:
    return indices if indices.dtype in _INDEX_TYPES else indices.long()


def _lengths(input_length: Any) -> Shape:
    if isinstance(input_length, (tuple, list)):
        return shape_tuple("Embedding", "input_length", input_length)
    return (positive_int("Embedding", "input_length", input_length),)
