"""The helpers of `keras.utils.data_utils`, `keras.utils.io_utils` and `keras.datasets.cifar`.

Source: those modules in Keras 2.0.8 and 2.3.1.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ...datasets import _cifar
from ...utils import files

Array = np.ndarray[Any, Any]


def hash_file(fpath: str, algorithm: str = "sha256", chunk_size: int = 65535) -> str:
    """Return the hash of a file.

    Args:
        fpath: The file.
        algorithm: `'sha256'`, or anything else for `'md5'`.
        chunk_size: Of no effect.

    Example:
        >>> hash_file(os.devnull, 'md5')
        'd41d8cd98f00b204e9800998ecf8427e'
    """
    return files.hash_of(fpath, "sha256" if algorithm == "sha256" else "md5")


def validate_file(fpath: str, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Tell whether a file has a hash.

    Args:
        fpath: The file.
        file_hash: The hash that it is to have.
        algorithm: `'sha256'`, `'md5'`, or `'auto'`, which goes by the hash's length.
        chunk_size: Of no effect.

    Example:
        >>> validate_file(os.devnull, 'd41d8cd98f00b204e9800998ecf8427e')
        True
    """
    return files.hash_of(fpath, files.algorithm_of(file_hash, algorithm)) == str(file_hash).lower()


def load_batch(fpath: str, label_key: str = "labels") -> tuple[Array, list[int]]:
    """Return the pictures, channels first, and the labels of one file of CIFAR's.

    Args:
        fpath: The file, as it is in the archive.
        label_key: What the labels are called in it: `'labels'`, `'fine_labels'` or `'coarse_labels'`.

    Raises:
        DatasetError: The file is no such batch.
    """
    with open(fpath, "rb") as file:
        return _cifar.channels_first_batch(fpath, os.path.basename(fpath), file.read(), label_key)


def ask_to_proceed_with_overwrite(filepath: str) -> bool:
    """Ask on the screen whether a file is to be written over.

    Args:
        filepath: The file.

    Returns:
        Whether the answer was yes.
    """
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"{filepath} is there already; overwrite it? [y/n] ").strip().lower()
    return answer == "y"
