"""Where a data set's files are, and how they are read without running what is in them."""

from __future__ import annotations

import json
import os
import pickle
import tarfile
import tokenize
import zipfile
from collections.abc import Callable, Iterable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .._core.errors import show
from ..utils.archives import DAMAGE
from ..utils.files import FOLDER_VARIABLE, file_of_package, provided
from ._pickles import unpickle

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
MAX_BYTES = 4 * 2**30
"""What one array or one member of an archive may take."""
MAX_EXPANSION = 100
"""How many times its packed size an array of more than 64 MB may have; pictures have five times that."""
_DAMAGED_ARRAY = (
    *(*DAMAGE, TypeError, AttributeError, MemoryError, SyntaxError, SystemError),
    *(pickle.UnpicklingError, tokenize.TokenError),
)
"""What numpy and pickle raise over damaged arrays, and the archive that they are read from."""


class DatasetError(ValueError):
    """A data set's file that is damaged, or holds something other than arrays."""


def locate(owner: str, path: str, origin: str, file_hash: str | None = None) -> str:
    """Return where the file of a data set is, and load it into the cache if it is nowhere yet.

    Args:
        owner: Whose file it is, for messages.
        path: A name in the cache, or the path of a file of the user's own, which is taken as it is.
        origin: The URL.
        file_hash: Checked in the cache and after a download.
    """
    path = os.path.expanduser(os.fspath(path))
    if os.path.isabs(path) and os.path.exists(path):
        return path
    folder, name = os.path.split(path)
    if not os.path.isabs(path) and (own := provided(path if folder != ".." else name)):
        return own
    return file_of_package(
        owner,
        name,
        origin,
        without_network=f"put {name} into a folder and name that in {FOLDER_VARIABLE}.",
        file_hash=file_hash,
        cache_subdir=os.path.join("datasets", folder),
    )


def read_json(path: str) -> Any:
    """Return what a JSON file holds."""
    with open(path, encoding="utf-8") as file:
        try:
            return json.load(file)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{path}: the file is damaged: {error}") from error


def read_npz(path: str, names: Iterable[str]) -> list[NDArray[Any]]:
    """Return arrays of an `.npz` file; arrays of objects are read without letting them name any code."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [_member_array(path, archive, name) for name in names]
    except DatasetError:
        raise
    except (*DAMAGE, OSError) as error:
        if isinstance(error, OSError) and not os.path.isfile(path):
            raise
        raise DatasetError(f"{path}: the file is damaged: {error}") from error


def _member_array(path: str, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        held = ", ".join(sorted(member.removesuffix(".npy") for member in archive.namelist()))
        raise DatasetError(f"{path}: the file has no array {name!r}; it has {held}.") from None
    if info.file_size > MAX_BYTES:
        raise DatasetError(f"{path}: the array {name!r} is larger than datasets._files.MAX_BYTES, {MAX_BYTES} bytes.")
    if info.file_size > max(64 * 2**20, MAX_EXPANSION * info.compress_size):
        raise DatasetError(
            f"{path}: the array {name!r} unpacks from {info.compress_size:,} to {info.file_size:,} bytes; "
            f"datasets._files.MAX_EXPANSION allows {MAX_EXPANSION} times as many."
        )
    with archive.open(info) as file:
        try:
            return _read_array(file, info.file_size)
        except _DAMAGED_ARRAY as error:
            raise DatasetError(f"{path}: the array {name!r} cannot be read: {error}") from error


def _read_array(file: IO[bytes], size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    headers: dict[tuple[int, int], Callable[..., Any]] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in headers:
        raise ValueError(f"the format {version} is not known")
    shape, fortran, dtype = headers[version](file)
    if dtype.hasobject:
        value = unpickle(file.read(size))
        if not isinstance(value, np.ndarray) or value.shape != shape:
            raise ValueError(f"an array of shape {shape} was promised; got {show(value)}")
        return np.asarray(value)
    count = int(np.prod(shape, dtype=object))
    declared = count * dtype.itemsize
    if not 0 <= declared <= size:  # compared before anything is allocated
        raise ValueError(f"shape {shape} needs {declared} bytes, the file has {size}")
    data = file.read(declared)
    if len(data) != declared:
        raise ValueError("the file is cut short")
    return np.frombuffer(bytearray(data), dtype=dtype, count=count).reshape(shape, order="F" if fortran else "C")


def read_members(path: str, names: Iterable[str]) -> dict[str, bytes]:
    """Return files of a folder or of a `.tar.gz`, by the last part of their names; nothing is unpacked to the disk."""
    wanted = list(names)
    contents: dict[str, bytes] = {}
    if os.path.isdir(path):
        for name in wanted:
            with open(os.path.join(path, name), "rb") as file:
                contents[name] = file.read(MAX_BYTES)
        return contents
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name in wanted and member.isfile():
                    if member.size > MAX_BYTES:
                        raise DatasetError(f"{path}: the member {name!r} is larger than {MAX_BYTES} bytes.")
                    source = archive.extractfile(member)
                    contents[name] = source.read() if source is not None else b""
    except DatasetError:
        raise
    except DAMAGE as error:
        raise DatasetError(f"{path}: the file is damaged: {error}") from error
    missing = [name for name in wanted if name not in contents]
    if missing:
        raise DatasetError(f"{path}: the archive has no {', '.join(missing)}.")
    return contents


def unpickle_bytes(path: str, name: str, data: bytes) -> Any:
    """Read a pickled batch of CIFAR, whose texts are bytes."""
    try:
        return unpickle(data, encoding="bytes")
    except _DAMAGED_ARRAY as error:
        raise DatasetError(f"{path}: {name} cannot be read: {error}") from error
