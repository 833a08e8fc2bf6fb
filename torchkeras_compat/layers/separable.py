"""Convolutions of each channel by itself, and those that mix the channels afterwards."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from .._core import registry, settings
from .._core.errors import positive_int
from .._core.shapes import Shape
from .._core.weights import Codec
from .base.weight_options import bare, enter_weight, keep_options
from .convolutional import FUNCTIONS, KERNELS, MODULES, Conv


def _by_channel(t: Tensor, rank: int, multiplier: int) -> Tensor:
    """Return torch's (channels * multiplier, 1, *window) as Keras's (*window, channels, multiplier); a view."""
    t = t.squeeze(1).squeeze(1) if rank == 1 else t.squeeze(1)
    return t.view(-1, multiplier, *t.shape[1:]).movedim((0, 1), (-2, -1))


def _side_by_side(k: Tensor, rank: int) -> tuple[Tensor]:
    t = k.movedim((-2, -1), (0, 1)).flatten(0, 1).unsqueeze(1)
    return (t.unsqueeze(2) if rank == 1 else t,)


class _Depthwise(Conv):
    """What convolutions share that begin with one of each channel by itself."""

    depth_multiplier: int

    def _keep_depthwise(self, depth_multiplier: Any, **options: Any) -> None:
        self.depth_multiplier = positive_int(type(self).__name__, "depth_multiplier", depth_multiplier)
        keep_options(self, **options)

    def _check_arguments(self, owner: str) -> None:
        if self.groups != 1:
            raise ValueError(f"{owner}(groups={self.groups}): groups must be 1: each channel is a group of its own.")
        super()._check_arguments(owner)

    def _make_depthwise(self, channels: int, bias: bool) -> nn.Module:
        """Return the torch module that convolves each channel, and enter its kernel."""
        kind, outputs = MODULES[self.rank], channels * self.depth_multiplier
        module = self._make_module(kind, channels, outputs, channels, bias)
        codec = Codec(
            functools.partial(_by_channel, rank=self.rank, multiplier=self.depth_multiplier),
            functools.partial(_side_by_side, rank=self.rank),
        )
        enter_weight(self, "depthwise_kernel", module, "weight", codec, options="depthwise")
        return module

    def _by_channels(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return the convolution of each channel, in torch's order of axes."""
        x, padding = self._padded(inputs)
        convolve = FUNCTIONS[self.rank]
        return convolve(x, weight, bias, self._stride, padding, self._dilation, x.shape[1])


class DepthwiseConv(_Depthwise):
    """Base of the depthwise convolutions: each channel has `depth_multiplier` kernels of its own.

    Args:
        kernel_size: Size of the window: one integer, or one for each axis.
        strides: Steps of the window.
        padding: `'valid'` or `'same'`.
        depth_multiplier: Output channels for each channel of the input.
        data_format: `'channels_last'` or `'channels_first'`; for `None` see the subclasses.
        dilation_rate: Distance of the cells under the window.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        depthwise_initializer: Fills the kernel.
        bias_initializer: Fills the bias.
        depthwise_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.
        kwargs: The arguments of every layer.
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1,  # of each channel; how many there are in all is known with the input
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self._keep_depthwise(
            depth_multiplier,
            depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Make the `nn.Conv2d` with a group for each channel."""
        channels = self._last_axis(input_shape, self.channel_axis)
        self.compute_output_shape(input_shape)
        self.filters = channels * self.depth_multiplier
        self.conv = self._make_depthwise(channels, self.use_bias)  # type: ignore[assignment]
        if self.use_bias:
            enter_weight(self, "bias", self.conv, "bias")

    def _convolved(self, inputs: Tensor) -> Tensor:
        return self._by_channels(inputs, self.conv.weight, self.conv.bias)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape with the channels times `depth_multiplier` and the sizes that the window leaves."""
        batch, *shape = super().compute_output_shape(input_shape)
        channels = input_shape[self.channel_axis]
        shape[0 if self.channel_axis == 1 else -1] = None if channels is None else channels * self.depth_multiplier
        return (batch, *shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments: what other convolutions take beside them is not among them."""
        absent = ("filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
        return {name: value for name, value in super().get_config().items() if name not in absent}


@registry.register("layer")
class DepthwiseConv1D(DepthwiseConv):
    """Convolution of each channel of a sequence by itself.

    Args:
        kernel_size: Steps under the window.
        strides: Steps from one window to the next.
        padding: `'valid'` or `'same'`.
        depth_multiplier: Output channels for each channel of the input.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        dilation_rate: Distance of the steps under the window.
        activation: By name or function; `None` is linear.
        kwargs: `use_bias`, options of `depthwise` (the kernel) and `bias`, and the arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, new_steps, channels * depth_multiplier)`.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both greater than 1.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2).compute_output_shape((None, 10, 4))
        (None, 8, 8)
    """

    rank = 1


@registry.register("layer")
class DepthwiseConv2D(DepthwiseConv):
    """Convolution of each channel of images by itself.

    Args:
        kernel_size: Height and width of the window, or one integer for both.
        strides: Cells from one window to the next.
        padding: `'valid'` or `'same'`.
        depth_multiplier: Output channels for each channel of the input.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        dilation_rate: Distance of the cells under the window.
        activation: By name or function; `None` is linear.
        kwargs: `use_bias`, options of `depthwise` (the kernel) and `bias`, and the arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`.
        Output: `(batch, new_rows, new_columns, channels * depth_multiplier)`.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both greater than 1.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.DepthwiseConv2D(3, padding='same').compute_output_shape((None, 28, 28, 16))
        (None, 28, 28, 16)
    """

    rank = 2


class SeparableConv(_Depthwise):
    """Base of the separable convolutions: one of each channel by itself, and one of size 1 that mixes the channels.

    Args:
        filters: The number of output channels.
        kernel_size: Size of the window: one integer, or one for each axis.
        strides: Steps of the window.
        padding: `'valid'`, `'same'`, or, over sequences, `'causal'`.
        data_format: `'channels_last'` or `'channels_first'`; for `None` see the subclasses.
        dilation_rate: Distance of the cells under the window.
        depth_multiplier: Channels between the two, for each channel of the input.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        depthwise_initializer: Fills the kernel of the channels.
        pointwise_initializer: Fills the kernel that mixes them.
        bias_initializer: Fills the bias.
        depthwise_regularizer: Penalty on the kernel of the channels.
        pointwise_regularizer: Penalty on the kernel that mixes them.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Applied to the kernel of the channels after each update.
        pointwise_constraint: Applied to the kernel that mixes them after each update.
        bias_constraint: Applied to the bias after each update.
        kwargs: The arguments of every layer.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
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
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self._keep_depthwise(
            depth_multiplier,
            depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_initializer=pointwise_initializer,
            pointwise_regularizer=pointwise_regularizer,
            pointwise_constraint=pointwise_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Make two `nn.Conv2d`: with a group for each channel, and of size 1."""
        channels = self._last_axis(input_shape, self.channel_axis)
        self.compute_output_shape(input_shape)
        self.depthwise = self._make_depthwise(channels, False)
        self.pointwise = bare(
            MODULES[self.rank],
            channels * self.depth_multiplier,
            self.filters,
            1,
            bias=self.use_bias,
            dtype=settings.torch_dtype(self.dtype),
        )
        self._lay_out_as_input(self.pointwise)
        enter_weight(self, "pointwise_kernel", self.pointwise, "weight", KERNELS[self.rank], options="pointwise")
        if self.use_bias:
            enter_weight(self, "bias", self.pointwise, "bias")

    def _convolved(self, inputs: Tensor) -> Tensor:
        weight: Any = self.depthwise.weight
        channels = self._by_channels(inputs, weight, None)
        return FUNCTIONS[self.rank](channels, self.pointwise.weight, self.pointwise.bias)


@registry.register("layer", "SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """Separable convolution over a sequence: of each channel by itself, and then of size 1 over all channels.

    Args:
        filters: The number of output channels.
        kernel_size: Steps under the window.
        strides: Steps from one window to the next.
        padding: `'valid'`, `'same'`, or `'causal'`: no output depends on a later input.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        dilation_rate: Distance of the steps under the window.
        depth_multiplier: Channels between the two, for each channel of the input.
        activation: By name or function; `None` is linear.
        kwargs: `use_bias`, options of `depthwise`, `pointwise` and `bias`, and the arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, new_steps, filters)`.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both greater than 1.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.SeparableConv1D(8, 3, padding='causal').compute_output_shape((None, 10, 4))
        (None, 10, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@registry.register("layer", "SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    """Separable convolution over images: of each channel by itself, and then of size 1 over all channels.

    Args:
        filters: The number of output channels.
        kernel_size: Height and width of the window, or one integer for both.
        strides: Cells from one window to the next.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        dilation_rate: Distance of the cells under the window.
        depth_multiplier: Channels between the two, for each channel of the input.
        activation: By name or function; `None` is linear.
        kwargs: `use_bias`, options of `depthwise`, `pointwise` and `bias`, and the arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: `(batch, new_rows, new_columns, filters)`.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both greater than 1.

    Source:
        Chollet, 2017 (Xception).

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.SeparableConv2D(32, 3, activation='relu').compute_output_shape((None, 28, 28, 3))
        (None, 26, 26, 32)
    """

    rank = 2
