"""Convolutions, pooling, and the padding, cutting and enlarging of images, sequences and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from ... import layers
from ..._core.shapes import Shape
from ...layers.convolutional import ANY_SIZE
from ...layers.spatial import over_height
from ..emission import Emission, NotExportable, Value, arguments, kept, sizes, text, weight, weight_if, writes
from .activations import activate

Pads = Sequence[tuple[int, int]]


def as_torch(emission: Emission, layer: Any, x: Value) -> Value:
    """Return a value with the channels on axis 1, where the layer has them last."""
    return emission.turned(x, layer.data_format == "channels_last")


def lengths(layer: Any, spatial: Any, shape: Shape) -> list[int]:
    """Return the sizes in space.

    Args:
        layer: The layer that messages name.
        spatial: What knows which axes are those of space: the layer, or its cell.
        shape: The shape, in Keras's order.

    Raises:
        NotExportable: One is not known.
    """
    known = spatial.lengths(shape)
    if None in known:
        raise NotExportable(
            f"{layer}: its padding depends on the size of the input, which the model leaves open, {shape}; give the "
            f"input a fixed size."
        )
    return list(known)


def channels_of(layer: Any, x: Value) -> int:
    """Return the number of channels, which the weights were made for."""
    return int(x.shape[layer.channel_axis] or 0)


def zeros_around(pads: Pads) -> str:
    """Return cells before and behind each axis as torch has them, the last axis first."""
    return text([n for pair in reversed(pads) for n in pair])


def pad(emission: Emission, x: Value, pads: Pads) -> Value:
    """Write down zeros around a value that lies with the channels on axis 1, or cells cut away where negative."""
    around = zeros_around(pads)
    module = f"nn.ZeroPad{len(pads)}d({around})"
    return emission.compute(f"F.pad({{0}}, {around})", x, x.shape, [module], x.channels_first)


# --- convolutions ----------------------------------------------------------------------------------------------------


def outputs_first(kernel: torch.Tensor) -> torch.Tensor:
    """Return a kernel of Keras in torch's order of axes."""
    return kernel.movedim((-1, -2), (0, 1))


def _channel_by_channel(kernel: torch.Tensor) -> torch.Tensor:
    return kernel.movedim((-2, -1), (0, 1)).flatten(0, 1).unsqueeze(1)


def window_options(layer: Any) -> dict[str, Any]:
    """Return the arguments of a convolution but for channels and padding, as far as they are not torch's defaults."""
    options = {"stride": sizes(layer.strides), "dilation": sizes(layer.dilation_rate)}
    return {name: value for name, value in options.items() if value != 1}


def padded(emission: Emission, layer: Any, x: Value) -> tuple[Value, dict[str, Any]]:
    """Return the input of a convolution with the zeros that torch does not add, and how many it adds."""
    if layer.padding == "valid":
        return x, {}
    depends = layer.padding == "same" and max(layer.strides) > 1
    pads = layer.pads(lengths(layer, layer, x.shape) if depends else [ANY_SIZE] * layer.rank)
    if all(before == after for before, after in pads):
        around = sizes([before for before, _ in pads])
        return x, {"padding": around} if around else {}
    return pad(emission, x, pads), {}


def _convolution(
    emission: Emission, layer: Any, x: Value, outputs: int, groups: int, state: dict[str, Any], suffix: str = ""
) -> Value:
    """Write down a convolution without its activation."""
    x = as_torch(emission, layer, x)
    channels = x.shape[layer.channel_axis]
    shape = layer.compute_output_shape(x.shape)
    x, padding = padded(emission, layer, x)
    grouped = {} if groups == 1 else {"groups": groups}
    bias = {"bias": False} if state.get("bias") is None else {}
    options = {**window_options(layer), **padding, **grouped, **bias}
    numbers = arguments(channels, outputs, sizes(layer.kernel_size), **options)
    name = emission.module(layer, f"nn.Conv{layer.rank}d({numbers})", state, suffix)
    space = layer.lengths(shape)
    return emission.apply(name, x, layer.assemble(shape[0], space, outputs), x.channels_first, layer)


@writes(layers.Conv1D, layers.Conv2D, layers.Conv3D)
def convolution(emission: Emission, layer: Any, x: Value) -> Value:
    """A convolution and its activation.

    Raises:
        NotExportable: The input has several axes of samples.
    """
    if x.rank > layer.rank + 2:
        raise NotExportable(
            f"{layer}: an input with several axes of samples, {x.shape}, has no form in plain torch; write "
            f"TimeDistributed around the layer."
        )
    state = {"weight": kept(outputs_first, weight(layer, "kernel")), "bias": weight_if(layer, "bias")}
    y = _convolution(emission, layer, x, layer.filters, layer.groups, state)
    return activate(emission, layer, layer.activation, y)


@writes(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def depthwise(emission: Emission, layer: Any, x: Value) -> Value:
    """A convolution of each channel by itself."""
    kernel = weight(layer, "depthwise_kernel")
    state = {"weight": kept(_channel_by_channel, kernel), "bias": weight_if(layer, "bias")}
    channels = channels_of(layer, x)
    y = _convolution(emission, layer, x, channels * layer.depth_multiplier, channels, state)
    return activate(emission, layer, layer.activation, y)


@writes(layers.SeparableConv1D, layers.SeparableConv2D)
def separable(emission: Emission, layer: Any, x: Value) -> Value:
    """A convolution of each channel by itself, and one of size 1 that joins them."""
    channels = channels_of(layer, x)
    inner = channels * layer.depth_multiplier
    first = {"weight": kept(_channel_by_channel, weight(layer, "depthwise_kernel"))}
    y = _convolution(emission, layer, x, inner, channels, first, "depthwise")
    second = {"weight": kept(outputs_first, weight(layer, "pointwise_kernel")), "bias": weight_if(layer, "bias")}
    bias = {} if layer.use_bias else {"bias": False}
    constructor = f"nn.Conv{layer.rank}d({arguments(inner, layer.filters, 1, **bias)})"
    name = emission.module(layer, constructor, second, "pointwise")
    y = emission.apply(name, y, layer.compute_output_shape(x.shape), y.channels_first, layer)
    return activate(emission, layer, layer.activation, y)


@writes(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
def transposed(emission: Emission, layer: Any, x: Value) -> Value:
    """A transposed convolution, from which the cells that Keras has not are cut."""
    x = as_torch(emission, layer, x)
    shape = layer.compute_output_shape(x.shape)
    known = layer._fixed_edges or layer._edges(lengths(layer, layer, x.shape))
    both, more, last = (list(sizes_in_space)[-layer.rank :] for sizes_in_space in known)
    options = window_options(layer)
    if any(both):
        options["padding"] = sizes(both)
    if any(more):
        options["output_padding"] = sizes(more)
    if not layer.use_bias:
        options["bias"] = False
    numbers = arguments(x.shape[layer.channel_axis], layer.filters, sizes(layer.kernel_size), **options)
    state = {"weight": kept(outputs_first, weight(layer, "kernel")), "bias": weight_if(layer, "bias")}
    name = emission.module(layer, f"nn.ConvTranspose{layer.rank}d({numbers})", state)
    y = emission.apply(name, x, shape, x.channels_first, layer)
    if any(last):
        y = pad(emission, y, [(0, -cells) for cells in last])
    return activate(emission, layer, layer.activation, y)


# --- pooling ---------------------------------------------------------------------------------------------------------


def _pooled(emission: Emission, layer: Any, x: Value, function: str, module: str, average: bool) -> Value:
    x = as_torch(emission, layer, x)
    shape = layer.compute_output_shape(x.shape)
    window, stride = sizes(layer.pool_size), sizes(layer.strides)
    options: dict[str, Any] = {} if window == stride else {"stride": stride}
    surplus: list[int] = []
    if layer.padding == "same":
        around, surplus = _same(layer, x)
        if any(around):
            options["padding"] = sizes(around)
            if average:
                options["count_include_pad"] = False
        options["ceil_mode"] = True
    numbers = arguments(window, **options)
    y = emission.compute(f"{function}({{0}}, {numbers})", x, shape, [f"{module}({numbers})"], x.channels_first, layer)
    if surplus:  # the window that the padding in front makes one too many
        cuts = ", ".join("1:" if axis in surplus else ":" for axis in range(layer.rank + 2))
        edges = [(-1 if axis + 2 in surplus else 0, 0) for axis in range(layer.rank)]
        cut = f"nn.ZeroPad{layer.rank}d({zeros_around(edges)})"
        y = emission.compute(f"{{0}}[{cuts}]", y, shape, [cut], y.channels_first, layer)
    return y


def _same(layer: Any, x: Value) -> tuple[list[int], list[int]]:
    """Return torch's padding for Keras's `'same'`, and the axes whose first window is one too many."""
    if all(window == stride == 2 for window, stride in zip(layer.pool_size, layer.strides)):
        return [0] * layer.rank, []  # whatever the size, the odd cell is at the end
    padding, surplus = layer._same(lengths(layer, layer, x.shape))
    height = len(padding) - layer.rank  # a sequence is an image of height 1 there
    return padding[height:], [axis - height for axis in surplus]


@writes(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)
def max_pooling(emission: Emission, layer: Any, x: Value) -> Value:
    """The largest value of each window."""
    rank = layer.rank
    return _pooled(emission, layer, x, f"F.max_pool{rank}d", f"nn.MaxPool{rank}d", False)


@writes(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D)
def average_pooling(emission: Emission, layer: Any, x: Value) -> Value:
    """The mean of each window."""
    rank = layer.rank
    return _pooled(emission, layer, x, f"F.avg_pool{rank}d", f"nn.AvgPool{rank}d", True)


def _pooled_over_all(emission: Emission, layer: Any, x: Value, expression: str, module: str) -> Value:
    """Write down a pooling over all axes in space, of which `expression` keeps axes of size 1."""
    x = as_torch(emission, layer, x)
    made = [f"{module}(1)"] + ([] if layer.keepdims else ["nn.Flatten()"])
    tail = "" if layer.keepdims else ".flatten(1)"
    first = x.channels_first and layer.keepdims
    return emission.compute(expression + tail, x, layer.compute_output_shape(x.shape), made, first, layer)


@writes(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D)
def global_max_pooling(emission: Emission, layer: Any, x: Value) -> Value:
    """The largest value of each channel, whose gradient goes to one place."""
    rank = layer.rank
    return _pooled_over_all(emission, layer, x, f"F.adaptive_max_pool{rank}d({{0}}, 1)", f"nn.AdaptiveMaxPool{rank}d")


@writes(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D, masks=True)
def global_average_pooling(emission: Emission, layer: Any, x: Value) -> Value:
    """The mean of each channel, of sequences over the steps that count."""
    if x.mask is None:
        rank = layer.rank
        mean = f"F.adaptive_avg_pool{rank}d({{0}}, 1)"
        return _pooled_over_all(emission, layer, x, mean, f"nn.AdaptiveAvgPool{rank}d")
    if layer.rank != 1 or layer.data_format != "channels_last" or layer.keepdims:
        raise NotExportable(f"{layer}: a mean under a mask has a form for sequences with channels last alone.")
    x = emission.as_keras(x)
    shape = layer.compute_output_shape(x.shape)
    valid = emission.compute("{0}.unsqueeze(-1).to({1}.dtype)", [x.mask, x], (*x.shape[:-1], 1), hint="valid")
    y = emission.compute("({0} * {1}).sum(1) / {1}.sum(1)", [x, valid], shape, layer=layer)
    y.mask = None
    return y


# --- borders and sizes -----------------------------------------------------------------------------------------------


@writes(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
def zero_padding(emission: Emission, layer: Any, x: Value) -> Value:
    """Zeros around the input."""
    return _bordered(emission, layer, x, layer.padding)


@writes(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
def cropping(emission: Emission, layer: Any, x: Value) -> Value:
    """The input without its edges."""
    return _bordered(emission, layer, x, [(-before, -after) for before, after in layer.cropping])


def _bordered(emission: Emission, layer: Any, x: Value, pads: Pads) -> Value:
    x = as_torch(emission, layer, x)
    shape: Shape = layer.compute_output_shape(x.shape)
    y = pad(emission, x, pads)
    y.shape, y.hint = shape, emission.hint(layer, x)
    return y


@writes(layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D)
def up_sampling(emission: Emission, layer: Any, x: Value) -> Value:
    """The input, enlarged by whole factors."""
    if layer.interpolation not in ("nearest", "bilinear"):
        raise NotExportable(f"{layer}: interpolation={layer.interpolation!r} has no form in plain torch.")
    x = as_torch(emission, layer, x)
    factor = tuple(map(float, layer.size))
    factors = text(factor[0] if len(set(factor)) == 1 else factor)
    mode = "" if layer.interpolation == "nearest" else f", mode={text(layer.interpolation)}"
    return emission.compute(
        f"F.interpolate({{0}}, scale_factor={factors}{mode})",
        x,
        layer.compute_output_shape(x.shape),
        [f"nn.Upsample(scale_factor={factors}{mode})"],
        x.channels_first,
        layer,
    )


# --- kernels of their own at each place ------------------------------------------------------------------------------


@writes(layers.LocallyConnected1D, layers.LocallyConnected2D)
def locally_connected(emission: Emission, layer: Any, x: Value) -> Value:
    """The product of each window with the kernel of its place."""
    if layer.implementation != 1:
        raise NotExportable(f"{layer}: implementation={layer.implementation} has no form in plain torch; write 1.")
    x = as_torch(emission, layer, x)
    channels, shape = channels_of(layer, x), layer.compute_output_shape(x.shape)
    cells, space = math.prod(layer.kernel_size), layer.lengths(shape)

    def by_channels(kernel: torch.Tensor) -> torch.Tensor:
        if layer.data_format == "channels_first":
            return kernel
        return kernel.reshape(len(kernel), cells, channels, -1).transpose(1, 2).flatten(1, 2)

    kernel, bias = kept(by_channels, weight(layer, "kernel")), weight_if(layer, "bias")
    image = "{0}.unsqueeze(2)" if layer.rank == 1 else "{0}"
    window, stride = text(over_height(layer.kernel_size, 1)), text(over_height(layer.strides, 1))
    unfolded = (x.shape[0], cells * channels, math.prod(space))
    y = emission.compute(f"F.unfold({image}, {window}, stride={stride})", x, unfolded, hint="windows")
    own = emission.parameter(layer, "kernel", kernel)
    product = f'torch.einsum("nfp,pfo->nop", {{0}}, {own}).unflatten(2, {text(tuple(space))})'
    y = emission.compute(product, y, shape, (), x.channels_first, layer)
    if bias is not None:
        first = layer.data_format == "channels_first"  # where Keras reads the numbers in this order
        laid_out = kept(lambda b: b.reshape(layer.filters, *space) if first else b.movedim(-1, 0), bias)
        added = f"{{0}} + {emission.parameter(layer, 'bias', laid_out)}"
        y = emission.compute(added, y, shape, (), x.channels_first, layer)
    return activate(emission, layer, layer.activation, y)
