"""CIFAR-10: colour pictures of 32×32 pixels, ten classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _cifar

Pair = tuple[NDArray[Any], NDArray[Any]]
_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))


def load_data() -> tuple[Pair, Pair]:
    """Load the pictures as `(x_train, y_train), (x_test, y_test)`.

    Shape:
        x `(n, 32, 32, 3)`, or `(n, 3, 32, 32)` with `'channels_first'`, uint8 from 0 to 255; y `(n, 1)`, uint8:
        airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Raises:
        DownloadError: The files are not there and cannot be loaded.
        DatasetError: A file is damaged, or holds something other than arrays.
    """
    path = _cifar.located("cifar10.load_data", "cifar-10-batches-py", _ORIGIN, _HASH)
    *train, test = _cifar.load_batches(path, (*_TRAIN, "test_batch"), "labels")
    x_train = np.concatenate([x for x, _ in train])
    y_train = np.concatenate([np.array(labels, dtype=np.uint8) for _, labels in train]).reshape(-1, 1)
    return (x_train, y_train), (np.ascontiguousarray(test[0]), np.array(test[1], dtype=np.uint8).reshape(-1, 1))
