"""Where a data set's files are, and how they are read without running what is in them."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import pickle
import re
import struct
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .._core.errors import show
from ..utils.files import FOLDER_VARIABLE, DownloadError, get_file, provided

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
MAX_BYTES = 4 * 2**30
"""What one array or one member of an archive may take."""
_DAMAGE = (
    *(ValueError, TypeError, LookupError, AttributeError, OverflowError, MemoryError, RecursionError, SyntaxError),
    *(EOFError, RuntimeError, SystemError, pickle.UnpicklingError, struct.error, tokenize.TokenError, zlib.error),
    *(zipfile.BadZipFile, tarfile.TarError),
)
"""What numpy, pickle and the readers of archives raise over damaged files."""


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
    if not os.path.isabs(path) and (found := provided(path if folder != ".." else name)):
        return found
    try:
        return get_file(name, origin=origin, file_hash=file_hash, cache_subdir=os.path.join("datasets", folder))
    except DownloadError as error:
        raise DownloadError(
            f"{owner}: {error} Without a network, put {name} into a folder and name that in {FOLDER_VARIABLE}."
        ) from error


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
    except (*_DAMAGE, OSError) as error:
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
    with archive.open(info) as file:
        try:
            return _read_array(file, info.file_size)
        except _DAMAGE as error:
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
        value = unpickle(file)
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


class _ArrayUnpickler(pickle.Unpickler):
    """Makes arrays, numbers, texts and plain containers, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module.replace("numpy._core", "numpy.core"), name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the file names {show(f'{module}.{name}')}, which is no array; it is not read."
            ) from None


class _Dtype:
    """A type of numbers or texts as a pickle names it.

    numpy's own `dtype.__setstate__` believes what it is told, and the process ends when that is damaged; here a name
    and an order of bytes are all that counts.

    Args:
        name: Such as `'i8'`.
        options: Whether it is aligned, and a copy.
    """

    def __init__(self, name: str, *options: object) -> None:
        self._name = name.decode("ascii") if isinstance(name, bytes) else name
        if not isinstance(self._name, str) or not re.fullmatch(r"[biufOSU]\d{1,4}", self._name):
            raise pickle.UnpicklingError(f"arrays of type {show(name)} are not read.")
        self._order = "="

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("arrays of records are not read.")
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"the order of bytes {show(order)} is not known.")
        self._order = "=" if order == "|" else order

    def dtype(self) -> np.dtype[Any]:
        """Return numpy's type."""
        return np.dtype(self._name).newbyteorder(self._order)  # type: ignore[arg-type]


class _Array(np.ndarray[Any, Any]):
    """An array that a pickle fills; what it is filled with is checked before numpy sees it."""

    def __setstate__(self, state: Any) -> None:
        _, shape, stored, fortran, data = state
        if not isinstance(stored, _Dtype) or not isinstance(shape, tuple) or len(shape) > 32:
            raise pickle.UnpicklingError(f"an array of shape {show(shape)} and type {show(stored)} is not read.")
        dtype = stored.dtype()
        data = data.encode("latin1") if isinstance(data, str) else data
        if any(not isinstance(size, int) or size < 0 for size in shape) or not isinstance(data, (bytes, list)):
            raise pickle.UnpicklingError(f"an array of shape {show(shape)} is not read.")
        size = int(np.prod(shape, dtype=object)) * (1 if dtype.hasobject else dtype.itemsize)
        if len(data) != size or isinstance(data, list) != dtype.hasobject:
            raise pickle.UnpicklingError(f"an array of shape {shape} needs {size} elements or bytes; got {len(data)}.")
        super().__setstate__((1, shape, dtype, bool(fortran), data))  # type: ignore[arg-type]


def _reconstruct(kind: Any, shape: tuple[int, ...], code: bytes) -> NDArray[Any]:
    return np.ndarray.__new__(_Array, 0, np.dtype("b"))  # filled by its __setstate__, which follows


def _scalar(stored: _Dtype, data: bytes) -> Any:
    dtype = stored.dtype()
    if dtype.hasobject:
        raise pickle.UnpicklingError("a scalar of objects is not read.")
    return np.frombuffer(data, dtype=dtype, count=1)[0]


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"the encoding {encoding!r} is not read.")
    return codecs.encode(text, "latin1")


def _no_bytes() -> bytes:
    return b""  # protocol 2 writes empty bytes as a call


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy", "ndarray"): "ndarray",  # only ever an argument of _reconstruct; calling it would allocate
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
}


def unpickle(file: IO[bytes], encoding: str = "latin1") -> Any:
    """Read a pickle that may hold arrays, numbers, texts and plain containers only.

    Raises:
        pickle.UnpicklingError: It names anything else.
    """
    return _ArrayUnpickler(file, encoding=encoding).load()


def read_members(path: str, names: Iterable[str]) -> dict[str, bytes]:
    """Return files of a folder or of a `.tar.gz`, by the last part of their names; nothing is unpacked to the disk."""
    wanted = list(names)
    found: dict[str, bytes] = {}
    if os.path.isdir(path):
        for name in wanted:
            with open(os.path.join(path, name), "rb") as file:
                found[name] = file.read(MAX_BYTES)
        return found
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name in wanted and member.isfile():
                    if member.size > MAX_BYTES:
                        raise DatasetError(f"{path}: the member {name!r} is larger than {MAX_BYTES} bytes.")
                    source = archive.extractfile(member)
                    found[name] = source.read() if source is not None else b""
    except DatasetError:
        raise
    except (*_DAMAGE, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path}: the file is damaged: {error}") from error
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DatasetError(f"{path}: the archive has no {', '.join(missing)}.")
    return found


def unpickle_bytes(path: str, name: str, data: bytes) -> Any:
    """Read a pickled batch of CIFAR, whose texts are bytes."""
    try:
        return unpickle(io.BytesIO(data), encoding="bytes")
    except _DAMAGE as error:
        raise DatasetError(f"{path}: {name} cannot be read: {error}") from error
