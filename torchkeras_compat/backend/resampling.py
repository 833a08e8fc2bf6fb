"""Pictures in another size, by TensorFlow's interpolations: each is a matrix for the height and one for the width.

Bilinear and nearest are kernels of torch that give the same numbers.  None of them smooths where a picture shrinks
unless it is told `antialias=True`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

Matrix = np.ndarray[Any, Any]

_TABLE_SIZE = 1024  # TensorFlow reads the cubic kernel from a table of so many steps


def _lanczos(radius: float) -> Callable[[Matrix], Matrix]:
    return lambda x: np.where(np.abs(x) <= radius, np.sinc(x) * np.sinc(x / radius), 0.0)


def _gaussian(x: Matrix) -> Matrix:
    return np.where(np.abs(x) < 1.5, np.exp(-(x**2) / (2 * 0.5**2)), 0.0)


def _cubic(x: Matrix, b: float, c: float) -> Matrix:
    """Return the cubic kernel of Mitchell & Netravali, 1988."""
    x = np.abs(x)
    near = (12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b
    far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c
    return np.where(x < 1, near, np.where(x < 2, far, 0.0)) / 6


def _keys(x: Matrix) -> Matrix:
    """Return the kernel of Keys, 1981, with a = -1/2, at the steps of TensorFlow's table."""
    return _cubic(np.round(x * _TABLE_SIZE) / _TABLE_SIZE, 0.0, 0.5)


_KERNELS: dict[str, Callable[[Matrix], Matrix]] = {
    "bicubic": _keys,
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
    "gaussian": _gaussian,
    "mitchellcubic": lambda x: _cubic(x, 1 / 3, 1 / 3),
}
METHODS = ("bilinear", "nearest", "area", *_KERNELS)
_BLURRING = ("gaussian", "mitchellcubic")  # not 0 at whole numbers: they change pictures of the same size, too
# With antialias=True: kernels as wide as a pixel of the smaller picture, none of them from a table.
_SMOOTHING: dict[str, Callable[[Matrix], Matrix]] = {
    **_KERNELS,
    "bilinear": lambda x: np.maximum(1 - np.abs(x), 0.0),
    "bicubic": lambda x: _cubic(x, 0.0, 0.5),
}


@functools.lru_cache(maxsize=64)
def _weights(method: str, old: int, new: int, antialias: bool) -> Matrix:
    """Return the matrix (new, old) that interpolates along one axis."""
    scale = old / new
    if method == "area":
        edges = np.arange(new + 1) * scale
        places = np.arange(old)
        covered = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
        return np.asarray(covered.clip(0) / scale, "float32")
    # In float32, as TensorFlow: where a kernel jumps to 0, the last bit decides about a pixel.
    centres = (np.arange(new, dtype="float32") + np.float32(0.5)) * (np.float32(1) / np.float32(new / old))
    distances = np.arange(old, dtype="float32") + np.float32(0.5) - centres[:, None]
    if antialias:
        weights = _SMOOTHING[method](distances * np.float32(1 / max(scale, 1.0)))
    else:
        weights = _KERNELS[method](distances)
    return np.asarray(weights / weights.sum(1, keepdims=True), "float32")


def resize(images: Tensor, height: int, width: int, method: str = "bilinear", antialias: bool = False) -> Tensor:
    """Return pictures in another size, as `tf.image.resize` does.

    Args:
        images: `(…, height, width, channels)`, floats.
        height: The new height.
        width: The new width.
        method: One of `METHODS`.
        antialias: Whether all pixels of a picture that shrinks are averaged over; `'nearest'` and `'area'` have no
            other form.

    Source:
        TensorFlow 2.15, `tf.image.resize`.

    Example:
        >>> resize(torch.tensor([[[0.], [4.]]]), 1, 4).flatten().tolist()
        [0.0, 1.0, 3.0, 4.0]
    """
    old = images.shape[-3:-1]
    if tuple(old) == (height, width) and method not in _BLURRING:
        return images
    if method == "nearest" or (method == "bilinear" and not antialias):
        return _by_kernel(images, height, width, method)
    rows, columns = (
        torch.tensor(_weights(method, *sizes, antialias), device=images.device, dtype=images.dtype)
        for sizes in ((old[0], height), (old[1], width))
    )
    return torch.einsum("oh,...hwc,pw->...opc", rows, images, columns)


def _by_kernel(images: Tensor, height: int, width: int, method: str) -> Tensor:
    batch = images if images.dim() == 4 else images.unsqueeze(0)
    x = batch.movedim(-1, 1)
    if method == "nearest":
        y = torch.nn.functional.interpolate(x, (height, width), mode="nearest-exact")
    else:
        y = torch.nn.functional.interpolate(x, (height, width), mode="bilinear", align_corners=False)
    y = y.movedim(1, -1)
    return y if images.dim() == 4 else y.squeeze(0)


def resize_and_crop(images: Tensor, height: int, width: int, method: str = "bilinear") -> Tensor:
    """Return the largest window in the middle that has the new proportions, in the new size.

    Args:
        images: `(…, height, width, channels)`, floats.
        height: The new height.
        width: The new width.
        method: One of `METHODS`.

    Source:
        Keras 2.15, `smart_resize`, whose sizes are cut to integers in float32.

    Example:
        >>> resize_and_crop(torch.arange(4.).view(1, 4, 1), 1, 1).tolist()
        [[[1.0]]]
    """
    old_height, old_width = images.shape[-3:-1]
    cropped_height = min(old_height, int(np.float32(old_width * height) / np.float32(width)))
    cropped_width = min(old_width, int(np.float32(old_height * width) / np.float32(height)))
    top, left = (old_height - cropped_height) // 2, (old_width - cropped_width) // 2
    window = crop(images, top, left, cropped_height, cropped_width)
    return resize(window, height, width, method)


def crop(images: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """Return a window of pictures `(…, height, width, channels)`."""
    return images[..., top : top + height, left : left + width, :]


def rounded_down(factor: float, size: int) -> int:
    """Return a size times a factor, as an integer of at least 1.

    Args:
        factor: What the size is multiplied by.
        size: Height or width.
    """
    return max(1, math.floor(np.float32(factor) * np.float32(size)))
