"""Arrays in memory-mapped files: read in place, and their pages given back behind the reading."""

from __future__ import annotations

import mmap
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core.tree import flatten

HELD_BYTES = 2**26  # pages of a file that may stay in the memory of the process
AROUND = 2**21  # bytes that Linux may map around a page that is read


def mapping_of(array: Any) -> mmap.mmap | None:
    """Return the mapping of a file that an array lies in; `None` for others, and where writes belong to the process."""
    if not isinstance(array, np.memmap) or array.mode == "c":
        return None
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def tensor_of_mapped(array: Any) -> Tensor:
    """Return a mapped array as a tensor without a copy, though it may be one that nobody can write to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # nor does anybody
        return torch.from_numpy(np.asarray(array))


class MappedFiles:
    """Gives the pages of mapped files back, which else count as memory of the process until somebody else needs it.

    The system keeps them in its cache, so that another pass reads no disk.
    """

    def __init__(self) -> None:
        self._mappings: dict[int, mmap.mmap] = {}
        self._bytes = 0

    def hold(self, arrays: Any) -> bool:
        """Take note of the files behind the leaves of a tree; tells whether there are some."""
        for leaf in flatten(arrays):
            mapping = mapping_of(leaf)
            if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
                self._mappings[id(mapping)] = mapping
        return bool(self._mappings)

    def read(self, tensors: Iterable[Any]) -> None:
        """Take note of what was read, and give the pages back when they are many."""
        self._bytes += sum(t.numel() * t.element_size() for t in tensors if isinstance(t, Tensor))
        if self._bytes >= HELD_BYTES:
            self._give_back()

    def gather(self, tensor: Tensor, rows: Tensor) -> Tensor:
        """Return rows from all over a tensor."""
        gathered = tensor.new_empty((len(rows), *tensor.shape[1:]))
        step = HELD_BYTES // max(AROUND, tensor[0].numel() * tensor.element_size()) or 1
        for part, place in zip(torch.split(rows, step), torch.split(gathered, step)):
            torch.index_select(tensor, 0, part, out=place)
            self._give_back()
        return gathered

    def _give_back(self) -> None:
        self._bytes = 0
        for mapping in self._mappings.values():
            mapping.madvise(mmap.MADV_DONTNEED)
