"""CIFAR-100: colour pictures of 32×32 pixels, a hundred classes in twenty groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.errors import choice
from . import _cifar

Pair = tuple[NDArray[Any], NDArray[Any]]
_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
_HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> tuple[Pair, Pair]:
    """Load the pictures as `(x_train, y_train), (x_test, y_test)`.

    Args:
        label_mode: `'fine'` for the hundred classes, `'coarse'` for the twenty groups.

    Shape:
        x `(n, 32, 32, 3)`, or `(n, 3, 32, 32)` with `'channels_first'`, uint8 from 0 to 255; y `(n, 1)`.

    Raises:
        ValueError: Another `label_mode`.
        DownloadError: The files are not there and cannot be loaded.
        DatasetError: A file is damaged, or holds something other than arrays.
    """
    label_mode = choice("cifar100.load_data", "label_mode", label_mode, ("fine", "coarse"))
    path = _cifar.located("cifar100.load_data", "cifar-100-python", _ORIGIN, _HASH)
    train, test = _cifar.load_batches(path, ("train", "test"), f"{label_mode}_labels")
    pairs = [(np.ascontiguousarray(x), np.array(labels, dtype=np.int64).reshape(-1, 1)) for x, labels in (train, test)]
    return pairs[0], pairs[1]
