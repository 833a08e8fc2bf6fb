"""Files of checkpoints: the values of a graph of objects, in the format of safetensors, with the graph beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .file_kinds import CHECKPOINT, SAFETENSORS, FileError, kind_of
from .flushing import flushed
from .object_graph import GraphNode, Leaf, walk
from .replacing import make_folder_of, replacing
from .safetensors_file import Entry, read_described, read_tensor, write_tensors

GRAPH = "object_graph"
"""The text beside the tensors that tells of the objects."""


@dataclass(frozen=True)
class StoredNode:
    """An object, or a value, in a file.

    Attributes:
        parts: The names of its parts → their numbers.
        key: What the file calls its value; `None` for an object.
    """

    parts: dict[str, int]
    key: str | None


def write_objects(path: str, root: Any) -> None:
    """Write all values of an object into a file, which is there when it is whole; folders are made.

    Args:
        path: The file.
        root: The object.
    """
    objects = walk(root, for_files=True)
    tensors = {one.key: one.trackable.read() for one in objects if isinstance(one.trackable, Leaf)}
    make_folder_of(path)
    with replacing(path) as temporary, flushed(temporary) as file:
        write_tensors(file, tensors, {"format": "pt", GRAPH: json.dumps([_described(one) for one in objects])})


def _described(one: GraphNode) -> dict[str, Any]:
    return {"key": one.key} if isinstance(one.trackable, Leaf) else {"parts": one.parts}


def holds_objects(path: str, caller: str) -> bool:
    """Tell whether a file of safetensors is one that `write_objects` wrote.

    Args:
        path: The file.
        caller: Who reads, for messages.
    """
    with open(path, "rb") as file:
        return GRAPH in read_described(file, caller)[1]


class ObjectFile:
    """A file that `write_objects` wrote.

    Args:
        path: The file.
        caller: Who reads, for messages.

    Attributes:
        nodes: The objects and values in it; the first one is the object that was written.
        entries: The names of values → what the file tells of them.

    Raises:
        FileError: It is another kind of file, or damaged.
        FileNotFoundError: Nothing is there.
    """

    def __init__(self, path: str, caller: str) -> None:
        self.path, self.caller = path, caller
        _expect_kind(path, caller)
        with open(path, "rb") as file:
            entries, texts = read_described(file, caller)
        if GRAPH not in texts:
            raise FileError(
                f"{caller}: the file holds the weights of one model; write model.load_weights({path!r}), or "
                f"tf.train.Checkpoint(model).restore({path!r})."
            )
        self.entries: dict[str, Entry] = {entry.name: entry for entry in entries}
        self.nodes = _nodes(texts[GRAPH], self.entries, caller)
        self._held: dict[str, Tensor] = {}

    def read(self, keys: Iterable[str]) -> dict[str, Tensor]:
        """Return values by their names.

        Args:
            keys: The names.
        """
        wanted = dict.fromkeys(keys)
        values = {key: self._held[key] for key in wanted if key in self._held}
        if len(values) < len(wanted):
            with open(self.path, "rb") as file:
                values |= {
                    key: read_tensor(file, self.entries[key], self.caller) for key in wanted if key not in values
                }
        return values

    def hold(self, keys: Iterable[str]) -> None:
        """Keep values in memory: what will want them is not there yet, and the file may be gone by then.

        Args:
            keys: Their names.
        """
        self._held |= self.read(keys)

    def keys_below(self, number: int) -> list[str]:
        """Return the names of the values that an object consists of.

        Args:
            number: The object's.
        """
        seen, rest = {number}, [number]
        for one in rest:
            fresh = [part for part in self.nodes[one].parts.values() if part not in seen]
            seen.update(fresh)
            rest += fresh
        return [key for one in rest if (key := self.nodes[one].key) is not None]


def _expect_kind(path: str, caller: str) -> None:
    kind = kind_of(path)
    if kind is CHECKPOINT:
        raise FileError(
            f"{caller}: {os.fspath(path)!r} is a checkpoint that TensorFlow wrote. Where TensorFlow is installed, "
            f"restore it with the same objects, write model.save_weights('weights.h5') for each model, and here "
            f"model.load_weights('weights.h5')."
        )
    if kind is not SAFETENSORS:
        raise FileError(
            f"{caller}: the file is {kind.what}, not one that tf.train.Checkpoint wrote here. {kind.advice}".rstrip()
        )


def _nodes(text: str, entries: dict[str, Entry], caller: str) -> Sequence[StoredNode]:
    """Return the graph that a text describes.

    Raises:
        FileError: It describes none, or one of values that the file has not.
    """
    try:
        described = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{caller}: the file is corrupt: its graph of objects is no JSON: {error}.") from error
    if not isinstance(described, list) or not described:
        raise FileError(f"{caller}: the file is corrupt: its graph of objects is no list.")
    for one in described:
        parts, key = (one.get("parts", {}), one.get("key")) if isinstance(one, dict) else (None, None)
        numbers = parts.values() if isinstance(parts, dict) else [None]
        if not all(type(number) is int and 0 <= number < len(described) for number in numbers):
            raise FileError(f"{caller}: the file is corrupt: an object in it has parts that are nowhere.")
        if key is not None and (not isinstance(key, str) or key not in entries):
            raise FileError(f"{caller}: the file is corrupt: it has no value {str(key)[:80]!r}.")
    return [StoredNode(one.get("parts", {}), one.get("key")) for one in described]
