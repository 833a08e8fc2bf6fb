"""HDF5 files of models: read with suspicion by `hdf5_format`, and written by h5py."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from . import file_kinds
from .file_kinds import FileError
from .hdf5_format import Corrupt, Dataset, Group, Source, Unsupported, open_root, parts

HEADER_LIMIT = 64512
"""Bytes that one attribute may take; longer lists are cut into `name0`, `name1`, …"""
REFERENCE = 16
"""Bytes that a string of variable length takes in its attribute, whatever its length."""
MAX_NAMES = 1_000_000
"""Names that one list in a file may hold."""

__all__ = ["Dataset", "FileError", "Group", "dataset", "find", "group", "parts", "read_names", "read_text", "reading"]


@contextlib.contextmanager
def reading(file: str | BinaryIO, caller: str, start: int = 0, size: int | None = None) -> Iterator[Group]:
    """Open a file for reading; yields its root.

    Args:
        file: The path, or a file that is open for reading bytes.
        caller: Who reads, for messages.
        start: Where HDF5 begins in an open file, as in an archive that holds it uncompressed.
        size: How many bytes belong to it; all that follow when `None`.

    Raises:
        FileError: No HDF5 file, or a damaged one, now or while what is in it is read.
    """
    where = f"{caller}({file if isinstance(file, str) else getattr(file, 'name', 'an open file')!r})"
    with contextlib.ExitStack() as opened:
        if isinstance(file, str):
            file_kinds.expect(file, caller, file_kinds.HDF5)
            file = opened.enter_context(open(file, "rb", buffering=0))
        try:
            yield open_root(_source(file, start, size))
        except Corrupt as error:
            raise FileError(f"{where}: the HDF5 file is corrupt: {error}.") from error
        except Unsupported as error:
            raise FileError(f"{where}: {error}. {ADVICE}") from error


def content_of(node: Any) -> io.BytesIO:
    """Return the bytes of a file that h5py has open, on a disk or in memory alone.

    Args:
        node: The file, or a group of it.
    """
    node.file.flush()
    return io.BytesIO(node.file.id.get_file_image())


ADVICE = "Files of models hold their data themselves; h5repack -l CONTI -f NONE writes a file anew."


def _source(file: BinaryIO, start: int, size: int | None) -> Source:
    if size is None:
        size = file.seek(0, os.SEEK_END) - start
        before = file_kinds.hdf5_start(file, start + size) or 0 if not start else 0
        start, size = start + before, size - before
    return Source(file, start, size)


def find(root: Group, path: str, caller: str) -> Group | Dataset | None:
    """Return the group or dataset at `path`, or `None`; every component must be a link of the file's own.

    Args:
        root: The group to start from.
        path: Components joined by `/`; never absolute.
        caller: Who reads, for messages.

    Raises:
        FileError: A soft or external link on the way.
    """
    node: Group | Dataset = root
    for part in parts(path):
        if not isinstance(node, Group) or part not in node.links():
            return None
        link = node.links()[part]
        if link.form != "hard":
            article = "a soft" if link.form == "soft" else "an external"
            raise FileError(f"{caller}: {part!r} in {path!r} is {article} link; weight files hold their own data.")
        node = node.child(part)
    return node


def group(root: Group, path: str, caller: str) -> Group:
    """Return the group at `path`; see `find`.

    Raises:
        FileError: There is none.
    """
    node = find(root, path, caller)
    if not isinstance(node, Group):
        raise FileError(f"{caller}: the file is corrupt: it has no group {path!r}.")
    return node


def dataset(root: Group, path: str, caller: str) -> Dataset:
    """Return the dataset at `path`, which holds its data in this file; nothing of the data is read.

    Raises:
        FileError: There is none, or its data are elsewhere.
    """
    node = find(root, path, caller)
    if not isinstance(node, Dataset):
        raise FileError(f"{caller}: the file is corrupt: it has no data {path!r}.")
    if node.external:
        raise FileError(f"{caller}: the data of {path!r} are kept in other files; weight files hold their own data.")
    if node.is_virtual:
        raise FileError(f"{caller}: {path!r} is a virtual dataset; weight files hold their own data.")
    return node


def write_names(place: Any, name: str, values: Sequence[str]) -> None:
    """Write a list of names as an attribute, in several ones where a single one would be too long.

    Args:
        place: The group.
        name: The attribute.
        values: The names.

    Raises:
        ValueError: A single name is too long.
    """
    encoded = [value.encode() for value in values]
    long = next((value for value in values if len(value.encode()) > HEADER_LIMIT), None)
    if long is not None:
        raise ValueError(
            f"save_weights: the name {long[:40]!r}… is longer than {HEADER_LIMIT} bytes; give a shorter one."
        )
    if len(encoded) * max([REFERENCE, *map(len, encoded)]) <= HEADER_LIMIT:
        place.attrs[name] = encoded  # strings of variable length, as Keras writes them
        return
    count = 1
    chunks = [np.asarray(encoded)]
    while any(chunk.nbytes > HEADER_LIMIT for chunk in chunks):
        count += 1
        chunks = np.array_split(np.asarray(encoded), count)
    for i, chunk in enumerate(chunks):
        place.attrs[f"{name}{i}" if count > 1 else name] = chunk


def read_names(place: Group, name: str, caller: str) -> list[str]:
    """Return a list of names that `write_names` or Keras wrote.

    Raises:
        FileError: No such attribute, or no list of names.
    """
    keys = [name]
    if name not in place.attrs:
        keys = []
        while f"{name}{len(keys)}" in place.attrs:
            keys.append(f"{name}{len(keys)}")
    if not keys:
        raise FileError(f"{caller}: the file is corrupt: {place.name!r} has no attribute {name!r}.")
    values: list[str] = []
    for key in keys:
        shape = place.attrs.shape_of(key)
        if shape is None or len(shape) != 1 or shape[0] > MAX_NAMES - len(values):
            raise FileError(f"{caller}: {key!r} of {place.name!r} is no list of names; it has shape {shape}.")
        values += [_text(value, key, place, caller) for value in place.attrs[key]]
    return values


def read_text(place: Group, name: str) -> str | None:
    """Return a text attribute, or `None` where there is none."""
    if name not in place.attrs:
        return None
    value = place.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def read_count(place: Group, name: str, caller: str) -> int:
    """Return a number of things that an attribute says.

    Raises:
        FileError: No such attribute, or no number of things.
    """
    value = place.attrs[name] if name in place.attrs and place.attrs.shape_of(name) == () else None
    if not isinstance(value, (int, np.integer)) or not 0 <= value <= MAX_NAMES:
        raise FileError(f"{caller}: the file is corrupt: {name!r} of {place.name!r} is no number of things.")
    return int(value)


def _text(value: Any, key: str, place: Group, caller: str) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else str(value + "")
    except (TypeError, UnicodeDecodeError):
        raise FileError(f"{caller}: {key!r} of {place.name!r} is no list of names; it holds {value!r}.") from None
