"""`tf.image.stateless_random_…`: pictures changed by chance, alike for equal seeds; and the quality of JPEG files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._core.errors import argument_error
from .tensorflow_calls import FUNCTIONS, function, sizes
from .tensorflow_files import decode_jpeg, encode_jpeg
from .tensorflow_random import of_seeds


def _number(owner: str, seed: Any, low: float, high: float) -> float:
    """Return the number of an interval that belongs to a seed."""
    if not low <= high:
        raise argument_error(owner, "lower, upper", "in this order", (low, high))
    return low + (high - low) * float(torch.rand((), generator=of_seeds(owner, seed), dtype=torch.float64))


def _adjusted(change: str, image: Tensor, *numbers: Any) -> Tensor:
    made: Tensor = FUNCTIONS[f"image.{change}"](image, *numbers)
    return made


@function("image.stateless_random_brightness")
def stateless_random_brightness(image: Tensor, max_delta: float, seed: Any) -> Tensor:
    """Return pictures with a number added that belongs to the seed."""
    return _adjusted(
        "adjust_brightness", image, _number("tf.image.stateless_random_brightness", seed, -max_delta, max_delta)
    )


@function("image.stateless_random_contrast")
def stateless_random_contrast(image: Tensor, lower: float, upper: float, seed: Any) -> Tensor:
    """Return pictures with a contrast that belongs to the seed."""
    return _adjusted("adjust_contrast", image, _number("tf.image.stateless_random_contrast", seed, lower, upper))


@function("image.stateless_random_saturation")
def stateless_random_saturation(image: Tensor, lower: float, upper: float, seed: Any = None) -> Tensor:
    """Return pictures with a saturation that belongs to the seed."""
    return _adjusted("adjust_saturation", image, _number("tf.image.stateless_random_saturation", seed, lower, upper))


@function("image.stateless_random_hue")
def stateless_random_hue(image: Tensor, max_delta: float, seed: Any) -> Tensor:
    """Return pictures with their hue turned as belongs to the seed."""
    return _adjusted("adjust_hue", image, _number("tf.image.stateless_random_hue", seed, -max_delta, max_delta))


@function("image.stateless_random_crop")
def stateless_random_crop(value: Tensor, size: Any, seed: Any) -> Tensor:
    """Return a part of a tensor whose place belongs to the seed."""
    owner, wanted = "tf.image.stateless_random_crop", sizes(size)
    if len(wanted) != value.dim() or any(n > have for n, have in zip(wanted, value.shape)):
        raise argument_error(owner, "size", f"within {tuple(value.shape)}", wanted)
    draws = torch.rand(len(wanted), generator=of_seeds(owner, seed), dtype=torch.float64).tolist()
    starts = [int(draw * (have - n + 1)) for draw, have, n in zip(draws, value.shape, wanted)]
    return value[tuple(slice(start, start + n) for start, n in zip(starts, wanted))]


def _flipped(owner: str, image: Tensor, axis: int, seed: Any) -> Tensor:
    shape = (len(image), 1, 1, 1) if image.dim() == 4 else ()
    mirrored = torch.rand(shape, generator=of_seeds(owner, seed)) < 0.5
    return torch.where(mirrored.to(image.device), image.flip(axis), image)


@function("image.stateless_random_flip_left_right")
def stateless_random_flip_left_right(image: Tensor, seed: Any) -> Tensor:
    """Return pictures of which each is mirrored or not, as belongs to the seed."""
    return _flipped("tf.image.stateless_random_flip_left_right", image, -2, seed)


@function("image.stateless_random_flip_up_down")
def stateless_random_flip_up_down(image: Tensor, seed: Any) -> Tensor:
    """Return pictures of which each stands on its head or not, as belongs to the seed."""
    return _flipped("tf.image.stateless_random_flip_up_down", image, -3, seed)


@function("image.adjust_jpeg_quality")
def adjust_jpeg_quality(image: Tensor, jpeg_quality: Any) -> Tensor:
    """Return a picture as it comes back from a JPEG file of a quality."""
    convert: Callable[..., Tensor] = FUNCTIONS["image.convert_image_dtype"]
    small = convert(image, "uint8", saturate=True)
    return convert(decode_jpeg(encode_jpeg(small, quality=int(jpeg_quality))).to(image.device), image.dtype)


def _quality(owner: str, low: int, high: int, share: float) -> int:
    if not 0 <= low < high <= 100:
        raise argument_error(owner, "min_jpeg_quality, max_jpeg_quality", "from 0 to 100, in this order", (low, high))
    return low + int(share * (high - low))


@function("image.random_jpeg_quality")
def random_jpeg_quality(image: Tensor, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None) -> Tensor:
    """Return a picture as it comes back from a JPEG file of a random quality."""
    share = float(FUNCTIONS["random.uniform"]((), 0, 1, seed=seed))
    return adjust_jpeg_quality(
        image, _quality("tf.image.random_jpeg_quality", min_jpeg_quality, max_jpeg_quality, share)
    )


@function("image.stateless_random_jpeg_quality")
def stateless_random_jpeg_quality(image: Tensor, min_jpeg_quality: int, max_jpeg_quality: int, seed: Any) -> Tensor:
    """Return a picture as it comes back from a JPEG file of a quality that belongs to the seed."""
    owner = "tf.image.stateless_random_jpeg_quality"
    return adjust_jpeg_quality(image, _quality(owner, min_jpeg_quality, max_jpeg_quality, _number(owner, seed, 0, 1)))
