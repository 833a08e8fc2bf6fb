"""Modules of plain torch that change pictures by chance in training; channels lie in front.

As in `modules.py`, the source of what an exported model uses is carried into its own.
"""

# ruff: noqa: D102  (the methods are those of torch's modules)

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RandomFlip(nn.Module):
    """Mirrors each picture along some axes, or not, in training."""

    def __init__(self, *dims: int) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        for dim in self.dims if self.training else ():
            mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
            x = torch.where(mirrored, x.flip(dim), x)
        return x


class RandomPlaces(nn.Module):
    """Reads each pixel at another place in training; a subclass has `places`."""

    def __init__(
        self,
        *ranges: tuple[float, float],
        mode: str = "bilinear",
        outside: str = "reflection",
        fill: float = 0.0,
    ) -> None:
        super().__init__()
        self.ranges, self.mode, self.outside, self.fill = ranges, mode, outside, fill

    def places(
        self,
        drawn: list[Tensor],
        rows: Tensor,
        columns: Tensor,
    ) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        drawn = [x.new_empty(len(x), 1, 1).uniform_(*ends) for ends in self.ranges]
        height, width = x.shape[2:]
        rows = torch.arange(height, dtype=x.dtype, device=x.device).view(1, -1, 1)
        columns = torch.arange(width, dtype=x.dtype, device=x.device).view(1, 1, -1)
        rows, columns = self.places(drawn, rows, columns)
        ends = [(2 * columns + 1) / width, (2 * rows + 1) / height]
        grid = torch.stack([end.expand(-1, height, width) for end in ends], -1) - 1
        moved = F.grid_sample(x - self.fill, grid, self.mode, self.outside, False)
        return moved + self.fill


class RandomTranslation(RandomPlaces):
    """Moves each picture down and to the right, by fractions of its size."""

    def places(
        self,
        drawn: list[Tensor],
        rows: Tensor,
        columns: Tensor,
    ) -> tuple[Tensor, Tensor]:
        down, right = drawn
        return rows - down * rows.shape[1], columns - right * columns.shape[2]


class RandomRotation(RandomPlaces):
    """Turns each picture about its middle, by a fraction of a full turn."""

    def places(
        self,
        drawn: list[Tensor],
        rows: Tensor,
        columns: Tensor,
    ) -> tuple[Tensor, Tensor]:
        cos, sin = (drawn[0] * 2 * math.pi).cos(), (drawn[0] * 2 * math.pi).sin()
        y, x = (rows.shape[1] - 1) / 2, (columns.shape[2] - 1) / 2
        rows, columns = rows - y, columns - x
        return sin * columns + cos * rows + y, cos * columns - sin * rows + x


class RandomZoom(RandomPlaces):
    """Zooms each picture about its middle: above 0 out, below 0 in."""

    def places(
        self,
        drawn: list[Tensor],
        rows: Tensor,
        columns: Tensor,
    ) -> tuple[Tensor, Tensor]:
        y, x = (rows.shape[1] - 1) / 2, (columns.shape[2] - 1) / 2
        return (rows - y) * (1 + drawn[0]) + y, (columns - x) * (1 + drawn[-1]) + x


class RandomCrop(nn.Module):
    """Cuts a window out in training; else it is the middle, resized to fit."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Tensor) -> Tensor:
        more = x.shape[2] - self.height, x.shape[3] - self.width
        if self.training and min(more) >= 0:
            top, left = (int(torch.randint(room + 1, ())) for room in more)
            rows = slice(top, top + self.height)
            return x[:, :, rows, left : left + self.width]
        height = min(x.shape[2], x.shape[3] * self.height // self.width)
        width = min(x.shape[3], x.shape[2] * self.width // self.height)
        top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
        x = x[:, :, top : top + height, left : left + width]
        return F.interpolate(x, (self.height, self.width), mode="bilinear")


class RandomSize(nn.Module):
    """Stretches the pictures of a batch along one axis in training."""

    def __init__(
        self,
        low: float,
        high: float,
        dim: int,
        mode: str = "bilinear",
    ) -> None:
        super().__init__()
        self.low, self.high, self.dim, self.mode = low, high, dim, mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        size = list(x.shape[2:])
        factor = 1 + float(torch.empty(()).uniform_(self.low, self.high))
        size[self.dim] = max(1, int(factor * size[self.dim]))
        return F.interpolate(x, size, mode=self.mode)


class RandomContrast(nn.Module):
    """Draws the values of each channel from their mean, or towards it, in training."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        mean = x.mean((2, 3), keepdim=True)
        factor = x.new_empty(()).uniform_(self.low, self.high)
        return ((x - mean) * factor + mean).clamp(0, 255)


class RandomBrightness(nn.Module):
    """Adds a number to each picture in training, and clips to the range of values."""

    def __init__(
        self,
        low: float,
        high: float,
        least: float,
        most: float,
    ) -> None:
        super().__init__()
        self.low, self.high, self.least, self.most = low, high, least, most

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        added = x.new_empty(len(x), 1, 1, 1).uniform_(self.low, self.high)
        return (x + added).clamp(self.least, self.most)
