"""What all batches of images have in common: an order, a place in it, and labels beside."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator as IteratorOf
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._core.allocator import keep_freed_memory
from ..._core.errors import positive_int
from ...utils.images import array_to_img
from ...utils.sequence import Sequence

Array = NDArray[Any]


class Iterator(Sequence):
    """Base of batches by index that are also a stream without end.

    Args:
        n: Number of samples.
        batch_size: Samples in a batch.
        shuffle: Whether the order is drawn anew for each round.
        seed: Seeds numpy's global generator at each batch, plus the number of batches before; nothing when `None`.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        keep_freed_memory()  # each batch takes as much as the one before has given back
        self.n = n
        self.batch_size = positive_int(type(self).__name__, "batch_size", batch_size)
        self.shuffle = shuffle
        self.seed = seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: Array | None = None
        self.index_generator = self._flow_index()

    def _set_index_array(self) -> None:
        """Draw the order of a round; subclasses of users' call it, or write it anew."""
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _order(self) -> Array:
        self._set_index_array()
        return np.asarray(self.index_array)

    def _seed_batch(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def __getitem__(self, idx: int) -> Any:
        """Return the batch at `idx`.

        Raises:
            IndexError: There are fewer batches.
        """
        if not 0 <= idx < len(self):
            raise IndexError(f"{type(self).__name__}[{idx}]: there are {len(self)} batches.")
        self._seed_batch()
        self.total_batches_seen += 1
        order = self._order() if self.index_array is None else self.index_array
        return self._get_batches_of_transformed_samples(order[self.batch_size * idx : self.batch_size * (idx + 1)])

    def __len__(self) -> int:
        """Return the number of batches of one round."""
        return -(-self.n // self.batch_size)

    def on_epoch_end(self) -> None:
        """Draw the order of the next round."""
        self._order()

    def reset(self) -> None:
        """Let the stream begin a new round."""
        self.batch_index = 0

    def _flow_index(self) -> IteratorOf[Array]:
        self.reset()
        yield from self._index_stream()

    def _index_stream(self) -> IteratorOf[Array]:
        while True:
            self._seed_batch()
            order = self._order() if self.batch_index == 0 or self.index_array is None else self.index_array
            start = self.batch_index * self.batch_size % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if self.n > start + self.batch_size else 0
            self.total_batches_seen += 1
            yield order[start : start + self.batch_size]

    def __iter__(self) -> Iterator:
        """Return the stream itself; it has no end."""
        return self

    def __next__(self) -> Any:
        """Return the next batch."""
        return self.next()

    def next(self) -> Any:
        """Return the next batch."""
        with self.lock:
            indices = next(self.index_generator)
        return self._get_batches_of_transformed_samples(indices)

    def _place(self) -> dict[str, Any]:
        """Return where the iterator stands, so that another one of the same pictures can go on from there."""
        seen = {"batch_index": self.batch_index, "total_batches_seen": self.total_batches_seen}
        return {**seen, "index_array": self.index_array}

    def _set_place(self, place: Mapping[str, Any]) -> None:
        self.batch_index, self.total_batches_seen = place["batch_index"], place["total_batches_seen"]
        self.index_array = place["index_array"]
        self.index_generator = self._index_stream()

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _get_batches_of_transformed_samples.")


def save_batch(
    batch: Array, indices: Array, folder: str, prefix: str, file_format: str, data_format: str, limit: int
) -> None:
    """Write the images of a batch as files, named by index and a random number below `limit`."""
    for image, index in zip(batch, indices, strict=True):
        name = f"{prefix}_{index}_{np.random.randint(limit)}.{file_format}"
        array_to_img(image, data_format, scale=True).save(os.path.join(folder, name))
