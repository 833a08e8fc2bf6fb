"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.errors import choice, show


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> NDArray[Any]:
    """Bring sequences to one length.

    Args:
        sequences: Lists or arrays; the axes after the first must agree.
        maxlen: The length; that of the longest sequence when `None`.
        dtype: Type of the result.
        padding: Where a short one is filled up, `'pre'` or `'post'`.
        truncating: Where a long one is cut, `'pre'` or `'post'`.
        value: What fills.

    Shape:
        `n` sequences of `(length_i, ...)` → `(n, maxlen, ...)`

    Raises:
        ValueError: An entry that is no sequence or has other axes than the first, or an unknown `padding`.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    at_front = choice("pad_sequences", "padding", padding, ("pre", "post")) == "pre"
    keep_end = choice("pad_sequences", "truncating", truncating, ("pre", "post")) == "pre"
    lengths, sample_shape = _measure(sequences)
    width = max(lengths, default=0) if maxlen is None else int(maxlen)
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ValueError(
            f"pad_sequences(dtype={show(dtype)}, value={value!r}): a text value needs dtype=object; got {show(dtype)}."
        )
    result = np.full((len(lengths), width, *sample_shape), value, dtype=kind)
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        if length == 0 or width == 0:
            continue
        part = sequence if length <= width else sequence[length - width :] if keep_end else sequence[:width]
        part = np.asarray(part, dtype=kind)
        if part.shape[1:] != sample_shape:
            raise ValueError(
                f"pad_sequences: all sequences must have axes {sample_shape} after the first, as the first one has; "
                f"sequence {row} has {part.shape[1:]}."
            )
        result[row, slice(width - len(part), None) if at_front else slice(len(part))] = part
    return result


def _measure(sequences: Sequence[Any]) -> tuple[list[int], tuple[int, ...]]:
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences(sequences={show(sequences)}): sequences must be a list of sequences.")
    lengths: list[int] = []
    for row, sequence in enumerate(sequences):
        try:
            lengths.append(len(sequence))
        except TypeError:
            raise ValueError(
                f"pad_sequences: sequences must be a list of sequences; entry {row} is {show(sequence)}."
            ) from None
    first = next((s for s, n in zip(sequences, lengths, strict=True) if n), ())
    return lengths, np.asarray(first).shape[1:]
