"""Weights as datasets of files: the next pieces are laid out while one is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core.transposing import copy_into
from .._core.weights import Weight

T = TypeVar("T")
Array = np.ndarray[Any, Any]
LARGE = 4 * 2**20
"""Bytes from which on a weight is laid out in a thread, in memory that is used again."""
PIECE = 8 * 2**20
"""Bytes that are laid out at a time, which a processor's last cache holds."""
AHEAD = 2
"""Pieces that are laid out while one is written."""


class _Piece(NamedTuple):
    """Some rows of a weight in Keras's layout, valid until the next piece is asked for."""

    shape: tuple[int, ...]
    """That of the whole weight."""
    start: int
    array: Array

    @property
    def is_whole(self) -> bool:
        """Whether the weight has no other rows."""
        return bool(self.array.shape == self.shape)

    @property
    def is_last(self) -> bool:
        """Whether the weight's last row is among them."""
        return self.is_whole or self.start + len(self.array) == self.shape[0]


class DatasetWriter:
    """Writes weights into datasets of an HDF5 file.

    Args:
        weights: The weights, in the order in which they are written.
    """

    def __init__(self, weights: Sequence[Weight]) -> None:
        self._buffers: list[Tensor | None] = [None] * (AHEAD + 1)
        pieces = (piece for weight in weights for piece in self._pieces(weight))
        self._made = made_ahead(pieces, any(map(is_large, weights)))

    def write(self, place: Any, name: str) -> None:
        """Write the next weight.

        Args:
            place: The group that gets the dataset.
            name: What it is called there.
        """
        piece = next(self._made)
        if piece.is_whole:
            place.create_dataset(name, data=piece.array)
            return
        dataset = place.create_dataset(name, piece.shape, piece.array.dtype)
        while True:
            dataset[piece.start : piece.start + len(piece.array)] = piece.array
            if piece.is_last:
                return
            piece = next(self._made)

    def _pieces(self, weight: Weight) -> Iterator[_Piece]:
        with torch.no_grad():
            value = weight.read().detach()
        shape = tuple(value.shape)
        if value.nbytes < LARGE or value.device.type != "cpu" or value.dtype == torch.bfloat16:
            yield _Piece(shape, 0, weight.numpy())
        elif value.is_contiguous():
            yield _Piece(shape, 0, value.numpy())
        else:
            rows = max(PIECE * len(value) // value.nbytes, 1)
            for start in range(0, len(value), rows):
                yield _Piece(shape, start, self._filled(value[start : start + rows]))

    def _filled(self, value: Tensor) -> Array:
        buffer = self._buffers.pop(0)
        if buffer is None or buffer.numel() < value.numel() or buffer.dtype != value.dtype:
            buffer = torch.empty(value.numel(), dtype=value.dtype, device="cpu")
        self._buffers.append(buffer)
        return copy_into(buffer[: value.numel()].view(value.shape), value).numpy()


def is_large(weight: Weight) -> bool:
    """Tell whether a thread is worth its while for a weight."""
    return weight.parameters[0].nbytes >= LARGE


def made_ahead(items: Iterable[T], in_thread: bool) -> Iterator[T]:
    """Yield items; the next ones are made while one is in use.

    Args:
        items: What makes them, one at a time.
        in_thread: Whether a thread does; it is not worth its while for little.
    """
    if not in_thread:
        yield from items
        return
    making, end = iter(items), object()
    thread = ThreadPoolExecutor(1, "made_ahead")
    try:
        waiting = [thread.submit(next, making, end) for _ in range(AHEAD)]
        while (item := waiting.pop(0).result()) is not end:
            waiting.append(thread.submit(next, making, end))
            yield item  # type: ignore[misc]
    finally:
        thread.shutdown(wait=False, cancel_futures=True)  # whoever lets go of the last item may be the thread itself
