"""Archives are unpacked into a fresh folder, checked there, and only then moved to their place."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from .._core.errors import choice

MAX_BYTES = 64 * 2**30
"""What the members of an archive may sum up to; raise it for a larger data set that you trust."""
MAX_MEMBERS = 5_000_000
_CHUNK = 2**20
DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, struct.error, EOFError),
    *(ValueError, LookupError, OverflowError, NotImplementedError, RuntimeError),
)
"""What the readers of archives raise over damaged or encrypted ones, beside `OSError`."""
_OF_THE_ARCHIVE = (None, *(getattr(errno, name) for name in "EINVAL EEXIST ENOTDIR EISDIR ENAMETOOLONG ELOOP".split()))
"""Errors of the system that nothing but an archive can cause in a fresh folder; others are such as of a full disk."""


class ArchiveError(ValueError):
    """An archive that is damaged, or that would write outside its folder."""


def extract(path: str, folder: str, archive_format: str | Iterable[str] | None = "auto") -> bool:
    """Unpack an archive into `folder`; return whether it is one.

    Args:
        path: The archive.
        folder: Where its members go; what is there and not in the archive stays.
        archive_format: `'tar'`, `'zip'`, `'auto'` for either, or a list of those; with `None` nothing is done.

    Raises:
        ArchiveError: A member that leaves the folder, an archive that is damaged or larger than `MAX_BYTES`.
    """
    for name in _formats(archive_format):
        known, unpack = _FORMATS[name]
        if known(path):
            fresh = tempfile.mkdtemp(prefix=".unpacking-", dir=folder)
            try:
                _unpack(unpack, path, fresh)
                _move(fresh, folder)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
            return True
    return False


def _formats(value: str | Iterable[str] | None) -> list[str]:
    if value is None:
        return []
    names = list(_FORMATS) if value == "auto" else [value] if isinstance(value, str) else list(value)
    return [choice("get_file", "archive_format", name, _FORMATS) for name in names]


def _unpack(unpack: Callable[[str, str], None], path: str, fresh: str) -> None:
    try:
        unpack(path, fresh)
    except ArchiveError:
        raise
    except (*DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _OF_THE_ARCHIVE:
            raise
        raise ArchiveError(
            f"{path}: the archive is damaged, or not safe to unpack: {error}. Delete it to have it loaded again."
        ) from error
    root = os.path.realpath(fresh)
    for parent, folders, files in os.walk(fresh):
        for name in folders + files:
            real = os.path.realpath(os.path.join(parent, name))
            if os.path.commonpath([root, real]) != root:
                raise ArchiveError(f"{path}: the member {name!r} points outside the archive's folder.")


def _checked(path: str, name: str) -> PurePosixPath:
    """Return a member's name as a path below the folder, or refuse it."""
    member = PurePosixPath(name)
    drive = len(name) > 1 and name[1] == ":"
    if member.is_absolute() or drive or "\\" in name or "\0" in name or ".." in member.parts:
        raise ArchiveError(f"{path}: the member {name!r} leaves the archive's folder.")
    return member


class _Budget:
    """How much an archive may still unpack."""

    def __init__(self, path: str, folder: str) -> None:
        self.path = path
        self.left = min(MAX_BYTES, shutil.disk_usage(folder).free)
        self.members = MAX_MEMBERS

    def take(self, size: int) -> None:
        self.left -= max(size, 0)
        self.members -= 1
        if self.left < 0 or self.members < 0:
            raise ArchiveError(
                f"{self.path}: the archive unpacks to more than the disk or "
                f"utils.archives.MAX_BYTES ({MAX_BYTES}) allows."
            )


def _untar(path: str, fresh: str) -> None:
    budget = _Budget(path, fresh)
    links: set[PurePosixPath] = set()
    paths: set[PurePosixPath] = set()
    members = []
    with tarfile.open(path) as archive:
        for member in archive:
            budget.take(member.size)
            name = _checked(path, member.name)
            if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
                raise ArchiveError(f"{path}: the member {member.name!r} is a device or a pipe.")
            if member.issym() or member.islnk():
                _check_link(path, member, name)
                links.add(name)
            paths.add(name)
            members.append(member)
        _check_chains(path, members, links, paths)
        for member in members:
            _extract_member(archive, member, fresh)


def _extract_member(archive: tarfile.TarFile, member: tarfile.TarInfo, fresh: str) -> None:
    if hasattr(tarfile, "data_filter"):
        archive.extract(member, fresh, filter="data")
        return
    member.mode = 0o755 if member.isdir() else 0o644  # early releases of 3.10 and 3.11 have no filters
    archive.extract(member, fresh, set_attrs=False)


def _check_link(path: str, member: tarfile.TarInfo, name: PurePosixPath) -> None:
    base = PurePosixPath() if member.islnk() else name.parent
    target = os.path.normpath(base / member.linkname)
    outside = os.path.isabs(member.linkname) or target.split(os.sep)[0] == ".." or "\\" in member.linkname
    if outside or len(member.linkname) > 1024:
        raise ArchiveError(f"{path}: the link {member.name!r} → {member.linkname!r} leaves the archive's folder.")


def _check_chains(
    path: str, members: list[tarfile.TarInfo], links: set[PurePosixPath], paths: set[PurePosixPath]
) -> None:
    """Refuse a member below a link, and a link through a link: only then a name says where it lies."""
    for member in members:
        name = PurePosixPath(member.name)
        ways = [name.parent, *name.parent.parents]
        if name in links and not (member.issym() or member.islnk()):
            ways.append(name)  # a file of the same name would be written through the link
        if member.issym() or member.islnk():
            base = PurePosixPath() if member.islnk() else name.parent
            target = PurePosixPath(os.path.normpath(base / member.linkname))
            raw = base / member.linkname
            ways += [target, *target.parents, *raw.parents]
            if member.islnk() and target not in paths:
                raise ArchiveError(f"{path}: the link {member.name!r} names no member: {member.linkname!r}.")
        if links.intersection(ways):
            raise ArchiveError(f"{path}: the member {member.name!r} goes through a link.")


def _unzip(path: str, fresh: str) -> None:
    budget = _Budget(path, fresh)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            budget.take(member.file_size)
            name = _checked(path, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise ArchiveError(f"{path}: the member {member.filename!r} is a link.")
            target = Path(fresh, *name.parts)
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, open(target, "wb") as sink:
                _copy(path, source.read, sink.write, member.file_size)


def _copy(path: str, read: Callable[[int], bytes], write: Callable[[bytes], object], size: int) -> None:
    while block := read(_CHUNK):
        size -= len(block)
        if size < 0:
            raise ArchiveError(f"{path}: a member is longer than it says.")
        write(block)


def _move(source: str, target: str) -> None:
    """Move what is in `source` to `target`; folders on both sides are merged, nothing else there is touched."""
    for entry in sorted(os.listdir(source)):
        here, there = os.path.join(source, entry), os.path.join(target, entry)
        folder = os.path.isdir(here) and not os.path.islink(here)
        if folder and os.path.isdir(there) and not os.path.islink(there):
            _move(here, there)
        elif os.path.isdir(there) and not folder and not os.path.islink(there):
            raise ArchiveError(f"{there}: a folder stands where the archive has a file.")
        elif folder and os.path.lexists(there):
            raise ArchiveError(f"{there}: a file or a link stands where the archive has a folder.")
        else:
            os.replace(here, there)


_FORMATS: dict[str, tuple[Callable[[str], bool], Callable[[str, str], None]]] = {
    "tar": (tarfile.is_tarfile, _untar),
    "zip": (zipfile.is_zipfile, _unzip),
}
