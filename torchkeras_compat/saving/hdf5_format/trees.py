"""Trees: those of HDF5's first version list groups and chunks, those of its second one the members of heaps."""

from __future__ import annotations

from collections.abc import Iterator

from .source import UNDEFINED, Corrupt, Cursor, Source, check_sum

MAX_DEPTH = 32


def leaves(source: Source, root: int, kind: int, key_size: int) -> Iterator[tuple[bytes, int]]:
    """Yield the entries at the ends of a tree of version 1: the key before each address, and the address.

    A child is one level below its parent and no node is met twice, so that the walk ends whatever the file says.

    Args:
        source: The file.
        root: Where the tree begins.
        kind: 0 for a group, 1 for chunks.
        key_size: Bytes of a key.

    Raises:
        Corrupt: A node that is none, or that stands in a circle.
    """
    if root == UNDEFINED:
        return
    seen: set[int] = set()
    pending: list[tuple[int, int | None]] = [(root, None)]
    while pending:
        address, expected = pending.pop()
        what = f"the node of a tree at byte {address}"
        cursor = Cursor(source.read(address, 24, what), what)
        cursor.expect(b"TREE")
        stands, level, count = cursor.integer(1), cursor.integer(1), cursor.integer(2)
        if stands != kind or address in seen or level > MAX_DEPTH or level != (level if expected is None else expected):
            raise Corrupt(f"{what} is of another kind or level, or stands in a circle")
        seen.add(address)
        body = Cursor(source.read(address + 24, count * (key_size + 8) + key_size, what), what)
        entries = [(body.take(key_size), body.integer(8)) for _ in range(count)]
        if level:
            pending += [(child, level - 1) for _, child in reversed(entries)]
        else:
            yield from entries


def records(source: Source, root: int) -> Iterator[bytes]:
    """Yield the records of a tree of version 2.

    Args:
        source: The file.
        root: Where its header is.

    Raises:
        Corrupt: Something that is no tree.
    """
    what = f"the tree at byte {root}"
    head = source.read(root, 38, what)
    check_sum(head, what)
    cursor = Cursor(head, what)
    cursor.expect(b"BTHD")
    cursor.take(2)
    node_size, size, depth = cursor.integer(4), cursor.integer(2), cursor.integer(2)
    cursor.take(2)
    address, count = cursor.integer(8), cursor.integer(2)
    if not size or depth > MAX_DEPTH or node_size < 16 + size:
        raise Corrupt(f"{what} has records of {size} bytes in nodes of {node_size}")
    if address == UNDEFINED:
        return
    widths = _pointer_widths(node_size, size, depth)
    pending = [(address, count, depth)]
    while pending:
        address, count, level = pending.pop()
        data = _node(source, address, count, level, size, widths)
        for i in range(count):
            yield data[6 + i * size : 6 + (i + 1) * size]
        if level:
            counter, total = widths[level]
            pointers = Cursor(data, what, 6 + count * size)
            for _ in range(count + 1):
                child, held = pointers.integer(8), pointers.integer(counter)
                pointers.take(total)
                pending.append((child, held, level - 1))


def _node(source: Source, address: int, count: int, level: int, size: int, widths: list[tuple[int, int]]) -> bytes:
    what = f"the node of a tree at byte {address}"
    counter, total = widths[level]
    pointers = (count + 1) * (8 + counter + total) if level else 0
    data = source.read(address, 6 + count * size + pointers + 4, what)
    Cursor(data, what).expect(b"BTIN" if level else b"BTLF")
    check_sum(data, what)
    return data


def _pointer_widths(node_size: int, size: int, depth: int) -> list[tuple[int, int]]:
    """Return for each level the bytes of the two numbers behind a child's address: its records, and all below it."""
    room = node_size - 10
    most = total = room // size  # what a leaf holds
    widths = [(0, 0)]
    for level in range(1, depth + 1):
        counter, below = _bytes_for(most), _bytes_for(total) if level > 1 else 0
        widths.append((counter, below))
        pointer = 8 + counter + below
        most = max(room - pointer, 0) // (size + pointer)
        total = (most + 1) * total + most
    return widths


def _bytes_for(number: int) -> int:
    return (max(number, 1).bit_length() + 7) // 8
