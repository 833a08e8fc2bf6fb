"""Files whose bytes go to the disk while more are written, so that little is left to wait for in the end."""

from __future__ import annotations

import io
import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

STEP = 8 * 2**20
"""Bytes that are written at a time, and until the disk is told of them."""
_flush = getattr(os, "fdatasync", os.fsync)  # Windows and macOS have not the first


class _Flushed(io.FileIO):
    """A file that has a thread flush it, once for each `STEP` bytes or, where the disk is slower, for more."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "w+")
        self._thread = ThreadPoolExecutor(1, "flush")
        self._flushing: Future[None] | None = None
        self._waiting = 0

    def write(self, data: Any) -> int:
        """Write, the first step of large data at the most, and let what has been written before go to the disk."""
        count = super().write(memoryview(data).cast("B")[:STEP])
        self._waiting += count
        if self._waiting >= STEP and (self._flushing is None or self._flushing.done()):
            self._waiting = 0
            self._raise()
            self._flushing = self._thread.submit(_flush, self.fileno())
        return count

    def close(self) -> None:
        """Close, once no thread needs the file.

        Raises:
            OSError: What had been written did not get to the disk.
        """
        try:
            if not self.closed:
                self._thread.shutdown()
                self._raise()
        finally:
            super().close()

    def _raise(self) -> None:
        if self._flushing is not None:
            self._flushing.result()


def flushed(path: str) -> io.BufferedRandom:
    """Open a new file for writing and reading.

    Args:
        path: Where; what is there is written over.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), 'note')
        >>> with flushed(path) as file:
        ...     _ = file.write(b'whole')
        >>> os.path.getsize(path)
        5
    """
    return io.BufferedRandom(_Flushed(path))
