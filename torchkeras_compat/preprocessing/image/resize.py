"""Arrays of images brought to another size, with the numbers of `tf.image.resize`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..._core.errors import choice, int_tuple, show
from ...backend.resampling import METHODS, resize_and_crop


def smart_resize(x: Any, size: tuple[int, int], interpolation: str = "bilinear") -> Any:
    """Resize images without distortion: the largest centred part of the right proportions is kept.

    Args:
        x: One image or a batch, array or tensor.
        size: `(rows, cols)`.
        interpolation: `'bilinear'`, `'nearest'`, `'bicubic'`, `'area'`, `'lanczos3'`, `'lanczos5'`, `'gaussian'` or
            `'mitchellcubic'`.

    Shape:
        `(rows, cols, channels)` or `(n, rows, cols, channels)`, rows and cols replaced by `size`.

    Raises:
        ValueError: Another number of axes, or an unknown interpolation.

    Example:
        >>> smart_resize(np.zeros((100, 200, 3)), (32, 32)).shape
        (32, 32, 3)
    """
    rows, columns = int_tuple("smart_resize", "size", size, 2)
    interpolation = choice("smart_resize", "interpolation", interpolation, METHODS)
    is_tensor = isinstance(x, torch.Tensor)
    images = x.detach().cpu() if is_tensor else torch.from_numpy(np.ascontiguousarray(x))
    if images.ndim not in (3, 4):
        raise ValueError(f"smart_resize(x={show(x)}): x must have three axes, or four for a batch.")
    is_exact = interpolation == "nearest"  # each pixel is one of the old ones, of the same type
    resized = resize_and_crop(images.to(torch.float64), rows, columns, interpolation)
    resized = resized.to(images.dtype if is_exact else torch.float32)
    return resized.to(x.device) if is_tensor else resized.numpy()
