"""Text as numbers of its words: TextVectorization."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core import registry
from ..._core.errors import argument_error, choice, positive_int, show
from ..._core.graph_capture import not_in_graphs
from ..._core.shapes import Shape
from ..._core.strings import STRING, StringTensor, is_string_type
from ..base.traits import Traits
from .base import PreprocessingLayer, host_array
from .encoding import COUNT, INT, MULTI_HOT, TF_IDF, dense_only
from .encoding import output_mode as checked_mode
from .lookups import StringLookup, without_size

_STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")
_SPACE = " \t\n\v\f\r"


@registry.register("layer")
class TextVectorization(PreprocessingLayer):
    """Gives the numbers of the words of each text, or vectors that count them; `adapt` finds the vocabulary.

    Args:
        max_tokens: The largest size of the vocabulary, padding and unknown words included; `None` has no limit.
        standardize: `'lower_and_strip_punctuation'`, `'lower'`, `'strip_punctuation'`, `None`, or a function of a text.
        split: `'whitespace'`, `'character'`, `None`, or a function that makes a list of words of a text.
        ngrams: Runs of up to so many words are tokens too; a tuple names the lengths.
        output_mode: `'int'`, `'multi_hot'`, `'count'`, `'tf_idf'`, or `None` for the words themselves.
        output_sequence_length: With `'int'`, how many numbers a text gets; `None` takes the longest of the batch.
        pad_to_max_tokens: Whether vectors have `max_tokens` places, however many words there are.
        vocabulary: The words in order, or the path of a file with one a line.
        idf_weights: With `'tf_idf'`, the weight of each word of the vocabulary.
        sparse: Only `False`.
        ragged: Only `False`.
        encoding: The encoding of bytes that come in.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch,)` or `(batch, 1)`, of strings.
        Output: `(batch, words)` for `'int'`, else `(batch, numbers)`.

    Raises:
        ValueError: An argument out of its range, or one that the mode has no use for.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(['The cat sat.', 'The dog!'])
        >>> layer(['the bird sat']).tolist(), layer.get_vocabulary()
        ([[2, 1, 3, 0]], ['', '[UNK]', 'the', 'sat', 'dog', 'cat'])
    """

    _state_has_shape = False
    _takes_integers = _takes_strings = True  # strings are numbers of strings, which nobody is to cast
    _takes_paths = ("vocabulary",)

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[Any], Any] | None = _STANDARDS[0],
        split: str | Callable[[Any], Any] | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str | None = INT,
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        **kwargs: Any,
    ) -> None:
        owner = "TextVectorization"
        if is_string_type(kwargs.get("dtype")):
            kwargs["dtype"] = None
        super().__init__(**kwargs)
        self.max_tokens = max_tokens
        self.standardize = standardize if callable(standardize) else _named(owner, "standardize", standardize)
        self.split = split if callable(split) else _named(owner, "split", split)
        self.ngrams = _ngrams(ngrams)
        modes = (INT, MULTI_HOT, COUNT, TF_IDF)
        self.output_mode = None if output_mode is None else checked_mode(owner, output_mode, modes)
        self.output_sequence_length = output_sequence_length
        if output_sequence_length is not None:
            if self.output_mode != INT:
                raise argument_error(
                    owner, "output_sequence_length", "None unless output_mode='int'", output_sequence_length
                )
            self.output_sequence_length = positive_int(owner, "output_sequence_length", output_sequence_length)
        if ragged:
            raise argument_error(owner, "ragged", "False; dense tensors are the only kind here", ragged)
        self.ragged, self.sparse, self.encoding = False, dense_only(owner, sparse), encoding
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self._lookup = StringLookup(
            max_tokens=max_tokens,
            mask_token="",
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            encoding=encoding,
            output_mode=self.output_mode or INT,
            pad_to_max_tokens=pad_to_max_tokens,
            name=f"{self.name}_lookup",
        )

    def _own_traits(self) -> Traits:
        """Return the traits: what is as long as the longest text of a batch depends on the batch."""
        fixed = self.output_mode not in (INT, None) or self.output_sequence_length is not None
        return replace(super()._own_traits(), row_wise=fixed)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from a configuration.

        Args:
            config: The configuration; in those of Keras `vocabulary_size` tells how many numbers there are.

        Raises:
            ValueError: It names a file to read.
        """
        arguments, awaited = without_size(cls.__name__, config)
        layer = super().from_config(arguments)
        layer._lookup._awaited_size = awaited
        return layer

    def _dtype_in_config(self) -> Any:
        """Return the type of the texts: Keras takes no other."""
        return STRING

    # --- the vocabulary ------------------------------------------------------------------------------------------

    @property
    def vocabulary(self) -> Any:
        """The argument, or what `adapt` found."""
        return self._lookup.get_config()["vocabulary"]

    @property
    def idf_weights(self) -> Any:
        """The weights of the vocabulary."""
        return self._lookup.get_config()["idf_weights"]

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the words in the order of their numbers.

        Args:
            include_special_tokens: Whether padding and the unknown word stand before them.
        """
        return self._lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return how many numbers there are."""
        return self._lookup.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take these words for the vocabulary.

        Args:
            vocabulary: The words, or the path of a file with one a line.
            idf_weights: With `'tf_idf'`, a weight for each.
        """
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    @property
    def idf_weights_by_index(self) -> Any:
        """The weight of each index, with `'tf_idf'` once there is a vocabulary."""
        return self._lookup.idf_weights_by_index

    def set_idf_weights(self, weights: Any) -> None:
        """Weight the words of the vocabulary anew.

        Args:
            weights: The weight of each index, as `idf_weights_by_index` has it.
        """
        self._lookup.set_idf_weights(weights)

    def update_state(self, data: Any) -> None:
        """Count the words of a batch.

        Args:
            data: The texts.
        """
        self._lookup.update_state(self._words(self._texts(data)))

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._lookup.reset_state()

    def finalize_state(self) -> None:
        """Make the vocabulary."""
        self._lookup.finalize_state()

    # --- from texts to words -------------------------------------------------------------------------------------

    def _texts(self, inputs: Any) -> Any:
        """Return the texts as an array of strings, standardised.

        Raises:
            ValueError: There are several in a row, and they are to be split.
            TypeError: They are no strings.
        """
        array = host_array(inputs)
        if self.split is not None and array.ndim > 1:
            if array.shape[-1] != 1:
                raise ValueError(
                    f"{self}: it takes one text for each sample, shape (batch,) or (batch, 1); got shape {array.shape}."
                )
            array = array[..., 0]
        if callable(self.standardize):
            array = self._standard_of_users(array)
        texts = np.empty(array.shape, object)
        texts.reshape(-1)[:] = [self._standard(self._text(value)) for value in array.reshape(-1).tolist()]
        return texts

    def _standard_of_users(self, array: Any) -> Any:
        """Return the texts as a user's function gives them: one of all texts, as in Keras, or of one `str`."""
        assert callable(self.standardize)
        try:
            return host_array(self.standardize(StringTensor.of(array)))
        except (TypeError, AttributeError):
            texts = np.empty(array.shape, object)
            texts.reshape(-1)[:] = [self.standardize(self._text(value)) for value in array.reshape(-1).tolist()]
            return texts

    def _text(self, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode(self.encoding)
        if not isinstance(value, str):
            raise TypeError(f"{self}: it takes strings; got {show(value)}.")
        return value

    def _standard(self, text: str) -> Any:
        if self.standardize in ("lower", _STANDARDS[0]):
            # TensorFlow lowers the letters of ASCII alone where it is not told an encoding.
            text = "".join(c.lower() if c.isascii() else c for c in text)
        if self.standardize in ("strip_punctuation", _STANDARDS[0]):
            text = _PUNCTUATION.sub("", text)
        return text

    def _words(self, texts: Any) -> list[list[str]]:
        """Return the words, and runs of them, of each text."""
        if self.split is None:
            samples = [np.atleast_1d(text).tolist() for text in np.atleast_1d(texts)]
        else:
            samples = [self._split(text) for text in texts.reshape(-1).tolist()]
        return samples if self.ngrams is None else [_runs(words, _lengths(self.ngrams)) for words in samples]

    def _split(self, text: str) -> list[str]:
        if callable(self.split):
            return [self._text(word) for word in host_array(self.split(text)).tolist()]
        if self.split == "character":
            return list(text)
        return [word for word in re.split(f"[{_SPACE}]+", text) if word]

    # --- from words to numbers -----------------------------------------------------------------------------------

    def _to_tensor(self, value: Any) -> Any:
        """Return the input as an array of texts."""
        return host_array(value)

    def _to_input(self, inputs: Any) -> Any:
        """Return the input as an array of texts."""
        return host_array(inputs)

    def _cast_inputs(self, inputs: Any) -> Any:
        return inputs

    def call(self, inputs: Any) -> Any:
        """Return numbers of words, vectors, or lists of words."""
        not_in_graphs(self, "it reads texts in Python")
        texts = self._texts(inputs)
        samples = self._words(texts)
        if self.output_mode is None:
            return samples if texts.ndim else samples[0]
        length = self._length(samples)
        # Padding stands for no word: in vectors it is a number behind all others, which leaves no trace.
        nothing = 0 if self.output_mode == INT else -1
        numbers = torch.full((len(samples), length), nothing, dtype=torch.int64)
        for row, words in zip(numbers, samples):
            kept = self._lookup.look_up(np.array(words[:length], object))
            row[: len(kept)] = kept
        y = self._shaped(numbers, texts.ndim)
        return y.to(inputs.device) if isinstance(inputs, Tensor) else y

    def _length(self, samples: list[list[str]]) -> int:
        longest = max(map(len, samples), default=0)
        return longest if self.output_sequence_length is None else self.output_sequence_length

    def _shaped(self, numbers: Tensor, axes: int) -> Tensor:
        y = self._lookup.encoded(numbers)
        return y if axes else y[0]

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the numbers or vectors."""
        if self.output_mode == INT:
            return (input_shape[0], self.output_sequence_length)
        return (input_shape[0], self._lookup._depth())


def _named(owner: str, argument: str, value: Any) -> str | None:
    options = _STANDARDS if argument == "standardize" else ("whitespace", "character")
    return None if value is None else choice(owner, argument, value, options)


def _ngrams(value: Any) -> Any:
    items = () if value is None else value if isinstance(value, (tuple, list)) else (value,)
    if any(isinstance(item, bool) or not isinstance(item, int) or item < 1 for item in items):
        raise argument_error("TextVectorization", "ngrams", "None, a positive integer or a tuple of them", value)
    return tuple(value) if isinstance(value, list) else value


def _lengths(ngrams: Any) -> Sequence[int]:
    return range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams


def _runs(words: list[str], lengths: Sequence[int]) -> list[str]:
    return [" ".join(words[i : i + n]) for n in lengths for i in range(len(words) - n + 1)]
