"""Pictures moved, turned and zoomed: each pixel of the output is read somewhere in the input, between its pixels.

Source: TensorFlow 2.15, `ImageProjectiveTransformV3`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


def _reflected(at: Tensor, size: int) -> Tensor:
    """Return coordinates folded at the outer edges of the first and last pixel: d c b a | a b c d | d c b a."""
    period = 2 * size
    below = torch.where(at < -size, at + period, -at - 1)
    above = torch.where(at >= size, period - at - 1, at)
    return torch.where(at < 0, below, above)


def _folded(at: Tensor, size: int) -> Tensor:
    period = 2 * size
    return _reflected(at - period * torch.trunc(at / period), size)


def _wrapped(at: Tensor, size: int) -> Tensor:
    """Return coordinates as of pictures side by side: a b c d | a b c d | a b c d."""
    last = max(size - 1, 1)
    below = at + size * (torch.trunc(-at / last) + 1)
    above = at - size * torch.trunc(at / last)
    return torch.where(at < 0, below, torch.where(at > size - 1, above, at))


_PLACES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "reflect": _folded,
    "wrap": _wrapped,
    "nearest": lambda at, size: at,
}


def _place(at: Tensor, size: int, fill_mode: str) -> Tensor:
    """Return coordinates inside the picture, or outside where that stays."""
    return at if fill_mode == "constant" else _PLACES[fill_mode](at, size).clamp(0, size - 1)


def _read(images: Tensor, rows: Tensor, columns: Tensor, fill_value: float) -> Tensor:
    """Return the pixels at whole coordinates (batch, height, width); outside is the fill value."""
    batch, height, width, channels = images.shape
    outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1)
    places = rows.clamp(0, height - 1).long() * width + columns.clamp(0, width - 1).long()
    flat = places.flatten(1).unsqueeze(-1).expand(-1, -1, channels)
    pixels = images.reshape(batch, height * width, channels).gather(1, flat).reshape(*places.shape, channels)
    return pixels.masked_fill(outside.unsqueeze(-1), fill_value)


def _rounded(at: Tensor) -> Tensor:
    """Return coordinates rounded, halves away from 0."""
    return at.sign() * (at.abs() + 0.5).floor()


def project(
    images: Tensor, transforms: Tensor, fill_mode: str = "reflect", fill_value: float = 0.0, method: str = "bilinear"
) -> Tensor:
    """Return pictures of which the pixel (x, y) is read at (a x + b y + c, d x + e y + f).

    Args:
        images: `(batch, height, width, channels)`, floats.
        transforms: `(batch, 6)`: a to f.
        fill_mode: What lies outside, one of `FILL_MODES`.
        fill_value: With `'constant'`, the number that lies there.
        method: One of `INTERPOLATIONS`.

    Example:
        >>> to_the_right = torch.tensor([[1., 0., -1., 0., 1., 0.]])
        >>> project(torch.tensor([[[[1.], [2.], [3.]]]]), to_the_right, 'constant', 9.).flatten().tolist()
        [9.0, 1.0, 2.0]
    """
    height, width = images.shape[1:3]
    y = torch.arange(height, device=images.device, dtype=transforms.dtype).view(1, height, 1)
    x = torch.arange(width, device=images.device, dtype=transforms.dtype).view(1, 1, width)
    a, b, c, d, e, f = (part.view(-1, 1, 1) for part in transforms.unbind(1))
    columns = _place(a * x + b * y + c, width, fill_mode)
    rows = _place(d * x + e * y + f, height, fill_mode)
    if method == "nearest":
        return _read(images, _rounded(rows), _rounded(columns), fill_value)
    top, left = rows.floor(), columns.floor()
    down, right = (rows - top).unsqueeze(-1), (columns - left).unsqueeze(-1)

    def row_at(place: Tensor) -> Tensor:
        first = _read(images, place, left, fill_value)
        return first * (1 - right) + _read(images, place, left + 1, fill_value) * right

    return row_at(top) * (1 - down) + row_at(top + 1) * down


def transforms_of(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> Tensor:
    """Return the numbers of `project` for each sample."""
    return torch.stack([a, b, c, d, e, f], 1)
