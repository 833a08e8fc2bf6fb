"""`tf.nn`: convolutions, pooling, normalization and what else layers are made of, on tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import backend as K
from .._core import settings
from .._core.errors import argument_error
from .tensorflow_calls import FUNCTIONS, axes_of, function, sizes, tensor
from .tensorflow_functions import gather

_CONVOLUTIONS = {1: K.conv1d, 2: K.conv2d, 3: K.conv3d}
_OLD = {"filter": "filters", "value": "input"}  # arguments as TensorFlow 1 has them


# --- convolutions and pooling ------------------------------------------------------------------------------------


def _over_space(owner: str, argument: str, value: Any, n: int, first: bool) -> tuple[int, ...]:
    """Return the numbers for the axes of space: of one number, of one for each, or of one for every axis."""
    told = (1,) if value is None else sizes(value)
    if len(told) == n + 2:
        outside = (*told[:2],) if first else (told[0], told[-1])
        if outside != (1, 1):
            raise argument_error(f"tf.nn.{owner}", argument, "1 for the axes of batch and channels", value)
        return told[2:] if first else told[1:-1]
    if len(told) not in (1, n):
        raise argument_error(f"tf.nn.{owner}", argument, f"1, {n} or {n + 2} numbers", value)
    return told * n if len(told) == 1 else told


def _channels_are_first(data_format: str | None) -> bool:
    return data_format is not None and data_format.startswith("NC")


def _keras_format(data_format: str | None) -> str:
    return "channels_first" if _channels_are_first(data_format) else "channels_last"


def _padded(x: Tensor, padding: Any) -> tuple[Tensor, str]:
    """Return a tensor with the pixels added that a list asks for, and the padding that remains."""
    if isinstance(padding, str):
        return x, padding.lower()
    return F.pad(x, [int(n) for pair in reversed(list(padding)) for n in sizes(pair)]), "valid"


def _convolved(
    owner: str, x: Tensor, kernel: Tensor, n: int, strides: Any, padding: Any, data_format: Any, dilations: Any
) -> Tensor:
    """Return a convolution over n axes of space; axes before that of the batch are counted to it."""
    first = _channels_are_first(data_format)
    step = _over_space(owner, "strides", strides, n, first)
    rate = _over_space(owner, "dilations", dilations, n, first)
    batch = x.shape[: x.dim() - n - 1]
    x, mode = _padded(x.reshape(-1, *x.shape[x.dim() - n - 1 :]) if len(batch) > 1 else x, padding)
    y: Tensor = _CONVOLUTIONS[n](
        x, kernel, strides=step, padding=mode, data_format=_keras_format(data_format), dilation_rate=rate
    )
    return y.reshape(*batch, *y.shape[1:]) if len(batch) > 1 else y


@function("nn.conv1d", also={"strides": "stride", "filter": "filters", "value": "input"})
def conv1d(
    input: Tensor, filters: Tensor, stride: Any, padding: Any, data_format: str | None = "NWC", dilations: Any = None
) -> Tensor:
    """Return the convolution of sequences with a kernel `(steps, inputs, outputs)`."""
    return _convolved("conv1d", input, filters, 1, stride, padding, data_format, dilations)


@function("nn.conv2d", also=_OLD)
def conv2d(
    input: Tensor,
    filters: Tensor,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    use_cudnn_on_gpu: Any = None,
) -> Tensor:
    """Return the convolution of pictures with a kernel `(rows, columns, inputs, outputs)`."""
    return _convolved("conv2d", input, filters, 2, strides, padding, data_format, dilations)


@function("nn.conv3d", also=_OLD)
def conv3d(
    input: Tensor,
    filters: Tensor,
    strides: Any,
    padding: Any,
    data_format: str | None = "NDHWC",
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of volumes with a kernel `(depth, rows, columns, inputs, outputs)`."""
    return _convolved("conv3d", input, filters, 3, strides, padding, data_format, dilations)


@function("nn.convolution", also={**_OLD, "dilation_rate": "dilations"})
def convolution(
    input: Tensor,
    filters: Tensor,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Return the convolution over as many axes as the kernel has."""
    return _convolved("convolution", input, filters, filters.dim() - 2, strides, padding, data_format, dilations)


@function("nn.atrous_conv2d")
def atrous_conv2d(value: Tensor, filters: Tensor, rate: int, padding: Any) -> Tensor:
    """Return the convolution of pictures with holes in the kernel."""
    return _convolved("atrous_conv2d", value, filters, 2, 1, padding, "NHWC", rate)


@function("nn.conv2d_transpose", also=_OLD)
def conv2d_transpose(
    input: Tensor,
    filters: Tensor,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
) -> Tensor:
    """Return the transposed convolution of pictures with a kernel `(rows, columns, outputs, inputs)`."""
    first = _channels_are_first(data_format)
    return K.conv2d_transpose(
        input,
        filters,
        sizes(output_shape),
        _over_space("conv2d_transpose", "strides", strides, 2, first),
        padding.lower(),
        _keras_format(data_format),
        _over_space("conv2d_transpose", "dilations", dilations, 2, first),
    )


@function("nn.depthwise_conv2d nn.depthwise_conv2d_native", also={"rate": "dilations", "filters": "filter"})
def depthwise_conv2d(
    input: Tensor,
    filter: Tensor,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of each channel by itself, with a kernel `(rows, columns, inputs, multiplier)`."""
    first = _channels_are_first(data_format)
    step = _over_space("depthwise_conv2d", "strides", strides, 2, first)
    rate = _over_space("depthwise_conv2d", "dilations", dilations, 2, first)
    x, mode = _padded(input, padding)
    return K.depthwise_conv2d(x, filter, step, mode, _keras_format(data_format), rate)


@function("nn.separable_conv2d", also={"rate": "dilations"})
def separable_conv2d(
    input: Tensor,
    depthwise_filter: Tensor,
    pointwise_filter: Tensor,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Return the depthwise convolution, mixed by a kernel `(1, 1, inputs * multiplier, outputs)`."""
    y = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return _convolved("separable_conv2d", y, pointwise_filter, 2, 1, "VALID", data_format, 1)


def _pooled(owner: str, mode: str, x: Tensor, n: int, ksize: Any, strides: Any, padding: Any, layout: Any) -> Tensor:
    if x.dim() != n + 2:
        raise argument_error(f"tf.nn.{owner}", "input", f"of {n + 2} axes", tuple(x.shape))
    first = _channels_are_first(layout)
    if mode == "max" and not first and len(wide := sizes(ksize)) == n + 2 and wide[-1] > 1:
        return _over_channels(owner, x, wide, sizes(strides))
    size, step = (_over_space(owner, name, v, n, first) for name, v in (("ksize", ksize), ("strides", strides)))
    if not isinstance(padding, str):
        raise argument_error(f"tf.nn.{owner}", "padding", "'SAME' or 'VALID'", padding)
    if n == 3:
        return K.pool3d(x, size, step, padding.lower(), _keras_format(layout), mode)
    if n == 2:
        return K.pool2d(x, size, step, padding.lower(), _keras_format(layout), mode)
    line = x.unsqueeze(-1 if first else -2)  # a picture of one column
    return K.pool2d(line, (*size, 1), (*step, 1), padding.lower(), _keras_format(layout), mode).squeeze(
        -1 if first else -2
    )


def _over_channels(owner: str, x: Tensor, size: tuple[int, ...], step: tuple[int, ...]) -> Tensor:
    """Return the largest values of neighbouring channels, which windows do not share."""
    channels = size[-1]
    if set(size[:-1]) != {1} or step != size or x.shape[-1] % channels:
        raise argument_error(
            f"tf.nn.{owner}", "ksize", "(1, …, n) with equal strides, where n divides the channels", (size, step)
        )
    return x.reshape(*x.shape[:-1], -1, channels).amax(-1)


def _enter_pools(word: str, mode: str) -> None:
    @function(f"nn.{word}_pool", also={"value": "input"})
    def of_any_rank(input: Tensor, ksize: Any, strides: Any, padding: Any, data_format: str | None = None) -> Tensor:
        return _pooled(f"{word}_pool", mode, input, input.dim() - 2, ksize, strides, padding, data_format)

    for n in (1, 2, 3):

        @function(f"nn.{word}_pool{n}d")
        def of_rank(
            input: Tensor, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, n: int = n
        ) -> Tensor:
            return _pooled(f"{word}_pool{n}d", mode, input, n, ksize, strides, padding, data_format)


_enter_pools("max", "max")
_enter_pools("avg", "avg")


def _blocks(name: str, data_format: str) -> bool:
    if data_format not in ("NHWC", "NCHW"):
        raise argument_error(f"tf.nn.{name}", "data_format", "'NHWC' or 'NCHW'", data_format)
    return data_format == "NCHW"


@function("nn.depth_to_space depth_to_space")
def depth_to_space(input: Tensor, block_size: int, data_format: str = "NHWC") -> Tensor:
    """Return pictures whose channels are laid out as blocks of pixels."""
    first, block = _blocks("depth_to_space", data_format), int(block_size)
    x = input.movedim(1, -1) if first else input
    batch, rows, columns, channels = x.shape
    y = x.reshape(batch, rows, columns, block, block, channels // block**2).permute(0, 1, 3, 2, 4, 5)
    y = y.reshape(batch, rows * block, columns * block, channels // block**2)
    return y.movedim(-1, 1) if first else y


@function("nn.space_to_depth space_to_depth")
def space_to_depth(input: Tensor, block_size: int, data_format: str = "NHWC") -> Tensor:
    """Return pictures whose blocks of pixels are laid out as channels."""
    first, block = _blocks("space_to_depth", data_format), int(block_size)
    x = input.movedim(1, -1) if first else input
    batch, rows, columns, channels = x.shape
    y = x.reshape(batch, rows // block, block, columns // block, block, channels).permute(0, 1, 3, 2, 4, 5)
    y = y.reshape(batch, rows // block, columns // block, channels * block**2)
    return y.movedim(-1, 1) if first else y


# --- normalization -----------------------------------------------------------------------------------------------


@function("nn.local_response_normalization nn.lrn")
def local_response_normalization(
    input: Tensor, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5
) -> Tensor:
    """Return values divided by a power of the squares in the channels around them."""
    radius = int(depth_radius)
    squares = F.pad(torch.square(input), (radius, radius)).unfold(-1, 2 * radius + 1, 1).sum(-1)
    return input / (bias + alpha * squares) ** beta


@function("nn.batch_normalization")
def batch_normalization(
    x: Tensor, mean: Tensor, variance: Tensor, offset: Tensor | None, scale: Tensor | None, variance_epsilon: float
) -> Tensor:
    """Return (x - mean) / sqrt(variance + epsilon) · scale + offset."""
    factor = torch.rsqrt(variance + variance_epsilon)
    factor = factor if scale is None else factor * scale
    return x * factor + (-mean * factor if offset is None else offset - mean * factor)


@function("nn.bias_add")
def bias_add(value: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """Return values with a number added for each channel."""
    if not _channels_are_first(data_format):
        return value + bias
    return value + bias.reshape(-1, *[1] * (value.dim() - 2))


@function("nn.weighted_moments")
def weighted_moments(x: Tensor, axes: Any, frequency_weights: Tensor, keepdims: bool = False) -> Any:
    """Return mean and variance over axes, each value with a weight."""
    over = axes_of(x, axes)
    weights = frequency_weights.to(x.dtype).broadcast_to(x.shape)
    total = weights.sum(over, keepdim=True)
    mean = (weights * x).sum(over, keepdim=True) / total
    variance = (weights * torch.square(x - mean)).sum(over, keepdim=True) / total
    return (mean, variance) if keepdims else (mean.squeeze(over), variance.squeeze(over))


@function("nn.l2_loss")
def l2_loss(t: Tensor) -> Tensor:
    """Return half the sum of the squares."""
    return torch.square(t).sum() / 2


@function("nn.zero_fraction math.zero_fraction")
def zero_fraction(value: Tensor) -> Tensor:
    """Return which part of the values is 0."""
    return (value == 0).float().mean()


@function("nn.crelu")
def crelu(features: Tensor, axis: int = -1) -> Tensor:
    """Return the positive parts, and behind them the negative ones."""
    return torch.relu(torch.cat([features, -features], axis))


@function("nn.weighted_cross_entropy_with_logits", also={"targets": "labels"})
def weighted_cross_entropy_with_logits(labels: Tensor, logits: Tensor, pos_weight: Any) -> Tensor:
    """Return the binary cross-entropy of each logit, that of positive labels multiplied."""
    weight: Tensor = 1 + (pos_weight - 1) * labels
    return (1 - labels) * logits + weight * F.softplus(-logits)


# --- the largest, and rows of tables -----------------------------------------------------------------------------


class TopKV2(NamedTuple):
    """The largest values and where they stand."""

    values: Any
    indices: Any


@function("nn.top_k")
def _largest(input: Tensor, k: int = 1, sorted: bool = True, index_type: Any = "int32") -> Any:
    values, indices = torch.sort(input, dim=-1, descending=True, stable=True)  # of equal ones, the first comes first
    return values[..., : int(k)], indices[..., : int(k)].to(settings.torch_dtype(index_type))


def top_k(input: Any, k: int = 1, sorted: bool = True, index_type: Any = "int32", name: str | None = None) -> TopKV2:
    """Return the largest values along the last axis and their indices.

    Args:
        input: The values.
        k: How many.
        sorted: Accepted: the largest comes first.
        index_type: The type of the indices.
        name: Accepted.
    """
    return TopKV2(*_largest(input, k, sorted, index_type))


FUNCTIONS["nn.top_k"] = FUNCTIONS["math.top_k"] = top_k


@function("nn.in_top_k math.in_top_k")
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Return whether each class is among the k largest predictions; TensorFlow 1's order of arguments is seen, too."""
    if targets.dim() == 2:
        targets, predictions = predictions, targets
    return K.in_top_k(predictions, targets, int(k))


@function("nn.embedding_lookup")
def embedding_lookup(params: Tensor, ids: Any, max_norm: float | None = None) -> Tensor:
    """Return rows of a table, cut to a length if one is given."""
    chosen: Tensor = gather(params, ids)
    if max_norm is None:
        return chosen
    axes = tuple(range(tensor(ids).dim(), chosen.dim()))
    length = torch.sqrt(torch.square(chosen).sum(axes, keepdim=True))
    return chosen * max_norm / torch.clamp(length, min=max_norm)


@function("nn.dropout")
def dropout(
    x: Tensor, rate: Any = None, noise_shape: Any = None, seed: int | None = None, keep_prob: Any = None
) -> Tensor:
    """Drop a part of the values, whatever the mode, and scale up the rest."""
    if (rate is None) == (keep_prob is None):
        raise argument_error("tf.nn.dropout", "rate", "a number in [0, 1)", rate)
    shape: Sequence[Any] | None = None if noise_shape is None else list(noise_shape)
    return K.dropout(x, float(1 - keep_prob if rate is None else rate), shape, seed)


def dropout_of_version_1(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: int | None = None, name: Any = None, rate: Any = None
) -> Any:
    """Drop a part of the values, the second argument telling how much is kept.

    Args:
        x: The values.
        keep_prob: The part that is kept.
        noise_shape: The shape of the choice.
        seed: Of a sequence of its own.
        name: Accepted.
        rate: The part that is dropped, instead of `keep_prob`.
    """
    return dropout(x, rate, noise_shape, seed, keep_prob)
