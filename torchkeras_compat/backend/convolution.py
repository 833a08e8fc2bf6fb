"""Convolutions, pooling and resizing on tensors and kernels in Keras's layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .._core.errors import argument_error, choice, int_tuple
from .._core.operations import operation
from .._core.shapes import same_padding
from . import resampling
from .common import normalize_data_format

_CONV: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED: dict[int, Callable[..., Tensor]] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX: dict[int, Callable[..., Tensor]] = {2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE: dict[int, Callable[..., Tensor]] = {2: F.avg_pool2d, 3: F.avg_pool3d}

Ints = int | Sequence[int]


def _channels_first(x: Tensor, data_format: str | None) -> tuple[Tensor, bool]:
    """Return `x` with its channels second, and whether they were last."""
    last = normalize_data_format(data_format) == "channels_last"
    return (x.movedim(-1, 1) if last else x), last


def _restored(y: Tensor, last: bool) -> Tensor:
    return y.movedim(1, -1) if last else y


def _same(
    x: Tensor, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int], value: float = 0
) -> Tensor:
    """Return `x` padded as `padding='same'` asks; the odd element comes after."""
    pads = [same_padding(n, k, s, d) for n, k, s, d in zip(x.shape[2:], window, strides, dilation)]
    return F.pad(x, [p for pair in reversed(pads) for p in pair], value=value) if any(map(any, pads)) else x


def _convolved(
    owner: str, x: Tensor, kernel: Tensor, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
) -> Tensor:
    n = kernel.ndim - 2
    step, dilation = int_tuple(owner, "strides", strides, n), int_tuple(owner, "dilation_rate", dilation_rate, n)
    window = tuple(kernel.shape[:n])
    x, last = _channels_first(x, data_format)
    mode = choice(owner, "padding", padding, ("valid", "same", "causal") if n == 1 else ("valid", "same"))
    if mode == "same":
        x = _same(x, window, step, dilation)
    elif mode == "causal":
        x = F.pad(x, (dilation[0] * (window[0] - 1), 0))
    weight = kernel.movedim((-1, -2), (0, 1))  # (*window, in, out) → (out, in, *window)
    y = _CONV[n](x, weight, None, step, 0, dilation, x.shape[1] // kernel.shape[-2])
    return _restored(y, last)


@operation
def conv1d(
    x: Tensor,
    kernel: Tensor,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Tensor:
    """Return the convolution along one axis.

    Args:
        x: The input.
        kernel: `(size, inputs, outputs)`.
        strides: The step.
        padding: `'valid'`, `'same'` or `'causal'`.
        data_format: `'channels_last'`, `'channels_first'` or `None` for the default.
        dilation_rate: The distance between taps.

    Shape:
        `(batch, steps, channels)`, with channels first the channels second.

    Example:
        >>> conv1d(torch.ones(1, 5, 2), torch.ones(3, 2, 4), padding='causal').shape
        torch.Size([1, 5, 4])
    """
    return _convolved("conv1d", x, kernel, strides, padding, data_format, dilation_rate)


@operation
def conv2d(
    x: Tensor,
    kernel: Tensor,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = (1, 1),
) -> Tensor:
    """Return the convolution of images with a kernel `(rows, columns, inputs, outputs)`.

    The other arguments are those of `conv1d`, without `'causal'`.

    Shape:
        `(batch, rows, columns, channels)`, with channels first the channels second.

    Example:
        >>> conv2d(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4)).shape
        torch.Size([1, 3, 3, 4])
    """
    return _convolved("conv2d", x, kernel, strides, padding, data_format, dilation_rate)


@operation
def conv3d(
    x: Tensor,
    kernel: Tensor,
    strides: Ints = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = (1, 1, 1),
) -> Tensor:
    """Return the convolution of volumes with a kernel `(depth, rows, columns, inputs, outputs)`.

    The other arguments are those of `conv2d`.

    Example:
        >>> conv3d(torch.ones(1, 5, 5, 5, 2), torch.ones(3, 3, 3, 2, 4)).shape
        torch.Size([1, 3, 3, 3, 4])
    """
    return _convolved("conv3d", x, kernel, strides, padding, data_format, dilation_rate)


def _deconvolved(
    owner: str,
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation_rate: Any,
) -> Tensor:
    n = kernel.ndim - 2
    step, dilation = int_tuple(owner, "strides", strides, n), int_tuple(owner, "dilation_rate", dilation_rate, n)
    mode = choice(owner, "padding", padding, ("valid", "same"))
    x, last = _channels_first(x, data_format)
    lengths = [int(i) for i in (output_shape[1 : 1 + n] if last else output_shape[2 : 2 + n])]
    weight = kernel.movedim((-1, -2), (0, 1))  # (*window, out, in) → (in, out, *window)
    y: Tensor = _TRANSPOSED[n](x, weight, None, step, 0, 0, 1, dilation)
    # The transposed convolution of "valid" padding holds every other one: crop what 'same' padding would not see.
    for i, length in enumerate(lengths):
        start = same_padding(length, kernel.shape[i], step[i], dilation[i])[0] if mode == "same" else 0
        y = y.narrow(2 + i, start, min(length, y.shape[2 + i] - start))
    missing = [length - have for length, have in zip(lengths, y.shape[2:])]
    y = F.pad(y, [p for m in reversed(missing) for p in (0, m)]) if any(missing) else y
    return _restored(y, last)


@operation
def conv2d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = (1, 1),
) -> Tensor:
    """Return the transposed convolution of images.

    Args:
        x: Images.
        kernel: `(rows, columns, outputs, inputs)`.
        output_shape: The whole shape of the result, in the order of `data_format`; the batch is taken from `x`.
        strides: The step.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'`, `'channels_first'` or `None` for the default.
        dilation_rate: The distance between taps.

    Example:
        >>> conv2d_transpose(torch.ones(1, 4, 4, 2), torch.ones(3, 3, 5, 2), (1, 8, 8, 5), (2, 2), 'same').shape
        torch.Size([1, 8, 8, 5])
    """
    return _deconvolved("conv2d_transpose", x, kernel, output_shape, strides, padding, data_format, dilation_rate)


@operation
def conv3d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Ints = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the transposed convolution of volumes; the arguments are those of `conv2d_transpose`.

    Example:
        >>> conv3d_transpose(torch.ones(1, 2, 2, 2, 1), torch.ones(3, 3, 3, 4, 1), (1, 4, 4, 4, 4)).shape
        torch.Size([1, 4, 4, 4, 4])
    """
    return _deconvolved("conv3d_transpose", x, kernel, output_shape, strides, padding, data_format, 1)


def _depthwise(
    owner: str, x: Tensor, kernel: Tensor, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
) -> Tensor:
    *window, inputs, multiplier = kernel.shape
    grouped = kernel.reshape(*window, 1, inputs * multiplier)  # each input has `multiplier` outputs, side by side
    return _convolved(owner, x, grouped, strides, padding, data_format, dilation_rate)


@operation
def depthwise_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = (1, 1),
) -> Tensor:
    """Return the convolution of each channel by itself, with a kernel `(rows, columns, inputs, multiplier)`.

    The other arguments are those of `conv2d`.

    Example:
        >>> depthwise_conv2d(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4)).shape
        torch.Size([1, 3, 3, 8])
    """
    return _depthwise("depthwise_conv2d", x, depthwise_kernel, strides, padding, data_format, dilation_rate)


@operation
def separable_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = (1, 1),
) -> Tensor:
    """Return the depthwise convolution, mixed by a kernel `(1, 1, inputs * multiplier, outputs)`.

    The other arguments are those of `depthwise_conv2d`.

    Example:
        >>> separable_conv2d(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4), torch.ones(1, 1, 8, 3)).shape
        torch.Size([1, 3, 3, 3])
    """
    y = _depthwise("separable_conv2d", x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return _convolved("separable_conv2d", y, pointwise_kernel, 1, "valid", data_format, 1)


@operation
def separable_conv1d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> Tensor:
    """Return `separable_conv2d` along one axis, with kernels `(size, inputs, multiplier)` and `(1, …, outputs)`.

    Example:
        >>> separable_conv1d(torch.ones(1, 5, 2), torch.ones(3, 2, 4), torch.ones(1, 8, 3)).shape
        torch.Size([1, 3, 3])
    """
    y = _depthwise("separable_conv1d", x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return _convolved("separable_conv1d", y, pointwise_kernel, 1, "valid", data_format, 1)


def _pooled(
    owner: str, x: Tensor, n: int, pool_size: Any, strides: Any, padding: str, data_format: str | None, pool_mode: str
) -> Tensor:
    window, step = int_tuple(owner, "pool_size", pool_size, n), int_tuple(owner, "strides", strides, n)
    same = choice(owner, "padding", padding, ("valid", "same")) == "same"
    x, last = _channels_first(x, data_format)
    ones = (1,) * n
    if choice(owner, "pool_mode", pool_mode, ("max", "avg")) == "max":
        y = _MAX[n](_same(x, window, step, ones, float("-inf")) if same else x, window, step)
    elif same:
        y = average_pool_same(x, window, step)
    else:
        y = _AVERAGE[n](x, window, step)
    return _restored(y, last)


def average_pool_same(x: Tensor, window: Sequence[int], strides: Sequence[int]) -> Tensor:
    """Return the mean of each window under `padding='same'`, over the cells that are really there.

    The padding is written out.  For memory with the channels last, the gradient of CUDA's `avg_pool2d` is wrong
    wherever that kernel pads by itself (torch 2.11).

    Args:
        x: `(batch, channels, *space)`.
        window: The size of a window.
        strides: The distance between windows.
    """
    n = len(window)
    ones = (1,) * n
    inside = _same(x.new_ones(1, 1, *x.shape[2:]), window, strides, ones)
    means = _AVERAGE[n](_same(x, window, strides, ones), window, strides)
    return means / _AVERAGE[n](inside, window, strides)


@operation
def pool2d(
    x: Tensor,
    pool_size: Ints,
    strides: Ints = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Return the largest or the mean value of windows of images.

    Args:
        x: Images.
        pool_size: The size of a window.
        strides: The distance between windows.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'`, `'channels_first'` or `None` for the default.
        pool_mode: `'max'` or `'avg'`.

    Example:
        >>> pool2d(torch.ones(1, 5, 5, 2), (2, 2), (2, 2), 'same').shape
        torch.Size([1, 3, 3, 2])
    """
    return _pooled("pool2d", x, 2, pool_size, strides, padding, data_format, pool_mode)


@operation
def pool3d(
    x: Tensor,
    pool_size: Ints,
    strides: Ints = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Return the largest or the mean value of windows of volumes; the arguments are those of `pool2d`.

    Example:
        >>> pool3d(torch.ones(1, 4, 4, 4, 2), (2, 2, 2), (2, 2, 2)).shape
        torch.Size([1, 2, 2, 2, 2])
    """
    return _pooled("pool3d", x, 3, pool_size, strides, padding, data_format, pool_mode)


@operation
def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """Return `x` plus a bias for each channel, or for each place.

    Args:
        x: Samples with their channels last, or first.
        bias: One axis, or all axes of `x` but the batch with the channels last.
        data_format: `'channels_last'`, `'channels_first'` or `None` for the default.

    Raises:
        ValueError: The bias has another number of axes.

    Example:
        >>> bias_add(torch.zeros(1, 2, 2), [1.0, 2.0])
        tensor([[[1., 2.],
                 [1., 2.]]])
    """
    if bias.ndim not in (1, x.ndim - 1):
        raise argument_error("bias_add", "bias", f"a vector or of {x.ndim - 1} axes", bias)
    if normalize_data_format(data_format) == "channels_last":
        return x + bias
    if bias.ndim == 1:
        return x + bias.reshape(-1, *[1] * (x.ndim - 2))
    # Keras reads the same numbers in the other order here instead of moving the axis.
    return x + bias.reshape(bias.shape[-1], *bias.shape[:-1])


def _local(inputs: Tensor, kernel: Tensor, window: Any, strides: Any, shape: Sequence[int], data_format: Any) -> Tensor:
    n = len(shape)
    size, step = int_tuple("local_conv", "kernel_size", window, n), int_tuple("local_conv", "strides", strides, n)
    last = normalize_data_format(data_format) == "channels_last"
    patches = inputs
    for i in range(n):
        axis = i + 1 if last else i + 2
        patches = patches.unfold(axis, size[i], step[i]).narrow(axis, 0, shape[i])
    # to (batch, *places, *features of a place in the order of the kernel's second axis)
    patches = patches.movedim(n + 1, -1) if last else patches.movedim(1, n + 1)
    flat = patches.reshape(inputs.shape[0], kernel.shape[0], kernel.shape[1])
    y = torch.einsum("bpf,pfo->bpo", flat, kernel).reshape(inputs.shape[0], *shape, kernel.shape[2])
    return y if last else y.movedim(-1, 1)


@operation
def local_conv(
    inputs: Tensor, kernel: Tensor, kernel_size: Ints, strides: Ints, output_shape: Ints, data_format: str | None = None
) -> Tensor:
    """Return a convolution whose kernel differs from place to place.

    Args:
        inputs: Samples with one or two spatial axes.
        kernel: `(places, window * inputs, outputs)`.
        kernel_size: The window.
        strides: The step.
        output_shape: How many places along each spatial axis.
        data_format: `'channels_last'`, `'channels_first'` or `None` for the default.

    Example:
        >>> local_conv(torch.ones(1, 4, 2), torch.ones(2, 6, 5), (3,), (1,), (2,)).shape
        torch.Size([1, 2, 5])
    """
    shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
    return _local(inputs, kernel, kernel_size, strides, shape, data_format)


@operation
def local_conv1d(
    inputs: Tensor, kernel: Tensor, kernel_size: Ints, strides: Ints, data_format: str | None = None
) -> Tensor:
    """Return `local_conv` along one axis, with as many places as the kernel has.

    Example:
        >>> local_conv1d(torch.ones(1, 4, 2), torch.ones(2, 6, 5), (3,), (1,)).shape
        torch.Size([1, 2, 5])
    """
    return _local(inputs, kernel, kernel_size, strides, (kernel.shape[0],), data_format)


@operation
def local_conv2d(
    inputs: Tensor, kernel: Tensor, kernel_size: Ints, strides: Ints, output_shape: Ints, data_format: str | None = None
) -> Tensor:
    """Return `local_conv` of images; the arguments are those of `local_conv`.

    Example:
        >>> local_conv2d(torch.ones(1, 3, 3, 2), torch.ones(4, 8, 5), (2, 2), (1, 1), (2, 2)).shape
        torch.Size([1, 2, 2, 5])
    """
    shape = int_tuple("local_conv2d", "output_shape", output_shape, 2)
    return _local(inputs, kernel, kernel_size, strides, shape, data_format)


@operation
def resize_images(
    x: Tensor, height_factor: int, width_factor: int, data_format: str | None, interpolation: str = "nearest"
) -> Tensor:
    """Return images enlarged by whole factors.

    Args:
        x: Images.
        height_factor: How many times higher.
        width_factor: How many times wider.
        data_format: `'channels_last'`, `'channels_first'` or `None` for the default.
        interpolation: `'nearest'`, `'bilinear'`, `'area'`, `'bicubic'`, `'lanczos3'`, `'lanczos5'`, `'gaussian'` or
            `'mitchellcubic'`, by TensorFlow's kernels.

    Raises:
        ValueError: Another interpolation.

    Example:
        >>> resize_images(torch.ones(1, 2, 3, 1), 2, 2, 'channels_last').shape
        torch.Size([1, 4, 6, 1])
    """
    mode = choice("resize_images", "interpolation", interpolation, resampling.METHODS)
    height, width = int(height_factor), int(width_factor)
    first, last = _channels_first(x, data_format)
    if mode in ("nearest", "area"):  # the same where factors are whole
        y = _restored(first.repeat_interleave(height, 2).repeat_interleave(width, 3), last)
        return y if mode == "nearest" or y.is_floating_point() else y.float()
    images = first.movedim(1, -1)
    images = images if images.is_floating_point() else images.float()
    y = resampling.resize(images, images.shape[1] * height, images.shape[2] * width, mode)
    return y if last else y.movedim(-1, 1)


@operation
def resize_volumes(
    x: Tensor, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None
) -> Tensor:
    """Return volumes enlarged by whole factors, each element repeated.

    Example:
        >>> resize_volumes(torch.ones(1, 1, 2, 3, 1), 2, 2, 2, 'channels_last').shape
        torch.Size([1, 2, 4, 6, 1])
    """
    x, last = _channels_first(x, data_format)
    for axis, factor in enumerate((depth_factor, height_factor, width_factor)):
        x = x.repeat_interleave(int(factor), axis + 2)
    return _restored(x, last)
