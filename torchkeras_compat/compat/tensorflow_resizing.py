"""`tf.image.resize` and its relatives, those of TensorFlow 1 included, whose pixels lie elsewhere.

TensorFlow 2 takes a pixel for a square and reads at its middle; TensorFlow 1 takes it for a point, so that a picture
made larger moves by a part of a pixel. `tf.image.resize` and `tf.compat.v1.image.resize` give different numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.errors import argument_error
from ..backend.resampling import METHODS, Matrix, resize
from .tensorflow_calls import function, sizes


class ResizeMethod:
    """The names of interpolations."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


_BY_NUMBER = ("bilinear", "nearest", "bicubic", "area")  # as TensorFlow 1 counts them


def expect_pictures(owner: str, images: Tensor) -> Tensor:
    """Return pictures as they are.

    Args:
        owner: The function.
        images: What should be pictures.

    Raises:
        ValueError: They have neither three nor four axes.
    """
    if images.dim() not in (3, 4):
        raise argument_error(f"tf.image.{owner}", "image", "of three or four axes", tuple(images.shape))
    return images


def _size_within(images: Tensor, size: Any, preserve_aspect_ratio: bool) -> tuple[int, int]:
    """Return the new height and width, with the proportions of the pictures where those stay."""
    new = sizes(size)
    if len(new) != 2:
        raise argument_error("tf.image.resize", "size", "(height, width)", size)
    if preserve_aspect_ratio:
        old = [np.float32(n) for n in images.shape[-3:-1]]
        factor = min(np.float32(wanted) / have for wanted, have in zip(new, old))
        return int(np.round(factor * old[0])), int(np.round(factor * old[1]))
    return new[0], new[1]


@function("image.resize")
def resized(
    images: Tensor, size: Any, method: str = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False
) -> Tensor:
    """Return pictures in another size, as floats unless the method is `'nearest'`."""
    expect_pictures("resize", images)
    height, width = _size_within(images, size, preserve_aspect_ratio)
    if method not in METHODS:
        raise argument_error("tf.image.resize", "method", f"one of {METHODS}", method)
    return _between_middles(images, height, width, method, antialias)


def _between_middles(images: Tensor, height: int, width: int, method: str, antialias: bool = False) -> Tensor:
    if method != "nearest":
        return resize(images.float(), height, width, method, antialias)
    values = images if images.is_floating_point() else images.double()  # the kernel takes floats alone
    return resize(values, height, width, method).to(images.dtype)


@function("image.resize_with_pad")
def resize_with_pad(
    image: Tensor, target_height: int, target_width: int, method: str = "bilinear", antialias: bool = False
) -> Tensor:
    """Return pictures in another size with their own proportions, zeros around them."""
    return _with_pad(image, target_height, target_width, lambda x, size: resized(x, size, method, False, antialias))


def _with_pad(image: Tensor, height: int, width: int, to_size: Callable[..., Tensor]) -> Tensor:
    old = [np.float32(n) for n in expect_pictures("resize_with_pad", image).shape[-3:-1]]
    new = np.float32(int(height)), np.float32(int(width))
    ratio = max(old[1] / new[1], old[0] / new[0])
    exact = [n / ratio for n in old]
    before = [max(0, int(np.floor((n - e) / 2))) for n, e in zip(new, exact)]
    picture = to_size(image, [int(np.floor(e)) for e in exact])
    after = [int(n) - b - have for n, b, have in zip(new, before, picture.shape[-3:-1])]
    return torch.nn.functional.pad(picture, (0, 0, before[1], after[1], before[0], after[0]))


@function("image.crop_and_resize", also={"box_ind": "box_indices"})
def crop_and_resize(
    image: Tensor,
    boxes: Tensor,
    box_indices: Tensor,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
) -> Tensor:
    """Return windows of pictures, told by two corners from 0 to 1, in one size."""
    if method not in ("bilinear", "nearest"):
        raise argument_error("tf.image.crop_and_resize", "method", "'bilinear' or 'nearest'", method)
    own = box_indices.long()
    rows, columns = (
        _between(boxes[:, i], boxes[:, i + 2], image.shape[i + 1], new) for i, new in enumerate(sizes(crop_size))
    )
    last_row, last_column = image.shape[1] - 1, image.shape[2] - 1

    def pixels(y: Tensor, x: Tensor) -> Tensor:
        y, x = y.clamp(0, last_row).long(), x.clamp(0, last_column).long()
        return image[own[:, None, None], y.unsqueeze(2), x.unsqueeze(1)].float()

    if method == "nearest":
        inside = pixels(_rounded(rows), _rounded(columns))
    else:
        down, right = (rows - rows.floor())[:, :, None, None], (columns - columns.floor())[:, None, :, None]
        upper = pixels(rows.floor(), columns.floor()) * (1 - right) + pixels(rows.floor(), columns.ceil()) * right
        lower = pixels(rows.ceil(), columns.floor()) * (1 - right) + pixels(rows.ceil(), columns.ceil()) * right
        inside = upper * (1 - down) + lower * down
    outside = ((rows < 0) | (rows > last_row)).unsqueeze(2) | ((columns < 0) | (columns > last_column)).unsqueeze(1)
    return inside.masked_fill(outside.unsqueeze(-1), extrapolation_value)


def _between(start: Tensor, end: Tensor, old: int, new: int) -> Tensor:
    """Return where the pixels of a window are read along one axis, for each box."""
    if new == 1:
        return (0.5 * (start + end) * (old - 1)).unsqueeze(1)
    steps = torch.arange(new, dtype=start.dtype, device=start.device)
    return start.unsqueeze(1) * (old - 1) + steps * ((end - start) * (old - 1) / (new - 1)).unsqueeze(1)


def _rounded(at: Tensor) -> Tensor:
    """Return coordinates rounded, halves away from 0."""
    return at.sign() * (at.abs() + 0.5).floor()


# --- of TensorFlow 1 ---------------------------------------------------------------------------------------------


def _cubic(x: Matrix) -> Matrix:
    """Return the cubic kernel with a = -3/4."""
    x = np.abs(x)
    return np.asarray(np.where(x < 1, (1.25 * x - 2.25) * x * x + 1, ((-0.75 * x + 3.75) * x - 6) * x + 3))


@functools.lru_cache(maxsize=64)
def _point_weights(method: str, old: int, new: int, align_corners: bool) -> Matrix:
    """Return the matrix (new, old) that interpolates between pixels that are points."""
    scale = np.float32((old - 1) / (new - 1) if align_corners and new > 1 else old / new)
    places = np.arange(new, dtype="float32") * scale
    if method == "nearest":
        whole = np.floor(places + np.float32(0.5)) if align_corners else np.floor(places)
        return np.asarray(np.eye(old, dtype="float32")[whole.clip(0, old - 1).astype(int)])
    first = np.floor(places)
    part: Matrix = places - first
    if method == "bilinear":
        neighbours = {0: 1 - part, 1: part}
    else:
        part = np.round(part * 1024) / 1024  # TensorFlow reads the kernel from a table
        neighbours = {shift: _cubic(part - shift) for shift in (-1, 0, 1, 2)}
    weights: Matrix = np.zeros((new, old), "float32")
    for shift, weight in neighbours.items():
        np.add.at(weights, (np.arange(new), (first + shift).clip(0, old - 1).astype(int)), weight)
    return weights


def _between_points(images: Tensor, size: Any, method: str, align_corners: bool) -> Tensor:
    height, width = sizes(size)
    if method == "area":
        return resize(images.float(), height, width, "area")
    whole = method == "nearest" and not images.is_floating_point()
    values = images.double() if whole else images if method == "nearest" else images.float()
    rows, columns = (
        torch.tensor(_point_weights(method, old, new, align_corners), device=images.device, dtype=values.dtype)
        for old, new in zip(images.shape[-3:-1], (height, width))
    )
    result = torch.einsum("oh,...hwc,pw->...opc", rows, values, columns)
    return result.to(images.dtype) if whole else result


def _method(method: Any) -> str:
    name = _BY_NUMBER[method] if isinstance(method, int) and 0 <= method < len(_BY_NUMBER) else method
    if name not in _BY_NUMBER:
        raise argument_error("tf.compat.v1.image.resize", "method", f"one of {_BY_NUMBER}, or its number", method)
    return str(name)


@function("image.resize_images")
def resize_images(
    images: Tensor, size: Any, method: Any = 0, align_corners: bool = False, preserve_aspect_ratio: bool = False
) -> Tensor:
    """Return pictures in another size, as TensorFlow 1 does."""
    new = _size_within(expect_pictures("resize_images", images), size, preserve_aspect_ratio)
    name = _method(method)
    return images if tuple(images.shape[-3:-1]) == new else _between_points(images, new, name, align_corners)


@function("image.resize_image_with_pad")
def resize_image_with_pad(
    image: Tensor, target_height: int, target_width: int, method: Any = 0, align_corners: bool = False
) -> Tensor:
    """Return pictures in another size with their own proportions, zeros around them, as TensorFlow 1 does."""
    return _with_pad(image, target_height, target_width, lambda x, size: resize_images(x, size, method, align_corners))


def _enter_method(path: str, method: str) -> None:
    @function(path)
    def to_size(images: Tensor, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Tensor:
        if align_corners and half_pixel_centers:
            raise argument_error(f"tf.{path}", "half_pixel_centers", "False where align_corners is True", True)
        if half_pixel_centers:
            height, width = sizes(size)
            return _between_middles(images, height, width, method)
        return _between_points(images, size, method, align_corners)


for _path, _name in {
    "image.resize_bilinear": "bilinear",
    "image.resize_nearest_neighbor": "nearest",
    "image.resize_bicubic": "bicubic",
    "image.resize_area": "area",
}.items():
    _enter_method(_path, _name)
