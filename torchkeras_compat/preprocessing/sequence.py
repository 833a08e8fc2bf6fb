"""Sequences of words and of time steps."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence as SequenceOf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.config import Configurable
from .._core.errors import positive_int, show
from ..utils.padding import pad_sequences
from ..utils.sequence import Sequence

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(Configurable, Sequence):
    """Give batches of windows of a time series, each with the target that follows it.

    Args:
        data: The series, time along the first axis.
        targets: A target for each time step.
        length: Time steps that a window spans.
        sampling_rate: Steps between two samples inside a window.
        stride: Steps between two windows.
        start_index: First time step that is used.
        end_index: Last one.
        shuffle: Whether windows are drawn at random, with repetition.
        reverse: Whether time runs backwards inside a window.
        batch_size: Windows in a batch.

    Shape:
        `(batch, ceil(length / sampling_rate), ...)` and `(batch, ...)`.

    Raises:
        ValueError: `data` and `targets` of different lengths, or too short for one window.

    Example:
        >>> series = np.arange(10)
        >>> windows = TimeseriesGenerator(series, series, length=3, batch_size=2)
        >>> x, y = windows[0]
        >>> x.tolist(), y.tolist()
        ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        owner = type(self).__name__
        if len(data) != len(targets):
            raise ValueError(
                f"{owner}: data and targets must have one length; got {len(data)} time steps and "
                f"{len(targets)} targets."
            )
        self.data = data
        self.targets = targets
        self.length = positive_int(owner, "length", length)
        self.sampling_rate = positive_int(owner, "sampling_rate", sampling_rate)
        self.stride = positive_int(owner, "stride", stride)
        self.batch_size = positive_int(owner, "batch_size", batch_size)
        self.start_index = start_index + self.length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        if self.start_index > self.end_index:
            raise ValueError(
                f"{owner}(length={length}, start_index={start_index}): no window is left; start_index + length "
                f"must be at most end_index, {self.end_index}; got {self.start_index}."
            )

    def __len__(self) -> int:
        """Return the number of batches."""
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the batch at `index`, counted from the end if negative."""
        if index < -len(self):
            raise IndexError(f"TimeseriesGenerator[{index}]: there are {len(self)} batches.")
        index = index + len(self) if index < 0 else index
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(first, last, self.stride)
        data, targets = np.asarray(self.data), np.asarray(self.targets)
        steps = np.arange(-self.length, 0, self.sampling_rate)
        samples = data[rows[:, None] + steps]
        return (samples[:, ::-1] if self.reverse else samples), targets[rows]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, data and targets as JSON texts, as Keras 2.15 gives them."""
        config = {name: getattr(self, name) for name in _SETTINGS}
        return {"data": _as_json("data", self.data), "targets": _as_json("targets", self.targets), **config}

    def to_json(self, **kwargs: Any) -> str:
        """Return the configuration as JSON; `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


_SETTINGS = ("length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse", "batch_size")


def _as_json(name: str, values: Any) -> str:
    try:
        return json.dumps(values.tolist() if hasattr(values, "tolist") else values)
    except TypeError as error:
        raise TypeError(
            f"TimeseriesGenerator.get_config: {name} cannot be written as JSON; got {show(values)}."
        ) from error


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> NDArray[np.float64]:
    """Return the probability with which `skipgrams` keeps the word of each rank.

    It assumes Zipf's law for the frequencies and keeps a word with probability sqrt(factor / frequency), as word2vec
    (Mikolov et al., 2013) does.

    Args:
        size: Number of words.
        sampling_factor: The larger, the more frequent words are kept.

    Example:
        >>> make_sampling_table(3).round(4)
        array([0.0032, 0.0032, 0.0055])
    """
    rank = np.maximum(np.arange(positive_int("make_sampling_table", "size", size)), 1)
    euler = 0.577  # three digits, as Keras has it
    inverse = rank * (np.log(rank) + euler) + 0.5 - 1.0 / (12.0 * rank)
    scaled = sampling_factor * inverse
    result: NDArray[np.float64] = np.minimum(1.0, scaled / np.sqrt(scaled))
    return result


def skipgrams(
    sequence: SequenceOf[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Return pairs of words, those that stand near each other labelled 1 and random ones 0.

    Random numbers come from Python's `random` module, as in Keras.

    Args:
        sequence: A text as word indices; 0 is no word.
        vocabulary_size: Random words are drawn from 1 to this, excluded.
        window_size: How far apart two words of a pair may stand.
        negative_samples: Random pairs for each true one.
        shuffle: Whether the pairs are shuffled.
        categorical: Whether labels are `[0, 1]` and `[1, 0]` instead of 1 and 0.
        sampling_table: Probability with which a word is kept, by index.
        seed: Seed of the shuffling.

    Example:
        >>> skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
        ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    couples = _true_pairs(sequence, window_size, sampling_table)
    labels: list[Any] = [[0, 1] if categorical else 1 for _ in couples]
    if negative_samples > 0 and couples:
        count = int(len(couples) * negative_samples)
        words = [word for word, _ in couples]
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [[1, 0] if categorical else 0 for _ in range(count)]
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for items in (couples, labels):
            random.seed(seed)  # the same order for both
            random.shuffle(items)
    return couples, labels


def _true_pairs(sequence: SequenceOf[int], window_size: int, sampling_table: Any) -> list[list[int]]:
    pairs = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        near = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        pairs += [[word, sequence[j]] for j in near if j != i and sequence[j]]
    return pairs
