"""What changes at random in an image, drawn for a whole batch with the numbers that Keras draws one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Columns = Mapping[str, Array]
"""A number for each image by the name of what changes; what has no name here stays as it is."""


class Even(NamedTuple):
    """A number between two others, each as likely, times a factor."""

    low: float
    high: float
    factor: float = 1

    def draw(self) -> Any:
        """Return one number."""
        return np.random.uniform(self.low, self.high) * self.factor


class Pixels(NamedTuple):
    """One of some numbers of pixels, in either direction."""

    limit: Any
    size: int

    def draw(self) -> Any:
        """Return one number."""
        try:
            drawn = np.random.choice(self.limit) * np.random.choice([-1, 1])
        except ValueError:  # no whole numbers that numpy could choose from
            drawn = np.random.uniform(-self.limit, self.limit)
        return drawn * self.size if np.max(self.limit) < 1 else drawn


def shift(limit: Any, size: int) -> Even | Pixels | None:
    """Return how a shift is drawn: pixels from a list, or from the whole numbers below an integer, else evenly.

    Args:
        limit: The argument `width_shift_range` or `height_shift_range`.
        size: Pixels of that axis.
    """
    if isinstance(limit, float):
        return Even(-limit, limit, size if limit < 1 else 1) if limit else None
    return Pixels(limit, size) if np.any(limit) else None


def columns(draws: Mapping[str, Even | Pixels], count: int) -> Columns:
    """Draw the changes of some images, those of one image after those of another.

    Args:
        draws: How each is drawn, in the order in which Keras does.
        count: Number of images.
    """
    even = {name: draw for name, draw in draws.items() if isinstance(draw, Even)}
    if len(even) == len(draws):
        # numpy's `uniform` makes such numbers of its `random_sample`, which gives the same ones at once.
        numbers = np.random.random_sample((count, len(draws)))
        return {
            name: (draw.low + (draw.high - draw.low) * numbers[:, i]) * draw.factor
            for i, (name, draw) in enumerate(even.items())
        }
    table = np.array([[draw.draw() for draw in draws.values()] for _ in range(count)], float)
    return dict(zip(draws, table.reshape(count, len(draws)).T))
