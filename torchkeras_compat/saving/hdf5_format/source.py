"""The bytes of a file: every read is held against its length, and all reads together against a budget."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
"""The address that stands for none."""
WINDOW = 4096
BUDGET_FACTOR = 8
BUDGET_BASE = 16 * 2**20
"""A file may be read so many times over, and so many bytes more: an honest one is read once or twice."""


class Corrupt(ValueError):
    """What stands in the file cannot be so."""


class Unsupported(ValueError):
    """What the file uses is sound perhaps, but no file of models needs it."""


class Source:
    """A range of a file.

    Args:
        file: The file, opened for reading bytes.
        start: Where the range begins.
        size: Its length.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self.size = size
        self._budget = BUDGET_FACTOR * size + BUDGET_BASE
        self._window = b""
        self._window_at = 0

    def charge(self, size: int) -> None:
        """Count bytes that are read or made.

        Raises:
            Corrupt: More than any sound file needs.
        """
        self._budget -= size
        if self._budget < 0:
            raise Corrupt("its parts refer to each other without end")

    def check(self, address: int, size: int, what: str) -> None:
        """Raise unless a piece lies inside the file.

        Raises:
            Corrupt: It does not.
        """
        if address < 0 or size < 0 or address + size > self.size:
            raise Corrupt(f"{what} would lie at byte {address}, {size} bytes long, and the file ends at {self.size}")

    def read(self, address: int, size: int, what: str) -> bytes:
        """Return a piece of the file.

        Args:
            address: Where it begins.
            size: Its length.
            what: What it is, for messages.

        Raises:
            Corrupt: It does not lie inside the file.
        """
        self.check(address, size, what)
        self.charge(size)
        at = address - self._window_at
        if not 0 <= at <= at + size <= len(self._window):
            length = min(max(size, WINDOW), self.size - address)
            self._file.seek(self._start + address)
            self._window, self._window_at, at = self._file.read(length), address, 0
            if len(self._window) < size:
                raise Corrupt(f"{what}: the file became shorter while it was read")
        return self._window[at : at + size]

    def read_into(self, address: int, buffer: Any, what: str) -> None:
        """Fill a buffer from the file.

        Raises:
            Corrupt: The piece does not lie inside the file.
        """
        view = memoryview(buffer).cast("B")
        self.check(address, len(view), what)
        self.charge(len(view))
        self._file.seek(self._start + address)
        filled = 0
        while filled < len(view):
            count = self._file.readinto(view[filled:])  # type: ignore[attr-defined]
            if not count:
                raise Corrupt(f"{what}: the file became shorter while it was read")
            filled += count


class Cursor:
    """Reads fields of a piece one after the other.

    Args:
        data: The piece.
        what: What it is, for messages.
        at: Where to begin.
    """

    __slots__ = ("at", "data", "what")

    def __init__(self, data: bytes, what: str, at: int = 0) -> None:
        self.data, self.what, self.at = data, what, at

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            Corrupt: The piece ends before.
        """
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise Corrupt(f"{self.what} ends too early")
        piece, self.at = self.data[self.at : end], end
        return piece

    def integer(self, size: int) -> int:
        """Return the next unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def text(self, size: int) -> str:
        """Return a text of so many bytes, up to its first zero byte."""
        return decoded(self.take(size))

    def expect(self, mark: bytes) -> None:
        """Raise unless the next bytes are a mark.

        Raises:
            Corrupt: They are not.
        """
        if self.take(len(mark)) != mark:
            raise Corrupt(f"{self.what} has no mark {mark.decode()!r}")

    def align(self) -> None:
        """Go on to the next multiple of eight bytes, or to the end."""
        self.at = min(-(-self.at // 8) * 8, len(self.data))

    def rest(self) -> int:
        """Return how many bytes are still to be read."""
        return len(self.data) - self.at


def decoded(data: bytes) -> str:
    """Return a text up to its first zero byte; bytes that are no UTF-8 become lone surrogates, as h5py has them."""
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def check_sum(data: bytes, what: str) -> None:
    """Raise unless the last four bytes of a piece are the checksum of those before.

    Raises:
        Corrupt: They are not.
    """
    if len(data) < 4 or lookup3(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise Corrupt(f"the checksum of {what} is wrong")


def lookup3(data: bytes) -> int:
    """Return Bob Jenkins's hash lookup3 (2006), by which HDF5 checks its newer structures."""
    mask = 0xFFFFFFFF
    a = b = c = (0xDEADBEEF + len(data)) & mask

    def rotate(value: int, bits: int) -> int:
        return (value << bits | value >> (32 - bits)) & mask

    if not data:
        return c
    padded = data + bytes(-len(data) % 12)
    words: tuple[int, ...] = struct.unpack(f"<{len(padded) // 4}I", padded)
    for i in range(0, len(words) - 3, 3):
        a, b, c = a + words[i] & mask, b + words[i + 1] & mask, c + words[i + 2] & mask
        a = (a - c & mask) ^ rotate(c, 4)
        c = c + b & mask
        b = (b - a & mask) ^ rotate(a, 6)
        a = a + c & mask
        c = (c - b & mask) ^ rotate(b, 8)
        b = b + a & mask
        a = (a - c & mask) ^ rotate(c, 16)
        c = c + b & mask
        b = (b - a & mask) ^ rotate(a, 19)
        a = a + c & mask
        c = (c - b & mask) ^ rotate(b, 4)
        b = b + a & mask
    a, b, c = a + words[-3] & mask, b + words[-2] & mask, c + words[-1] & mask
    c = (c ^ b) - rotate(b, 14) & mask
    a = (a ^ c) - rotate(c, 11) & mask
    b = (b ^ a) - rotate(a, 25) & mask
    c = (c ^ b) - rotate(b, 16) & mask
    a = (a ^ c) - rotate(c, 4) & mask
    b = (b ^ a) - rotate(a, 14) & mask
    return (c ^ b) - rotate(b, 24) & mask
