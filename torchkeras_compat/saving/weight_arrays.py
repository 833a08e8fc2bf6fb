"""Weights as arrays for files: the next one is laid out while the one before it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.weights import Weight

Array = np.ndarray[Any, Any]
LARGE = 4 * 2**20
"""Bytes from which on a weight is laid out in a thread, in memory that is used again."""


class _Layout:
    """Lays weights out in two buffers by turns, so that one can be written while the other is filled."""

    def __init__(self) -> None:
        self._buffers: list[Tensor | None] = [None, None]
        self._turn = 0

    def array(self, weight: Weight) -> Array:
        """Return a weight in Keras's layout; a large one is valid until the one after the next is asked for."""
        with torch.no_grad():
            value = weight.read().detach()
            if value.nbytes < LARGE or value.device.type != "cpu" or value.dtype == torch.bfloat16:
                return weight.numpy()
            return value.numpy() if value.is_contiguous() else self._filled(value)

    def _filled(self, value: Tensor) -> Array:
        self._turn = 1 - self._turn
        buffer = self._buffers[self._turn]
        if buffer is None or buffer.numel() < value.numel() or buffer.dtype != value.dtype:
            buffer = self._buffers[self._turn] = torch.empty(value.numel(), dtype=value.dtype)
        filled = buffer[: value.numel()].view(value.shape)
        return filled.copy_(value).numpy()


def arrays_of(weights: Sequence[Weight]) -> Iterator[Array]:
    """Yield weights as Keras has them, each valid until the next one is asked for.

    Args:
        weights: The weights.
    """
    layout = _Layout()
    if sum(weight.parameters[0].nbytes >= LARGE for weight in weights) < 2:
        yield from map(layout.array, weights)
        return
    with ThreadPoolExecutor(1, "layout") as thread:
        waiting = thread.submit(layout.array, weights[0])
        for weight in (*weights[1:], None):
            array = waiting.result()
            if weight is not None:
                waiting = thread.submit(layout.array, weight)
            yield array
