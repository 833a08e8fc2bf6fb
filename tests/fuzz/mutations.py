"""Mutated files: each is made of an honest one by a number, so that a find can be made again."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable
from typing import Any

WIDTHS = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}


def _integer(rng: random.Random, width: int, length: int, old: int) -> int:
    """Return a value that a field of lengths, counts or addresses is likely to trip over."""
    top = 1 << (8 * width)
    values = [0, 1, 2, 8, top - 1, top - 2, top // 2, top // 2 - 1, top // 4, length, length - 1, length // 2]
    values += [old + 1, old - 1, old * 2, old * 256]
    values += [rng.randrange(top), rng.randrange(length + 1), 1 << rng.randrange(8 * width)]
    return rng.choice(values) % top


def _flip_bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set_bytes(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 4))):
        data[rng.randrange(len(data))] = rng.choice((0, 0xFF, 0x7F, 0x80, rng.randrange(256)))


def _truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _extend(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.randrange(1, 200))


def _run(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    length = min(rng.choice((4, 8, 64, 512, 4096)), len(data) - start)
    data[start : start + length] = bytes([rng.choice((0, 0, 0xFF, rng.randrange(256)))]) * length


def _block(data: bytearray, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, min(start + rng.choice((4, 8, 24, 40, 64, 512, 2048)), len(data))


def _copy_block(data: bytearray, rng: random.Random) -> None:
    start, end = _block(data, rng)
    at = rng.randrange(len(data))
    block = data[start:end][: len(data) - at]
    data[at : at + len(block)] = block


def _insert_block(data: bytearray, rng: random.Random) -> None:
    start, end = _block(data, rng)
    at = rng.randrange(len(data))
    data[at:at] = data[start:end]


def _delete_block(data: bytearray, rng: random.Random) -> None:
    start, end = _block(data, rng)
    del data[start:end]


def _edit_field(data: bytearray, rng: random.Random) -> None:
    width = rng.choice((1, 2, 4, 8))
    if len(data) < width:
        return
    at = rng.randrange(len(data) - width + 1)
    if rng.random() < 0.8:
        at -= at % width
    (old,) = struct.unpack_from(WIDTHS[width], data, at)
    struct.pack_into(WIDTHS[width], data, at, _integer(rng, width, len(data), old))


def _swap_addresses(data: bytearray, rng: random.Random) -> None:
    """Let what looks like an address point to where another one does: the way to circles."""
    places = [at for at in range(0, len(data) - 7, 4) if 0 < struct.unpack_from("<Q", data, at)[0] < len(data)]
    if not places:
        return
    for _ in range(rng.choice((1, 1, 2))):
        (value,) = struct.unpack_from("<Q", data, rng.choice(places))
        struct.pack_into("<Q", data, rng.choice(places), value)


BYTES: list[Callable[[bytearray, random.Random], None]] = [
    _flip_bits, _set_bytes, _truncate, _extend, _run, _copy_block, _insert_block, _delete_block,
    _edit_field, _edit_field, _edit_field, _swap_addresses, _swap_addresses,
]  # fmt: skip


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return the content of a file after one to four changes of its bytes."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if data:
            rng.choice(BYTES)(data, rng)
    return bytes(data)


# --- texts of configurations -----------------------------------------------------------------------------------------

SCALARS: list[Any] = [
    *(None, True, False, 0, -1, 1, 3, 2**31, 2**63, 10**12, 1e308, -1e-308, float("nan"), float("inf")),
    *("", "relu", "os.system", "layer", "Sequential", "Lambda", "__lambda__", "__tuple__", "a" * 500, "\0"),
    *("../x", "/etc/passwd", "http://localhost:1/x", [], {}, [None], [[]]),
    {"class_name": "Dense"},
    {"class_name": "Dense", "config": {"units": 10**12}},
    {"class_name": "__tuple__", "items": [1, 2]},
    {"class_name": 3},
    {"class_name": "function", "config": "system"},
    {"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}},
]

KEYS = ("class_name", "config", "module", "registered_name", "name", "x", "inbound_nodes")


def _keys(node: Any) -> Any:
    return node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return each container of a configuration with each of its keys."""
    places: list[tuple[Any, Any]] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        keys = _keys(node)
        places += [(node, key) for key in keys]
        pending += [node[key] for key in keys]
    return places


def _mutate_tree(tree: Any, rng: random.Random) -> Any:
    places = _places(tree)
    if not places:
        return copy.deepcopy(rng.choice(SCALARS))
    node, key = rng.choice(places)
    kind = rng.randrange(6)
    if kind == 0:
        del node[key]
    elif kind == 1:
        other, other_key = rng.choice(places)
        node[key] = json.loads(json.dumps(other[other_key])) if other_key in _keys(other) else None
    elif kind == 2 and isinstance(node[key], int):
        node[key] = node[key] + rng.choice((-1, 1, 10**6, 10**12, -(10**9)))
    elif kind == 3:
        for _ in range(rng.choice((1, 10, 150))):  # json itself cannot write much deeper ones
            node[key] = (
                [node[key]] if rng.random() < 0.5 else {"class_name": "Sequential", "config": {"layers": [node[key]]}}
            )
    elif kind == 4 and isinstance(node, dict):
        node[rng.choice(KEYS)] = node[key]
    else:
        node[key] = copy.deepcopy(rng.choice(SCALARS))  # later changes go on in it
    return tree


def mutate_json(content: bytes, rng: random.Random) -> bytes:
    """Return a text after changes of its tree, or of its bytes."""
    if rng.random() < 0.25:
        return mutate_bytes(content, rng)
    tree = json.loads(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        tree = _mutate_tree(tree, rng)
    return json.dumps(tree).encode()
