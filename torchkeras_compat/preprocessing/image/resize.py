"""Arrays of images brought to another size, with the numbers of `tf.image.resize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..._core.errors import choice, int_tuple, show

Array = NDArray[Any]
_TABLE = 1024  # TensorFlow looks the bicubic weights up in a table of this length


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
    interpolation = choice("smart_resize", "interpolation", interpolation, ("nearest", *_WEIGHTS))
    is_tensor = isinstance(x, torch.Tensor)
    images = x.detach().cpu().numpy() if is_tensor else np.asarray(x)
    if images.ndim not in (3, 4):
        raise ValueError(f"smart_resize(x={show(x)}): x must have three axes, or four for a batch.")
    height, width = images.shape[-3:-1]
    kept_rows = min(height, int(width * rows / columns))
    kept_columns = min(width, int(height * columns / rows))
    top, left = (height - kept_rows) // 2, (width - kept_columns) // 2
    part = images[..., top : top + kept_rows, left : left + kept_columns, :]
    if interpolation == "nearest":
        result = part[..., _nearest(kept_rows, rows), :, :][..., _nearest(kept_columns, columns), :]
    else:
        build = _WEIGHTS[interpolation]
        down, across = build(kept_rows, rows), build(kept_columns, columns)
        result = np.einsum("ik,...klc,jl->...ijc", down, part.astype(np.float64), across, optimize=True)
        result = result.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(result)).to(x.device) if is_tensor else result


def _nearest(old: int, new: int) -> Array:
    return np.asarray(np.minimum(np.floor((np.arange(new) + 0.5) * (old / new)), old - 1), dtype=np.intp)


def _centres(old: int, new: int) -> Array:
    return (np.arange(new) + 0.5) * (old / new) - 0.5


def _normalised(weights: Array) -> Array:
    """Return the weights with the sum 1 for each new pixel."""
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _bilinear(old: int, new: int) -> Array:
    where = np.clip(_centres(old, new), 0, old - 1)
    return np.asarray(np.maximum(0.0, 1 - np.abs(where[:, None] - np.arange(old))))


def _bicubic(old: int, new: int) -> Array:
    where = _centres(old, new)
    first = np.floor(where)
    fraction = np.rint((where - first) * _TABLE) / _TABLE
    weights = np.zeros((new, old))
    for offset in (-1, 0, 1, 2):
        index = (first + offset).astype(int)
        valid = (index >= 0) & (index < old)
        weights[np.flatnonzero(valid), index[valid]] += _keys(np.abs(offset - fraction))[valid]
    return _normalised(weights)


def _keys(x: Array) -> Array:
    """Keys's cubic with a = −1/2 (Keys, 1981)."""
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _area(old: int, new: int) -> Array:
    edges = np.arange(new + 1) * (old / new)
    pixel = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return _normalised(np.maximum(overlap, 0.0))


def _windowed(kernel: Callable[[Array], Array], radius: float) -> Callable[[int, int], Array]:
    def weights(old: int, new: int) -> Array:
        distance = np.abs(_centres(old, new)[:, None] - np.arange(old))
        return _normalised(np.where(distance <= radius, kernel(distance), 0.0))

    return weights


def _lanczos(radius: float) -> Callable[[Array], Array]:
    return lambda x: np.sinc(x) * np.sinc(x / radius)


def _gaussian(x: Array) -> Array:
    return np.asarray(np.exp(-x * x / (2 * 0.5**2)))


def _mitchell(x: Array) -> Array:
    """The cubic of Mitchell and Netravali (1988), b = c = 1/3."""
    near = ((7 * x - 12) * x * x + 16 / 3) / 6
    far = (((-7 / 3 * x + 12) * x - 20) * x + 32 / 3) / 6
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


_WEIGHTS: dict[str, Callable[[int, int], Array]] = {
    "bilinear": _bilinear,
    "bicubic": _bicubic,
    "area": _area,
    "lanczos3": _windowed(_lanczos(3), 3),
    "lanczos5": _windowed(_lanczos(5), 5),
    "gaussian": _windowed(_gaussian, 1.5),
    "mitchellcubic": _windowed(_mitchell, 2),
}
