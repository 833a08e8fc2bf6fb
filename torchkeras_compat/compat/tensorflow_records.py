"""TFRecord files and the `tf.train.Example` in them, read and written without protobuf.

Sources: TensorFlow 2.15, core/lib/io/record_writer.h and core/example/example.proto; protobuf's wire format.
"""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error
from .._core.strings import StringTensor, is_string_type
from .._core.user_tensors import hand_out
from ..utils.dataset import Dataset, sized_dataset
from ..utils.dataset_trees import UNKNOWN
from .tensorflow_sparse import SparseTensor
from .tensorflow_strings import strings

# --- records -----------------------------------------------------------------------------------------------------

_POLYNOMIAL = 0x82F63B78  # of CRC-32C, reversed


def _table() -> np.ndarray[Any, np.dtype[np.uint32]]:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(_POLYNOMIAL), values >> 1).astype(np.uint32)
    return values


_CRC: list[int] = _table().tolist()


def _masked_checksum(data: bytes) -> int:
    """Return the checksum of a record, as its files have it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


class TFRecordWriter:
    """Writes strings of bytes into a file, one behind the other.

    Args:
        path: The file.
        options: `'GZIP'` or `'ZLIB'`, or `None`.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        kind = getattr(options, "compression_type", options) or ""
        if kind not in ("", "GZIP", "ZLIB"):
            raise argument_error("TFRecordWriter", "options", "None, 'GZIP' or 'ZLIB'", options)
        opened: Any = gzip.open if kind == "GZIP" else open
        self._file: Any = opened(os.fspath(path), "wb")
        self._packer = zlib.compressobj() if kind == "ZLIB" else None

    def _put(self, data: bytes) -> None:
        self._file.write(data if self._packer is None else self._packer.compress(data))

    def write(self, record: Any) -> None:
        """Write a record.

        Args:
            record: Its bytes.
        """
        data = bytes(record.numpy() if isinstance(record, StringTensor) else record)
        length = struct.pack("<Q", len(data))
        self._put(length + struct.pack("<I", _masked_checksum(length)))
        self._put(data + struct.pack("<I", _masked_checksum(data)))

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._packer is not None:
            self._file.write(self._packer.flush())
            self._packer = None
        self._file.close()

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _opened(path: str, compression: str) -> BinaryIO:
    if compression == "GZIP":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if compression == "ZLIB":
        return io.BytesIO(zlib.decompress(Path(path).read_bytes()))
    return open(path, "rb")


def _records(path: str, compression: str) -> Iterator[bytes]:
    """Yield the records of a file.

    Raises:
        ValueError: It is none of this kind, or damaged.
    """
    with _opened(path, compression) as file:
        while head := file.read(12):
            if len(head) == 12 and _masked_checksum(head[:8]) == struct.unpack("<I", head[8:])[0]:
                (length,) = struct.unpack("<Q", head[:8])
                body = file.read(length + 4)
                if len(body) == length + 4:  # a long body's own checksum would take Python a second a few megabytes
                    yield body[:length]
                    continue
            raise ValueError(f"tf.data.TFRecordDataset: {path} is no TFRecord file, or damaged.")


def record_dataset(
    filenames: Any,
    compression_type: Any = None,
    buffer_size: Any = None,
    num_parallel_reads: Any = None,
    name: Any = None,
) -> Dataset:
    """Return the records of files as strings.

    Args:
        filenames: A path, a list or a data set of them.
        compression_type: `'GZIP'` or `'ZLIB'`, or `None`.
        buffer_size: Accepted.
        num_parallel_reads: Accepted: files are read one after the other.
        name: Accepted.
    """
    compression = str(compression_type or "")

    def paths() -> Iterator[str]:
        for one in filenames if isinstance(filenames, Dataset) else [filenames]:
            for path in np.ravel(np.asarray(strings(one), dtype=object)):
                yield path.decode() if isinstance(path, bytes) else str(path)

    def elements(stops: Any) -> Iterator[Any]:
        for path in paths():
            for record in _records(path, compression):
                yield StringTensor.of(np.array(record, dtype=object))

    return sized_dataset(elements, UNKNOWN)


# --- the wire format ---------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    """Return a whole number in the wire format.

    Args:
        number: The number.
    """
    number &= (1 << 64) - 1
    parts = []
    while True:
        parts.append((number & 0x7F) | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(parts)


def field(number: int, data: bytes) -> bytes:
    """Return a field that holds bytes, in the wire format.

    Args:
        number: The number of the field.
        data: The bytes.
    """
    return varint(number << 3 | 2) + varint(len(data)) + data


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def fields(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Yield the number, kind and content of each field.

    Args:
        data: Fields in the wire format.
    """
    at = 0
    content: Any
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == 0:
            content, at = _read_varint(data, at)
        elif kind == 2:
            length, at = _read_varint(data, at)
            content, at = data[at : at + length], at + length
        else:
            size = {1: 8, 5: 4}[kind]
            content, at = data[at : at + size], at + size
        yield key >> 3, kind, content


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _int64s(data: memoryview) -> list[int]:
    values: list[int] = []
    for _, kind, content in fields(data):
        if kind == 0:
            values.append(_signed(content))
            continue
        at = 0
        while at < len(content):
            number, at = _read_varint(content, at)
            values.append(_signed(number))
    return values


def _floats(data: memoryview) -> list[float]:
    return [value for _, _, content in fields(data) for value in np.frombuffer(content, "<f4").tolist()]


def _texts(data: memoryview) -> list[bytes]:
    return [bytes(content) for _, _, content in fields(data)]


# --- examples ----------------------------------------------------------------------------------------------------


class _Values:
    """A list of values of one type."""

    def __init__(self, value: Any = ()) -> None:
        self.value = list(value.tolist() if hasattr(value, "tolist") else value)


class BytesList(_Values):
    """Strings of bytes."""

    def written(self) -> bytes:
        """Return them in the wire format."""
        if wrong := [v for v in self.value if not isinstance(v, bytes)]:
            raise argument_error("tf.train.BytesList", "value", "a list of bytes", wrong[0], TypeError)
        return b"".join(field(1, value) for value in self.value)


class FloatList(_Values):
    """Numbers of 32 bits."""

    def written(self) -> bytes:
        """Return them in the wire format."""
        return field(1, np.asarray(self.value, "<f4").tobytes()) if self.value else b""


class Int64List(_Values):
    """Whole numbers."""

    def written(self) -> bytes:
        """Return them in the wire format."""
        return field(1, b"".join(varint(int(value)) for value in self.value)) if self.value else b""


_LISTS: dict[int, tuple[str, type[_Values], Callable[[memoryview], list[Any]]]] = {
    1: ("bytes_list", BytesList, _texts),
    2: ("float_list", FloatList, _floats),
    3: ("int64_list", Int64List, _int64s),
}


class Feature:
    """One of three lists.

    Args:
        bytes_list: Strings.
        float_list: Numbers.
        int64_list: Whole numbers.
    """

    def __init__(self, bytes_list: Any = None, float_list: Any = None, int64_list: Any = None) -> None:
        self.bytes_list = bytes_list or BytesList()
        self.float_list = float_list or FloatList()
        self.int64_list = int64_list or Int64List()
        lists = {"bytes_list": bytes_list, "float_list": float_list, "int64_list": int64_list}
        self._given = next((name for name, held in lists.items() if held is not None), None)

    def written(self) -> bytes:
        """Return it in the wire format; a list that was given stands there if it is empty, too."""
        for number, (name, *_) in _LISTS.items():
            if getattr(self, name).value or name == self._given:
                return field(number, getattr(self, name).written())
        return b""


class Features:
    """Features by name.

    Args:
        feature: Name → feature.
    """

    def __init__(self, feature: Mapping[str, Feature] | None = None) -> None:
        self.feature = dict(feature or {})


class Example:
    """What one record holds.

    Args:
        features: Its features.

    Example:
        >>> age = Feature(int64_list=Int64List(value=[7]))
        >>> Example.FromString(Example(features=Features(feature={'age': age})).SerializeToString()).features.feature[
        ...     'age'].int64_list.value
        [7]
    """

    def __init__(self, features: Features | None = None) -> None:
        self.features = features or Features()

    def SerializeToString(self) -> bytes:
        """Return it in the wire format."""
        entries = (
            field(1, field(1, name.encode()) + field(2, feature.written()))
            for name, feature in sorted(self.features.feature.items())
        )
        return field(1, b"".join(entries))

    def ParseFromString(self, serialized: Any) -> int:
        """Take the features of a record.

        Args:
            serialized: Its bytes.
        """
        data = bytes(serialized)
        self.features = Features({name: Feature(**{kind: made}) for name, (kind, made) in _parsed(data).items()})
        return len(data)

    @classmethod
    def FromString(cls, serialized: Any) -> Example:
        """Return the example that a record holds.

        Args:
            serialized: Its bytes.
        """
        example = cls()
        example.ParseFromString(serialized)
        return example


def _parsed(data: bytes) -> dict[str, tuple[str, Any]]:
    """Return name → the name of the list and the list.

    Raises:
        ValueError: It is no example.
    """
    kinds_and_values: dict[str, tuple[str, Any]] = {}
    try:
        for _, _, features in fields(memoryview(data)):
            kinds_and_values |= features_by_name(features)
    except WRONG_FORM:
        raise ValueError("tf.io.parse_example: the string is no tf.train.Example.") from None
    return kinds_and_values


WRONG_FORM = (IndexError, KeyError, TypeError, UnicodeDecodeError)  # what reading another string ends in


def features_by_name(data: memoryview) -> dict[str, tuple[str, Any]]:
    """Return name → the name of the list and the list, of features in the wire format.

    Args:
        data: The features.
    """
    return {name: one for name, value in entries_of(data) for one in lists_of(value)}


def entries_of(data: memoryview) -> Iterator[tuple[str, memoryview]]:
    """Yield the names of a map in the wire format, and what stands under each.

    Args:
        data: The map.
    """
    for _, _, entry in fields(data):
        parts = {number: content for number, _, content in fields(entry)}
        yield bytes(parts[1]).decode(), parts.get(2, memoryview(b""))


def lists_of(feature: memoryview) -> Iterator[tuple[str, Any]]:
    """Yield the name of the list and the list that a feature holds, if it holds one.

    Args:
        feature: The feature in the wire format.
    """
    for number, _, content in fields(feature):
        name, cls, read = _LISTS[number]
        yield name, cls(read(content))


# --- parsing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FixedLenFeature:
    """A feature of a shape that is known.

    Attributes:
        shape: The shape.
        dtype: int64, float32 or string.
        default_value: Stands for one that is missing; there must be one if `None`.
    """

    shape: Any
    dtype: Any
    default_value: Any = None


@dataclass(frozen=True)
class FixedLenSequenceFeature:
    """A feature of as many values as there are.

    Attributes:
        shape: The shape of each.
        dtype: int64, float32 or string.
        allow_missing: Whether there may be none.
        default_value: Fills shorter ones in a batch.
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


@dataclass(frozen=True)
class VarLenFeature:
    """A feature of as many values as there are, as a sparse tensor.

    Attributes:
        dtype: int64, float32 or string.
    """

    dtype: Any


def _values_of(name: str, parsed: Mapping[str, tuple[str, Any]], dtype: Any) -> list[Any] | None:
    if name not in parsed or not parsed[name][1].value:
        return None
    kind, held = parsed[name]
    wanted = "bytes_list" if is_string_type(dtype) else _KINDS[settings.torch_dtype(dtype)]
    if kind != wanted:
        raise ValueError(f"tf.io.parse_example: feature {name!r} is a {kind}; {wanted} was asked for.")
    return list(held.value)


_KINDS = {torch.int64: "int64_list", torch.float32: "float_list"}


def _as_tensor(values: Sequence[Any], dtype: Any, shape: Any) -> Tensor:
    sizes = [int(n) for n in shape]
    if is_string_type(dtype):
        made: Tensor = StringTensor.of(np.array([*values, None], dtype=object)[:-1])
        return made.reshape(sizes)
    return torch.tensor(values, dtype=settings.torch_dtype(dtype)).reshape(sizes)


def feature_as(name: str, spec: Any, parsed: Mapping[str, tuple[str, Any]]) -> Any:
    """Return a feature of one example, as its specification says.

    Args:
        name: The name of the feature.
        spec: The specification.
        parsed: Name → the name of a list and the list.

    Raises:
        ValueError: It is missing, or of another type or number of values.
    """
    values = _values_of(name, parsed, spec.dtype)
    if isinstance(spec, VarLenFeature):
        values = values or []
        made = _as_tensor(values, spec.dtype, [len(values)])
        return SparseTensor(np.arange(len(values))[:, None], made, [len(values)])
    if isinstance(spec, FixedLenSequenceFeature):
        return _as_tensor(values or [], spec.dtype, [-1, *spec.shape] if values else [0, *spec.shape])
    size = int(np.prod([int(n) for n in spec.shape], dtype=np.int64))
    if values is None:
        if spec.default_value is None:
            raise ValueError(f"tf.io.parse_example: feature {name!r} is missing, and has no default_value.")
        values = np.ravel(np.asarray(spec.default_value, dtype=object)).tolist()
        values = values * size if len(values) == 1 else values
    if len(values) != size:
        raise ValueError(f"tf.io.parse_example: feature {name!r} needs {size} values; it has {len(values)}.")
    return _as_tensor(values, spec.dtype, spec.shape)


def parse_single_example(
    serialized: Any, features: Mapping[str, Any], example_names: Any = None, name: Any = None
) -> dict[str, Any]:
    """Return the features of a record as tensors.

    Args:
        serialized: The record, a string.
        features: Name → `FixedLenFeature`, `VarLenFeature` or `FixedLenSequenceFeature`.
        example_names: Accepted.
        name: Accepted.
    """
    data = serialized if isinstance(serialized, bytes) else strings(serialized).item()
    parsed = _parsed(data)
    return {key: hand_out(feature_as(key, spec, parsed)) for key, spec in sorted(features.items())}


def parse_example(serialized: Any, features: Mapping[str, Any], example_names: Any = None, name: Any = None) -> Any:
    """Return the features of several records as batches.

    Args:
        serialized: The records.
        features: Name → `FixedLenFeature`, whose values are stacked, or `VarLenFeature`.
        example_names: Accepted.
        name: Accepted.
    """
    texts = np.ravel(np.asarray(strings(serialized), dtype=object)).tolist()
    rows = [parse_single_example(text, features) for text in texts]
    return {key: hand_out(stacked_features(key, features[key], [row[key] for row in rows])) for key in sorted(features)}


def stacked_features(name: str, spec: Any, parts: list[Any]) -> Any:
    """Return a feature of several examples as one batch.

    Args:
        name: The name of the feature.
        spec: Its specification.
        parts: What each example has of it.

    Raises:
        ValueError: A `FixedLenSequenceFeature`, whose lengths differ.
    """
    if isinstance(spec, VarLenFeature):
        places = [(i, j) for i, part in enumerate(parts) for j in range(len(part.values))]
        widest = max((len(part.values) for part in parts), default=0)
        return SparseTensor(places, torch.cat([part.values for part in parts]), [len(parts), widest])
    if isinstance(spec, FixedLenSequenceFeature):
        raise ValueError(
            f"tf.io.parse_example: {name!r} has another length in each record; write parse_single_example."
        )
    return torch.stack(parts)


RECORDS: dict[str, Any] = {
    "TFRecordWriter": TFRecordWriter,
    "TFRecordOptions": lambda compression_type=None, **_: compression_type,
    "FixedLenFeature": FixedLenFeature,
    "FixedLenSequenceFeature": FixedLenSequenceFeature,
    "VarLenFeature": VarLenFeature,
    "parse_single_example": parse_single_example,
    "parse_example": parse_example,
}
EXAMPLES: dict[str, Any] = {
    kind.__name__: kind for kind in (Example, Features, Feature, BytesList, FloatList, Int64List)
}
