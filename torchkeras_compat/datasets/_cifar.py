"""The pickled batches that CIFAR-10 and CIFAR-100 come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import settings
from ..utils.files import FOLDER_VARIABLE, DownloadError, get_file, provided
from . import _files

_SHAPE = (3, 32, 32)


def located(owner: str, folder: str, origin: str, file_hash: str) -> str:
    """Return the folder with the batches, or the archive if the user gave one."""
    for name in (folder, f"{folder}.tar.gz", origin.rsplit("/", 1)[-1]):
        if path := provided(name):
            return path
    try:
        return get_file(folder, origin=origin, untar=True, file_hash=file_hash)
    except DownloadError as error:
        raise DownloadError(
            f"{owner}: {error} Without a network, put {folder}.tar.gz into a folder and name that in {FOLDER_VARIABLE}."
        ) from error


def load_batches(path: str, names: Sequence[str], label_key: str) -> list[tuple[NDArray[Any], list[int]]]:
    """Return the pictures, in the process's image format, and the labels of each batch."""
    members = _files.read_members(path, names)
    return [_batch(path, name, members[name], label_key) for name in names]


def _batch(path: str, name: str, data: bytes, label_key: str) -> tuple[NDArray[Any], list[int]]:
    x, labels = channels_first_batch(path, name, data, label_key)
    return (x.transpose(0, 2, 3, 1) if settings.image_data_format() == "channels_last" else x), labels


def channels_first_batch(path: str, name: str, data: bytes, label_key: str) -> tuple[NDArray[Any], list[int]]:
    """Return the pictures, channels first, and the labels of the content of a file."""
    batch = _files.unpickle_bytes(path, name, data)
    try:
        x, labels = batch[b"data"], batch[label_key.encode()]
        x = np.asarray(x, dtype=np.uint8).reshape((len(labels), *_SHAPE))
        labels = [int(label) for label in labels]
    except (KeyError, TypeError, ValueError) as error:
        raise _files.DatasetError(f"{path}: {name} is no batch of pictures with {label_key}: {error}") from error
    return x, labels
