"""Tables of numbers, one row a sample: how they are put in order and split."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pair = tuple[NDArray[Any], NDArray[Any]]


def split_rows(x: NDArray[Any], y: NDArray[Any], test_split: float, seed: int) -> tuple[Pair, Pair]:
    """Return the shuffled rows as `(x_train, y_train), (x_test, y_test)`.

    Args:
        x: The table.
        y: The target of each row.
        test_split: Fraction of the rows that are for testing: the last ones.
        seed: Seed of the order.
    """
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    train, test = np.split(order, [int(len(x) * (1 - test_split))])
    return (x[train], y[train]), (x[test], y[test])
