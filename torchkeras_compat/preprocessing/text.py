"""Texts as lists of words and of indices."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.border import translated
from .._core.config import Configurable
from .._core.errors import choice, show

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")
Analyzer = Callable[[str], Sequence[str]]


@translated("text_to_word_sequence")
def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """Split a text into words.

    Args:
        input_text: The text.
        filters: Characters that count as separators too.
        lower: Whether to turn the text to lower case.
        split: The separator.

    Example:
        >>> text_to_word_sequence('The cat sat, and sat.')
        ['the', 'cat', 'sat', 'and', 'sat']
    """
    text = input_text.lower() if lower else input_text
    words = text.translate({ord(mark): split for mark in filters}).split(split)
    return [word for word in words if word]


@translated("one_hot")
def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:
    """Give each word of a text an index from 1 to n − 1 by Python's `hash`; two words may share one.

    `hash` of a text changes from one process to the next; `hashing_trick(..., hash_function='md5')` does not.

    Args:
        input_text: The text.
        n: Size of the vocabulary.
        filters: Characters that count as separators too.
        lower: Whether to turn the text to lower case.
        split: The separator.
        analyzer: Splits the text instead of the three arguments above.

    Example:
        >>> a, b, c = one_hot('sat and sat', 50)
        >>> a == c
        True
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: str | Callable[[str], int] | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:
    """Give each word of a text an index from 1 to n − 1 by a hash; two words may share one.

    Args:
        text: The text.
        n: Size of the space of indices.
        hash_function: `'md5'`, a function of a word, or `None` for Python's `hash`.
        filters: Characters that count as separators too.
        lower: Whether to turn the text to lower case.
        split: The separator.
        analyzer: Splits the text instead of the three arguments above.

    Raises:
        ValueError: An `n` below 2, or another name of a hash.

    Example:
        >>> hashing_trick('the cat sat', 10, 'md5')
        [6, 3, 1]
    """
    if n < 2:
        raise ValueError(f"hashing_trick(n={n}): n must be at least 2; got {n}.")
    if isinstance(hash_function, str):
        choice("hashing_trick", "hash_function", hash_function, ("md5",))
        hash_function = _md5
    function = hash_function or hash
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer(Configurable):
    """Learn the words of texts, and turn texts into indices or a matrix.

    The most frequent word has index 1, or 2 where `oov_token` has 1; 0 is no word.

    Args:
        num_words: Only words with an index below this are used.
        filters: Characters that count as separators too.
        lower: Whether to turn texts to lower case.
        split: The separator.
        char_level: Whether every character is a word.
        oov_token: Stands for words that were not learnt.
        analyzer: Splits a text instead of `filters`, `lower` and `split`.
        document_count: Number of texts already learnt.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(['the cat sat', 'the dog'])
        >>> tokenizer.texts_to_sequences(['the dog sat'])
        [[1, 4, 3]]
        >>> tokenizer.texts_to_matrix(['the dog'], mode='count').tolist()
        [[0.0, 1.0, 0.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Analyzer | None = None,
        document_count: int = 0,
    ) -> None:
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count = document_count
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: str | list[str]) -> Sequence[str]:
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return text.lower() if self.lower else text
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Learn the words of texts, each a string or a list of words; called again, it learns more."""
        counts, documents = self.word_counts, self.word_docs
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                counts[word] = counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                documents[word] += 1
        by_count = sorted(counts, key=counts.__getitem__, reverse=True)
        vocabulary = by_count if self.oov_token is None else [self.oov_token, *by_count]
        self.word_index = {word: index for index, word in enumerate(vocabulary, 1)}
        self.index_word = {index: word for word, index in self.word_index.items()}
        for word, count in documents.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Iterable[int]]) -> None:
        """Learn how many texts each index is in; needed for `'tfidf'` when `fit_on_texts` was not called."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for index in set(sequence):
                self.index_docs[index] += 1

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """Return each text as a list of indices; words that are not used are left out, or become `oov_token`."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """Do what `texts_to_sequences` does, one text at a time."""
        oov = None if self.oov_token is None else self.word_index.get(self.oov_token)
        limit = self.num_words or len(self.word_index) + 1
        for text in texts:
            index_of_words = (self.word_index.get(word) for word in self._words(text))
            indices = (index if index is not None and index < limit else oov for index in index_of_words)
            yield [index for index in indices if index is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return each list of indices as a text; indices that are not used are left out, or become `oov_token`."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Do what `sequences_to_texts` does, one text at a time."""
        limit = self.num_words or len(self.word_index) + 1
        oov = self.oov_token if self.oov_token in self.word_index else None
        for sequence in sequences:
            words = (self.index_word.get(index) if index < limit else oov for index in sequence)
            words = (oov if word is None else word for word in words)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> NDArray[np.float64]:
        """Return a row for each text and a column for each index.

        Args:
            texts: The texts.
            mode: `'binary'`, `'count'`, `'freq'` (counts divided by the text's length) or `'tfidf'`.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> NDArray[np.float64]:
        """Return a row for each list of indices and a column for each index.

        Args:
            sequences: The lists of indices.
            mode: `'binary'`, `'count'`, `'freq'` (counts divided by the list's length) or `'tfidf'`.

        Raises:
            ValueError: The number of columns is not known, `'tfidf'` before anything was learnt, or another mode.
        """
        mode = choice("Tokenizer.sequences_to_matrix", "mode", mode, _MODES)
        if not self.num_words and not self.word_index:
            raise ValueError("Tokenizer: give num_words, or call fit_on_texts first.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Tokenizer: call fit_on_texts or fit_on_sequences before mode='tfidf'.")
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in enumerate(sequences):
            if len(sequence):
                indices, counts = np.unique(np.asarray(sequence, dtype=np.int64), return_counts=True)
                used = indices < columns
                matrix[row, indices[used]] = self._entries(mode, indices[used], counts[used], len(sequence))
        return matrix

    def _entries(self, mode: str, indices: NDArray[Any], counts: NDArray[Any], length: int) -> Any:
        if mode == "tfidf":
            documents = np.array([self.index_docs.get(int(index), 0) for index in indices])
            return (1 + np.log(counts)) * np.log(1 + self.document_count / (1 + documents))
        return {"binary": 1, "count": counts, "freq": counts / length}[mode]

    def get_config(self) -> dict[str, Any]:
        """Return the settings and, as JSON texts, what was learnt."""
        learnt = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            **{name: getattr(self, name) for name in _SETTINGS},
            **{name: json.dumps(getattr(self, name)) for name in learnt},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Tokenizer:
        """Make a tokenizer from what `get_config` returned."""
        learnt = {name: json.loads(config.get(name) or "{}") for name in _LEARNT}
        tokenizer = cls(**{name: value for name, value in config.items() if name not in _LEARNT})
        for name, (container, by_index) in _LEARNT.items():
            items = {int(key): value for key, value in learnt[name].items()} if by_index else learnt[name]
            setattr(tokenizer, name, container(items))
        return tokenizer

    def to_json(self, **kwargs: Any) -> str:
        """Return the tokenizer as JSON, which `tokenizer_from_json` reads; `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _counting(items: dict[Any, int]) -> defaultdict[Any, int]:
    return defaultdict(int, items)


_SETTINGS = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
# What was learnt: the container it is kept in, and whether its keys are indices.
_LEARNT: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "word_counts": (OrderedDict, False),
    "word_docs": (_counting, False),
    "index_docs": (_counting, True),
    "index_word": (dict, True),
    "word_index": (dict, False),
}


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Make a tokenizer from what `Tokenizer.to_json` returned.

    Args:
        json_string: The JSON text.

    Raises:
        ValueError: Another text.

    Example:
        >>> tokenizer = Tokenizer(num_words=100)
        >>> tokenizer.fit_on_texts(['the cat sat'])
        >>> tokenizer_from_json(tokenizer.to_json()).word_index
        {'the': 1, 'cat': 2, 'sat': 3}
    """
    stored = json.loads(json_string)
    if not isinstance(stored, dict) or not isinstance(stored.get("config"), dict):
        raise ValueError(f"tokenizer_from_json(json_string={show(json_string)}): the text holds no tokenizer.")
    return Tokenizer.from_config(stored["config"])
