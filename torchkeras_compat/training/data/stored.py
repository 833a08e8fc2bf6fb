"""Rows that stay in a file of HDF5 and are read a few batches at a time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...utils.hdf5_matrix import HDF5Matrix, rows_at

HELD_BYTES = 1 << 28  # up to here all rows are read once: a pass over memory is faster than one over a file


class StoredRows:
    """Rows of a file; they have what `fit` asks of an array, and are never in memory as a whole.

    Args:
        source: An `HDF5Matrix`, or a data set of h5py.
        numbers: Which of its rows; all if `None`.
    """

    def __init__(self, source: Any, numbers: range | np.ndarray[Any, Any] | None = None) -> None:
        self.source = source
        self._numbers = range(source.shape[0]) if numbers is None else numbers
        self.shape: tuple[int, ...] = (len(self._numbers), *source.shape[1:])
        self.dtype: np.dtype[Any] = source.dtype
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> StoredRows:
        numbers = self._numbers
        if isinstance(numbers, range) and not isinstance(rows, slice):
            return StoredRows(self.source, numbers.start + numbers.step * rows)
        return StoredRows(self.source, numbers[rows])

    def dense(self) -> np.ndarray[Any, Any]:
        """Return the rows as an array."""
        numbers = self._numbers
        if not isinstance(self.source, HDF5Matrix):
            return rows_at(self.source, numbers)
        key = slice(numbers.start, numbers.stop) if isinstance(numbers, range) and numbers.step == 1 else numbers
        return np.asarray(self.source[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Return the rows as an array, in new memory."""
        return np.asarray(self.dense(), dtype)


def is_stored(value: Any) -> bool:
    """Tell whether a value is rows in a file that stay there: many, or ones that somebody's function changes anew."""
    h5py = sys.modules.get("h5py")  # nobody has rows of it who has not imported it
    if isinstance(value, HDF5Matrix) and value.normalizer is not None:
        return True
    kinds = (HDF5Matrix,) if h5py is None else (HDF5Matrix, h5py.Dataset)
    if not isinstance(value, kinds) or not value.shape or value.dtype.kind not in "biufc":
        return False
    return bool(np.prod(value.shape) * value.dtype.itemsize > HELD_BYTES)
