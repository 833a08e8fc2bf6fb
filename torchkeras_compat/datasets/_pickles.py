"""Pickles of data sets, read without running what is in them: arrays, numbers, texts and plain containers."""

from __future__ import annotations

import codecs
import io
import pickle
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.errors import show


class _ArrayUnpickler(pickle.Unpickler):
    """Makes arrays, numbers, texts and plain containers, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module.replace("numpy._core", "numpy.core"), name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the file names {show(f'{module}.{name}')}, which is no array; it is not read."
            ) from None


class _Dtype:
    """A type of numbers or texts as a pickle names it.

    numpy's own `dtype.__setstate__` believes what it is told, and the process ends when that is damaged; here a name
    and an order of bytes are all that counts.

    Args:
        name: Such as `'i8'`.
        options: Whether it is aligned, and a copy.
    """

    def __init__(self, name: str, *options: object) -> None:
        self._name = name.decode("ascii") if isinstance(name, bytes) else name
        if not isinstance(self._name, str) or not re.fullmatch(r"[biufOSU]\d{1,4}", self._name):
            raise pickle.UnpicklingError(f"arrays of type {show(name)} are not read.")
        self._order = "="

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("arrays of records are not read.")
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"the order of bytes {show(order)} is not known.")
        self._order = "=" if order == "|" else order

    def dtype(self) -> np.dtype[Any]:
        """Return numpy's type."""
        return np.dtype(self._name).newbyteorder(self._order)  # type: ignore[arg-type]


class _Array(np.ndarray[Any, Any]):
    """An array that a pickle fills; what it is filled with is checked before numpy sees it."""

    def __setstate__(self, state: Any) -> None:
        _, shape, stored, fortran, data = state
        if not isinstance(stored, _Dtype) or not isinstance(shape, tuple) or len(shape) > 32:
            raise pickle.UnpicklingError(f"an array of shape {show(shape)} and type {show(stored)} is not read.")
        dtype = stored.dtype()
        data = data.encode("latin1") if isinstance(data, str) else data
        if any(not isinstance(size, int) or size < 0 for size in shape) or not isinstance(data, (bytes, list)):
            raise pickle.UnpicklingError(f"an array of shape {show(shape)} is not read.")
        size = int(np.prod(shape, dtype=object)) * (1 if dtype.hasobject else dtype.itemsize)
        if len(data) != size or isinstance(data, list) != dtype.hasobject:
            raise pickle.UnpicklingError(f"an array of shape {shape} needs {size} elements or bytes; got {len(data)}.")
        super().__setstate__((1, shape, dtype, bool(fortran), data))  # type: ignore[arg-type]


def _reconstruct(kind: Any, shape: tuple[int, ...], code: bytes) -> NDArray[Any]:
    return np.ndarray.__new__(_Array, 0, np.dtype("b"))  # filled by its __setstate__, which follows


def _scalar(stored: _Dtype, data: bytes) -> Any:
    dtype = stored.dtype()
    if dtype.hasobject:
        raise pickle.UnpicklingError("a scalar of objects is not read.")
    return np.frombuffer(data, dtype=dtype, count=1)[0]


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"the encoding {encoding!r} is not read.")
    return codecs.encode(text, "latin1")


def _no_bytes() -> bytes:
    return b""  # protocol 2 writes empty bytes as a call


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy", "ndarray"): "ndarray",  # only ever an argument of _reconstruct; calling it would allocate
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
}


# What stands behind an operation: so many bytes, or bytes with their length in front, or lines.
_FIXED = {b"K": 1, b"q": 1, b"h": 1, b"\x80": 1, b"\x82": 1, b"M": 2, b"\x83": 2, b"J": 4, b"r": 4, b"j": 4}
_FIXED |= {b"\x84": 4, b"G": 8, b"\x95": 8}
_COUNTED = {
    b"U": 1,
    b"C": 1,
    b"\x8c": 1,
    b"\x8a": 1,
    b"T": 4,
    b"B": 4,
    b"X": 4,
    b"\x8b": 4,
    b"\x8d": 8,
    b"\x8e": 8,
    b"\x96": 8,
}
_LINES = {**dict.fromkeys([b"I", b"L", b"F", b"S", b"V", b"p", b"g", b"P"], 1), b"c": 2, b"i": 2}
_SIMPLE = re.compile(rb"(?:K.|q.|h.|M..|J....|[()\]}{aeltsuoNRbd012\x81\x85-\x89\x8f-\x94\x97\x98])+", re.DOTALL)


def _check(data: bytes) -> None:
    """Raise where a pickle would have memory allocated that it does not fill.

    Python makes room for all numbers up to that under which a value is to be remembered, and for a text of the length
    that is told, before it sees that the text is not there.

    Raises:
        pickle.UnpicklingError: It would.
    """
    place, end = 0, len(data)
    while place < end:
        if run := _SIMPLE.match(data, place):
            place = run.end()
            continue
        operation, start = data[place : place + 1], place + 1
        if operation == b".":
            return
        if operation in _FIXED:
            place = start + _FIXED[operation]
            number = int.from_bytes(data[start:place], "little") if operation == b"r" else 0
        elif operation in _COUNTED:
            width = _COUNTED[operation]
            number, place = 0, start + width + int.from_bytes(data[start : start + width], "little")
        elif operation in _LINES:
            for _ in range(_LINES[operation]):
                place = data.find(b"\n", place) + 1 or end + 1
            number = int(data[start:place]) if operation == b"p" and place <= end else 0
        else:
            raise pickle.UnpicklingError(f"the operation {operation!r} is not known.")
        if place > end or number > start // 3 + 256:  # honest numbers count what was remembered before
            raise pickle.UnpicklingError("it tells of more than it holds.")
    raise pickle.UnpicklingError("it has no end.")


def unpickle(data: bytes, encoding: str = "latin1") -> Any:
    """Read a pickle that may hold arrays, numbers, texts and plain containers only.

    Args:
        data: The pickle.
        encoding: What texts of Python 2 become, `'bytes'` for bytes.

    Raises:
        pickle.UnpicklingError: It names anything else, or is damaged.
    """
    _check(data)
    return _ArrayUnpickler(io.BytesIO(data), encoding=encoding).load()
