"""Convolutions whose kernel differs from place to place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import activations
from .._core import registry
from .._core.errors import argument_error, choice, int_tuple, positive_int
from .._core.shapes import Shape, conv_length
from .base import ActivatedLayer
from .base.weight_options import keep_options, make_weight
from .spatial import SpatialLayer, torch_pads

Indices = np.ndarray[Any, np.dtype[np.int64]]


class LocallyConnected(SpatialLayer, ActivatedLayer):
    """Base of the locally connected layers: each place of the output has a kernel of its own.

    The ways of Keras to compute it, `implementation`, differ here in the weight alone: 1 has the kernels of all places,
    2 a weight for each pair of cells of input and output, of which those out of reach are never used, and 3 those of
    the pairs in reach, in one row.

    Args:
        filters: The number of output channels.
        kernel_size: Size of the window: one integer, or one for each axis.
        strides: Steps of the window.
        padding: `'valid'`, or, where `implementation` is 2 or 3, `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; for `None` see the subclasses.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.
        implementation: 1, 2 or 3: which weight it is.
        kwargs: The arguments of every layer.
    """

    _casts_integers = True

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        owner = type(self).__name__
        self.filters = positive_int(owner, "filters", filters)
        self.kernel_size = int_tuple(owner, "kernel_size", kernel_size, self.rank)
        self.strides = int_tuple(owner, "strides", strides, self.rank)
        self.padding = choice(owner, "padding", padding, ("valid", "same"))
        self.keep_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        if implementation not in (1, 2, 3):
            raise argument_error(owner, "implementation", "1, 2 or 3", implementation)
        self.implementation = implementation
        if self.padding == "same" and implementation == 1:
            raise argument_error(owner, "padding", "'valid' where implementation is 1; write implementation=2", padding)
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias, which depend on every size of the input."""
        channels = self._last_axis(input_shape, self.channel_axis)
        lengths = [self._last_axis(input_shape, axis) for axis in self.space]
        self.compute_output_shape(input_shape)
        new = self.new_lengths(lengths)
        first = self.data_format == "channels_first"
        features = int(np.prod(self.kernel_size)) * channels
        if self.implementation == 1:
            shape = [int(np.prod(new)), features, self.filters]
        elif self.implementation == 2:
            shape = [*_ordered(lengths, channels, first), *_ordered(new, self.filters, first)]
        else:
            shape = [int((self._pairs(lengths, channels) >= 0).sum())]
        self.windows = nn.Module()
        make_weight(self, "kernel", self.windows, shape)
        if self.use_bias:
            make_weight(self, "bias", self.windows, [*new, self.filters])
        index = None if self.implementation == 1 else torch.as_tensor(self._index(lengths, channels))
        self.register_buffer("_index_of_kernels", index, persistent=False)

    def _pairs(self, lengths: Sequence[int], channels: int) -> Indices:
        """Return for each place, feature of its window and filter the pair of cells behind it, -1 beyond the border.

        A pair is the output's cell times the number of the input's cells plus the input's cell.
        """
        first, new = self.data_format == "channels_first", self.new_lengths(lengths)
        places = np.indices(new).reshape(self.rank, -1, 1)
        offsets = np.indices(_ordered(self.kernel_size, channels, first)).reshape(self.rank + 1, 1, -1)
        channel, steps = (offsets[0], offsets[1:]) if first else (offsets[-1], offsets[:-1])
        start = np.array([before for before, _ in self.pads(lengths)]).reshape(-1, 1, 1)
        cells = places * np.array(self.strides).reshape(-1, 1, 1) - start + steps
        sizes = np.array(lengths).reshape(-1, 1, 1)
        inside = ((cells >= 0) & (cells < sizes)).all(0)
        clipped = [*np.clip(cells, 0, sizes - 1)]
        where = _ordered(clipped, np.broadcast_to(channel, inside.shape), first)
        source = np.ravel_multi_index(tuple(where), tuple(_ordered(lengths, channels, first)))
        filters = np.broadcast_to(np.arange(self.filters), (places.shape[1], self.filters))
        spread = [np.broadcast_to(axis, filters.shape) for axis in places]
        target = np.ravel_multi_index(
            tuple(_ordered(spread, filters, first)), tuple(_ordered(new, self.filters, first))
        )
        pairs = target[:, None, :] * (int(np.prod(lengths)) * channels) + source[:, :, None]
        return np.where(inside[:, :, None], pairs, -1).astype(np.int64)

    def _index(self, lengths: Sequence[int], channels: int) -> Indices:
        """Return where in the flat weight the kernels of all places are; behind its end stands the zero of a border."""
        pairs = self._pairs(lengths, channels)
        inputs, outputs = int(np.prod(lengths)) * channels, int(np.prod(self.new_lengths(lengths))) * self.filters
        inside = pairs >= 0
        if self.implementation == 2:
            return np.where(inside, pairs % inputs * outputs + pairs // inputs, inputs * outputs)
        order = np.full(pairs.shape, int(inside.sum()))
        order[inside] = np.argsort(np.argsort(pairs[inside]))
        return order

    def pads(self, lengths: Sequence[int]) -> list[tuple[int, int]]:
        """Return the cells beyond each axis that windows reach into; `'same'` centres a window at its cell."""
        if self.padding == "valid":
            return [(0, 0)] * self.rank
        sizes = zip(lengths, self.new_lengths(lengths), self.kernel_size, self.strides)
        return [(k // 2, max((new - 1) * s - k // 2 + k - n, 0)) for n, new, k, s in sizes]

    def new_lengths(self, lengths: Sequence[Any]) -> list[Any]:
        """Return the sizes in space of the output."""
        sizes = zip(lengths, self.kernel_size, self.strides)
        return [conv_length(n, kernel, stride, self.padding) for n, kernel, stride in sizes]

    def kernels(self) -> Tensor:
        """Return the kernels of all places: `(places, features, filters)`."""
        kernel: Any = self.windows.kernel
        index: Any = self._index_of_kernels
        return kernel if index is None else F.pad(kernel.reshape(-1), (0, 1))[index]

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return the product of each window with the kernel of its place, with the bias."""
        first = self.data_format == "channels_first"
        lengths: Any = self.lengths(inputs.shape)
        new = self.new_lengths(lengths)
        windows = inputs if first else inputs.movedim(-1, 1)
        pads = torch_pads(self.pads(lengths))
        if any(pads):
            windows = F.pad(windows, pads)
        for axis, (size, stride, n) in enumerate(zip(self.kernel_size, self.strides, new), 2):
            windows = windows.unfold(axis, size, stride).narrow(axis, 0, n)
        # (batch, channels, *places, *window) → (batch, places, features), in the kernel's order of features
        windows = windows.movedim(1, self.rank + 1 if first else -1)
        rows = windows.flatten(1 + self.rank).flatten(1, self.rank)
        y = torch.einsum("bpf,pfo->bpo", rows, self.kernels()).reshape(inputs.shape[0], *new, self.filters)
        bias: Any = self.windows.bias if self.use_bias else None
        if bias is not None and not first:
            y = y + bias
        if not first:
            return y
        y = y.movedim(-1, 1)
        if bias is not None:
            # Keras reads the numbers of the bias in another order here, instead of moving the axis.
            y = y + bias.reshape(self.filters, *new)
        return y

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape with `filters` channels and the sizes that the window leaves."""
        return self.assemble(input_shape[0], self.new_lengths(self.lengths(input_shape)), self.filters)


def _ordered(space: Sequence[Any], channels: Any, first: bool) -> list[Any]:
    """Return sizes or indices in space and of the channels in the order of the data format."""
    return [channels, *space] if first else [*space, channels]


@registry.register("layer")
class LocallyConnected1D(LocallyConnected):
    """Convolution over a sequence with a kernel of its own at each step.

    Args:
        filters: The number of output channels.
        kernel_size: Steps under the window.
        strides: Steps from one window to the next.
        padding: `'valid'`, or, where `implementation` is 2 or 3, `'same'`.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        activation: By name or function; `None` is linear.
        implementation: 1, 2 or 3: which shape the kernel has.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, new_steps, filters)`.

    Raises:
        ValueError: An argument is out of range, or a size of the input is unknown.

    Source:
        Keras 2.15, `LocallyConnected1D`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.LocallyConnected1D(8, 3).compute_output_shape((None, 10, 4))
        (None, 8, 8)
    """

    rank = 1


@registry.register("layer")
class LocallyConnected2D(LocallyConnected):
    """Convolution over images with a kernel of its own at each place.

    Args:
        filters: The number of output channels.
        kernel_size: Height and width of the window, or one integer for both.
        strides: Cells from one window to the next.
        padding: `'valid'`, or, where `implementation` is 2 or 3, `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        activation: By name or function; `None` is linear.
        implementation: 1, 2 or 3: which shape the kernel has.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: `(batch, new_rows, new_columns, filters)`.

    Raises:
        ValueError: An argument is out of range, or a size of the input is unknown.

    Source:
        Keras 2.15, `LocallyConnected2D`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.LocallyConnected2D(8, 3).compute_output_shape((None, 10, 10, 4))
        (None, 8, 8, 8)
    """

    rank = 2
