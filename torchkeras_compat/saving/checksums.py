"""CRC-32 of files: of parts of them, of what is put together of parts, and of large parts on their way in or out."""

from __future__ import annotations

import functools
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

POLYNOMIAL = 0xEDB88320  # of CRC-32, the lowest power in the highest bit
LARGE = 2**20
"""Bytes from which on a part gets a checksum of its own while it is written, or is in use after it was read."""
_CHUNK = 2**18


def checksum(file: BinaryIO, start: int, size: int, crc: int = 0) -> int:
    """Return the CRC-32 of a part of a file.

    Args:
        file: The file, without a buffer or with one.
        start: Where the part begins.
        size: Its bytes.
        crc: The CRC-32 of what stands before.
    """
    buffer = memoryview(bytearray(min(_CHUNK, max(size, 1))))
    file.seek(start)
    while size > 0 and (count := file.readinto(buffer[: min(_CHUNK, size)])):  # type: ignore[attr-defined]
        crc, size = zlib.crc32(buffer[:count], crc), size - count
    return crc


def combined(first: int, second: int, size: int) -> int:
    """Return the CRC-32 of two parts in a row.

    Args:
        first: That of the first part.
        second: That of the second.
        size: The bytes of the second.

    Source:
        A CRC-32 is a remainder by the polynomial; more bytes behind the first part multiply its by x to their bits:
        https://www.rfc-editor.org/rfc/rfc1952#section-8

    Example:
        >>> combined(zlib.crc32(b'one'), zlib.crc32(b'two'), 3) == zlib.crc32(b'onetwo')
        True
    """
    return _times(_power(8 * size), first) ^ second


def _times(one: int, other: int) -> int:
    """Return the product of two polynomials, as a remainder."""
    product = 0
    for place in range(31, -1, -1):
        if one >> place & 1:
            product ^= other
        other = other >> 1 ^ (POLYNOMIAL if other & 1 else 0)
    return product


@functools.lru_cache(maxsize=256)
def _power(exponent: int) -> int:
    """Return a power of x, as a remainder."""
    power, square = 1 << 31, 1 << 30  # one, and x
    while exponent:
        if exponent & 1:
            power = _times(power, square)
        square, exponent = _times(square, square), exponent >> 1
    return power


class Checksums:
    """The checksums of what is written to a file or read from it in large parts, each taken by a thread meanwhile.

    Args:
        file: The file, open for reading, and for writing where that is done.
        thread: What takes them.
    """

    def __init__(self, file: BinaryIO, thread: ThreadPoolExecutor) -> None:
        self._file, self._thread = file, thread
        self._parts: dict[int, tuple[int, Future[int]]] = {}  # by their place: bytes, checksum
        self._end = 0  # behind the last of them
        self._of_reads: deque[Future[int] | None] = deque([None, None], 2)  # of the last two
        self.seek, self.read = file.seek, file.read

    def write(self, data: Any) -> int:
        """Write to the file at its place."""
        start, size = self._file.tell(), len(data)
        self.forget(start, start + size)
        if size < LARGE:
            return self._file.write(data)
        crc = self._thread.submit(zlib.crc32, data)
        try:
            count = self._file.write(data)
        finally:
            crc.result()
        self._keep(start, size, crc)
        return count

    def readinto(self, buffer: Any) -> int:
        """Read from the file at its place; a large part is not to be changed before the next but one is read."""
        if (before := self._of_reads[0]) is not None:
            before.result()
        start, crc = self._file.tell(), None
        count: int = self._file.readinto(buffer)  # type: ignore[attr-defined]
        if count >= LARGE:
            self.forget(start, start + count)
            crc = self._thread.submit(zlib.crc32, memoryview(buffer)[:count])
            self._keep(start, count, crc)
        self._of_reads.append(crc)
        return count

    def _keep(self, start: int, size: int, crc: Future[int]) -> None:
        self._parts[start] = size, crc
        self._end = max(self._end, start + size)

    def forget(self, start: int, end: int | None = None) -> None:
        """Forget parts that are written over, or cut off where no end is told."""
        if start >= self._end:  # as where parts follow each other
            return
        for at, (size, _) in list(self._parts.items()):
            if at + size > start and (end is None or at < end):
                del self._parts[at]

    def of(self, start: int, size: int) -> int:
        """Return the CRC-32 of the file from a place on: what has none yet is read."""
        crc, place = 0, start
        for at, (count, of_part) in sorted(self._parts.items()):
            crc = combined(checksum(self._file, place, at - place, crc), of_part.result(), count)
            place = at + count
        return checksum(self._file, place, start + size - place, crc)
