"""Random orders as TensorFlow's data sets draw them: Philox numbers, and a buffer of the next elements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from .._core import randomness

T = TypeVar("T")
DEFAULT_GRAPH_SEED = 87654321  # TensorFlow's own, where an operation has a seed and the process none
_AT_ONCE = 256  # counters of Philox, each of which gives four numbers
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class Philox:
    """A stream of 32-bit numbers: Philox4x32-10, seeded as TensorFlow seeds it.

    Args:
        seed: 64 bits, the key.
        seed2: 64 bits, the upper half of the counter.

    Source:
        J. Salmon et al., «Parallel random numbers: as easy as 1, 2, 3», 2011.

    Example:
        >>> numbers = Philox(1, 2)
        >>> [numbers.next() for _ in range(2)] == [numbers.next() for _ in range(2)]
        False
    """

    def __init__(self, seed: int, seed2: int) -> None:
        self._key = (seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF)
        self._upper = (seed2 & 0xFFFFFFFF, seed2 >> 32 & 0xFFFFFFFF)
        self._counter = 0
        self._numbers: Iterator[int] = iter(())

    def next(self) -> int:
        """Return the next number."""
        number = next(self._numbers, None)
        if number is None:
            self._numbers = iter(self._block())
            number = next(self._numbers)
        return number

    def _block(self) -> list[int]:
        counters = np.arange(self._counter, self._counter + _AT_ONCE, dtype=np.uint64)
        self._counter += _AT_ONCE
        a, b = counters & _LOW, counters >> _HALF
        c, d = (np.full(_AT_ONCE, half, np.uint64) for half in self._upper)
        key, key2 = self._key
        for _ in range(10):
            first, second = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
            a = (second >> _HALF) ^ b ^ np.uint64(key)
            b = second & _LOW
            c = (first >> _HALF) ^ d ^ np.uint64(key2)
            d = first & _LOW
            key, key2 = (key + 0x9E3779B9) & 0xFFFFFFFF, (key2 + 0xBB67AE85) & 0xFFFFFFFF
        return [int(n) for n in np.stack([a, b, c, d], 1).ravel()]


class Order:
    """The orders that one `shuffle` of a data set gives, pass by pass.

    Args:
        buffer_size: From how many of the next elements each one is drawn.
        seed: The seed; drawn at the first pass if `None`.
        anew: Whether each pass has an order of its own.

    Attributes:
        passes: How many orders have been drawn.

    Source:
        TensorFlow 2.15, `tf.data.Dataset.shuffle`.

    Example:
        >>> order = Order(8, seed=3)
        >>> list(order.shuffled(range(12)))
        [4, 7, 2, 3, 0, 8, 6, 10, 5, 9, 1, 11]
    """

    def __init__(self, buffer_size: int, seed: int | None = None, anew: bool = True) -> None:
        self.buffer_size, self.anew = buffer_size, anew
        self.passes = 0
        graph_seed = randomness.graph_seed()
        self._seeds = None if seed is None else (DEFAULT_GRAPH_SEED if graph_seed is None else graph_seed, seed)

    def shuffled(self, items: Iterable[T]) -> Iterator[T]:
        """Return the elements of a pass in the next order, which is drawn at once."""
        return self._drawn(iter(items), self._next_numbers())

    def _next_numbers(self) -> Philox:
        seeds = self._seeds = self._seeds or (randomness.draw_seed(), randomness.draw_seed())
        if seeds == (0, 0):
            seeds = (0, 2**31 - 1)  # which the generator takes for «no seed» otherwise
        self.passes += 1
        if not self.anew:
            return Philox(*seeds)
        seeds_of_passes = Philox(*seeds)
        for _ in range(2 * (self.passes - 1)):
            seeds_of_passes.next()
        return Philox(seeds_of_passes.next(), seeds_of_passes.next())

    def _drawn(self, items: Iterator[T], numbers: Philox) -> Iterator[T]:
        buffer = list(islice(items, self.buffer_size))
        size = count = len(buffer)
        start = 0  # of the ring that the buffer is
        while count:
            place = (start + numbers.next() % count) % size
            yield buffer[place]
            buffer[place] = buffer[start]
            count -= 1
            for item in islice(items, 1):
                buffer[start] = item
                count += 1
            start = (start + 1) % size

    def state(self) -> dict[str, Any]:
        """Return where the orders stand."""
        return {"passes": self.passes, "seeds": self._seeds}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take what `state` returned."""
        self.passes = state["passes"]
        self._seeds = None if state["seeds"] is None else tuple(state["seeds"])
