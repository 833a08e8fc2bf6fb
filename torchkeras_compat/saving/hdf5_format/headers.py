"""Headers of objects: lists of messages, in one piece or in several."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import messages
from .messages import Header
from .source import Corrupt, Cursor, Source, Unsupported, check_sum

CONTINUATION = 0x10
MAX_PIECES = 4096

Message = tuple[int, int, bytes]  # its type, its flags and its content


def read_header(source: Source, address: int) -> Header:
    """Return what the header of an object says.

    Raises:
        Corrupt: There is no header at this address, or a damaged one.
    """
    what = f"the header at byte {address}"
    mark = source.read(address, 4, what)
    listed = _new_messages(source, address, what) if mark == b"OHDR" else _old_messages(source, address, what)
    header = Header()
    for kind, flags, data in listed:
        reader = _READERS.get(kind)
        if reader is None:
            if flags & 0x80:
                raise Unsupported(f"messages of type {kind} in headers")
            continue
        if flags & 2:
            raise Unsupported("types that are shared between datasets")
        reader(header, Cursor(data, what))
    return header


def _shape(header: Header, cursor: Cursor) -> None:
    header.shape, header.has_shape = messages.read_shape(cursor), True


def _type(header: Header, cursor: Cursor) -> None:
    header.type = messages.read_type(cursor)


def _layout(header: Header, cursor: Cursor) -> None:
    header.layout = messages.read_layout(cursor)


def _filters(header: Header, cursor: Cursor) -> None:
    header.filters = messages.read_filters(cursor)


def _external(header: Header, cursor: Cursor) -> None:
    header.external = True


def _attribute(header: Header, cursor: Cursor) -> None:
    header.attributes.append(messages.read_attribute(cursor))


def _dense_attributes(header: Header, cursor: Cursor) -> None:
    header.dense_attributes = messages.read_dense(cursor, 2)


def _link(header: Header, cursor: Cursor) -> None:
    header.links.append(messages.read_link(cursor))


def _dense_links(header: Header, cursor: Cursor) -> None:
    header.dense_links = messages.read_dense(cursor, 8)


def _table(header: Header, cursor: Cursor) -> None:
    header.table = (cursor.integer(8), cursor.integer(8))


_READERS: dict[int, Callable[[Header, Cursor], None]] = {
    0x1: _shape,
    0x2: _dense_links,
    0x3: _type,
    0x6: _link,
    0x7: _external,
    0x8: _layout,
    0xB: _filters,
    0xC: _attribute,
    0x11: _table,
    0x15: _dense_attributes,
}


def _old_messages(source: Source, address: int, what: str) -> Iterator[Message]:
    """Yield the messages of a header of version 1."""
    head = Cursor(source.read(address, 16, what), what)
    version = head.integer(1)
    if version != 1:
        raise Corrupt(f"there is no header of an object at byte {address}")
    head.take(1)
    count = head.integer(2)
    head.take(4)
    pieces = [(address + 16, head.integer(4))]
    for number, (start, size) in enumerate(pieces):
        if number > MAX_PIECES:
            raise Corrupt(f"{what} has more than {MAX_PIECES} pieces")
        cursor = Cursor(source.read(start, size, what), what)
        while cursor.rest() >= 8 and count:
            kind, length, flags = cursor.integer(2), cursor.integer(2), cursor.integer(1)
            cursor.take(3)
            data = cursor.take(length)
            count -= 1
            if kind == CONTINUATION:
                pieces.append(_continuation(data, what))
            else:
                yield kind, flags, data
    if count:
        raise Corrupt(f"{what} has {count} messages fewer than it says")


def _new_messages(source: Source, address: int, what: str) -> Iterator[Message]:
    """Yield the messages of a header of version 2."""
    head = Cursor(source.read(address, 6, what), what, 4)
    version, flags = head.integer(1), head.integer(1)
    if version != 2:
        raise Corrupt(f"{what} has version {version}")
    before = 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
    width = 1 << (flags & 3)
    size = Cursor(source.read(address, before + width, what), what, before).integer(width)
    pieces = [(address, before + width + size + 4, before + width)]
    for number, (start, length, skipped) in enumerate(pieces):
        if number > MAX_PIECES:
            raise Corrupt(f"{what} has more than {MAX_PIECES} pieces")
        piece = source.read(start, length, what)
        check_sum(piece, what)
        cursor = Cursor(piece[:-4], what, skipped)
        if number:
            cursor.at = 0
            cursor.expect(b"OCHK")
        while cursor.rest() >= 4 + (2 if flags & 4 else 0):  # a gap at the end is shorter than that
            kind, length, marks = cursor.integer(1), cursor.integer(2), cursor.integer(1)
            cursor.take(2 if flags & 4 else 0)
            data = cursor.take(length)
            if kind == CONTINUATION:
                pieces.append((*_continuation(data, what), 4))
            else:
                yield kind, marks, data


def _continuation(data: bytes, what: str) -> tuple[int, int]:
    cursor = Cursor(data, what)
    return cursor.integer(8), cursor.integer(8)
