"""HDF5 files that are written whole or not at all, on a full disk too."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from .flushing import flushed
from .replacing import replacing


class ShieldedFile:
    """A file whose writes never fail for libhdf5, which ends the process where it cannot close a file on a full disk.

    The first error is kept, and nothing is written after it.

    Args:
        file: The file.

    Attributes:
        error: What went wrong.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or pretend to."""
        return self._attempt(self.file.write, data, default=len(data))

    def flush(self) -> None:
        """Flush, or pretend to."""
        self._attempt(self.file.flush)

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or pretend to."""
        return self._attempt(self.file.truncate, size, default=0 if size is None else size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place, where what is buffered may have to be written."""
        return self._attempt(self.file.seek, offset, whence, default=offset)

    def tell(self) -> int:
        """Return the place."""
        return self._attempt(self.file.tell, default=0)

    def read(self, size: int = -1) -> bytes:
        """Read what has been written; by this method h5py knows a file."""
        return self.file.read(size)

    def readinto(self, buffer: Any) -> int:
        """Read what has been written; zeros once something went wrong."""
        count = self._attempt(self.file.readinto, buffer, default=-1)  # type: ignore[attr-defined]
        if count < 0:
            memoryview(buffer).cast("B")[:] = bytes(len(buffer))
        return len(buffer) if count < 0 else count

    def _attempt(self, method: Any, *args: Any, default: int = 0) -> int:
        if self.error is None:
            try:
                return int(method(*args) or 0)
            except OSError as error:
                self.error = error
        return default


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Yield the root of a new HDF5 file, which takes the place of `path` when the block ends without an error.

    Args:
        path: Where the file shall be.

    Raises:
        OSError: It cannot be written; what was there before is as it was.

    Example:
        >>> import os, tempfile
        >>> import h5py
        >>> path = os.path.join(tempfile.mkdtemp(), 'file.h5')
        >>> with writing(path) as root:
        ...     root['x'] = 3
        >>> with h5py.File(path) as file:
        ...     int(file['x'][()])
        3
    """
    with replacing(path) as temporary, flushed(temporary) as file, shielded(file) as root:
        yield root


@contextlib.contextmanager
def shielded(file: Any) -> Iterator[Any]:
    """Yield the root of a new HDF5 file that is written to an open file.

    Args:
        file: The file, or a part of one, open for reading and writing.

    Raises:
        OSError: It cannot be written.
    """
    import h5py

    shield = ShieldedFile(file)
    try:
        with h5py.File(shield, "w") as root:
            yield root
    finally:
        if shield.error is not None:  # whatever libhdf5 made of it
            raise shield.error
