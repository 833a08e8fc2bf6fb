"""Texts as word indices: what IMDB and Reuters have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.errors import argument_error

Texts = Sequence[Sequence[int]]


def order(n: int, rng: np.random.RandomState) -> NDArray[np.int64]:
    """Return a shuffled order of `n` texts."""
    indices = np.arange(n)
    rng.shuffle(indices)
    return indices


def shifted(texts: Iterable[Sequence[int]], start_char: int | None, index_from: int | None) -> list[list[int]]:
    """Return the texts with every index moved up and the start mark in front."""
    head = [] if start_char is None else [start_char]
    shift = index_from or 0
    return [head + [word + shift for word in text] for text in texts]


def without_long(
    owner: str, texts: list[list[int]], labels: NDArray[Any], maxlen: int | None
) -> tuple[list[list[int]], NDArray[Any]]:
    """Leave out texts of `maxlen` words and more."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise argument_error(owner, "maxlen", "larger than the length of some text, the start mark included", maxlen)
    return [texts[i] for i in kept], np.asarray(labels)[kept]


def limited(texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None) -> list[list[int]]:
    """Replace, or leave out, the words outside `skip_top <= index < num_words`.

    Without `num_words` the largest index is the limit, so the one rarest word is replaced too, as in Keras.
    """
    limit = num_words or max((max(text, default=0) for text in texts), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < limit] for text in texts]
    return [[word if skip_top <= word < limit else oov_char for word in text] for text in texts]


def as_objects(texts: list[list[int]]) -> NDArray[np.object_]:
    """Return the texts as a 1-D array of lists."""
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result
