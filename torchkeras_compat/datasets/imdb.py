"""IMDB: film reviews as word indices, good or bad."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.border import translated
from .._core.errors import fraction
from . import _files, _words

Pair = tuple[NDArray[Any], NDArray[Any]]
_HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_INDEX_HASH = "bfafd718b763782e994055a2d397834f"
_OWNER = "imdb.load_data"


@translated(_OWNER)
def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    test_split: float | None = None,
) -> tuple[Pair, Pair]:
    """Load the reviews as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: Name in the cache (`~/.keras/datasets`), or the path of a file of your own.
        num_words: Words from this rank of frequency on are replaced by `oov_char`.
        skip_top: So are the most frequent ones, below this rank.
        maxlen: Reviews of this length and more are left out.
        seed: Seed of the order.
        start_char: Put in front of each review; `None` for nothing.
        oov_char: What replaces a word; with `None` the word is left out.
        index_from: Added to each index, to make room for the marks.
        test_split: Fraction of all reviews that are for testing, as up to Keras 1.0; `None` for the split of the file.

    Shape:
        x `(n,)`, each entry a list of indices; y `(n,)`, 0 or 1.

    Raises:
        ValueError: `maxlen` leaves no review, or a `test_split` outside [0, 1].
        DownloadError: The file is not there and cannot be loaded.
        DatasetError: The file is damaged, or holds something other than arrays.
    """
    file = _files.locate(_OWNER, path, _files.ORIGIN + "imdb.npz", _HASH)
    x_train, y_train, x_test, y_test = _files.read_npz(file, ("x_train", "y_train", "x_test", "y_test"))
    rng = np.random.RandomState(seed)
    parts = []
    if test_split is not None:  # in an order of their own, for each half may be sorted by its labels
        order = _words.order(len(x_train) + len(x_test), rng)
        x, y = np.concatenate([x_train, x_test])[order], np.concatenate([y_train, y_test])[order]
        cut = int(len(x) * (1 - fraction(_OWNER, "test_split", test_split)))
        x_train, x_test, y_train, y_test = x[:cut], x[cut:], y[:cut], y[cut:]
    for x, y in ((x_train, y_train), (x_test, y_test)):
        order = _words.order(len(x), rng)
        texts = _words.shifted(x[order], start_char, index_from)
        parts.append(_words.without_long(_OWNER, texts, y[order], maxlen))
    (train, y_train), (test, y_test) = parts
    texts = _words.limited(train + test, num_words, skip_top, oov_char)
    x_train, x_test = _words.as_objects(texts[: len(train)]), _words.as_objects(texts[len(train) :])
    return (x_train, y_train), (x_test, y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Return the rank of each word; `load_data` adds `index_from` to it.

    Args:
        path: Name in the cache (`~/.keras/datasets`), or the path of a file of your own.
    """
    file = _files.locate("imdb.get_word_index", path, _files.ORIGIN + "imdb_word_index.json", _INDEX_HASH)
    index: dict[str, int] = _files.read_json(file)
    return index
