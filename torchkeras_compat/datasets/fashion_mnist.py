"""Fashion-MNIST: articles of clothing of 28×28 pixels."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..utils.files import provided
from . import _files

Pair = tuple[NDArray[Any], NDArray[Any]]
_FOLDER = "fashion-mnist"
_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def load_data() -> tuple[Pair, Pair]:
    """Load the pictures as `(x_train, y_train), (x_test, y_test)`.

    Shape:
        x `(n, 28, 28)`, uint8 from 0 to 255; y `(n,)`, 0 to 9: top, trouser, pullover, dress, coat, sandal, shirt,
        sneaker, bag, ankle boot.

    Raises:
        DownloadError: The files are not there and cannot be loaded.
        DatasetError: A file is damaged.
    """
    x_train, y_train, x_test, y_test = (_read_idx(_located(name)) for name in _FILES)
    return (x_train, y_train), (x_test, y_test)


def _located(name: str) -> str:
    path = os.path.join(_FOLDER, name)
    return provided(path) or _files.locate("fashion_mnist.load_data", path, _files.ORIGIN + name)


def _read_idx(path: str) -> NDArray[np.uint8]:
    """Read the format that the files of MNIST came in: a type, the sizes of the axes, the bytes."""
    try:
        with gzip.open(path, "rb") as file:
            zero, kind, axes = int.from_bytes(file.read(2), "big"), file.read(1), int.from_bytes(file.read(1), "big")
            shape = tuple(int.from_bytes(file.read(4), "big") for _ in range(axes))
            count = int(np.prod(shape, dtype=object))
            if zero or kind != b"\x08" or not axes or count > _files.MAX_BYTES:
                raise _files.DatasetError(f"{path}: the file is not one of bytes in the IDX format.")
            data = file.read(count)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and not os.path.isfile(path):
            raise
        raise _files.DatasetError(f"{path}: the file is damaged: {error}") from error
    if len(data) != count:
        raise _files.DatasetError(f"{path}: the file is cut short: {len(data)} of {count} bytes.")
    return np.frombuffer(bytearray(data), dtype=np.uint8).reshape(shape)
