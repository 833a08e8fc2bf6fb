"""`tf.lookup`: tables from strings or integers to others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error
from .._core.strings import StringTensor, StringType, is_string_type
from .._core.user_tensors import hand_out
from ..layers.preprocessing.farmhash import fingerprint64
from .tensorflow_calls import tensor

WHOLE_LINE, LINE_NUMBER = -2, -1


def _typed(values: Any, dtype: Any) -> Tensor:
    made: Tensor = tensor(values, dtype)
    return made


def _type_of(values: Tensor) -> Any:
    return StringType() if isinstance(values, StringTensor) else values.dtype


class KeyValueTensorInitializer:
    """The keys of a table and their values.

    Args:
        keys: The keys, each once.
        values: A value for each.
        key_dtype: The type of the keys.
        value_dtype: The type of the values.
        name: Accepted.
    """

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: Any = None
    ) -> None:
        self.keys, self.values = _typed(keys, key_dtype).reshape(-1), _typed(values, value_dtype).reshape(-1)
        if len(self.keys) != len(self.values):
            raise ValueError(f"KeyValueTensorInitializer: {len(self.keys)} keys have {len(self.values)} values.")


class TextFileInitializer(KeyValueTensorInitializer):
    """The keys of a table and their values, of the lines of a file.

    Args:
        filename: The file.
        key_dtype: The type of the keys.
        key_index: Which column has them; `TextFileIndex.WHOLE_LINE` or `LINE_NUMBER`.
        value_dtype: The type of the values.
        value_index: Which column has those, likewise.
        vocab_size: Accepted.
        delimiter: Stands between columns.
        name: Accepted.
        value_index_offset: Added to line numbers.
    """

    def __init__(
        self,
        filename: str,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
        value_index_offset: int = 0,
    ) -> None:
        lines = Path(filename).read_text(encoding="utf-8").splitlines()

        def column(index: int, dtype: Any) -> list[Any]:
            if index == LINE_NUMBER:
                return [i + value_index_offset for i in range(len(lines))]
            texts = lines if index == WHOLE_LINE else [line.split(delimiter)[index] for line in lines]
            if is_string_type(dtype):
                return list(texts)
            return [float(text) if settings.torch_dtype(dtype).is_floating_point else int(text) for text in texts]

        super().__init__(column(key_index, key_dtype), column(value_index, value_dtype), key_dtype, value_dtype)


class StaticHashTable:
    """A table that does not change.

    Args:
        initializer: Its keys and values.
        default_value: The value of any other key.
        name: Accepted.
        experimental_is_anonymous: Accepted.

    Raises:
        ValueError: A key with two values.

    Example:
        >>> table = StaticHashTable(KeyValueTensorInitializer(['a', 'b'], [1, 2]), -1)
        >>> table.lookup([['b'], ['z']]).tolist()
        [[2], [-1]]
    """

    def __init__(
        self, initializer: Any, default_value: Any, name: str | None = None, experimental_is_anonymous: bool = False
    ) -> None:
        if not isinstance(initializer, KeyValueTensorInitializer):
            raise argument_error(
                type(self).__name__, "initializer", "a tf.lookup.KeyValueTensorInitializer", initializer, TypeError
            )
        self._values = initializer.values
        self._places: dict[Any, int] = {}
        for place, key in enumerate(initializer.keys.tolist()):
            before = self._values[self._places.setdefault(key, place)]
            if before.tolist() != self._values[place].tolist():
                raise ValueError(f"{type(self).__name__}: the key {key!r} has two values.")
        self._default = None if default_value is None else tensor(default_value, self.value_dtype).reshape(1)
        self.key_dtype = _type_of(initializer.keys)

    @property
    def value_dtype(self) -> Any:
        """The type of the values."""
        return _type_of(self._values)

    def size(self, name: str | None = None) -> Any:
        """Return the number of keys.

        Args:
            name: Accepted.
        """
        return hand_out(torch.tensor(len(self._places)))

    def _place(self, key: Any) -> int:
        return self._places.get(key, len(self._values))

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """Return the values of keys.

        Args:
            keys: The keys.
            name: Accepted.
        """
        asked = tensor(keys)
        joined = torch.cat([self._values, self._default]) if self._default is not None else self._values
        flat = np.ravel(asked.numpy(force=True)).tolist() if asked.dim() else [asked.tolist()]
        places = torch.tensor([self._place(key) for key in flat], dtype=torch.int64)
        return hand_out(joined[places.to(joined.device).reshape(asked.shape)])

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)


class StaticVocabularyTable(StaticHashTable):
    """A table of numbers for words, and of buckets behind them for any other word.

    Args:
        initializer: The words and their numbers, from 0 on.
        num_oov_buckets: How many buckets there are.
        lookup_key_dtype: Accepted.
        name: Accepted.
        experimental_is_anonymous: Accepted.
    """

    def __init__(
        self,
        initializer: Any,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        super().__init__(initializer, None)
        self._buckets = int(num_oov_buckets)
        numbers = torch.arange(len(self._places), len(self._places) + self._buckets)
        self._values = torch.cat([self._values.long(), numbers])

    def size(self, name: str | None = None) -> Any:
        """Return the number of words and buckets.

        Args:
            name: Accepted.
        """
        return hand_out(torch.tensor(len(self._places) + self._buckets))

    def _place(self, key: Any) -> int:
        if key in self._places:
            return self._places[key]
        text = key if isinstance(key, bytes) else str(key).encode()
        return len(self._places) + fingerprint64(text) % self._buckets


LOOKUP: dict[str, Any] = {
    "KeyValueTensorInitializer": KeyValueTensorInitializer,
    "TextFileInitializer": TextFileInitializer,
    "TextFileIndex": SimpleNamespace(WHOLE_LINE=WHOLE_LINE, LINE_NUMBER=LINE_NUMBER),
    "StaticHashTable": StaticHashTable,
    "StaticVocabularyTable": StaticVocabularyTable,
}
