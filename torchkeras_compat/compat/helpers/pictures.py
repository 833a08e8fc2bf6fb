"""The helpers of `keras.preprocessing.image`.

Source: `keras/preprocessing/image.py`, Keras 1.2.2 and 2.0.8.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from ...preprocessing.image.affine import warp

Array = np.ndarray[Any, Any]


def transform_matrix_offset_center(matrix: Any, x: float, y: float) -> Array:
    """Return a matrix that turns, shears or zooms about the middle of an image.

    Args:
        matrix: The matrix about the first pixel, 3×3.
        x: The number of rows.
        y: The number of columns.

    Example:
        >>> transform_matrix_offset_center(np.diag([2., 2., 1.]), 3, 3)[:2, 2].tolist()
        [-2.0, -2.0]
    """
    there, back = np.eye(3), np.eye(3)
    there[:2, 2] = x / 2 + 0.5, y / 2 + 0.5
    back[:2, 2] = -there[:2, 2]
    moved: Array = there @ np.asarray(matrix) @ back
    return moved


def apply_transform(
    x: Any, transform_matrix: Any, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> Array:
    """Return an image whose pixels are looked up where a matrix says, the nearest one each.

    Args:
        x: The image, three axes.
        transform_matrix: The matrix, 3×3.
        channel_axis: The axis of the channels.
        fill_mode: What lies outside: `'nearest'`, `'constant'`, `'reflect'` or `'wrap'`.
        cval: The value there with `'constant'`.

    Example:
        >>> shift = np.array([[1., 0, 1], [0, 1, 0], [0, 0, 1]])
        >>> apply_transform(np.arange(4.).reshape(1, 2, 2), shift)[0].tolist()
        [[2.0, 3.0], [2.0, 3.0]]
    """
    image = np.moveaxis(np.asarray(x), channel_axis, -1)
    moved = warp(image[None], [np.asarray(transform_matrix)[:2]], fill_mode, cval, order=0)[0]
    return np.moveaxis(moved, -1, channel_axis)


def list_pictures(directory: str, ext: str = "jpg|jpeg|bmp|png") -> list[str]:
    """Return the paths of the pictures in a folder and those below it.

    Args:
        directory: The folder.
        ext: Endings of file names, `|` between them.

    Example:
        >>> import tempfile
        >>> list_pictures(tempfile.mkdtemp())
        []
    """
    named = re.compile(rf"(\w+\.(?:{ext}))")
    return [os.path.join(root, name) for root, _, names in os.walk(directory) for name in names if named.match(name)]
