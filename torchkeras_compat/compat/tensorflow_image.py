"""`tf.image`: pictures `(height, width, channels)`, or batches of them, cut, turned, recoloured and compared."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import backend as K
from .._core import settings
from .._core.errors import argument_error
from .._core.shapes import same_padding
from ..backend.resampling import crop
from .tensorflow_calls import function, sizes
from .tensorflow_math import saturate_cast
from .tensorflow_resizing import expect_pictures

# --- windows -----------------------------------------------------------------------------------------------------


@function("image.crop_to_bounding_box")
def crop_to_bounding_box(
    image: Tensor, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Return a window of pictures."""
    top, left, height, width = sizes([offset_height, offset_width, target_height, target_width])
    rows, columns = expect_pictures("crop_to_bounding_box", image).shape[-3:-1]
    if min(top, left) < 0 or min(height, width) <= 0 or top + height > rows or left + width > columns:
        window = (top, left, height, width)
        raise argument_error("tf.image.crop_to_bounding_box", "offset and target", f"inside {rows, columns}", window)
    return crop(image, top, left, height, width)


@function("image.pad_to_bounding_box")
def pad_to_bounding_box(
    image: Tensor, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Return pictures inside larger ones of zeros."""
    top, left, height, width = sizes([offset_height, offset_width, target_height, target_width])
    rows, columns = expect_pictures("pad_to_bounding_box", image).shape[-3:-1]
    below, right = height - top - rows, width - left - columns
    if min(top, left, below, right) < 0:
        window = (top, left, height, width)
        raise argument_error("tf.image.pad_to_bounding_box", "offset and target", f"around {rows, columns}", window)
    return F.pad(image, (0, 0, left, right, top, below))


@function("image.resize_with_crop_or_pad image.resize_image_with_crop_or_pad")
def resize_with_crop_or_pad(image: Tensor, target_height: Any, target_width: Any) -> Tensor:
    """Return the middle of pictures, zeros around it where they are smaller."""
    height, width = sizes([target_height, target_width])
    rows, columns = expect_pictures("resize_with_crop_or_pad", image).shape[-3:-1]
    down, right = height - rows, width - columns
    window = crop(image, max(-down // 2, 0), max(-right // 2, 0), min(height, rows), min(width, columns))
    return pad_to_bounding_box(window, max(down // 2, 0), max(right // 2, 0), height, width)


@function("image.central_crop")
def central_crop(image: Tensor, central_fraction: float) -> Tensor:
    """Return the middle of pictures, a fraction of the height and of the width."""
    fraction = float(central_fraction)
    if not 0 < fraction <= 1:
        raise argument_error("tf.image.central_crop", "central_fraction", "a number in (0, 1]", central_fraction)
    rows, columns = expect_pictures("central_crop", image).shape[-3:-1]
    top, left = (int((n - n * fraction) / 2) for n in (float(rows), float(columns)))
    return crop(image, top, left, rows - 2 * top, columns - 2 * left)


@function("image.random_crop random_crop")
def random_crop(value: Tensor, size: Any, seed: int | None = None) -> Tensor:
    """Return a window of a tensor at a random place."""
    wanted = sizes(size)
    if len(wanted) != value.dim() or any(n > have for n, have in zip(wanted, value.shape)):
        raise argument_error("tf.image.random_crop", "size", f"within {tuple(value.shape)}", wanted)
    if value.device.type == "meta":
        return value.new_empty(wanted)
    for axis, n in enumerate(wanted):
        places = value.shape[axis] - n + 1
        start = int(K.random_uniform((), 0, 1, "float64", seed) * places) if places > 1 else 0
        value = value.narrow(axis, min(start, places - 1), n)
    return value


@function("image.extract_patches extract_image_patches image.extract_image_patches", also={"ksizes": "sizes"})
def extract_patches(images: Tensor, sizes: Any, strides: Any, rates: Any, padding: str) -> Tensor:
    """Return windows of pictures, the pixels of each in one axis."""
    windows = images
    for axis in (1, 2):
        size, step, rate = int(sizes[axis]), int(strides[axis]), int(rates[axis])
        if padding.upper() == "SAME":
            pads = same_padding(windows.shape[axis], size, step, rate)
            windows = F.pad(windows, [0, 0] * (windows.dim() - 1 - axis) + list(pads))
        elif padding.upper() != "VALID":
            raise argument_error("tf.image.extract_patches", "padding", "'SAME' or 'VALID'", padding)
        windows = windows.unfold(axis, (size - 1) * rate + 1, step)[..., ::rate]
    # (batch, rows, columns, channels, height, width) → the channels of each pixel side by side
    return windows.permute(0, 1, 2, 4, 5, 3).flatten(3)


# --- turned and mirrored -----------------------------------------------------------------------------------------


@function("image.flip_left_right")
def flip_left_right(image: Tensor) -> Tensor:
    """Return pictures mirrored from left to right."""
    return expect_pictures("flip_left_right", image).flip(-2)


@function("image.flip_up_down")
def flip_up_down(image: Tensor) -> Tensor:
    """Return pictures upside down."""
    return expect_pictures("flip_up_down", image).flip(-3)


@function("image.transpose image.transpose_image")
def transpose(image: Tensor) -> Tensor:
    """Return pictures with rows and columns exchanged."""
    return expect_pictures("transpose", image).transpose(-3, -2)


@function("image.rot90")
def rot90(image: Tensor, k: Any = 1) -> Tensor:
    """Return pictures turned by quarters, counter-clockwise."""
    return torch.rot90(expect_pictures("rot90", image), int(k) % 4, (-3, -2))


def _flipped_by_chance(owner: str, image: Tensor, axis: int, seed: int | None) -> Tensor:
    expect_pictures(owner, image)
    if image.device.type == "meta":
        return torch.empty_like(image)
    shape = (len(image), 1, 1, 1) if image.dim() == 4 else ()
    mirrored = K.random_uniform(shape, 0, 1, "float32", seed).to(image.device) < 0.5
    return torch.where(mirrored, image.flip(axis), image)


@function("image.random_flip_left_right")
def random_flip_left_right(image: Tensor, seed: int | None = None) -> Tensor:
    """Return pictures of which each is mirrored or not."""
    return _flipped_by_chance("random_flip_left_right", image, -2, seed)


@function("image.random_flip_up_down")
def random_flip_up_down(image: Tensor, seed: int | None = None) -> Tensor:
    """Return pictures of which each is upside down or not."""
    return _flipped_by_chance("random_flip_up_down", image, -3, seed)


# --- types and colours -------------------------------------------------------------------------------------------


@function("image.convert_image_dtype")
def convert_image_dtype(image: Tensor, dtype: Any, saturate: bool = False) -> Tensor:
    """Return pictures in another type: floats from 0 to 1, integers up to the largest of the type."""
    kind = settings.torch_dtype(dtype)
    if kind == image.dtype:
        return image
    if kind.is_floating_point:
        if image.is_floating_point():
            return image.to(kind)
        one: float = 1.0 / torch.iinfo(image.dtype).max
        return image.to(kind) * one
    largest = torch.iinfo(kind).max
    if image.is_floating_point():
        scaled = image * (largest + 0.5)
        return saturate_cast(scaled, kind) if saturate else scaled.to(torch.int64).to(kind)
    own = torch.iinfo(image.dtype).max
    if own > largest:
        smaller = torch.div(image, (own + 1) // (largest + 1), rounding_mode="floor")
        return saturate_cast(smaller, kind) if saturate else smaller.to(kind)
    return (saturate_cast(image, kind) if saturate else image.to(kind)) * ((largest + 1) // (own + 1))


def _as_floats(image: Tensor, change: Callable[[Tensor], Tensor], saturate: bool = False) -> Tensor:
    """Return what a change of floats from 0 to 1 makes of pictures, in their own type."""
    floats = image if image.dtype in (torch.float16, torch.float32) else convert_image_dtype(image, "float32")
    return convert_image_dtype(change(floats), image.dtype, saturate)


@function("image.adjust_brightness")
def adjust_brightness(image: Tensor, delta: Any) -> Tensor:
    """Return pictures with a number added."""
    return _as_floats(image, lambda x: x + delta, saturate=True)


@function("image.adjust_contrast")
def adjust_contrast(images: Tensor, contrast_factor: Any) -> Tensor:
    """Return pictures with the distance from the mean of each channel multiplied."""

    def change(x: Tensor) -> Tensor:
        mean = x.mean((-3, -2), keepdim=True)
        changed: Tensor = (x - mean) * contrast_factor + mean
        return changed

    return _as_floats(images, change, saturate=True)


@function("image.adjust_gamma")
def adjust_gamma(image: Tensor, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """Return gain · x ^ gamma."""
    return _as_floats(image, lambda x: gain * x**gamma, saturate=True)


@function("image.rgb_to_hsv")
def rgb_to_hsv(images: Tensor) -> Tensor:
    """Return hue, saturation and value of red, green and blue."""
    red, green, blue = images.unbind(-1)
    value, lowest = images.amax(-1), images.amin(-1)
    chroma = value - lowest
    saturation = torch.where(value > 0, chroma / torch.where(value > 0, value, 1), 0)
    sixth = 1 / (6 * torch.where(chroma > 0, chroma, 1))
    hue = torch.where(
        red == value,
        sixth * (green - blue),
        torch.where(green == value, sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6),
    )
    hue = torch.where(chroma > 0, hue, 0)
    return torch.stack([torch.where(hue < 0, hue + 1, hue), saturation, value], -1)


@function("image.hsv_to_rgb")
def hsv_to_rgb(images: Tensor) -> Tensor:
    """Return red, green and blue of hue, saturation and value."""
    hue, saturation, value = images.unsqueeze(-2).unbind(-1)
    sixths = hue * 6
    ramps = torch.cat([(sixths - 3).abs() - 1, 2 - (sixths - 2).abs(), 2 - (sixths - 4).abs()], -1).clamp(0, 1)
    return (1 - saturation + ramps * saturation) * value


@function("image.adjust_hue")
def adjust_hue(image: Tensor, delta: Any) -> Tensor:
    """Return pictures with their hue turned, a whole turn for 1."""
    if not isinstance(delta, Tensor) and not -1 <= delta <= 1:
        raise argument_error("tf.image.adjust_hue", "delta", "a number in [-1, 1]", delta)

    def change(x: Tensor) -> Tensor:
        hue, *others = rgb_to_hsv(x).unbind(-1)
        return hsv_to_rgb(torch.stack([(hue + delta) % 1.0, *others], -1))

    return _as_floats(image, change)


@function("image.adjust_saturation")
def adjust_saturation(image: Tensor, saturation_factor: Any) -> Tensor:
    """Return pictures with their saturation multiplied."""

    def change(x: Tensor) -> Tensor:
        hue, saturation, value = rgb_to_hsv(x).unbind(-1)
        strong = (saturation * saturation_factor).clamp(0, 1)
        return hsv_to_rgb(torch.stack([hue, strong, value], -1))

    return _as_floats(image, change)


def _by_chance(change: Callable[..., Tensor], image: Tensor, low: float, high: float, seed: int | None) -> Tensor:
    """Return what a change makes of pictures by a factor drawn for all of them."""
    if image.device.type == "meta":
        return torch.empty_like(image)
    return change(image, K.random_uniform((), low, high, "float32", seed).to(image.device))


@function("image.random_brightness")
def random_brightness(image: Tensor, max_delta: float, seed: int | None = None) -> Tensor:
    """Return pictures with a random number added."""
    if max_delta < 0:
        raise argument_error("tf.image.random_brightness", "max_delta", "not negative", max_delta)
    return _by_chance(adjust_brightness, image, -max_delta, max_delta, seed)


@function("image.random_hue")
def random_hue(image: Tensor, max_delta: float, seed: int | None = None) -> Tensor:
    """Return pictures with their hue turned by chance."""
    if not 0 <= max_delta <= 0.5:
        raise argument_error("tf.image.random_hue", "max_delta", "a number in [0, 0.5]", max_delta)
    return _by_chance(adjust_hue, image, -max_delta, max_delta, seed)


@function("image.random_contrast")
def random_contrast(image: Tensor, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Return pictures with another contrast by chance."""
    _expect_range("random_contrast", lower, upper)
    return _by_chance(adjust_contrast, image, lower, upper, seed)


@function("image.random_saturation")
def random_saturation(image: Tensor, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Return pictures with another saturation by chance."""
    _expect_range("random_saturation", lower, upper)
    return _by_chance(adjust_saturation, image, lower, upper, seed)


def _expect_range(owner: str, lower: float, upper: float) -> None:
    if not 0 <= lower < upper:
        raise argument_error(f"tf.image.{owner}", "lower, upper", "in order and not negative", (lower, upper))


@function("image.rgb_to_grayscale")
def rgb_to_grayscale(images: Tensor) -> Tensor:
    """Return the brightness of pictures."""
    floats = convert_image_dtype(images, "float32")
    gray = (floats * torch.tensor([0.2989, 0.587, 0.114], device=images.device)).sum(-1, keepdim=True)
    return convert_image_dtype(gray, images.dtype)


@function("image.grayscale_to_rgb")
def grayscale_to_rgb(images: Tensor) -> Tensor:
    """Return pictures of one channel with three."""
    if images.shape[-1] != 1:
        raise argument_error("tf.image.grayscale_to_rgb", "images", "of one channel", tuple(images.shape))
    return images.repeat(*[1] * (images.dim() - 1), 3)


@function("image.per_image_standardization")
def per_image_standardization(image: Tensor) -> Tensor:
    """Return pictures with mean 0 and variance 1, each by itself."""
    x = image.float()
    axes = (-3, -2, -1)
    deviation = torch.sqrt(torch.var(x, axes, correction=0, keepdim=True))
    return (x - x.mean(axes, keepdim=True)) / deviation.clamp(min=math.prod(x.shape[-3:]) ** -0.5)


# --- measures ----------------------------------------------------------------------------------------------------


@function("image.total_variation")
def total_variation(images: Tensor) -> Tensor:
    """Return the sum of the differences between neighbours, of each picture."""
    axes = (-3, -2, -1)
    return images.diff(dim=-3).abs().sum(axes, dtype=images.dtype) + images.diff(dim=-2).abs().sum(
        axes, dtype=images.dtype
    )


@function("image.image_gradients")
def image_gradients(image: Tensor) -> Any:
    """Return the differences to the pixel below and to the one on the right, 0 at the edge."""
    if image.dim() != 4:
        raise argument_error("tf.image.image_gradients", "image", "of four axes", tuple(image.shape))
    return F.pad(image.diff(dim=1), (0, 0, 0, 0, 0, 1)), F.pad(image.diff(dim=2), (0, 0, 0, 1))


@function("image.sobel_edges")
def sobel_edges(image: Tensor) -> Tensor:
    """Return the derivatives down and to the right by Sobel's kernels, in a new last axis."""
    down = torch.tensor([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], dtype=image.dtype, device=image.device)
    channels = image.shape[-1]
    kernels = torch.stack([down, down.mT], 0).repeat(channels, 1, 1).unsqueeze(1)
    padded = F.pad(image.movedim(-1, 1), (1, 1, 1, 1), mode="reflect")
    edges = F.conv2d(padded, kernels, groups=channels)
    return edges.movedim(1, -1).reshape(*image.shape, 2)


@function("image.psnr")
def psnr(a: Tensor, b: Tensor, max_val: Any) -> Tensor:
    """Return the peak signal-to-noise ratio of pictures."""
    most = convert_image_dtype(torch.as_tensor(max_val, device=a.device).to(a.dtype), "float32")
    difference = convert_image_dtype(a, "float32") - convert_image_dtype(b, "float32")
    error = torch.square(difference).mean((-3, -2, -1))
    return 20 * torch.log(most) / math.log(10.0) - 10 / math.log(10) * torch.log(error)


def _smoothed(x: Tensor, size: int, sigma: float) -> Tensor:
    """Return weighted means of windows (…, height, width, channels), by a Gaussian."""
    at = torch.arange(size, dtype=x.dtype, device=x.device) - (size - 1) / 2
    line = torch.softmax(-0.5 * torch.square(at) / sigma**2, 0)
    channels = x.shape[-1]
    kernel = torch.outer(line, line).expand(channels, 1, size, size)
    flat = x.reshape(-1, *x.shape[-3:]).movedim(-1, 1)
    y = F.conv2d(flat, kernel, groups=channels).movedim(1, -1)
    return y.reshape(*x.shape[:-3], *y.shape[1:])


@function("image.ssim")
def ssim(
    img1: Tensor,
    img2: Tensor,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Tensor:
    """Return the structural similarity of pictures (Wang and others, 2004)."""
    if min(*img1.shape[-3:-1], *img2.shape[-3:-1]) < filter_size:
        shapes = tuple(img1.shape), tuple(img2.shape)
        raise argument_error("tf.image.ssim", "img1, img2", f"at least {filter_size} pixels each way", shapes)
    most = convert_image_dtype(torch.as_tensor(max_val, device=img1.device).to(img1.dtype), "float32")
    x, y = convert_image_dtype(img1, "float32"), convert_image_dtype(img2, "float32")
    smooth: Callable[[Tensor], Tensor] = lambda t: _smoothed(t, filter_size, filter_sigma)  # noqa: E731
    c1, c2 = torch.square(k1 * most), torch.square(k2 * most)
    mean_x, mean_y = smooth(x), smooth(y)
    product, squares = mean_x * mean_y * 2, torch.square(mean_x) + torch.square(mean_y)
    luminance = (product + c1) / (squares + c1)
    structure = (smooth(x * y) * 2 - product + c2) / (smooth(torch.square(x) + torch.square(y)) - squares + c2)
    index = luminance * structure
    return (index if return_index_map else index.mean((-3, -2))).mean(-1)
