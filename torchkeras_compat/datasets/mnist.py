"""MNIST: handwritten digits of 28×28 pixels."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from . import _files

Pair = tuple[NDArray[Any], NDArray[Any]]
_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> tuple[Pair, Pair]:
    """Load the digits as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: Name in the cache (`~/.keras/datasets`), or the path of a file of your own.

    Shape:
        x `(n, 28, 28)`, uint8 from 0 to 255; y `(n,)`, 0 to 9.

    Raises:
        DownloadError: The file is not there and cannot be loaded.
        DatasetError: The file is damaged.
    """
    file = _files.locate("mnist.load_data", path, _files.ORIGIN + "mnist.npz", _HASH)
    x_train, y_train, x_test, y_test = _files.read_npz(file, ("x_train", "y_train", "x_test", "y_test"))
    return (x_train, y_train), (x_test, y_test)
