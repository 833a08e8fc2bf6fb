"""Groups, datasets and attributes, with the manners of h5py's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from . import values
from .headers import read_header
from .heaps import Heap, NameHeap, TextHeap
from .messages import Attribute, Header, Link, Shape, Type, read_attribute, read_link
from .source import UNDEFINED, Corrupt, Cursor, Source, Unsupported, check_sum
from .trees import leaves, records

MAX_NAMES = 2**20
"""Names that a group may have."""
MAX_DEPTH = 200
"""Groups that may be inside each other: one that holds itself would have no end."""


class File:
    """What all nodes of a file share.

    Args:
        source: The bytes.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.texts = TextHeap(source)
        self._nodes: dict[tuple[int, str], Group | Dataset] = {}

    def node(self, address: int, name: str) -> Group | Dataset:
        """Return the object at an address; each is read once.

        Args:
            address: Where its header is.
            name: The path that led there.

        Raises:
            Corrupt: It is neither a group nor a dataset.
        """
        node = self._nodes.get((address, name))
        if node is None:
            node = self._nodes[address, name] = self._read(address, name)
        return node

    def _read(self, address: int, name: str) -> Group | Dataset:
        if name.count("/") > MAX_DEPTH:
            raise Corrupt(f"its groups stand inside each other more than {MAX_DEPTH} deep")
        try:
            header = read_header(self.source, address)
        except Unsupported as error:
            raise Unsupported(f"{name!r}: {error}") from None
        if header.is_group:
            return Group(self, header, name, address)
        if header.is_dataset:
            return Dataset(self, header, name, address)
        raise Corrupt(f"{name!r} is neither a group nor a dataset")


class Attributes(Mapping[str, Any]):
    """The attributes of a group or dataset, by name.

    Args:
        file: The file.
        header: The object's.
        owner: The object's name, for messages.
    """

    def __init__(self, file: File, header: Header, owner: str) -> None:
        self._file = file
        listed = [*header.attributes, *self._dense(header)]
        self._listed = {attribute.name: attribute for attribute in listed}
        self._owner = owner

    def _dense(self, header: Header) -> Iterator[Attribute]:
        place = header.dense_attributes
        if place is None or UNDEFINED in (place.heap, place.index):
            return
        heap = Heap(self._file.source, place.heap)
        for record in records(self._file.source, place.index):
            yield read_attribute(Cursor(heap.get(record[:8]), "an attribute"))

    def shape_of(self, name: str) -> Shape | None:
        """Return the shape of an attribute; its value is not read."""
        return self._listed[name].shape

    def __getitem__(self, name: str) -> Any:
        attribute = self._listed[name]
        try:
            return values.attribute_value(attribute.shape, attribute.type, attribute.data, self._file.texts)
        except Unsupported as error:
            raise Unsupported(f"the attribute {name!r} of {self._owner!r}: {error}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def __contains__(self, name: object) -> bool:  # the mapping's own would read the value
        return name in self._listed


class Node:
    """What a group and a dataset have in common.

    Args:
        file: The file.
        header: The object's.
        name: Its path.
        address: Where its header is, which all its names have in common.
    """

    def __init__(self, file: File, header: Header, name: str, address: int) -> None:
        self._file, self._header, self.name, self.address = file, header, name, address
        self._attributes: Attributes | None = None

    @property
    def attrs(self) -> Attributes:
        """The attributes."""
        if self._attributes is None:
            self._attributes = Attributes(self._file, self._header, self.name)
        return self._attributes


class Group(Node):
    """Names of groups and datasets; only those that lead to objects of this file can be followed."""

    _links: dict[str, Link] | None = None

    def links(self) -> dict[str, Link]:
        """Return what stands behind each name, in the order of names."""
        if self._links is None:
            known: dict[str, Link] = {}
            for link in self._read_links():
                if not link.name or "/" in link.name or link.name in known or len(known) == MAX_NAMES:
                    raise Corrupt(f"{self.name!r} has the name {link.name!r}, which is none, twice, or too many names")
                known[link.name] = link
            self._links = dict(sorted(known.items()))
        return self._links

    def _read_links(self) -> Iterator[Link]:
        yield from self._header.links
        source = self._file.source
        if self._header.table is not None:
            yield from _table_links(source, *self._header.table)
        place = self._header.dense_links
        if place is not None and UNDEFINED not in (place.heap, place.index):
            heap = Heap(source, place.heap)
            for record in records(source, place.index):
                yield read_link(Cursor(heap.get(record[4:11]), "a link"))

    def keys(self) -> list[str]:
        """Return the names."""
        return list(self.links())

    def items(self) -> Iterator[tuple[str, Group | Dataset]]:
        """Yield each name with what is behind it."""
        return ((name, self[name]) for name in self.links())

    def values(self) -> Iterator[Group | Dataset]:
        """Yield what is behind each name."""
        return (self[name] for name in self.links())

    def __iter__(self) -> Iterator[str]:
        return iter(self.links())

    def __len__(self) -> int:
        return len(self.links())

    def __contains__(self, name: object) -> bool:
        node: Any = self
        for part in parts(str(name)):
            if not isinstance(node, Group) or part not in node.links():
                return False
            node = node.child(part)
        return True

    def __getitem__(self, path: str) -> Any:
        node: Any = self
        for part in parts(path):
            if not isinstance(node, Group):
                raise KeyError(path)
            node = node.child(part)
        return node

    def child(self, name: str) -> Group | Dataset:
        """Return what is behind one name.

        Raises:
            KeyError: The group has no such name.
            Unsupported: It leads to another name, or out of the file.
        """
        link = self.links()[name]
        if link.form != "hard":
            article = "a soft" if link.form == "soft" else "an external"
            raise Unsupported(f"{name!r} in {self.name!r} is {article} link; weight files hold their own data")
        return self._file.node(link.address, f"{self.name.rstrip('/')}/{name}")


def parts(path: str) -> list[str]:
    """Return the components of a path inside a file, as HDF5 reads it.

    Example:
        >>> parts('/a/./b//c')
        ['a', 'b', 'c']
    """
    return [part for part in path.split("/") if part not in ("", ".")]


def _table_links(source: Source, tree: int, heap: int) -> Iterator[Link]:
    names = NameHeap(source, heap)
    for _, address in leaves(source, tree, 0, 8):
        what = f"the list of names at byte {address}"
        head = Cursor(source.read(address, 8, what), what)
        head.expect(b"SNOD")
        head.take(2)
        count = head.integer(2)
        cursor = Cursor(source.read(address + 8, 40 * count, what), what)
        for _ in range(count):
            name, target, form = names.name(cursor.integer(8)), cursor.integer(8), cursor.integer(4)
            cursor.take(20)
            yield Link(name, "soft") if form == 2 else Link(name, "hard", target)


class Dataset(Node):
    """An array in a file, not read yet; `dataset[()]` reads it."""

    @property
    def shape(self) -> Shape | None:
        """The shape, `None` where there are no elements at all."""
        return self._header.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of elements: `object` for texts of any length, and bytes (kind V) for what cannot be read."""
        return self._type.dtype

    @property
    def external(self) -> bool:
        """Whether the data are kept in other files."""
        return self._header.external

    @property
    def is_virtual(self) -> bool:
        """Whether the data are put together from those of other files."""
        return self._header.layout is not None and self._header.layout.form == "virtual"

    @property
    def _type(self) -> Type:
        kind = self._header.type
        if kind is None:
            raise Corrupt(f"{self.name!r} has no type")
        return kind

    def __getitem__(self, index: Any) -> Any:
        return self.read()[index]

    def read(self, empty: Callable[..., values.Array] = np.empty) -> values.Array:
        """Return the data.

        Args:
            empty: Makes the array, of a shape and a type, where the data lie in one piece.

        Raises:
            Corrupt: They are not there.
            Unsupported: They are elsewhere, or of a form that files of models do not have.
        """
        with self._readable():
            return values.read_data(self._file.source, self._header, self._file.texts, repr(self.name), empty)

    def rows(self, empty: Callable[..., values.Array], limit: int) -> Iterator[tuple[int, values.Array]]:
        """Yield the number of a row, and the data from there on: some rows where they lie in one piece, else all.

        Args:
            empty: Makes the arrays, of a shape and a type.
            limit: Bytes of some rows.

        Raises:
            Corrupt: They are not there.
            Unsupported: They are elsewhere, or of a form that files of models do not have.
        """
        with self._readable():
            yield from values.read_rows(
                self._file.source, self._header, self._file.texts, repr(self.name), empty, limit
            )

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        if self.external or self.is_virtual:
            raise Unsupported(f"the data of {self.name!r} are kept in other files")
        try:
            yield
        except Unsupported as error:
            raise Unsupported(f"{self.name!r}: {error}") from None


def open_root(source: Source) -> Group:
    """Return the root of a file.

    Args:
        source: The bytes from HDF5's mark on.

    Raises:
        Corrupt: It is cut short or damaged.
        Unsupported: It is of a form that no file of models has.
    """
    what = "the head of the file"
    head = Cursor(source.read(0, min(source.size, 128), what), what, 8)
    version = head.integer(1)
    if version in (0, 1):
        head.take(4)
        sizes = head.integer(1), head.integer(1)
        head.take(9 if version == 0 else 13)
        base, _, end, driver = (head.integer(8) for _ in range(4))
        head.take(8)
        root = head.integer(8)
    elif version in (2, 3):
        sizes = head.integer(1), head.integer(1)
        head.take(1)
        base, _, end, root = (head.integer(8) for _ in range(4))
        driver = UNDEFINED
        check_sum(source.read(0, 48, what), what)
    else:
        raise Corrupt(f"{what} has version {version}")
    if sizes != (8, 8) or driver != UNDEFINED:
        raise Unsupported("addresses of other lengths than eight bytes, or several files for one")
    if source.size < end - base:
        raise Corrupt(f"the file is cut short: it has {source.size} bytes of {end - base}")
    node = File(source).node(root, "/")
    if not isinstance(node, Group):
        raise Corrupt("its root is no group")
    return node
