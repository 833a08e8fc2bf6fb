"""Transposed convolutions over sequences, images and volumes, on `torch.nn.ConvTranspose2d` and `ConvTranspose3d`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from .._core import registry
from .._core.errors import argument_error, int_tuple
from .._core.shapes import Shape, shape_tuple
from .base.weight_options import enter_weight
from .convolutional import KERNELS, Conv
from .onednn_transposed import transposed_convolution
from .spatial import over_height

_MODULES: dict[int, type[nn.ConvTranspose2d] | type[nn.ConvTranspose3d]] = {
    1: nn.ConvTranspose2d,
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
# For each axis: cells that torch cuts at both ends, cells that it adds at the end, cells left out there afterwards.
Edges = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


class ConvTranspose(Conv):
    """Base of the transposed convolutions: the gradient of a convolution, as a layer.

    The size of the output is that of an input from which the convolution with these strides and this padding would make
    what comes in.  Several sizes would; `output_padding`, or `output_size`, says which one it is.

    Args:
        filters: The number of output channels.
        kernel_size: Size of the window: one integer, or one for each axis.
        strides: Cells of the output from one cell of the input to the next.
        padding: `'valid'` or `'same'`.
        output_padding: Cells at the end of each axis, fewer than its stride; `None` is Keras's usual size.
        data_format: `'channels_last'` or `'channels_first'`; for `None` see the subclasses.
        dilation_rate: Distance of the cells under the window.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.
        output_size: Sizes in space of the output, or its whole shape, in place of `output_padding`; `None` in it
            leaves an axis its usual size.
        kwargs: The arguments of every layer.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        output_size: Sequence[int | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.output_padding = self._padding_of_output(output_padding)
        self.output_size = self._size_of_output(output_size)
        self._fixed_edges = self._edges([1] * self.rank) if self.output_size is None else None

    def _check_arguments(self, owner: str) -> None:
        super()._check_arguments(owner)
        if self.groups != 1:
            raise argument_error(owner, "groups", "1: a transposed convolution of Keras has no groups", self.groups)

    def _padding_of_output(self, value: Any) -> tuple[int, ...] | None:
        """Return `output_padding` as a tuple, or raise where no input of a convolution has that size."""
        if value is None:
            return None
        owner = type(self).__name__
        sizes = int_tuple(owner, "output_padding", value, self.rank, 0)
        if any(more >= stride for more, stride in zip(sizes, self.strides)):
            raise argument_error(owner, "output_padding", f"smaller than strides={self.strides}", value)
        if self.padding == "same" and any(not more and k % 2 == 0 for more, k in zip(sizes, self._reach)):
            raise argument_error(owner, "output_padding", "at least 1 where the window is even, or None", value)
        return sizes

    def _size_of_output(self, value: Any) -> Shape | None:
        """Return `output_size` as the sizes in space."""
        if value is None:
            return None
        owner = type(self).__name__
        if self.output_padding is not None:
            raise ValueError(
                f"{owner}(output_size={value}, output_padding={self.output_padding}): either says how large the output "
                f"is; give only one of them."
            )
        sizes = shape_tuple(owner, "output_size", value)
        if len(sizes) == self.rank + 2:
            sizes = self.lengths(sizes)
        if len(sizes) != self.rank:
            raise argument_error(owner, "output_size", f"{self.rank} sizes in space or a whole shape", value)
        return sizes

    @property
    def _reach(self) -> tuple[int, ...]:
        """The sizes of the window with the gaps in it."""
        return tuple((k - 1) * rate + 1 for k, rate in zip(self.kernel_size, self.dilation_rate))

    def new_lengths(self, lengths: Sequence[int | None]) -> list[int | None]:
        """Return the sizes in space of the output for an input of these.

        Raises:
            ValueError: A convolution would not make the input of an output of the size that `output_size` asks for.
        """
        return [self._new_length(axis, n) for axis, n in enumerate(lengths)]

    def _new_length(self, axis: int, n: int | None) -> int | None:
        stride, reach = self.strides[axis], self._reach[axis]
        wanted = None if self.output_size is None else self.output_size[axis]
        if n is None:
            return wanted
        least = (n - 1) * stride + (reach if self.padding == "valid" else 1)
        if wanted is not None:
            if not least <= wanted < least + stride:
                raise ValueError(
                    f"{self}: from {n} cells an output of {least} to {least + stride - 1} can be made along axis "
                    f"{self.space[axis]}; got output_size={self.output_size}."
                )
            return wanted
        if self.output_padding is not None:
            hidden = 2 * (reach // 2) if self.padding == "same" else 0
            return (n - 1) * stride + reach - hidden + self.output_padding[axis]
        return n * stride + (max(reach - stride, 0) if self.padding == "valid" else 0)

    def _edges(self, lengths: Sequence[int]) -> Edges:
        """Return how torch reaches the size of the output; Keras cuts the odd cell off at the end."""
        edges = []
        for n, new, stride, reach in zip(lengths, self.new_lengths(lengths), self.strides, self._reach):
            cut = (n - 1) * stride + reach - (new or 0)
            edges.append((cut // 2, 0, cut % 2) if cut > 0 else (0, -cut, 0))
        both, more, last = zip(*edges)
        return over_height(both, 0), over_height(more, 0), over_height(last, 0)

    def build(self, input_shape: Any) -> None:
        """Make the `nn.ConvTranspose2d` (or `nn.ConvTranspose3d`), its kernel channels last where the input is."""
        channels = self._last_axis(input_shape, self.channel_axis)
        self.compute_output_shape(input_shape)
        kind = _MODULES[self.rank]
        self.conv = self._make_module(kind, channels, self.filters, 1, self.use_bias)  # type: ignore[assignment]
        self._lay_out_as_input(self.conv)
        # Keras keeps (*window, outputs, inputs), torch (inputs, outputs, *window): the way of the convolutions.
        enter_weight(self, "kernel", self.conv, "weight", KERNELS[self.rank])
        if self.use_bias:
            enter_weight(self, "bias", self.conv, "bias")

    def _convolved(self, inputs: Tensor) -> Tensor:
        """Return the transposed convolution in torch's order of axes."""
        x, conv = self.to_torch(inputs), self.conv
        edges = self._fixed_edges or self._edges(self.lengths(inputs.shape))  # type: ignore[arg-type]
        return transposed_convolution(x, conv.weight, conv.bias, self._stride, edges, self._dilation)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape with `filters` channels and the sizes that the strides make."""
        return self.assemble(input_shape[0], self.new_lengths(self.lengths(input_shape)), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; `output_size`, which Keras does not know, only where it says something."""
        config = super().get_config()
        if self.output_size is None:
            del config["output_size"]
        return config


@registry.register("layer", "Convolution1DTranspose")
class Conv1DTranspose(ConvTranspose):
    """Transposed convolution over a sequence; it runs as one over images of height 1.

    Args:
        filters: The number of output channels.
        kernel_size: Steps under the window.
        strides: Cells of the output from one cell of the input to the next.
        padding: `'valid'` or `'same'`.
        output_padding: Cells at the end of each axis, fewer than its stride; `None` is Keras's usual size.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        dilation_rate: Distance of the cells under the window.
        activation: By name or function; `None` is linear.
        output_size: Sizes in space of the output, or its whole shape, in place of `output_padding`.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, new_steps, filters)`.
        A size `n` becomes `n * stride` under `'same'`, `n * stride + max(window - stride, 0)` under `'valid'`.

    Raises:
        ValueError: An argument is out of range, strides and dilation_rate are both greater than 1, or there is no
            output of the size that is asked for.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Conv1DTranspose(8, 3, strides=2, padding='same').compute_output_shape((None, 10, 4))
        (None, 20, 8)
    """

    rank = 1


@registry.register("layer", "Convolution2DTranspose")
class Conv2DTranspose(ConvTranspose):
    """Transposed convolution over images.

    Args:
        filters: The number of output channels.
        kernel_size: Height and width of the window, or one integer for both.
        strides: Cells of the output from one cell of the input to the next.
        padding: `'valid'` or `'same'`.
        output_padding: Cells at the end of each axis, fewer than its stride; `None` is Keras's usual size.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        dilation_rate: Distance of the cells under the window.
        activation: By name or function; `None` is linear.
        output_size: Sizes in space of the output, or its whole shape, in place of `output_padding`.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: `(batch, new_rows, new_columns, filters)`.
        A size `n` becomes `n * stride` under `'same'`, `n * stride + max(window - stride, 0)` under `'valid'`.

    Raises:
        ValueError: An argument is out of range, strides and dilation_rate are both greater than 1, or there is no
            output of the size that is asked for.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Conv2DTranspose(8, 5, strides=2, padding='same').compute_output_shape((None, 7, 7, 64))
        (None, 14, 14, 8)
    """

    rank = 2


@registry.register("layer", "Convolution3DTranspose")
class Conv3DTranspose(ConvTranspose):
    """Transposed convolution over volumes.

    Args:
        filters: The number of output channels.
        kernel_size: Depth, height and width of the window, or one integer for all.
        strides: Cells of the output from one cell of the input to the next.
        padding: `'valid'` or `'same'`.
        output_padding: Cells at the end of each axis, fewer than its stride; `None` is Keras's usual size.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        dilation_rate: Distance of the cells under the window.
        activation: By name or function; `None` is linear.
        output_size: Sizes in space of the output, or its whole shape, in place of `output_padding`.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: the same axes with `filters` channels.
        A size `n` becomes `n * stride` under `'same'`, `n * stride + max(window - stride, 0)` under `'valid'`.

    Raises:
        ValueError: An argument is out of range, strides and dilation_rate are both greater than 1, or there is no
            output of the size that is asked for.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Conv3DTranspose(8, 3, strides=2).compute_output_shape((None, 4, 4, 4, 1))
        (None, 9, 9, 9, 8)
    """

    rank = 3
