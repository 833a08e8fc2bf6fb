"""Weights as arrays for files: the next one is laid out while the one before it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core.weights import Weight

T = TypeVar("T")
R = TypeVar("R")
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
    return one_ahead(_Layout().array, weights, sum(map(is_large, weights)) > 1)


def is_large(weight: Weight) -> bool:
    """Tell whether a thread is worth its while for a weight."""
    return weight.parameters[0].nbytes >= LARGE


def one_ahead(function: Callable[[T], R], items: Iterable[T], in_thread: bool) -> Iterator[R]:
    """Yield what a function makes of items.

    Args:
        function: The function.
        items: The items.
        in_thread: Whether a thread makes the next one while the one before is in use.
    """
    if not in_thread:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(1, "one_ahead") as thread:
        waiting: Future[R] | None = None
        for item in items:
            before, waiting = waiting, thread.submit(function, item)
            if before is not None:
                yield before.result()
        if waiting is not None:
            yield waiting.result()
