"""Reuters: newswires as word indices, 46 topics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.border import translated
from .._core.errors import fraction
from . import _files, _words

Pair = tuple[NDArray[Any], NDArray[Any]]
_HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_INDEX_HASH = "4d44cc38712099c9e383dc6e5f11a921"
_OWNER = "reuters.load_data"
_LABELS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


@translated(_OWNER)
def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Pair, Pair]:
    """Load the newswires as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: Name in the cache (`~/.keras/datasets`), or the path of a file of your own.
        num_words: Words from this rank of frequency on are replaced by `oov_char`.
        skip_top: So are the most frequent ones, below this rank.
        maxlen: Texts of this length and more are left out.
        test_split: Fraction of the texts that are for testing.
        seed: Seed of the order.
        start_char: Put in front of each text; `None` for nothing.
        oov_char: What replaces a word; with `None` the word is left out.
        index_from: Added to each index, to make room for the marks.

    Shape:
        x `(n,)`, each entry a list of indices; y `(n,)`, 0 to 45.

    Raises:
        ValueError: `maxlen` leaves no text, or a `test_split` outside [0, 1].
        DownloadError: The file is not there and cannot be loaded.
        DatasetError: The file is damaged, or holds something other than arrays.
    """
    test_split = fraction(_OWNER, "test_split", test_split)
    file = _files.locate(_OWNER, path, _files.ORIGIN + "reuters.npz", _HASH)
    x, y = _files.read_npz(file, ("x", "y"))
    order = _words.order(len(x), np.random.RandomState(seed))
    texts = _words.shifted(x[order], start_char, index_from)
    texts, labels = _words.without_long(_OWNER, texts, y[order], maxlen)
    texts = _words.limited(texts, num_words, skip_top, oov_char)
    cut = int(len(texts) * (1 - test_split))
    return (_words.as_objects(texts[:cut]), labels[:cut]), (_words.as_objects(texts[cut:]), labels[cut:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Return the rank of each word; `load_data` adds `index_from` to it.

    Args:
        path: Name in the cache (`~/.keras/datasets`), or the path of a file of your own.
    """
    file = _files.locate("reuters.get_word_index", path, _files.ORIGIN + "reuters_word_index.json", _INDEX_HASH)
    index: dict[str, int] = _files.read_json(file)
    return index


def get_label_names() -> tuple[str, ...]:
    """Return the names of the 46 topics, in the order of the labels.

    Example:
        >>> get_label_names()[3]
        'earn'
    """
    return tuple(_LABELS.split())
