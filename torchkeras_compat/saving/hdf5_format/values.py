"""Elements: from the bytes of a file to numbers and texts."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .heaps import TextHeap
from .messages import DEFLATE, SHUFFLE, Header, Layout, Shape, Type
from .source import UNDEFINED, Corrupt, Source, Unsupported, decoded
from .trees import leaves

Array = np.ndarray[Any, Any]

EXPANSION = 64
EXPANSION_BASE = 16 * 2**20
"""Chunks may become so many times the file's size, and so many bytes more: weights hardly shrink at all."""


def expect_readable(kind: Type) -> None:
    """Raise where elements are of a type that files of models do not have.

    Raises:
        Unsupported: They are.
    """
    if kind.problem:
        raise Unsupported(kind.problem)


def attribute_value(shape: Shape | None, kind: Type, data: bytes, texts: TextHeap) -> Any:
    """Return the value of an attribute as h5py gives it; `None` where it has no elements at all."""
    expect_readable(kind)
    if shape is None:
        return None
    if not kind.is_reference_to_text:
        return np.frombuffer(data, kind.dtype).reshape(shape)[()]
    listed = [decoded(text) for text in _texts(data, texts)]
    if not shape:
        return listed[0]
    values = np.empty(len(listed), object)
    values[:] = listed
    return values.reshape(shape)


def _texts(data: bytes, texts: TextHeap) -> list[bytes]:
    return [texts.text(data[i : i + 16]) for i in range(0, len(data), 16)]


def read_data(
    source: Source, header: Header, texts: TextHeap, what: str, empty: Callable[..., Array] = np.empty
) -> Array:
    """Return the elements of a dataset; texts of any length are bytes, as h5py gives them.

    Args:
        source: The file.
        header: The dataset's.
        texts: The file's texts of any length.
        what: The dataset, for messages.
        empty: Makes the array, of a shape and a type, where the elements lie in one piece.

    Raises:
        Corrupt: They are not there.
        Unsupported: They are of a type, or compressed in a way, that files of models do not have.
    """
    shape, kind, layout = header.shape, header.type, header.layout
    if shape is None or kind is None or layout is None:
        raise Unsupported("a dataset without elements")
    expect_readable(kind)
    if layout.problem:
        raise Unsupported(layout.problem)
    stored = np.dtype("V16") if kind.is_reference_to_text else kind.dtype
    size = math.prod(shape) * stored.itemsize
    if layout.form == "chunks":
        array = _read_chunks(source, header, stored, what)
    elif layout.form == "header":
        if len(layout.data) < size:
            raise Corrupt(f"{what} has {len(layout.data)} bytes of {size}")
        array = np.frombuffer(bytearray(layout.data[:size]), stored).reshape(shape)
    else:
        _check_piece(source, layout, size, what)
        array = _read_piece(source, layout.address, empty(shape, stored), what)
    if not kind.is_reference_to_text:
        return array
    values = np.empty(math.prod(shape), object)
    values[:] = _texts(array.tobytes(), texts)
    return values.reshape(shape)


def read_rows(
    source: Source, header: Header, texts: TextHeap, what: str, empty: Callable[..., Array], limit: int
) -> Iterator[tuple[int, Array]]:
    """Yield the elements of a dataset some rows at a time where they lie in one piece, elsewhere all at once.

    Args:
        source: The file.
        header: The dataset's.
        texts: The file's texts of any length.
        what: The dataset, for messages.
        empty: Makes the arrays, of a shape and a type.
        limit: Bytes of some rows.

    Raises:
        Corrupt: They are not there.
        Unsupported: They are of a type, or compressed in a way, that files of models do not have.
    """
    shape, kind, layout = header.shape, header.type, header.layout
    if not shape or kind is None or layout is None or layout.form != "one piece" or kind.is_reference_to_text:
        yield 0, read_data(source, header, texts, what, empty)
        return
    expect_readable(kind)
    of_row = math.prod(shape[1:]) * kind.dtype.itemsize
    _check_piece(source, layout, shape[0] * of_row, what)
    count = max(limit // max(of_row, 1), 1)
    for row in range(0, shape[0], count):
        array = empty((min(count, shape[0] - row), *shape[1:]), kind.dtype)
        yield row, _read_piece(source, layout.address + row * of_row, array, what)


def _check_piece(source: Source, layout: Layout, size: int, what: str) -> None:
    if layout.address == UNDEFINED and size:
        raise Corrupt(f"{what} has no data")
    source.check(layout.address if size else 0, size, what)
    if layout.size < size:
        raise Corrupt(f"{what} has {layout.size} bytes of {size}")


def _read_piece(source: Source, address: int, array: Array, what: str) -> Array:
    if array.nbytes:
        source.read_into(address, array.reshape(-1).view(np.uint8), what)
    return array


def _read_chunks(source: Source, header: Header, stored: np.dtype[Any], what: str) -> Array:
    shape, layout = header.shape, header.layout
    if shape is None or layout is None or len(layout.chunk) != len(shape):
        raise Corrupt(f"{what} of shape {shape} has chunks of another rank")
    size, piece = math.prod(shape) * stored.itemsize, math.prod(layout.chunk) * stored.itemsize
    if max(size, piece) > EXPANSION * source.size + EXPANSION_BASE:
        raise Corrupt(f"{what} would have {size} bytes in chunks of {piece}, and the file has {source.size}")
    array = np.zeros(shape, stored)
    for key, address in leaves(source, layout.address, 1, 8 + 8 * (len(shape) + 1)):
        length, mask, *place = struct.unpack(f"<II{len(shape) + 1}Q", key)
        if any(at >= extent for at, extent in zip(place, shape)):
            raise Corrupt(f"{what} of shape {shape} has a chunk at {tuple(place[:-1])}")
        data = _unfiltered(source.read(address, length, what), header.filters, mask, stored.itemsize, piece, what)
        source.charge(piece // EXPANSION)
        ends = [min(extent - at, width) for at, extent, width in zip(place, shape, layout.chunk)]
        target = array[tuple(slice(at, at + end) for at, end in zip(place, ends))]
        target[...] = np.frombuffer(data, stored).reshape(layout.chunk)[tuple(map(slice, ends))]
    return array


def _unfiltered(data: bytes, filters: tuple[int, ...], mask: int, width: int, size: int, what: str) -> bytes:
    for i, kind in reversed(list(enumerate(filters))):
        if mask >> i & 1:  # this chunk was not worth it
            continue
        if kind == DEFLATE:
            unpacker = zlib.decompressobj()
            try:
                data = unpacker.decompress(data, size + 1)  # one that would become longer is not unpacked to its end
            except zlib.error as error:
                raise Corrupt(f"a chunk of {what} cannot be unpacked: {error}") from error
        elif kind == SHUFFLE and width > 1 and len(data) == size:
            data = np.frombuffer(data, np.uint8).reshape(width, -1).T.tobytes()
    if len(data) != size:
        raise Corrupt(f"a chunk of {what} has {len(data)} bytes and not {size}")
    return data
