"""Heaps: of names, of texts of any length, and of the links and attributes that are too many for a header."""

from __future__ import annotations

from .source import UNDEFINED, Corrupt, Cursor, Source, Unsupported, check_sum, decoded


class NameHeap:
    """The names of an older group.

    Args:
        source: The file.
        address: Where the heap is.
    """

    def __init__(self, source: Source, address: int) -> None:
        self._source = source
        what = f"the heap of names at byte {address}"
        cursor = Cursor(source.read(address, 32, what), what)
        cursor.expect(b"HEAP")
        cursor.take(4)
        size = cursor.integer(8)
        cursor.take(8)
        self._names = source.read(cursor.integer(8), size, what)
        self._what = what

    def name(self, offset: int) -> str:
        """Return the name that begins at an offset.

        Raises:
            Corrupt: None begins there, or it does not end.
        """
        end = self._names.find(b"\0", offset) if offset < len(self._names) else -1
        if end < 0:
            raise Corrupt(f"{self._what} has no name at {offset}")
        self._source.charge(end - offset)
        return decoded(self._names[offset:end])


class TextHeap:
    """Texts of any length, which lie in collections; each collection is read once.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._collections: dict[int, dict[int, bytes]] = {}

    def text(self, reference: bytes) -> bytes:
        """Return the text behind the sixteen bytes that stand for it, up to its first zero byte.

        Raises:
            Corrupt: There is none.
        """
        cursor = Cursor(reference, "a text")
        length, address, number = cursor.integer(4), cursor.integer(8), cursor.integer(4)
        if not length or address in (0, UNDEFINED):
            return b""
        if address not in self._collections:
            self._collections[address] = self._read(address)
        data = self._collections[address].get(number)
        if data is None or len(data) < length:
            raise Corrupt(f"the collection of texts at byte {address} has no text {number} of {length} bytes")
        self._source.charge(length)
        return data[:length].partition(b"\0")[0]

    def _read(self, address: int) -> dict[int, bytes]:
        what = f"the collection of texts at byte {address}"
        head = Cursor(self._source.read(address, 16, what), what)
        head.expect(b"GCOL")
        head.take(4)
        cursor = Cursor(self._source.read(address, head.integer(8), what), what, 16)
        texts: dict[int, bytes] = {}
        while cursor.rest() >= 16:
            number = cursor.integer(2)
            cursor.take(6)
            size = cursor.integer(8)
            if number == 0:  # the room that is free
                break
            texts[number] = cursor.take(size)
            cursor.align()
        return texts


class Heap:
    """Links or attributes of one object, when they are many.

    Args:
        source: The file.
        address: Where the heap is.
    """

    def __init__(self, source: Source, address: int) -> None:
        self._source = source
        self._what = what = f"the heap at byte {address}"
        head = Cursor(source.read(address, 146, what), what)
        head.expect(b"FRHP")
        head.take(3)
        filters = head.integer(2)
        self._block_sums = bool(head.integer(1) & 2)
        if filters:
            raise Unsupported("heaps that are compressed")
        check_sum(head.data, what)
        largest = head.integer(4)
        head.take(12 * 8)
        self._width, self._first, self._direct = head.integer(2), head.integer(8), head.integer(8)
        bits = head.integer(2)
        head.take(2)
        self._root, self._rows = head.integer(8), head.integer(2)
        self._offset_size = (bits + 7) // 8
        self._length_size = (min(largest, self._direct).bit_length() + 7) // 8
        if not (0 < self._width <= 1024 and 0 < self._first <= self._direct <= 2**32 and bits <= 64):
            raise Corrupt(f"{what} has blocks of {self._first} to {self._direct} bytes, {self._width} in a row")

    def get(self, key: bytes) -> bytes:
        """Return a member.

        Raises:
            Corrupt: There is none of this key.
            Unsupported: It is so large that it stands outside the heap.
        """
        kind = key[0] >> 4 & 3
        if kind == 2:
            return key[1 : 2 + (key[0] & 15)]
        if kind == 1:
            raise Unsupported("attributes of more than 64 KB that newer versions of HDF5 write")
        cursor = Cursor(key, self._what, 1)
        offset, length = cursor.integer(self._offset_size), cursor.integer(self._length_size)
        block, start, size = self._block(offset)
        if offset - start + length > size:
            raise Corrupt(f"{self._what} has a member of {length} bytes in a block of {size}")
        return self._source.read(block + offset - start, length, self._what)

    def _block(self, offset: int) -> tuple[int, int, int]:
        """Return the address of the block that holds an offset, the offset at which it starts, and its size."""
        address, rows, base = self._root, self._rows, 0
        if not rows:
            return address, 0, self._first
        for _ in range(64):  # each block of blocks is smaller than the one that it is in
            row, column, start, size = self._place(offset - base)
            if row >= rows:
                raise Corrupt(f"{self._what} has no block for {offset}")
            where = 5 + 8 + self._offset_size + 8 * (row * self._width + column)
            child = int.from_bytes(self._source.read(address + where, 8, self._what), "little")
            if self._source.read(address, 4, self._what) != b"FHIB" or child == UNDEFINED:
                raise Corrupt(f"{self._what} has no block for {offset}")
            base += start
            if size <= self._direct:
                return child, base, size
            address, rows = child, self._place(size - 1)[0] + 1
        raise Corrupt(f"{self._what} has blocks inside each other without end")

    def _place(self, offset: int) -> tuple[int, int, int, int]:
        """Return the row and column of an offset, where its block starts, and its size: they double with each row."""
        start, size = 0, self._first
        for row in range(64):
            if row > 1:
                size *= 2
            if offset < start + size * self._width:
                column = (offset - start) // size
                return row, column, start + column * size, size
            start += size * self._width
        raise Corrupt(f"{self._what} has no place for {offset}")
