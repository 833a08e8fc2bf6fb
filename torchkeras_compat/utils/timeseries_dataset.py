"""Data sets of windows of a time series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.errors import argument_error, positive_int
from .dataset import Dataset
from .dataset_trees import Tree, as_tensor
from .dataset_utils import shuffled_batches


class _Windows:
    """Windows of a series, and the target that belongs to the start of each.

    Args:
        series: The series.
        targets: The targets, if there are some.
        starts: Where each window begins.
        steps: The places of a window, from its start.
    """

    slow = False

    def __init__(self, series: Tensor, targets: Tensor | None, starts: Tensor, steps: Tensor) -> None:
        self.series, self.targets, self.starts, self.steps = series, targets, starts, steps

    def __len__(self) -> int:
        return len(self.starts)

    def row(self, index: int) -> Tree:
        return self._at(self.starts[index])

    def __getitem__(self, indices: Sequence[int]) -> Tree:
        return self._at(self.starts[torch.tensor(indices)])

    def _at(self, starts: Tensor) -> Tree:
        windows = self.series[starts.unsqueeze(-1) + self.steps]
        return windows if self.targets is None else (windows, self.targets[starts])


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Dataset:
    """Return a data set of windows that slide over a time series.

    Args:
        data: The series; time is the first axis.
        targets: The target of the window that begins at the same place; `None` for none.
        sequence_length: Steps in a window.
        sequence_stride: Steps from one window to the next.
        sampling_rate: Steps from one place of a window to the next.
        batch_size: Windows in a batch; one by one if `None`.
        shuffle: Whether windows are shuffled, and batches anew in each epoch.
        seed: The seed of that; drawn from numpy if `None`.
        start_index: The first step that is used.
        end_index: The step behind the last one that is used.

    Shape:
        Batches of `(batch, sequence_length, …)`, and of targets where there are some.

    Raises:
        ValueError: An argument out of its range, or fewer targets than windows.

    Example:
        >>> data = timeseries_dataset_from_array(range(6), range(3, 6), sequence_length=3)
        >>> [(x.tolist(), y.tolist()) for x, y in data]
        [([[0, 1, 2], [1, 2, 3], [2, 3, 4]], [3, 4, 5])]
    """
    owner, count = "timeseries_dataset_from_array", len(data)
    length = positive_int(owner, "sequence_length", sequence_length)
    if batch_size is not None:
        positive_int(owner, "batch_size", batch_size)
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if positive_int(owner, name, value) >= count:
            raise argument_error(owner, name, f"less than the {count} steps of data", value)
    start, end = start_index or 0, end_index or count
    if not 0 <= start < count:
        raise argument_error(owner, "start_index", f"at least 0 and less than the {count} steps of data", start)
    if end_index and not start < end < count:
        raise argument_error(owner, "end_index", f"more than start_index={start} and less than {count}", end)
    windows = end - start - (length - 1) * sampling_rate
    if targets is not None:
        windows = min(windows, len(targets))
    starts = np.arange(0, windows, sequence_stride)
    if shuffle:
        seed = np.random.randint(1_000_000) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)
    wanted = None if targets is None else as_tensor(targets)[start:end]
    if wanted is not None and len(starts) and starts.max() >= len(wanted):
        raise ValueError(
            f"{owner}: there must be a target for each window, at the place where it begins; got {len(targets)} for "
            f"windows that begin from {start} to {start + int(starts.max())}."
        )
    steps = torch.arange(length) * sampling_rate
    rows = _Windows(as_tensor(data)[start:end], wanted, torch.from_numpy(starts), steps)
    return shuffled_batches(rows, batch_size, shuffle, seed)
