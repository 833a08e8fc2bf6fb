"""Convolutions over sequences, images and volumes, on `torch.nn.Conv2d` and `torch.nn.Conv3d`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import activations
from .._core import registry, settings
from .._core.errors import choice, int_tuple, positive_int
from .._core.graph_capture import tracing
from .._core.shapes import Shape, conv_length, same_padding
from .._core.user_tensors import UserTensor, call_user, calling, hand_out, take_back
from .._core.weights import Codec, permuted
from . import conv1d_matmul
from .activation_gradients import IN_PLACE
from .base import ActivatedLayer, Traits
from .base.gradient_facts import ConvolutionFacts
from .base.weight_options import bare, enter_weight, keep_options
from .spatial import SpatialLayer, check_steps, over_height, torch_pads


def _without_height(t: Tensor) -> Tensor:
    return t.squeeze(2).permute(2, 1, 0)


def _with_height(k: Tensor) -> tuple[Tensor]:
    return (k.permute(2, 1, 0).unsqueeze(2),)


# Keras keeps (*window, inputs, outputs), torch (outputs, inputs, *window); a sequence's window has height 1 in torch.
KERNELS: dict[int, Codec] = {
    1: Codec(_without_height, _with_height),
    2: permuted(2, 3, 1, 0),
    3: permuted(2, 3, 4, 1, 0),
}
MODULES: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {1: nn.Conv2d, 2: nn.Conv2d, 3: nn.Conv3d}
FUNCTIONS: dict[int, Callable[..., Tensor]] = {1: torch.conv2d, 2: torch.conv2d, 3: torch.conv3d}


ANY_SIZE = 1 << 30
M = TypeVar("M", bound=nn.Module)


def split_pads(pads: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return what `F.pad` puts around the input, if anything, and what the convolution itself adds on both sides."""
    if all(before == after for before, after in pads):
        return [], list(over_height([before for before, _ in pads], 0))
    # torch's own 'same' knows no strides, and copies the input too.
    return torch_pads(over_height(pads, (0, 0))), [0] * max(len(pads), 2)


class Conv(SpatialLayer, ActivatedLayer):
    """Base of the convolutions: `activation(convolution(inputs, kernel) + bias)`.

    Args:
        filters: The number of output channels.
        kernel_size: Size of the window: one integer, or one for each axis.
        strides: Steps of the window.
        padding: `'valid'`, `'same'`, or, over sequences, `'causal'`.
        data_format: `'channels_last'` or `'channels_first'`; for `None` see the subclasses.
        dilation_rate: Distance of the cells under the window.
        groups: Into how many groups the channels are split.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.
        kwargs: The arguments of every layer.
    """

    _casts_integers = True

    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        owner = type(self).__name__
        self.filters = positive_int(owner, "filters", filters)
        self.kernel_size = int_tuple(owner, "kernel_size", kernel_size, self.rank)
        self.strides = int_tuple(owner, "strides", strides, self.rank)
        self.padding = choice(owner, "padding", padding, self.paddings)
        self.keep_format(data_format)
        self.dilation_rate = int_tuple(owner, "dilation_rate", dilation_rate, self.rank)
        self.groups = positive_int(owner, "groups", groups)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self._check_arguments(owner)
        self._stride = over_height(self.strides, 1)
        self._dilation = over_height(self.dilation_rate, 1)
        depends_on_size = self.padding == "same" and max(self.strides) > 1
        self._fixed_pads = None if depends_on_size else split_pads(self.pads([ANY_SIZE] * self.rank))

    def _check_arguments(self, owner: str) -> None:
        check_steps(owner, self.strides, self.dilation_rate)
        if self.filters % self.groups:
            raise ValueError(
                f"{owner}(filters={self.filters}, groups={self.groups}): filters must be a multiple of groups."
            )

    def build(self, input_shape: Any) -> None:
        """Make the `nn.Conv2d` (or `nn.Conv3d`), its kernel in torch's channels-last format where the input is."""
        channels = self._last_axis(input_shape, self.channel_axis)
        if channels % self.groups:
            raise ValueError(
                f"{self}: the {channels} channels of the input must be a multiple of groups={self.groups}; "
                f"got shape {tuple(input_shape)}."
            )
        self.compute_output_shape(input_shape)
        self.conv = self._make_module(MODULES[self.rank], channels, self.filters, self.groups, self.use_bias)
        self._lay_out_as_input(self.conv)
        enter_weight(self, "kernel", self.conv, "weight", KERNELS[self.rank])
        if self.use_bias:
            enter_weight(self, "bias", self.conv, "bias")

    def _make_module(self, kind: type[M], inputs: int, outputs: int, groups: int, bias: bool) -> M:
        """Return a torch module with this window, its steps and gaps."""
        return bare(
            kind,
            inputs,
            outputs,
            over_height(self.kernel_size, 1),
            self._stride,
            dilation=self._dilation,
            groups=groups,
            bias=bias,
            dtype=settings.torch_dtype(self.dtype),
        )

    def pads(self, lengths: Sequence[int]) -> list[tuple[int, int]]:
        """Return the zeros before and after each axis in space for an input of these sizes."""
        sizes = zip(lengths, self.kernel_size, self.strides, self.dilation_rate)
        if self.padding == "same":
            return [same_padding(*size) for size in sizes]
        if self.padding == "causal":
            return [((kernel - 1) * dilation, 0) for _, kernel, _, dilation in sizes]
        return [(0, 0)] * self.rank

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with its bias."""
        return self.to_keras(self._convolved(inputs))

    def call(self, inputs: Tensor) -> Tensor:
        """Return the activated convolution; in place before it becomes a view, where that can be done."""
        in_place = IN_PLACE.get(self.activation)
        if in_place is None:
            return calling(self.activation)(self.pre_activation(inputs))  # type: ignore[no-any-return]
        return self.to_keras(in_place(self._convolved(inputs)))

    def convolution_op(self, inputs: Any, kernel: Any) -> Tensor:
        """Return the convolution of images by a kernel, without a bias; a subclass may write it anew.

        Args:
            inputs: The images or sequences; for `padding='causal'` with the zeros before them, as in Keras.
            kernel: The kernel in Keras's layout.
        """
        x, (weight,) = take_back(inputs), KERNELS[self.rank].write(take_back(kernel))
        if self.padding == "causal":
            x, padding = self.to_torch(x), [0] * len(self._stride)
        else:
            x, padding = self._padded(x)
        y = FUNCTIONS[self.rank](x, weight, None, self._stride, padding, self._dilation, self.groups)
        return hand_out(self.to_keras(y)) if isinstance(inputs, UserTensor) else self.to_keras(y)

    def _convolved_by_user(self, inputs: Tensor) -> Tensor:
        """Return what a subclass's own `convolution_op` gives, with the bias."""
        if self.padding == "causal":
            inputs = self.to_keras(F.pad(self.to_torch(inputs), torch_pads(self.pads([ANY_SIZE] * self.rank))))
        y: Tensor = call_user(self.convolution_op, inputs, self.kernel)
        bias = self.conv.bias
        if bias is None:
            return y
        return y + (bias if self.channel_axis == -1 else bias.view(-1, *[1] * self.rank))

    def _own_traits(self) -> Traits:
        own = super()._own_traits()
        return replace(own, row_wise=False, runs_user_code=True) if self._has_own_convolution else own

    @property
    def _has_own_convolution(self) -> bool:
        return type(self).convolution_op is not Conv.convolution_op

    def _convolved(self, inputs: Tensor) -> Tensor:
        """Return the convolution in torch's order of axes."""
        if self._has_own_convolution:
            return self.to_torch(self._convolved_by_user(inputs))
        (x, padding), conv = self._padded(inputs), self.conv
        if tracing() and self.as_products(x, padding[-1]):
            return conv1d_matmul.window_products(x, conv.weight, conv.bias, padding[-1])
        convolve = FUNCTIONS[self.rank]
        return convolve(x, conv.weight, conv.bias, self._stride, padding, self._dilation, self.groups)

    def _padded(self, inputs: Tensor) -> tuple[Tensor, list[int]]:
        """Return the input in torch's order of axes with the zeros that torch cannot add, and how many it adds."""
        x = self.to_torch(inputs)
        ahead, padding = self._fixed_pads or split_pads(self.pads(self.lengths(inputs.shape)))  # type: ignore[arg-type]
        return F.pad(x, ahead) if ahead else x, padding

    def as_products(self, x: Tensor, pad: int) -> bool:
        """Tell whether a training step does better with products of matrices; `x` is in torch's order of axes."""
        one_dimensional = self.rank == 1 and self.groups == 1 and max(*self.strides, *self.dilation_rate) == 1
        return one_dimensional and conv1d_matmul.serves(x, self.conv.weight, pad)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape with `filters` channels and the sizes that the window leaves."""
        sizes = zip(self.lengths(input_shape), self.kernel_size, self.strides, self.dilation_rate)
        space = [conv_length(n, kernel, stride, self.padding, dilation) for n, kernel, stride, dilation in sizes]
        return self.assemble(input_shape[0], space, self.filters)

    def _convolution_facts(self) -> ConvolutionFacts | None:
        """Return what a written-out gradient needs, where torch's kernel pads, if anything does."""
        if self._fixed_pads is None or self._fixed_pads[0]:
            return None
        return ConvolutionFacts(
            weight=self.conv.weight,
            bias=self.conv.bias,
            activation=self.activation,
            stride=self._stride,
            padding=self._fixed_pads[1],
            dilation=self._dilation,
            groups=self.groups,
            to_torch=self.to_torch,
            to_keras=self.to_keras,
            as_products=self.as_products,
        )


class ConvOfBatches(Conv):
    """Base of the convolutions that take several axes of samples, `(batch, frames, rows, columns, channels)`."""

    _more_batch_axes = True

    @property
    def channel_axis(self) -> int:
        """Where the channels are, counted from the end, whatever stands in front."""
        return -1 if self.data_format == "channels_last" else -1 - self.rank

    def _split(self, shape: Sequence[int | None]) -> tuple[Shape, Shape]:
        """Return the axes of samples, and the shape with one in their place."""
        own = self.rank + 1
        return tuple(shape[:-own]), (shape[0] if len(shape) == own + 1 else None, *shape[-own:])

    def build(self, input_shape: Any) -> None:
        """Make the convolution for one axis of samples."""
        super().build(self._split(input_shape)[1])

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape with `filters` channels and the sizes that the window leaves."""
        batches, one = self._split(input_shape)
        return (*batches, *super().compute_output_shape(one)[1:])

    def _joined(self, run: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        """Return what `run` computes of the samples of all axes together."""
        own = self.rank + 1
        return torch.unflatten(run(inputs.flatten(0, -own - 1)), 0, inputs.shape[:-own])

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with its bias."""
        run = super().pre_activation
        return self._joined(run, inputs) if inputs.dim() > self.rank + 2 else run(inputs)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the activated convolution."""
        run = super().call
        return self._joined(run, inputs) if inputs.dim() > self.rank + 2 else run(inputs)

    def _convolution_facts(self) -> ConvolutionFacts | None:
        """Return what a written-out gradient needs, where there is one axis of samples."""
        return None if len(self._built_shape or ()) > self.rank + 2 else super()._convolution_facts()


@registry.register("layer", "Convolution1D")
class Conv1D(ConvOfBatches):
    """Convolution over a sequence; it runs as one over images of height 1, which torch computes faster.

    Args:
        filters: The number of output channels.
        kernel_size: Steps under the window.
        strides: Steps from one window to the next.
        padding: `'valid'`, `'same'`, or `'causal'`: no output depends on a later input.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        dilation_rate: Distance of the steps under the window.
        groups: Into how many groups the channels are split.
        activation: By name or function; `None` is linear.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, new_steps, filters)`. More axes of
        samples may stand in front.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both greater than 1.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Conv1D(32, 3, padding='causal').compute_output_shape((None, 10, 128))
        (None, 10, 32)
    """

    rank = 1
    paddings = ("valid", "same", "causal")
    _gradient_facts = ConvOfBatches._convolution_facts


@registry.register("layer", "Convolution2D")
class Conv2D(ConvOfBatches):
    """Convolution over images.

    Args:
        filters: The number of output channels.
        kernel_size: Height and width of the window, or one integer for both.
        strides: Cells from one window to the next.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        dilation_rate: Distance of the cells under the window.
        groups: Into how many groups the channels are split.
        activation: By name or function; `None` is linear.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: `(batch, new_rows, new_columns, filters)`. More
        axes of samples may stand in front.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both greater than 1.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Conv2D(32, (3, 3), activation='relu').compute_output_shape((None, 28, 28, 1))
        (None, 26, 26, 32)
    """

    rank = 2
    _gradient_facts = ConvOfBatches._convolution_facts


@registry.register("layer", "Convolution3D")
class Conv3D(ConvOfBatches):
    """Convolution over volumes.

    Args:
        filters: The number of output channels.
        kernel_size: Depth, height and width of the window, or one integer for all.
        strides: Cells from one window to the next.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        dilation_rate: Distance of the cells under the window.
        groups: Into how many groups the channels are split.
        activation: By name or function; `None` is linear.
        kwargs: `use_bias`, options of `kernel` and `bias` as in `Dense`, and the arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: the same axes with new sizes and `filters` channels.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both greater than 1.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Conv3D(4, 3, padding='same').compute_output_shape((None, 8, 8, 8, 1))
        (None, 8, 8, 8, 4)
    """

    rank = 3
