"""Files of safetensors: eight bytes, the length of a header; the header, JSON; the numbers, tensor after tensor.

The format is that of https://github.com/huggingface/safetensors, which its description settles on one page. What is
read has to keep to it in full: each byte of the numbers belongs to one tensor, and to one alone.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .hdf5 import FileError

HEADER_LIMIT = 100_000_000
"""Bytes that a header may have, as the format says."""
AXES = 64
"""Axes that a tensor may have; torch has no more."""
TEXT_LIMIT = 1_000_000
"""Commas that the texts in a header may have."""

# Names of types → torch's.
TYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "C64": torch.complex64,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
NAMES = {dtype: name for name, dtype in TYPES.items()}


@dataclass(frozen=True)
class Entry:
    """A tensor in a file, not read yet.

    Attributes:
        name: Its name.
        dtype: Its type.
        shape: Its shape.
        begin: Where it begins, counted from the start of the file.
    """

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int

    @property
    def size(self) -> int:
        """The number of bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


# --- writing ---------------------------------------------------------------------------------------------------------


def write_tensors(file: BinaryIO, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors into an open file.

    Args:
        file: The file.
        tensors: Name → tensor; those of larger elements come first, so that each lies on a multiple of its element.
        metadata: Texts by name.

    Raises:
        ValueError: A tensor of a type that the format has no name for.
    """
    odd = next((name for name, tensor in tensors.items() if tensor.dtype not in NAMES), None)
    if odd is not None:
        raise ValueError(f"safetensors has no name for the type of {odd!r}, {tensors[odd].dtype}.")
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    place = 0
    for name in order:
        tensor = tensors[name]
        end = place + tensor.numel() * tensor.dtype.itemsize
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for name in order:
        file.write(_bytes(tensors[name].detach().cpu().contiguous()))


def _bytes(tensor: Tensor) -> memoryview:
    """Return the memory of a tensor, the least byte of each element first."""
    return _least_byte_first(tensor.reshape(-1).view(torch.uint8), tensor.dtype.itemsize).numpy().data


def _least_byte_first(data: Tensor, width: int) -> Tensor:
    """Turn elements of so many bytes from this machine's order into that of files, or back."""
    return data.view(-1, width).flip(1).reshape(-1) if sys.byteorder == "big" and width > 1 else data


# --- reading ---------------------------------------------------------------------------------------------------------


def read_header(file: BinaryIO, caller: str) -> list[Entry]:
    """Return what an open file holds, in the order of its bytes; none of the numbers are read.

    Args:
        file: The file.
        caller: Who reads, for messages.

    Raises:
        FileError: It does not keep to the format.
    """
    return read_described(file, caller)[0]


def read_described(file: BinaryIO, caller: str) -> tuple[list[Entry], dict[str, str]]:
    """Return what an open file holds, as `read_header` does, and the texts that stand beside it.

    Args:
        file: The file.
        caller: Who reads, for messages.

    Raises:
        FileError: It does not keep to the format.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(8)
    if len(head) < 8:
        raise FileError(f"{caller}: the file is cut short: it has {size} bytes.")
    length = int.from_bytes(head, "little")
    if length > HEADER_LIMIT:
        raise FileError(f"{caller}: no safetensors file: its header would have {length} bytes.")
    if length > size - 8:
        raise FileError(f"{caller}: the file is cut short: its header has {length} bytes, and {size - 8} are there.")
    header, metadata = _parsed(file.read(length), caller)
    entries = [_entry(name, told, 8 + length, caller) for name, told in header.items()]
    entries.sort(key=lambda entry: (entry.begin, entry.size))
    place = 8 + length
    for entry in entries:
        if entry.begin != place:
            which = "overlap others" if entry.begin < place else "leave a gap before them"
            raise FileError(f"{caller}: the file is corrupt: the bytes of {entry.name!r} {which}.")
        place += entry.size
    if place != size:
        what = "is cut short" if place > size else "has more bytes behind its tensors"
        raise FileError(f"{caller}: the file {what}: {size} bytes, where its header tells of {place}.")
    return entries, metadata


def read_tensor(file: BinaryIO, entry: Entry, caller: str) -> Tensor:
    """Return a tensor of an open file.

    Args:
        file: The file, which is buffered: one read gives all that is there.
        entry: The tensor.
        caller: Who reads, for messages.

    Raises:
        FileError: The file ends before it.
    """
    data = torch.empty(entry.size, dtype=torch.uint8)
    file.seek(entry.begin)
    if file.readinto(data.numpy().data) < entry.size:  # type: ignore[attr-defined]
        raise FileError(f"{caller}: the file is cut short in the midst of {entry.name!r}.")
    return _least_byte_first(data, entry.dtype.itemsize).view(entry.dtype).reshape(entry.shape)


def _parsed(text: bytes, caller: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a header by names, and the metadata."""
    if text[:1] != b"{":
        raise FileError(f"{caller}: no safetensors file: its header does not begin with '{{'.")
    tensors = text.count(b'"dtype"')
    # What stands in lists takes ten times its room in memory: more of it than tensors need is not parsed.
    if text.count(b"[") > 2 * tensors + TEXT_LIMIT or text.count(b",") > (AXES + 4) * tensors + TEXT_LIMIT:
        raise FileError(f"{caller}: the file is corrupt: its header holds more than the tensors that it tells of need.")
    try:
        header = json.loads(text.decode(), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{caller}: the file is corrupt: its header is no JSON: {error}.") from error
    if not isinstance(header, dict):
        raise FileError(f"{caller}: the file is corrupt: its header is no list of tensors by name.")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FileError(f"{caller}: the file is corrupt: its metadata are no texts by name.")
    return header, metadata


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a name occurs twice")
    return entries


def _entry(name: str, told: Any, start: int, caller: str) -> Entry:
    """Return what a header tells of one tensor."""
    where = f"{caller}: the file is corrupt: {name!r}"
    if not isinstance(told, dict) or set(told) != {"dtype", "shape", "data_offsets"}:
        raise FileError(f"{where} must have a dtype, a shape and data_offsets, and nothing else.")
    kind, shape, offsets = told["dtype"], told["shape"], told["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise FileError(f"{where} is of the type {str(kind)[:40]!r}; known are {', '.join(TYPES)}.")
    if not _are_sizes(shape) or len(shape) > AXES:
        raise FileError(f"{where} has no shape: {str(shape)[:80]}.")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise FileError(f"{where} has no data_offsets: {str(offsets)[:80]}.")
    entry = Entry(name, TYPES[kind], tuple(shape), start + offsets[0])
    if offsets[1] - offsets[0] != entry.size:
        raise FileError(f"{where} has {offsets[1] - offsets[0]} bytes; its shape {entry.shape} takes {entry.size}.")
    return entry


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


# --- a module --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """A tensor of a module, which is written as weights are.

    Attributes:
        tensor: The parameter or buffer.
    """

    tensor: Tensor

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The tensor."""
        return (self.tensor,)

    @torch.no_grad()
    def assign(self, value: Tensor) -> None:
        """Write a value into the tensor."""
        self.tensor.copy_(value)


@dataclass(frozen=True)
class StatePlan:
    """What a file gives a module.

    Attributes:
        matches: The module's tensors, each with that of the file.
        skipped: What does not fit, or is on one side alone.
    """

    matches: list[tuple[Held, Entry]]
    skipped: list[str]

    def read(self, file: BinaryIO, caller: str) -> Iterator[tuple[Held, Tensor]]:
        """Yield each tensor of the module with what it shall be."""
        for held, entry in self.matches:
            yield held, read_tensor(file, entry, caller)


def match_state(entries: list[Entry], state: Mapping[str, Tensor]) -> StatePlan:
    """Return what the tensors of a file are for the state of a module, name by name.

    Args:
        entries: The tensors.
        state: Name → parameter or buffer.
    """
    theirs = {entry.name: entry for entry in entries}
    matches, skipped = [], [f"{name!r} of the model is not in the file" for name in state if name not in theirs]
    for name, entry in theirs.items():
        if name not in state:
            skipped.append(f"{name!r} of the file is not in the model")
            continue
        tensor = state[name]
        same_kind = entry.dtype.is_floating_point == tensor.is_floating_point() and not entry.dtype.is_complex
        if entry.shape == tuple(tensor.shape) and same_kind:
            matches.append((Held(tensor), entry))
            continue
        skipped.append(
            f"{name!r} has shape {tuple(tensor.shape)} and type {tensor.dtype}; in the file it has shape {entry.shape} "
            f"and type {entry.dtype}"
        )
    return StatePlan(matches, skipped)
