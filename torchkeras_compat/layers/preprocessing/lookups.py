"""Tokens and their numbers: StringLookup and IntegerLookup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core import registry
from ..._core.errors import argument_error, positive_int, show
from ..._core.graph_capture import not_in_graphs
from ..._core.shapes import Shape
from ..._core.strings import STRING, StringTensor, is_string_type
from .base import host_array
from .encoding import (
    COUNT,
    INT,
    MULTI_HOT,
    ONE_HOT,
    TF_IDF,
    IntegerOutput,
    dense_only,
    dtype_of_mode,
    encode,
    encoded_shape,
)
from .encoding import output_mode as checked_mode
from .farmhash import fingerprint64

Token = str | int


class IndexLookup(IntegerOutput):
    """Base of the lookups: a vocabulary, what stands before it, and the way from tokens to numbers or back.

    The numbers begin with the mask token, where there is one and the mode is `'int'`; then come `num_oov_indices` for
    tokens that are not in the vocabulary, and then the vocabulary.

    Args:
        max_tokens: The largest size of the vocabulary, what stands before it included; `None` has no limit.
        num_oov_indices: How many numbers tokens outside the vocabulary share.
        mask_token: A token that stands for padding, number 0.
        oov_token: What the way back gives for a token outside the vocabulary.
        vocabulary: The tokens in order, or the path of a file with one a line.
        idf_weights: With `'tf_idf'`, the weight of each token of the vocabulary.
        invert: Whether numbers become tokens.
        output_mode: `'int'`, `'one_hot'`, `'multi_hot'`, `'count'` or `'tf_idf'`.
        sparse: Only `False`.
        pad_to_max_tokens: Whether vectors have `max_tokens` places, however many tokens there are.
        kwargs: The arguments of every layer.
    """

    _takes_paths = ("vocabulary",)
    _awaited_size: int | None = None  # how many numbers there will be, where the words come after the configuration

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        sparse: bool,
        pad_to_max_tokens: bool,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        mode = checked_mode(owner, output_mode, (INT, ONE_HOT, MULTI_HOT, COUNT, TF_IDF))
        kwargs["dtype"] = dtype_of_mode(mode, kwargs.get("dtype"))
        super().__init__(**kwargs)
        self.max_tokens = None if max_tokens is None else positive_int(owner, "max_tokens", max_tokens)
        if self.max_tokens == 1:
            raise argument_error(owner, "max_tokens", "greater than 1", max_tokens)
        if (
            isinstance(num_oov_indices, bool)
            or not isinstance(num_oov_indices, (int, np.integer))
            or num_oov_indices < 0
        ):
            raise argument_error(owner, "num_oov_indices", "an integer ≥ 0", num_oov_indices)
        if pad_to_max_tokens and max_tokens is None:
            raise argument_error(owner, "pad_to_max_tokens", "False without max_tokens", pad_to_max_tokens)
        if invert and mode != INT:
            raise argument_error(owner, "output_mode", "'int' where invert=True", output_mode)
        if idf_weights is not None and mode != TF_IDF:
            raise argument_error(owner, "idf_weights", "None unless output_mode='tf_idf'", idf_weights)
        self.num_oov_indices, self.invert, self.output_mode = int(num_oov_indices), bool(invert), mode
        self.mask_token, self.oov_token = mask_token, oov_token
        self.sparse, self.pad_to_max_tokens = dense_only(owner, sparse), bool(pad_to_max_tokens)
        self.vocabulary: Any = vocabulary if isinstance(vocabulary, (str, Path)) else _listed(vocabulary)
        self.idf_weights = _listed(idf_weights)
        self._tokens: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._idf: np.ndarray[Any, Any] | None = None
        self._fixed = vocabulary is not None
        self._called_with: int | None = None
        self._begin()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # --- the vocabulary ------------------------------------------------------------------------------------------

    def _token(self, value: Any) -> Any:
        """Return a token as the vocabulary holds it."""
        raise NotImplementedError

    @property
    def _first_oov(self) -> int:
        return int(self.mask_token is not None and self.output_mode == INT)

    @property
    def _first_token(self) -> int:
        return self._first_oov + self.num_oov_indices

    def _special(self) -> list[Any]:
        masked = [self.mask_token] if self._first_oov else []
        return [*masked, *[self.oov_token] * self.num_oov_indices]

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their numbers.

        Args:
            include_special_tokens: Whether the mask token and those outside the vocabulary stand before them.
        """
        return [*(self._special() if include_special_tokens else []), *self._tokens]

    def vocabulary_size(self) -> int:
        """Return how many numbers there are."""
        return self._first_token + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take these tokens for the vocabulary.

        Args:
            vocabulary: The tokens, with or without what stands before them, or the path of a file with one a line.
            idf_weights: With `'tf_idf'`, a weight for each token.

        Raises:
            ValueError: A token twice, a special one in its midst, more than `max_tokens`, or weights that do not fit.
        """
        items = _read(vocabulary) if isinstance(vocabulary, (str, Path)) else _listed(vocabulary)
        tokens = [self._token(item) for item in items]
        special = self._special()
        stands_before = bool(special) and tokens[: len(special)] == special
        own = tokens[len(special) :] if stands_before else tokens
        repeated = [token for token, times in Counter(own).items() if times > 1]
        if repeated:
            raise ValueError(f"{self}: a token stands once in a vocabulary; got {show(repeated)} more often.")
        misplaced = [token for token in own if token in special]
        if misplaced:
            raise ValueError(f"{self}: {misplaced[0]!r} is a special token, which stands before the vocabulary.")
        if not own:
            raise ValueError(f"{self}: a vocabulary needs a token at least; got {show(items)}.")
        if self.max_tokens is not None and self._first_token + len(own) > self.max_tokens:
            raise ValueError(
                f"{self}: max_tokens={self.max_tokens} leaves room for {self.max_tokens - self._first_token} tokens; "
                f"got {len(own)}."
            )
        self._expect_size(len(own))
        self._fixed = True
        weights = None
        if self.output_mode == TF_IDF:
            weights = self._weights_for(tokens, idf_weights, stands_before)
        elif idf_weights is not None:
            raise ValueError(f"{self}: idf_weights go with output_mode='tf_idf'; got {self.output_mode!r}.")
        self._keep(own, weights)

    def _weights_for(self, tokens: Sequence[Any], weights: Any, stands_before: bool) -> np.ndarray[Any, Any]:
        array = None if weights is None else np.asarray(host_array(weights), "float32")
        if array is None or array.shape != (len(tokens),):
            raise ValueError(
                f"{self}: output_mode='tf_idf' needs idf_weights, one for each of the {len(tokens)} tokens."
            )
        if stands_before:
            return array
        return np.concatenate([np.full(self._first_token, array.mean(), "float32"), array])

    def _keep(self, tokens: list[Any], weights: np.ndarray[Any, Any] | None) -> None:
        self._tokens = tokens
        self._numbers = {token: self._first_token + i for i, token in enumerate(tokens)}
        self._idf = weights

    @property
    def idf_weights_by_index(self) -> np.ndarray[Any, Any] | None:
        """The weight of each index, with `'tf_idf'` once there is a vocabulary."""
        if self._idf is None or not self.pad_to_max_tokens:
            return self._idf
        return np.pad(self._idf, (0, (self.max_tokens or len(self._idf)) - len(self._idf)))

    def set_idf_weights(self, weights: np.ndarray[Any, Any]) -> None:
        """Weight the tokens of the vocabulary anew.

        Args:
            weights: The weight of each index, as `idf_weights_by_index` has it.
        """
        self._idf = np.asarray(weights, "float32")[: self._first_token + len(self._tokens)]

    def _expect_size(self, count: int) -> None:
        """Raise where a vocabulary of another size would change the shape of what the layer has given."""
        if self._called_with not in (None, count) and self.output_mode != INT and not self.pad_to_max_tokens:
            raise RuntimeError(
                f"{self}: it has given vectors for {self._called_with} tokens, and a vocabulary of {count} would "
                f"change their size; make a new layer, or write pad_to_max_tokens=True."
            )

    # --- learning it ---------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._counts: Counter[Any] = Counter()
        self._documents: Counter[Any] = Counter()
        self._document_count = 0

    def reset_state(self) -> None:
        """Forget what was counted; the vocabulary stays until `adapt` ends."""
        self._begin()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch.

        Args:
            data: The batch: samples of tokens, a sample for each entry of the first axis where there are two.

        Raises:
            ValueError: The vocabulary was given.
        """
        if self._fixed:
            raise ValueError(f"{self}: adapt has nothing to learn, the vocabulary was given.")
        samples = _samples(data)
        for sample in samples:
            tokens = [self._token(value) for value in sample]
            self._counts.update(tokens)
            self._documents.update(set(tokens))
        self._document_count += len(samples)

    def finalize_state(self) -> None:
        """Make the vocabulary: the most frequent token first, of equal ones the last by order."""
        for token in (self.mask_token, self.oov_token):
            self._counts.pop(token, None)
        if not self._counts:
            return
        tokens = sorted(self._counts, key=lambda token: (self._counts[token], _sort_key(token)), reverse=True)
        if self.max_tokens is not None:
            tokens = tokens[: max(0, self.max_tokens - self._first_token)]
        weights = None
        if self.output_mode == TF_IDF:
            documents = np.array([self._documents[token] for token in tokens], "float64")
            weights = np.log(1 + self._document_count / (1 + documents)).astype("float32")
            weights = np.concatenate([np.full(self._first_token, weights.mean(), "float32"), weights])
        self._expect_size(len(tokens))
        self._keep(tokens, weights)
        self._begin()

    # --- looking up ----------------------------------------------------------------------------------------------

    def _to_tensor(self, value: Any) -> Any:
        """Return the input as an array of tokens, or of numbers for the way back."""
        return host_array(value)

    def _oov_number(self, token: Any) -> int:
        """Return the number of a token outside the vocabulary.

        Raises:
            ValueError: There is none.
        """
        if self.num_oov_indices == 0:
            raise ValueError(
                f"{self}: num_oov_indices=0, and {token!r} is not in the vocabulary; write num_oov_indices=1."
            )
        return self._first_oov + (self._bucket(token) if self.num_oov_indices > 1 else 0)

    def _bucket(self, token: Any) -> int:
        """Return the number among those that tokens outside the vocabulary share."""
        raise NotImplementedError

    def _number(self, value: Any) -> int:
        token = self._token(value)
        number = self._numbers.get(token)
        if number is not None:
            return number
        if self.mask_token is not None and token == self.mask_token:
            return 0
        return self._oov_number(token)

    def look_up(self, values: Any) -> Tensor:
        """Return the numbers of an array of tokens.

        Args:
            values: The tokens.
        """
        array = host_array(values)
        numbers = [self._number(value) for value in array.reshape(-1).tolist()]
        return torch.tensor(numbers, dtype=torch.int64).reshape(array.shape)

    def call(self, inputs: Any) -> Any:
        """Return the numbers of tokens, vectors of them, or the tokens of numbers."""
        not_in_graphs(self, "it looks tokens up in Python")
        if self.invert:
            return self._tokens_of(inputs)
        y = self.encoded(self.look_up(inputs))
        return y.to(inputs.device) if isinstance(inputs, Tensor) else y

    def encoded(self, numbers: Tensor) -> Tensor:
        """Return numbers in the output mode.

        Args:
            numbers: What `look_up` gave.
        """
        if self.output_mode == INT:
            return numbers.to(self._kind)
        if not self._tokens and not self.pad_to_max_tokens:
            raise RuntimeError(f"{self}: it has no vocabulary yet; call adapt(data), or give vocabulary=[…].")
        depth = self._depth()
        self._called_with = len(self._tokens)
        y = encode(self, numbers, COUNT if self.output_mode == TF_IDF else self.output_mode, depth, self._kind)
        if self.output_mode != TF_IDF:
            return y
        weights = np.zeros(depth, "float32")
        if self._idf is not None:
            weights[: len(self._idf)] = self._idf
        return y * torch.as_tensor(weights).to(y.dtype)

    def _depth(self) -> int:
        if self.pad_to_max_tokens and self.max_tokens:
            return self.max_tokens
        return self.vocabulary_size() if self._tokens else self._awaited_size or self.vocabulary_size()

    def _tokens_of(self, numbers: Any) -> Any:
        array = host_array(numbers)
        known = self.get_vocabulary()
        places = [int(n) if 0 <= n < len(known) else -1 for n in array.reshape(-1).tolist()]
        return self._as_output([self.oov_token if n < 0 else known[n] for n in places], array.shape)

    def _as_output(self, tokens: list[Any], shape: tuple[int, ...]) -> Any:
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the numbers, or of their vectors."""
        return encoded_shape(input_shape, self.output_mode, self._depth())

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from a configuration.

        Args:
            config: The configuration; in those of Keras `vocabulary_size` tells how many numbers `adapt` has found,
                which the shapes of the layers behind this one need before the words themselves are read.

        Raises:
            ValueError: It names a file to read.
        """
        arguments, awaited = without_size(cls.__name__, config)
        layer = super().from_config(arguments)
        layer._awaited_size = awaited
        return layer

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; what `adapt` found is a vocabulary of it."""
        config = super().get_config()
        if self._tokens:
            config["vocabulary"] = list(self._tokens)
            if self._idf is not None:
                config["idf_weights"] = self._idf.tolist()
                config["vocabulary"] = self.get_vocabulary()
        return config


def without_size(owner: str, config: dict[str, Any]) -> tuple[dict[str, Any], int | None]:
    """Return the arguments in a configuration of Keras, and the size of the vocabulary that it tells.

    Args:
        owner: The name of the layer's class, for messages.
        config: The configuration, which is not changed.
    """
    arguments = dict(config)
    size = arguments.pop("vocabulary_size", None)
    return arguments, None if size is None else positive_int(owner, "vocabulary_size", size)


def _listed(value: Any) -> Any:
    return None if value is None else [_plain(item) for item in host_array(value).tolist()]


def _plain(value: Any) -> Any:
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _sort_key(token: Token) -> Any:
    return token.encode() if isinstance(token, str) else token  # TensorFlow compares bytes


def _read(path: str | Path) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def _samples(data: Any) -> list[list[Any]]:
    """Return the tokens of each sample; without an axis of samples, all are one."""
    if isinstance(data, list):
        return data
    array = host_array(data)
    if array.ndim < 2:
        return [array.reshape(-1).tolist()]
    return [sample.reshape(-1).tolist() for sample in array]


@registry.register("layer")
class StringLookup(IndexLookup):
    """Gives the numbers of strings in a vocabulary, or vectors of them, or the strings of numbers.

    Args:
        max_tokens: The largest size of the vocabulary, what stands before it included; `None` has no limit.
        num_oov_indices: How many numbers strings outside the vocabulary share.
        mask_token: A string that stands for padding, number 0.
        oov_token: What the way back gives for a string outside the vocabulary.
        vocabulary: The strings in order, or the path of a file with one a line.
        idf_weights: With `'tf_idf'`, the weight of each string of the vocabulary.
        encoding: The encoding of bytes that come in.
        invert: Whether numbers become strings, in a `StringTensor`.
        output_mode: `'int'`, `'one_hot'`, `'multi_hot'`, `'count'` or `'tf_idf'`.
        sparse: Only `False`.
        pad_to_max_tokens: Whether vectors have `max_tokens` places, however many strings there are.
        kwargs: The arguments of every layer.

    Shape:
        Input: any, of strings (of numbers with `invert`).
        Output: the same for `'int'`, else `(batch, numbers)`.

    Raises:
        ValueError: An argument out of its range, an unknown mode, or a vocabulary that has a string twice.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.StringLookup(vocabulary=['red', 'green'])
        >>> layer(np.array([['green', 'blue']])).tolist(), layer.get_vocabulary()
        ([[2, 0]], ['[UNK]', 'red', 'green'])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        encoding: str = "utf-8",
        invert: bool = False,
        output_mode: str = INT,
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        if is_string_type(kwargs.get("dtype")):
            kwargs["dtype"] = None
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, **kwargs
        )  # fmt: skip

    _takes_integers = True  # as `TextVectorization` does

    @property
    def _takes_strings(self) -> bool:  # type: ignore[override]
        """Whether strings are what it reads, and not what it gives."""
        return not self.invert

    def _symbolic_outputs(self, inputs: Any, args: Any, call_arguments: Any) -> Any:
        outputs = super()._symbolic_outputs(inputs, args, call_arguments)
        if self.invert:
            outputs.dtype = STRING
        return outputs

    def _token(self, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode(self.encoding)
        if not isinstance(value, str):
            raise TypeError(f"{self}: it takes strings; got {show(value)}. Write IntegerLookup for integers.")
        return value

    def _bucket(self, token: Any) -> int:
        return fingerprint64(token.encode(self.encoding)) % self.num_oov_indices

    def _as_output(self, tokens: list[Any], shape: tuple[int, ...]) -> Any:
        return StringTensor.of(tokens).reshape(shape)


@registry.register("layer")
class IntegerLookup(IndexLookup):
    """Gives the numbers of integers in a vocabulary, or vectors of them, or the integers of numbers.

    Args:
        max_tokens: The largest size of the vocabulary, what stands before it included; `None` has no limit.
        num_oov_indices: How many numbers integers outside the vocabulary share.
        mask_token: An integer that stands for padding, number 0.
        oov_token: What the way back gives for an integer outside the vocabulary.
        vocabulary: The integers in order, or the path of a file with one a line.
        vocabulary_dtype: `'int64'` or `'int32'`.
        idf_weights: With `'tf_idf'`, the weight of each integer of the vocabulary.
        invert: Whether numbers become integers of the vocabulary.
        output_mode: `'int'`, `'one_hot'`, `'multi_hot'`, `'count'` or `'tf_idf'`.
        sparse: Only `False`.
        pad_to_max_tokens: Whether vectors have `max_tokens` places, however many integers there are.
        kwargs: The arguments of every layer.

    Shape:
        Input: any, of integers.
        Output: the same for `'int'`, else `(batch, numbers)`.

    Raises:
        ValueError: An argument out of its range, an unknown mode, or a vocabulary that has an integer twice.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.IntegerLookup(vocabulary=[12, 36])(np.array([[36, 5]])).tolist()
        [[2, 0]]
    """

    _takes_integers = True

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = INT,
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        if str(vocabulary_dtype) not in ("int64", "int32"):
            raise argument_error("IntegerLookup", "vocabulary_dtype", "'int64' or 'int32'", vocabulary_dtype)
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, **kwargs
        )  # fmt: skip

    def _token(self, value: Any) -> int:
        return int(value)

    def _bucket(self, token: Any) -> int:
        return int(token) % self.num_oov_indices

    def _as_output(self, tokens: list[Any], shape: tuple[int, ...]) -> Any:
        return torch.tensor(tokens, dtype=self._kind).reshape(shape)
