"""What stands in the header of an object: shapes, types, where data lie, attributes and links."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .source import UNDEFINED, Corrupt, Cursor, Unsupported

MAX_RANK = 32

Shape = tuple[int, ...]


def read_shape(cursor: Cursor) -> Shape | None:
    """Return the shape of an attribute or dataset, `None` where it has no elements at all."""
    version, rank, flags = cursor.integer(1), cursor.integer(1), cursor.integer(1)
    if version not in (1, 2) or rank > MAX_RANK:
        raise Corrupt(f"{cursor.what} has a shape of version {version} and rank {rank}")
    form = cursor.integer(5 if version == 1 else 1)
    shape = tuple(cursor.integer(8) for _ in range(rank))
    if flags & 1:
        cursor.take(8 * rank)  # how large it may become
    return None if version == 2 and form == 2 else shape


# --- types -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Type:
    """The type of elements.

    Attributes:
        size: Bytes of one in the file.
        dtype: numpy's type: that of the bytes in the file, or `object` for texts of any length.
        problem: Why elements cannot be read, where they cannot.
    """

    size: int
    dtype: np.dtype[np.generic]
    problem: str = ""

    @property
    def is_reference_to_text(self) -> bool:
        """Whether elements are texts of any length, which lie elsewhere in the file."""
        return self.dtype.kind == "O"


# Size, bits of exponent, bits of mantissa → numpy's type; all others are refused.
_FLOATS = {(2, 5, 10): "f2", (4, 8, 23): "f4", (8, 11, 52): "f8"}
_OTHERS = {
    2: "times",
    3: "texts",
    4: "bit fields",
    6: "records or complex numbers",
    7: "references to objects or regions",
    9: "lists of any length",
    10: "arrays in arrays",
    11: "complex numbers",
}
MAX_ELEMENT = 2**20
"""Bytes that one element of a fixed size may take."""


def read_type(cursor: Cursor, inner: bool = False) -> Type:
    """Return the type of an attribute or dataset.

    Args:
        cursor: Where it stands.
        inner: Whether it is the type behind another one, which has none behind it itself.
    """
    head = cursor.integer(1)
    version, kind = head >> 4, head & 15
    bits, size = cursor.integer(3), cursor.integer(4)
    if not 1 <= version <= 5 or not 0 < size <= MAX_ELEMENT:
        raise Corrupt(f"{cursor.what} has a type of version {version} with elements of {size} bytes")
    order = ">" if bits & 1 else "<"
    if kind == 0:
        return _integer(cursor, order, bool(bits & 8), size)
    if kind == 1:
        return _float(cursor, order, size)
    if kind == 3:
        return Type(size, np.dtype(f"S{size}"))
    if kind == 5:
        return Type(size, np.dtype(f"V{size}"))
    if kind == 8 and not inner:
        return _enumeration(cursor, bits & 0xFFFF, size, version)
    if kind == 9 and bits & 15 == 1:
        return Type(size, np.dtype(object), "" if size == 16 else "texts whose addresses have another length")
    return Type(size, np.dtype(f"V{size}"), _OTHERS.get(kind, f"elements of the unknown type {kind}"))


def _integer(cursor: Cursor, order: str, signed: bool, size: int) -> Type:
    offset, precision = cursor.integer(2), cursor.integer(2)
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size:
        return Type(size, np.dtype(f"V{size}"), f"whole numbers of {precision} bits in {size} bytes")
    return Type(size, np.dtype(f"{order}{'i' if signed else 'u'}{size}"))


def _float(cursor: Cursor, order: str, size: int) -> Type:
    cursor.take(5)
    exponent = cursor.integer(1)
    cursor.take(1)
    mantissa = cursor.integer(1)
    name = _FLOATS.get((size, exponent, mantissa))
    if name is None:
        return Type(size, np.dtype(f"V{size}"), f"numbers of {exponent} bits exponent and {mantissa} bits mantissa")
    return Type(size, np.dtype(f"{order}{name}"))


def _enumeration(cursor: Cursor, members: int, size: int, version: int) -> Type:
    """Return the type of an enumeration: h5py's of truth values, or the numbers behind it."""
    base = read_type(cursor, inner=True)
    if base.size != size or base.dtype.kind not in "iu":
        return Type(size, np.dtype(f"V{size}"), "an enumeration of no whole numbers")
    if members != 2 or size != 1:
        return base
    names = []
    for _ in range(members):
        end = cursor.data.find(b"\0", cursor.at)
        length = end - cursor.at + 1
        names.append(cursor.take(length if version >= 3 else -(-length // 8) * 8).rstrip(b"\0"))
    return Type(1, np.dtype(bool)) if names == [b"FALSE", b"TRUE"] else base


# --- where data lie ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """Where the data of a dataset lie.

    Attributes:
        form: `'header'`, `'one piece'`, `'chunks'`, or `'virtual'` for data of other files.
        address: Of the piece, or of the tree of chunks.
        size: Bytes of the piece.
        data: The data themselves, where they stand in the header.
        chunk: The shape of a chunk.
        problem: Why they cannot be read, where they cannot.
    """

    form: str
    address: int = UNDEFINED
    size: int = 0
    data: bytes = b""
    chunk: Shape = ()
    problem: str = ""


_FORMS = {0: "header", 1: "one piece", 2: "chunks", 3: "virtual"}


def read_layout(cursor: Cursor) -> Layout:
    """Return where the data of a dataset lie."""
    version = cursor.integer(1)
    if version in (1, 2):
        return _old_layout(cursor)
    if version not in (3, 4, 5):
        raise Corrupt(f"{cursor.what} has a layout of version {version}")
    form = _FORMS.get(cursor.integer(1))
    if form == "header":
        return Layout(form, data=cursor.take(cursor.integer(2)))
    if form == "one piece":
        return Layout(form, cursor.integer(8), cursor.integer(8))
    if form == "chunks" and version == 3:
        rank = cursor.integer(1) - 1
        address = cursor.integer(8)
        return _chunks(cursor, address, rank)
    if form == "chunks":
        return Layout(form, problem="an index of chunks of HDF5 1.10 and later")
    if form == "virtual":
        return Layout(form)
    raise Corrupt(f"{cursor.what} has a layout that is not known")


def _chunks(cursor: Cursor, address: int, rank: int) -> Layout:
    if not 0 < rank <= MAX_RANK:
        raise Corrupt(f"{cursor.what} has chunks of rank {rank}")
    chunk = tuple(cursor.integer(4) for _ in range(rank))
    if 0 in chunk:
        raise Corrupt(f"{cursor.what} has chunks of shape {chunk}")
    return Layout("chunks", address, chunk=chunk)


def _old_layout(cursor: Cursor) -> Layout:
    rank, form = cursor.integer(1), _FORMS.get(cursor.integer(1))
    cursor.take(5)
    address = UNDEFINED if form == "header" else cursor.integer(8)
    if form == "chunks":
        return _chunks(cursor, address, rank - 1)
    sizes = [cursor.integer(4) for _ in range(rank)]
    if form == "header":
        return Layout(form, data=cursor.take(cursor.integer(4)))
    if form == "one piece":
        return Layout(form, address, math.prod(sizes))
    raise Corrupt(f"{cursor.what} has a layout that is not known")


DEFLATE, SHUFFLE = 1, 2
_FILTERS = {3: "checksums (fletcher32)", 4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}


def read_filters(cursor: Cursor) -> tuple[int, ...]:
    """Return by what chunks were compressed, in the order in which that was done.

    Raises:
        Unsupported: By something other than gzip.
    """
    version, count = cursor.integer(1), cursor.integer(1)
    if version not in (1, 2) or count > 32:
        raise Corrupt(f"{cursor.what} has filters of version {version}, {count} of them")
    cursor.take(6 if version == 1 else 0)
    filters = []
    for _ in range(count):
        number = cursor.integer(2)
        length = cursor.integer(2) if version == 1 or number >= 256 else 0
        cursor.take(2)
        values = cursor.integer(2)
        name = cursor.text(-(-length // 8) * 8 if version == 1 else length)
        cursor.take(4 * values + (4 * (values % 2) if version == 1 else 0))
        if number not in (DEFLATE, SHUFFLE):
            raise Unsupported(f"the data are compressed by {_FILTERS.get(number, name or number)}")
        filters.append(number)
    return tuple(filters)


# --- attributes and links ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attribute:
    """An attribute as it stands in a header.

    Attributes:
        name: Its name.
        shape: Its shape, `None` where it has no elements at all.
        type: The type of its elements.
        data: Their bytes.
    """

    name: str
    shape: Shape | None
    type: Type
    data: bytes


def read_attribute(cursor: Cursor) -> Attribute:
    """Return an attribute.

    Raises:
        Unsupported: Its type or shape stands elsewhere.
    """
    version, flags = cursor.integer(1), cursor.integer(1)
    if version not in (1, 2, 3):
        raise Corrupt(f"{cursor.what} has an attribute of version {version}")
    if version > 1 and flags & 3:
        raise Unsupported("an attribute whose type or shape is shared with others")
    sizes = [cursor.integer(2) for _ in range(3)]
    cursor.take(1 if version == 3 else 0)
    name, type_, shape = (cursor.take(-(-size // 8) * 8 if version == 1 else size) for size in sizes)
    what = Cursor(name, "the name of an attribute").text(len(name))
    kind = read_type(Cursor(type_, f"the type of the attribute {what!r}"))
    extent = read_shape(Cursor(shape, f"the shape of the attribute {what!r}"))
    size = 0 if extent is None else math.prod(extent) * kind.size
    return Attribute(what, extent, kind, cursor.take(size))


@dataclass(frozen=True)
class Link:
    """A name in a group.

    Attributes:
        name: The name.
        form: `'hard'` for an object of this file, else `'soft'` or `'external'`.
        address: Where the object is.
    """

    name: str
    form: str
    address: int = UNDEFINED


def read_link(cursor: Cursor) -> Link:
    """Return a link as newer groups have it; nothing but its kind is read of one that leads elsewhere."""
    version, flags = cursor.integer(1), cursor.integer(1)
    if version != 1:
        raise Corrupt(f"{cursor.what} has a link of version {version}")
    form = cursor.integer(1) if flags & 8 else 0
    cursor.take(8 if flags & 4 else 0)
    cursor.take(1 if flags & 16 else 0)
    name = cursor.text(cursor.integer(1 << (flags & 3)))
    if form == 0:
        return Link(name, "hard", cursor.integer(8))
    return Link(name, "soft" if form == 1 else "external")


@dataclass(frozen=True)
class Dense:
    """Attributes or links of an object that stand in a heap of their own.

    Attributes:
        heap: The heap's address.
        index: The address of the tree that lists them.
    """

    heap: int = UNDEFINED
    index: int = UNDEFINED


def read_dense(cursor: Cursor, counter: int) -> Dense:
    """Return where many links or attributes stand.

    Args:
        cursor: The message.
        counter: Bytes of the number that counts their creation.
    """
    version, flags = cursor.integer(1), cursor.integer(1)
    if version:
        raise Corrupt(f"{cursor.what} has a list of version {version}")
    cursor.take(counter if flags & 1 else 0)
    return Dense(cursor.integer(8), cursor.integer(8))


@dataclass
class Header:
    """All that the header of an object says.

    Attributes:
        shape: The shape of a dataset.
        has_shape: Whether there is one.
        type: The type of its elements.
        layout: Where they lie.
        filters: By what they were compressed.
        external: Whether they lie in other files.
        attributes: Attributes in the header.
        dense_attributes: Where others are.
        links: Names in a group.
        dense_links: Where others are.
        table: The tree and the heap of names of an older group.
    """

    shape: Shape | None = None
    has_shape: bool = False
    type: Type | None = None
    layout: Layout | None = None
    filters: tuple[int, ...] = ()
    external: bool = False
    attributes: list[Attribute] = field(default_factory=list)
    dense_attributes: Dense | None = None
    links: list[Link] = field(default_factory=list)
    dense_links: Dense | None = None
    table: tuple[int, int] | None = None

    @property
    def is_group(self) -> bool:
        """Whether the object is a group."""
        return self.table is not None or self.dense_links is not None or bool(self.links)

    @property
    def is_dataset(self) -> bool:
        """Whether the object is a dataset."""
        return self.layout is not None and self.type is not None and self.has_shape
