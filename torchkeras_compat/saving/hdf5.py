"""HDF5 files, read with suspicion: no links out of the file, no data kept elsewhere, nothing larger than expected."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

HEADER_LIMIT = 64512
"""Bytes that one attribute may take; longer lists are cut into `name0`, `name1`, …"""
REFERENCE = 16
"""Bytes that a string of variable length takes in its attribute, whatever its length."""
MAX_NAMES = 1_000_000
"""Names that one list in a file may hold."""


class FileError(ValueError):
    """A file that is damaged, not of the expected kind, or asks for something that no weight file needs."""


def parts(name: str) -> list[str]:
    """Return the components of a path inside a file, as HDF5 reads it.

    Example:
        >>> parts('/a/./b//c')
        ['a', 'b', 'c']
    """
    return [part for part in name.split("/") if part not in ("", ".")]


@contextlib.contextmanager
def reading(path: str, caller: str) -> Iterator[Any]:
    """Open a file for reading; yields its root.

    Args:
        path: The file.
        caller: Who reads, for messages.

    Raises:
        FileError: No HDF5 file, or a damaged one.
    """
    import h5py

    with open(path, "rb") as file:  # FileNotFoundError, IsADirectoryError and PermissionError speak for themselves
        head = file.read(8)
    try:
        opened = h5py.File(path, "r")
    except OSError as error:
        raise FileError(f"{caller}({path!r}): {_what_it_is(head)}: {error}") from error
    with opened as root:
        yield root


def _what_it_is(head: bytes) -> str:
    if head == b"\x89HDF\r\n\x1a\n":
        return "the HDF5 file is corrupt"
    if head.startswith(b"PK"):
        return "a zip archive, as .keras files are, not an HDF5 file"
    return "not an HDF5 file, or a corrupt one"


def find(root: Any, path: str, caller: str) -> Any:
    """Return the group or dataset at `path`, or `None`; every component must be a plain link inside the file.

    Args:
        root: The group to start from.
        path: Components joined by `/`; never absolute.
        caller: Who reads, for messages.

    Raises:
        FileError: A soft or external link on the way.
    """
    import h5py

    node = root
    for part in parts(path):
        if not isinstance(node, h5py.Group):
            return None
        links = node.id.links  # looks at the link itself; Group.get would follow it to ask whether its target is there
        if not links.exists(part.encode()):
            return None
        kind = links.get_info(part.encode()).type
        if kind != h5py.h5l.TYPE_HARD:
            article = "a soft" if kind == h5py.h5l.TYPE_SOFT else "an external"
            raise FileError(f"{caller}: {part!r} in {path!r} is {article} link; weight files hold their own data.")
        node = node[part]
    return node


def group(root: Any, path: str, caller: str) -> Any:
    """Return the group at `path`; see `find`.

    Raises:
        FileError: There is none.
    """
    import h5py

    found = find(root, path, caller)
    if not isinstance(found, h5py.Group):
        raise FileError(f"{caller}: the file is corrupt: it has no group {path!r}.")
    return found


def dataset(root: Any, path: str, caller: str) -> Any:
    """Return the dataset at `path`, which holds its data in this file; nothing of the data is read.

    Raises:
        FileError: There is none, or its data are elsewhere.
    """
    import h5py

    found = find(root, path, caller)
    if not isinstance(found, h5py.Dataset):
        raise FileError(f"{caller}: the file is corrupt: it has no data {path!r}.")
    if found.external:
        raise FileError(f"{caller}: the data of {path!r} are kept in other files; weight files hold their own data.")
    if found.is_virtual:
        raise FileError(f"{caller}: {path!r} is a virtual dataset; weight files hold their own data.")
    return found


@contextlib.contextmanager
def damage(path: str, caller: str) -> Iterator[None]:
    """Turn whatever h5py raises over a damaged file into one error.

    Args:
        path: The file, for the message.
        caller: Who reads, for the message.

    Raises:
        FileError: Instead of h5py's error.
    """
    try:
        yield
    except FileError:
        raise
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, MemoryError) as error:
        raise FileError(f"{caller}({path!r}): the file is corrupt: {error}") from error


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


def read_names(place: Any, name: str, caller: str) -> list[str]:
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
        stored = place.attrs.get_id(key)
        most = HEADER_LIMIT // REFERENCE if stored.dtype.kind == "O" else MAX_NAMES - len(values)
        if len(stored.shape) != 1 or stored.shape[0] > most:
            raise FileError(f"{caller}: {key!r} of {place.name!r} is no list of names; it has shape {stored.shape}.")
        values += [_text(value, key, place, caller) for value in place.attrs[key]]
    return values


def read_text(place: Any, name: str) -> str | None:
    """Return a text attribute, or `None` where there is none."""
    if name not in place.attrs:
        return None
    value = place.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def read_count(place: Any, name: str, caller: str) -> int:
    """Return a number of things that an attribute says.

    Raises:
        FileError: No such attribute, or no number of things.
    """
    stored = place.attrs.get_id(name) if name in place.attrs else None
    if stored is None or stored.shape != () or stored.dtype.kind not in "iu" or not 0 <= place.attrs[name] <= MAX_NAMES:
        raise FileError(f"{caller}: the file is corrupt: {name!r} of {place.name!r} is no number of things.")
    return int(place.attrs[name])


def _text(value: Any, key: str, place: Any, caller: str) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else str(value + "")
    except (TypeError, UnicodeDecodeError):
        raise FileError(f"{caller}: {key!r} of {place.name!r} is no list of names; it holds {value!r}.") from None


def looks_like(path: str | os.PathLike[str], suffix: str) -> bool:
    """Tell whether a file of this name with `suffix` added is there."""
    return os.path.exists(f"{os.fspath(path)}{suffix}")
