"""Single images changed, at random or as told.

Axes are those of one image: by default channels come first, as in Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..._core import settings
from ..._core.errors import show
from ...utils.images import array_to_img, img_to_array
from .affine import parts, transform_matrices, warp

Array = NDArray[Any]


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> Array:
    """Turn, shift, shear and zoom an image, with the numbers of Keras 2.15.

    Args:
        x: The image.
        theta: Rotation in degrees.
        tx: Shift that Keras draws from `height_shift_range`, in pixels.
        ty: Shift that Keras draws from `width_shift_range`, in pixels.
        shear: Shear in degrees.
        zx: Zoom; above 1 the image gets smaller.
        zy: Zoom along the other axis.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels, the first or the last.
        fill_mode: What lies outside: `'nearest'`, `'constant'`, `'reflect'` or `'wrap'`.
        cval: The value there with `'constant'`.
        order: 0 for the nearest pixel, 1 for linear interpolation; 2 to 5, splines, need scipy.

    Shape:
        Unchanged.

    Raises:
        ValueError: An image that has not three axes, or axes that are not these.

    Example:
        >>> apply_affine_transform(np.arange(9.0).reshape(1, 3, 3), zx=2, zy=2)[0].tolist()
        [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]
    """
    image: Array = np.asarray(x)
    _check_axes(image, row_axis, col_axis, channel_axis)
    rows, columns = image.shape[row_axis], image.shape[col_axis]
    moves = np.array([[theta, tx, ty, shear, zx, zy]])
    matrices = transform_matrices(moves, rows, columns, swap=col_axis > row_axis)
    if matrices[0] is None:
        return image
    moved = warp(np.moveaxis(image, channel_axis, -1)[None], matrices, fill_mode, cval, order)[0]
    return np.moveaxis(moved, -1, channel_axis)


def _check_axes(x: Array, row_axis: int, col_axis: int, channel_axis: int) -> None:
    if x.ndim != 3:
        raise ValueError(f"apply_affine_transform(x={show(x)}): x must have three axes: rows, columns and channels.")
    if {row_axis, col_axis, channel_axis} != {0, 1, 2} or channel_axis == 1:
        raise ValueError(
            f"apply_affine_transform(row_axis={row_axis}, col_axis={col_axis}, channel_axis={channel_axis}): the axes "
            "must be 0, 1 and 2, the channels first or last."
        )


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """Turn an image by an angle drawn from ±`rg` degrees; see `apply_affine_transform` for the other arguments."""
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes)


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """Shift an image by up to the fractions `wrg` and `hrg`; see `apply_affine_transform` for the other arguments."""
    x = np.asarray(x)
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes)


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """Shear an image by up to ±`intensity` degrees; see `apply_affine_transform` for the other arguments."""
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes)


def random_zoom(
    x: Any,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """Zoom an image by two factors drawn from `zoom_range`; see `apply_affine_transform` for the other arguments."""
    low, high = _pair("random_zoom", "zoom_range", zoom_range)
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes)


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> Array:
    """Add `intensity` to every value of an image, within the range of the values it has.

    Args:
        x: The image.
        intensity: What is added.
        channel_axis: Axis of the channels; the result is the same for all.

    Example:
        >>> apply_channel_shift([[[0.0, 1.0, 2.0]]], 0.5).tolist()
        [[[0.5, 1.5, 2.0]]]
    """
    x = np.asarray(x)
    shifted = np.array(x, x.dtype.newbyteorder("=") if x.dtype.kind == "f" else np.float64)
    shift_values(shifted[None], np.array([intensity]))
    return shifted


def shift_values(images: Array, intensities: Array) -> None:
    """Add a number to all values of each image in place, within the range of the values it has.

    Args:
        images: The images, shape `(n, …)`.
        intensities: A number for each.
    """
    axes = tuple(range(1, images.ndim))
    for part in parts(images):
        values = images[part]
        low, high = values.min(axes, keepdims=True), values.max(axes, keepdims=True)
        values += np.expand_dims(intensities[part].astype(values.dtype), axes)
        np.minimum(np.maximum(values, low, out=values), high, out=values)


def flip_some(images: Array, which: Array, axis: int) -> None:
    """Turn some images round in place.

    Args:
        images: The images.
        which: For each whether it is turned.
        axis: Along which axis; images are the first.
    """
    # torch turns pixels of three channels round in a seventh of numpy's time, and single images on one processor.
    turned = np.flatnonzero(which).tolist()
    pixels = torch.from_numpy(images).unbind() if turned else ()
    for i in turned:
        pixels[i].copy_(pixels[i].flip(axis - 1))


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> Array:
    """Add a number drawn from ±`intensity_range` to every value of an image, within the range of its values."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> Array:
    """Make an image brighter or darker.

    Args:
        x: The image, in the process's image format.
        brightness: 1 leaves it, 0 is black.
        scale: Whether the values are stretched to 0…255 first; values outside that range always are, and back again
            without `scale`.

    Shape:
        Unchanged.

    Raises:
        ImportError: Pillow is missing.
    """
    return brightened(x, brightness, scale, settings.image_data_format())


def brightened(x: Any, brightness: float, scale: bool, data_format: str) -> Array:
    """Do what `apply_brightness_shift` does, in a given image format."""
    x = np.asarray(x)
    low, high = x.min(), x.max()
    outside = bool(low < 0 or high > 255)
    img = array_to_img(x, data_format, scale=outside or scale)
    from PIL import ImageEnhance  # array_to_img has said what is missing

    result = img_to_array(ImageEnhance.Brightness(img).enhance(brightness), data_format)
    return result / 255 * (high - low) + low if outside and not scale else result


def random_brightness(x: Any, brightness_range: Sequence[float], scale: bool = True) -> Array:
    """Make an image brighter or darker by a factor drawn from `brightness_range`; see `apply_brightness_shift`."""
    low, high = _pair("random_brightness", "brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)


def _pair(owner: str, argument: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        raise ValueError(f"{owner}({argument}={show(value)}): {argument} must be two numbers; got {show(value)}.")
    return value[0], value[1]


def flip_axis(x: Any, axis: int) -> Array:
    """Return an image with one axis reversed."""
    return np.flip(np.asarray(x), axis)
