"""What a file may ask for. A file may be a stranger's, and a small one can name a model larger than the memory.

Each limit is a number of this module; set it to another one for files that you trust:
`torchkeras_compat.saving.limits.WEIGHT_BYTES = 64 * 2**30`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from .._core.weight_limit import TooLarge, weight_limit
from .file_kinds import FileError

WEIGHT_BYTES = 2 * 2**30
"""What the weights of a model may sum up to, however small the file is that describes it."""
WEIGHTS_BY_FILE = 64
"""How many times the size of its file they may have in any case."""
CONFIG_BYTES = 64 * 2**20
"""How long the text of a configuration may be."""
CONFIG_VALUES = 5_000_000
"""How many values may stand in it."""
CONFIG_DEPTH = 400
"""How many lists and dictionaries may stand in it inside each other."""
EXPANSION = 64
"""How many times its packed size a member of an archive may have: weights hardly shrink at all."""
EXPANSION_BYTES = 16 * 2**20
"""How many bytes it may have in any case."""

_HOW = "for a file that you trust, set torchkeras_compat.saving.limits.{name} to a larger number first"


def parse_json(text: str | bytes, caller: str, what: str = "the configuration") -> Any:
    """Return what a text in JSON says.

    Args:
        text: The text.
        caller: Who reads, for messages.
        what: What the text is, for messages.

    Raises:
        FileError: It is no JSON, or longer, deeper or fuller than a configuration of a model is.

    Example:
        >>> parse_json('{"units": [1, 2]}', 'example')
        {'units': [1, 2]}
    """
    if len(text) > CONFIG_BYTES:
        raise _beyond(caller, f"{what} has {len(text):,} bytes", "CONFIG_BYTES", CONFIG_BYTES)
    try:
        tree = json.loads(text)
    except RecursionError:
        raise _too_deep(caller, what) from None
    except ValueError as error:
        raise FileError(f"{caller}: {what} is no JSON: {error}.") from error
    check_config(tree, caller, what)
    return tree


def check_config(tree: Any, caller: str, what: str = "the configuration") -> None:
    """Raise where a configuration is deeper or fuller than that of a model; it is walked without recursion.

    Args:
        tree: The configuration.
        caller: Who reads, for messages.
        what: What it is, for messages.

    Raises:
        FileError: It is.
    """
    values, level, depth = 0, [tree], 0
    while level:
        values += len(level)
        if values > CONFIG_VALUES:
            raise _beyond(caller, f"{what} has {values:,} values and more", "CONFIG_VALUES", CONFIG_VALUES)
        if depth > CONFIG_DEPTH:
            raise _too_deep(caller, what)
        below: list[Any] = []
        for node in level:
            if isinstance(node, Mapping):
                below += node.values()
            elif isinstance(node, (list, tuple)):
                below += node
        level, depth = below, depth + 1


def check_expansion(size: int, packed: int, caller: str, what: str) -> None:
    """Raise where a member of an archive would unpack to more than its packed size makes likely.

    Args:
        size: Bytes that it says it has.
        packed: Bytes that it takes in the archive.
        caller: Who reads, for messages.
        what: The member, for messages.

    Raises:
        FileError: It would.
    """
    limit = max(EXPANSION_BYTES, EXPANSION * packed)
    if size > limit:
        raise _beyond(caller, f"{what} unpacks from {packed:,} to {size:,} bytes", "EXPANSION", limit)


@contextlib.contextmanager
def building(caller: str, size: int) -> Iterator[None]:
    """Build a model from a file inside the block, and not a larger one than the file may ask for.

    Args:
        caller: Who reads, for messages.
        size: How many bytes the file has.

    Raises:
        FileError: Its weights would take more than `WEIGHT_BYTES`, and more than `WEIGHTS_BY_FILE` times the file's
            size, or its layers stand inside each other too deep.
    """
    limit = max(WEIGHT_BYTES, WEIGHTS_BY_FILE * size)
    try:
        with weight_limit(limit):
            yield
    except TooLarge as error:
        who = repr(error.path) if error.path else "a tensor"
        text = f"{who} asks for {error.size:,} bytes" if error.size < 2**62 else f"{who} asks for more than any memory"
        raise _beyond(caller, text, "WEIGHT_BYTES", limit) from error
    except RecursionError:
        raise _too_deep(caller, "the configuration") from None


def _beyond(caller: str, text: str, name: str, limit: int) -> FileError:
    return FileError(f"{caller}: {text}, and {limit:,} are allowed; {_HOW.format(name=name)}.")


def _too_deep(caller: str, what: str) -> FileError:
    return FileError(
        f"{caller}: {what} has lists and dictionaries inside each other without end, or more than limits.CONFIG_DEPTH "
        f"({CONFIG_DEPTH}) of them, which no model has."
    )
