"""Images: read, changed at random, and given out in batches."""

from __future__ import annotations

from ...utils.images import array_to_img, img_to_array, load_img, save_img
from .arrays import NumpyArrayIterator
from .files import DataFrameIterator, DirectoryIterator
from .functions import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from .generator import ImageDataGenerator
from .iterator import Iterator
from .resize import smart_resize

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]
