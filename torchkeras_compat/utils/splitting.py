"""A data set in two parts."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Subset, TensorDataset

from .._core import randomness
from .._core.errors import show


def split_dataset(
    dataset: Any,
    left_size: int | float | None = None,
    right_size: int | float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Dataset[Any], Dataset[Any]]:
    """Split a data set into a left and a right part.

    Args:
        dataset: A `torch.utils.data.Dataset` with a length, an array, or a tuple or list of arrays of one length.
        left_size: Samples on the left, or their fraction.
        right_size: Samples on the right, or their fraction.
        shuffle: Whether the order is shuffled first.
        seed: Seed of the shuffling.

    Raises:
        TypeError: A data set without a length, or a size that is no number.
        ValueError: Sizes that do not fit the data.

    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), len(right)
        (8, 2)
    """
    data = _as_dataset(dataset)
    total = len(data)
    left, right = _sizes(left_size, right_size, total)
    order = list(range(total))
    if shuffle:
        random.Random(randomness.draw_seed() if seed is None else seed).shuffle(order)
    return Subset(data, order[:left]), Subset(data, order[total - right :])


def _as_dataset(dataset: Any) -> Any:
    if isinstance(dataset, Dataset):
        if not hasattr(dataset, "__len__"):
            raise TypeError(f"split_dataset(dataset={show(dataset)}): the dataset must have a length.")
        return dataset
    arrays = dataset if isinstance(dataset, (tuple, list)) else (dataset,)
    tensors = [a if isinstance(a, torch.Tensor) else torch.as_tensor(np.asarray(a)) for a in arrays]
    if len({len(tensor) for tensor in tensors}) != 1:
        raise ValueError(f"split_dataset: the arrays must have one length; got {[len(tensor) for tensor in tensors]}.")
    return TensorDataset(*tensors)


def _size(argument: str, value: int | float | None, total: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(
            f"split_dataset({argument}={show(value)}): {argument} must be an integer or a fraction; got {show(value)}."
        )
    limit = 1 if isinstance(value, float) else total
    if not 0 < value < limit:
        raise ValueError(
            f"split_dataset({argument}={value}): {argument} must be an integer between 0 and {total}, both excluded, "
            f"or a fraction between 0 and 1; got {value}."
        )
    return round(value * total) if isinstance(value, float) else value


def _sizes(left_size: int | float | None, right_size: int | float | None, total: int) -> tuple[int, int]:
    left, right = _size("left_size", left_size, total), _size("right_size", right_size, total)
    if left is None and right is None:
        raise ValueError("split_dataset: give left_size, right_size or both.")
    left = total - (right or 0) if left is None else left
    right = total - left if right is None else right
    if left + right > total:
        raise ValueError(
            f"split_dataset(left_size={left_size}, right_size={right_size}): the parts together must not be more than "
            f"the {total} samples; got {left + right}."
        )
    for argument, part in (("left_size", left), ("right_size", right)):
        if part == 0:
            raise ValueError(f"split_dataset: {argument} leaves no sample of {total}.")
    return left, right
