"""The `.keras` archive: a zip of `config.json`, `metadata.json` and `model.weights.h5`, read and written in place.

The HDF5 file inside is neither copied nor unpacked: h5py reads and writes it through a window over the archive.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, cast

from ..utils.archives import DAMAGE
from . import hdf5, limits
from .checksums import Checksums
from .flushing import flushed
from .hdf5 import FileError, Group
from .hdf5_output import shielded
from .replacing import replacing

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


class _Window:
    """The end of a file that is being written, as a file of its own for h5py.

    Args:
        file: The file around it.
        start: Where the window begins.
        thread: What takes checksums.
    """

    def __init__(self, file: BinaryIO, start: int, thread: ThreadPoolExecutor) -> None:
        self._file, self._start = file, start
        self._checksums = Checksums(file, thread)
        self._place = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place, counted from the start, from here or from the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    @property
    def size(self) -> int:
        """Bytes in the window."""
        return max(self._file.seek(0, os.SEEK_END) - self._start, 0)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what has been written."""
        self._file.seek(self._start + self._place)
        count: int = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._place += count
        return count

    def read(self, size: int = -1) -> bytes:
        """Return what has been written; by this method h5py knows a file."""
        buffer = bytearray(max(self.size - self._place, 0) if size < 0 else size)
        return bytes(buffer[: self.readinto(buffer)])

    def write(self, data: Any) -> int:
        """Write bytes at the place."""
        self._file.seek(self._start + self._place)
        count = self._checksums.write(data)
        self._place += count
        return count

    def checksum(self) -> int:
        """Return the CRC-32 of what has been written."""
        return self._checksums.of(self._start, self.size)

    def truncate(self, size: int) -> int:
        """Cut the window, or make it larger."""
        self._checksums.forget(self._start + size)
        self._file.truncate(self._start + size)
        return size

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._file.flush()


# --- writing ---------------------------------------------------------------------------------------------------------


class Writer:
    """An archive that is being written.

    Args:
        file: The file, open for reading and writing.
        archive: The zip over it.
    """

    def __init__(self, file: BinaryIO, archive: zipfile.ZipFile) -> None:
        self._file, self._archive = file, archive

    def text(self, name: str, value: Any) -> None:
        """Write a member as JSON."""
        self._archive.writestr(zipfile.ZipInfo(name), json.dumps(value))  # of no date: equal models make equal files

    @contextlib.contextmanager
    def hdf5(self, name: str = WEIGHTS) -> Iterator[Any]:
        """Write an HDF5 member; yields its root."""
        file, archive = self._file, self._archive
        info = zipfile.ZipInfo(name)
        info.CRC = info.file_size = 0  # known in the end
        info.header_offset = file.seek(archive.start_dir)
        file.write(info.FileHeader(zip64=True))
        with ThreadPoolExecutor(1, "checksum") as thread:
            window = _Window(file, file.tell(), thread)
            with shielded(window) as root:
                yield root
        info.file_size = info.compress_size = window.size
        info.CRC = window.checksum()
        # What HDF5 wrote is a stored member once its header says so: a zip is a row of members and a list of them.
        file.seek(info.header_offset)
        file.write(info.FileHeader(zip64=True))
        archive.filelist.append(info)
        archive.NameToInfo[name] = info
        archive.start_dir = file.seek(0, os.SEEK_END)


@contextlib.contextmanager
def writing(path: str) -> Iterator[Writer]:
    """Write an archive.

    Args:
        path: Where; what was there is as it was until the archive is whole.
    """
    with replacing(path) as temporary, flushed(temporary) as file, zipfile.ZipFile(file, "w") as archive:
        yield Writer(file, archive)


# --- reading ---------------------------------------------------------------------------------------------------------


class Reader:
    """An archive that is being read.

    Args:
        file: The file.
        archive: The zip over it.
        caller: Who reads, for messages.
    """

    def __init__(self, file: BinaryIO, archive: zipfile.ZipFile, caller: str) -> None:
        self._file, self._archive, self.caller = file, archive, caller
        self.names = tuple(archive.NameToInfo)
        if len(self.names) < len(archive.filelist):
            twice = next(info for info in archive.filelist if archive.NameToInfo[info.filename] is not info)
            raise FileError(f"{caller}: the archive has {twice.filename!r} twice.")

    def json(self, name: str) -> Any:
        """Return what a member says.

        Raises:
            FileError: There is no such member, it is too large, or no JSON.
        """
        return limits.parse_json(self._text(name), self.caller, f"{name!r} in the archive")

    def lines(self, name: str) -> list[str]:
        """Return the lines of a text.

        Raises:
            FileError: There is no such member, it is too large, or no text.
        """
        try:
            return self._text(name).decode().split("\n")
        except UnicodeDecodeError as error:
            raise FileError(f"{self.caller}: {name!r} in the archive is no text: {error}.") from error

    @contextlib.contextmanager
    def hdf5(self, name: str = WEIGHTS) -> Iterator[Group]:
        """Read an HDF5 member; yields its root.

        Raises:
            FileError: There is no such member, or it is damaged.
        """
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED:
            with hdf5.reading(io.BytesIO(self._bytes(info)), self.caller, 0, info.file_size) as root:
                yield root
            return
        start = self._start(info)
        # Nobody takes what is read for the file's before the block ends, and by then the CRC-32 is known.
        with ThreadPoolExecutor(1, "checksum") as thread:
            checksums = Checksums(self._file, thread)
            try:
                with hdf5.reading(cast(BinaryIO, checksums), self.caller, start, info.file_size) as root:
                    yield root
            finally:  # whatever else is wrong with what was read, damage to the archive is why
                if checksums.of(start, info.file_size) != info.CRC:
                    with _sound(self.caller):
                        raise zipfile.BadZipFile(f"Bad CRC-32 for file {info.filename!r}")

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self.names:
            listed = ", ".join(map(repr, self.names[:8]))
            raise FileError(f"{self.caller}: the archive has no {name!r}, so no model of Keras; it has {listed}.")
        return self._archive.getinfo(name)

    def _text(self, name: str) -> bytes:
        """Return a member that is a text, of no more bytes than one may have."""
        info = self._info(name)
        if info.file_size > limits.CONFIG_BYTES:
            raise FileError(f"{self.caller}: {name!r} has {info.file_size:,} bytes, more than limits.CONFIG_BYTES.")
        return self._bytes(info)

    def _bytes(self, info: zipfile.ZipInfo) -> bytes:
        """Return a member, which zip checks by its CRC-32."""
        limits.check_expansion(info.file_size, info.compress_size, self.caller, f"{info.filename!r} in the archive")
        with _sound(self.caller), self._archive.open(info) as member:
            return member.read(info.file_size + 1)

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Return where a stored member begins."""
        with _sound(self.caller):
            self._archive.open(info).close()  # looks at the member's own header, and refuses what is encrypted
            self._file.seek(info.header_offset + 26)
            lengths = self._file.read(4)  # of the name and of further fields, which the list may have in other lengths
            start = info.header_offset + 30 + sum(int.from_bytes(lengths[i : i + 2], "little") for i in (0, 2))
        return start


@contextlib.contextmanager
def _sound(caller: str) -> Iterator[None]:
    """Turn whatever `zipfile` raises over a damaged or encrypted archive into one error."""
    try:
        yield
    except (*DAMAGE, OSError) as error:
        raise FileError(f"{caller}: the archive is corrupt, or encrypted: {error}.") from error


@contextlib.contextmanager
def reading(path: str, caller: str) -> Iterator[Reader]:
    """Open an archive for reading.

    Args:
        path: The file.
        caller: Who reads, for messages.

    Raises:
        FileError: No zip, or a damaged one.
    """
    with open(path, "rb") as file:
        with _sound(caller):
            archive = zipfile.ZipFile(file)
        with archive:
            yield Reader(file, archive, caller)
