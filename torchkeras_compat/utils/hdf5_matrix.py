"""Rows of a file of HDF5 in the place of an array: what is read of them is what is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.errors import did_you_mean

Array = np.ndarray[Any, Any]


class HDF5Matrix:
    """A data set in a file of HDF5, or some of its rows, as `fit`, `evaluate` and `predict` take an array.

    What is larger than 256 MB, or has a normalizer, is read a few batches at a time in each epoch, targets too. Chunks,
    which may be compressed, are best read in order or with `shuffle='batch'`: `shuffle=True` reads each row by itself.

    Args:
        datapath: Path of the file.
        dataset: Name of the data set, with the groups it stands in: `'train/x'`.
        start: The first row.
        end: The row behind the last one; all if `None`.
        normalizer: A function of what was read, the rows of one or several batches; its results are the rows.

    Shape:
        `(end - start, …)`, with the further axes that the normalizer leaves.

    Raises:
        FileNotFoundError: There is no such file.
        KeyError: No data set of this name.
        ValueError: Rows that the data set has not.

    Example:
        >>> import h5py, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), 'data.h5')
        >>> with h5py.File(path, 'w') as file:
        ...     file['x'] = [[1, 2], [3, 4], [5, 6]]
        >>> x = HDF5Matrix(path, 'x', start=1, normalizer=lambda rows: rows / 2)
        >>> x.shape, x[0], x[[1, 0]].tolist()
        ((2, 2), array([1.5, 2. ]), [[2.5, 3.0], [1.5, 2.0]])
    """

    def __init__(
        self,
        datapath: str | os.PathLike[str],
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[Any], Any] | None = None,
    ) -> None:
        self.datapath, self.dataset = datapath, dataset
        self.data = _opened(datapath, dataset)
        self.start, self.end = start, len(self.data) if end is None else end
        self.normalizer = normalizer
        if not 0 <= self.start < self.end <= len(self.data):
            raise ValueError(
                f"HDF5Matrix(start={start}, end={end}): the data set {dataset!r} has the rows 0 to {len(self.data)}."
            )
        first = self[0:1]
        self._row_shape: tuple[int, ...] = tuple(first.shape[1:])
        self._dtype: np.dtype[Any] = first.dtype

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows, and the shape of one."""
        return (len(self), *self._row_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values, as the normalizer gives them."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of values."""
        return int(np.prod(self.shape))

    def __getitem__(self, key: Any) -> Any:
        """Return rows by number, slice, or a list or an array of numbers, in any order.

        Raises:
            IndexError: A row, or the end of a slice, beyond the last row.
        """
        rows = self._read(key)
        return rows if self.normalizer is None else self.normalizer(rows)

    def _read(self, key: Any) -> Array:
        if isinstance(key, slice):
            if key.stop is not None and key.stop > len(self):
                raise IndexError(f"HDF5Matrix[{key.start}:{key.stop}]: there are {len(self)} rows.")
            place = range(self.start, self.end)[key]
            return rows_at(self.data, place)
        numbers = np.asarray(key)
        if numbers.dtype == bool:
            numbers = np.flatnonzero(numbers)
        if numbers.size and not -len(self) <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"HDF5Matrix[{key}]: there are {len(self)} rows.")
        numbers = numbers % len(self) + self.start
        return rows_at(self.data, numbers) if numbers.ndim else np.asarray(self.data[int(numbers)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return all rows as an array, in new memory."""
        return np.asarray(self[:], dtype)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open file out: whoever reads a pickle opens it again."""
        return {name: value for name, value in vars(self).items() if name != "data"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.data = _opened(self.datapath, self.dataset)


def rows_at(data: Any, rows: range | Array) -> Array:
    """Return rows of a data set of h5py, which itself reads them in rising order alone.

    Args:
        data: The data set.
        rows: Their numbers, in any order.
    """
    if isinstance(rows, range) and rows.step == 1:
        return np.asarray(data[rows.start : rows.stop])
    numbers = np.asarray(rows, dtype=np.int64)
    order = np.argsort(numbers, kind="stable")
    rising = numbers[order]
    beside = np.empty((len(numbers), *data.shape[1:]), data.dtype)
    runs = [run for run in np.split(rising, np.flatnonzero(np.diff(rising) != 1) + 1) if len(run)]
    offset = _offset(data) if len(runs) > 1 else None
    if offset is None:
        at = 0
        for run in runs:  # rows beside each other are read at once
            beside[at : at + len(run)] = data[run[0] : run[-1] + 1]
            at += len(run)
    else:
        _read_runs(data, offset, runs, beside)
    read = np.empty_like(beside)
    read[order] = beside
    return read


def _offset(data: Any) -> int | None:
    """Return where the values begin in the file, if they stand there as in memory, one behind the other."""
    import h5py

    file = data.file
    is_direct = file.mode == "r" and file.driver in ("sec2", "stdio") and not file.userblock_size
    if not is_direct or data.id.get_type() != h5py.h5t.py_create(data.dtype, logical=True):
        return None
    offset: int | None = data.id.get_offset()  # none for chunks, which may be compressed, and for what nobody wrote
    return offset


def _read_runs(data: Any, offset: int, runs: list[Array], rows: Array) -> None:
    """Read runs of rows past h5py, whose calls take ten times as long as it takes to read one batch."""
    row_bytes = rows.dtype.itemsize * int(np.prod(data.shape[1:]))
    memory = memoryview(rows.reshape(-1).view(np.uint8).data)
    at = 0
    with open(data.file.filename, "rb", buffering=0) as file:
        for run in runs:
            file.seek(offset + int(run[0]) * row_bytes)
            end = at + len(run) * row_bytes
            while at < end:
                count = file.readinto(memory[at:end])
                if not count:
                    raise OSError(f"{data.file.filename} ends within the data set {data.name!r}.")
                at += count


def _opened(path: str | os.PathLike[str], name: str) -> Any:
    import h5py

    file = h5py.File(path, "r")
    data = file.get(name)
    if isinstance(data, h5py.Dataset) and data.ndim:
        return data
    known: list[str] = []
    file.visititems(lambda place, item: known.append(place) if isinstance(item, h5py.Dataset) else None)
    file.close()
    raise KeyError(
        f"HDF5Matrix(dataset={name!r}): {os.fspath(path)} has no rows of this name; {did_you_mean(name, known)}"
    )
