"""`RaggedTensor`: rows of different lengths, as the values behind each other and the places where rows begin."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import show
from .strings import StringTensor, StringType
from .tensor_operators import BINARY, COMPARISONS, OPERATORS
from .tensor_shape import TensorShape
from .user_tensors import hand_out

Values = Any  # a tensor, or another ragged one


class RaggedTensor:
    """Rows of different lengths.

    Args:
        values: The rows behind each other: a tensor, or a ragged one where they are rows of rows.
        row_splits: Where each row begins, and the last one ends.

    Attributes:
        values: The rows behind each other.
        row_splits: Where each row begins, and the last one ends.

    Example:
        >>> rows = RaggedTensor.of([[1, 2], [], [3]])
        >>> rows.to_list(), rows.row_lengths().tolist(), rows.shape.as_list()
        ([[1, 2], [], [3]], [2, 0, 1], [3, None])
        >>> rows.to_tensor().tolist()
        [[1, 2], [0, 0], [3, 0]]
    """

    def __init__(self, values: Values, row_splits: Tensor) -> None:
        self.values, self.row_splits = hand_out(values), hand_out(row_splits)

    @classmethod
    def of(cls, rows: Sequence[Any], dtype: Any = None) -> Any:
        """Return lists of lists as one; numbers alone as a tensor.

        Args:
            rows: The lists; all are of one depth.
            dtype: The type; that of what Python wrote if `None`.

        Raises:
            ValueError: Lists and values stand beside each other.
        """
        nested = [isinstance(row, (list, tuple, np.ndarray)) for row in rows]
        if not any(nested):
            return _flat(rows, dtype)
        if not all(nested):
            raise ValueError(f"RaggedTensor: rows of one depth are needed; got {show(rows)}.")
        inside = [item for row in rows for item in row]
        return cls(cls.of(inside, dtype), _splits([len(row) for row in rows]))

    @classmethod
    def from_row_splits(cls, values: Values, row_splits: Any, name: Any = None, validate: bool = True) -> RaggedTensor:
        """Return values as rows that begin at some places.

        Args:
            values: The rows behind each other.
            row_splits: Where each begins, and the last one ends.
            name: Accepted.
            validate: Accepted: it is looked at in any case.

        Raises:
            ValueError: They do not go from 0 to the number of values, upwards.
        """
        splits, values = torch.as_tensor(row_splits).long(), _as_values(values)
        ends = splits.tolist()
        if not ends or ends[0] != 0 or ends[-1] != len(values) or ends != sorted(ends):
            raise ValueError(f"RaggedTensor: row_splits must rise from 0 to {len(values)}; got {ends}.")
        return cls(values, splits)

    @classmethod
    def from_row_lengths(
        cls, values: Values, row_lengths: Any, name: Any = None, validate: bool = True
    ) -> RaggedTensor:
        """Return values as rows of some lengths.

        Args:
            values: The rows behind each other.
            row_lengths: How long each is.
            name: Accepted.
            validate: Accepted: it is looked at in any case.
        """
        return cls.from_row_splits(values, _splits(torch.as_tensor(row_lengths).tolist()))

    @classmethod
    def from_tensor(cls, tensor: Any, lengths: Any = None, padding: Any = None, **_: Any) -> RaggedTensor:
        """Return the rows of a tensor.

        Args:
            tensor: The tensor.
            lengths: How much of each row counts.
            padding: What fills rows at their ends, and does not count.
        """
        dense = tensor if isinstance(tensor, Tensor) else _flat(tensor, None)
        rows = list(dense.unbind(0))
        if lengths is not None:
            rows = [row[: int(n)] for row, n in zip(rows, torch.as_tensor(lengths).tolist())]
        elif padding is not None:
            rows = [row[: _counting(row, padding)] for row in rows]
        values = torch.cat(rows) if rows else dense.reshape(0, *dense.shape[2:])
        return cls(values, _splits([len(row) for row in rows]))

    # --- what it is ----------------------------------------------------------------------------------------------

    @property
    def flat_values(self) -> Tensor:
        """The values inside all rows, behind each other."""
        inside: Tensor = self.values.flat_values if isinstance(self.values, RaggedTensor) else self.values
        return inside

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        """Where the rows begin, of each depth."""
        inside = self.values.nested_row_splits if isinstance(self.values, RaggedTensor) else ()
        return (self.row_splits, *inside)

    @property
    def ragged_rank(self) -> int:
        """How many axes have different lengths."""
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> Any:
        """The type of the values."""
        return StringType() if isinstance(self.flat_values, StringTensor) else self.flat_values.dtype

    @property
    def shape(self) -> TensorShape:
        """The shape, `None` where lengths differ."""
        return TensorShape((len(self), *[None] * self.ragged_rank, *self.flat_values.shape[1:]))

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return self.shape

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """Return the number of rows.

        Args:
            out_type: Accepted.
            name: Accepted.
        """
        return hand_out(torch.tensor(len(self)))  # type: ignore[no-any-return]

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """Return how long the rows are.

        Args:
            axis: Along which axis; those of rows of rows are ragged.
            name: Accepted.
        """
        if axis == 1 or not isinstance(self.values, RaggedTensor):
            return hand_out(self.row_splits.diff())
        return self._with(self.values.row_lengths(axis - 1))

    def row_starts(self, name: str | None = None) -> Tensor:
        """Return where the rows begin.

        Args:
            name: Accepted.
        """
        return hand_out(self.row_splits[:-1])  # type: ignore[no-any-return]

    def value_rowids(self, name: str | None = None) -> Tensor:
        """Return the row of each value.

        Args:
            name: Accepted.
        """
        lengths = self.row_splits.diff()
        return hand_out(torch.repeat_interleave(torch.arange(len(self)), lengths))  # type: ignore[no-any-return]

    def bounding_shape(self, axis: int | None = None, out_type: Any = None, name: str | None = None) -> Tensor:
        """Return the shape of a tensor that holds all rows.

        Args:
            axis: One axis of it alone.
            out_type: Accepted.
            name: Accepted.
        """
        shape = torch.tensor([len(self), *self._lengths(), *self.flat_values.shape[1:]])
        return hand_out(shape if axis is None else shape[axis])  # type: ignore[no-any-return]

    def _lengths(self) -> list[int]:
        """Return the length of the longest row, of each depth."""
        longest = max(self.row_splits.diff().tolist(), default=0)
        return [longest, *(self.values._lengths() if isinstance(self.values, RaggedTensor) else ())]

    # --- what is made of it --------------------------------------------------------------------------------------

    def _with(self, values: Values) -> RaggedTensor:
        return RaggedTensor(values, self.row_splits)

    def with_values(self, new_values: Values) -> RaggedTensor:
        """Return the same rows with other values.

        Args:
            new_values: The rows behind each other.
        """
        return self.from_row_splits(new_values, self.row_splits)

    def with_flat_values(self, new_values: Tensor) -> RaggedTensor:
        """Return the same rows with other values inside all of them.

        Args:
            new_values: The values.
        """
        inside = isinstance(self.values, RaggedTensor)
        return self._with(self.values.with_flat_values(new_values) if inside else new_values)

    def with_each(self, function: Callable[[Tensor], Any]) -> RaggedTensor:
        """Return what a function makes of the values; where it gives rows for each, these are inside the rows here.

        Args:
            function: Takes the values inside all rows.
        """
        return self.with_flat_values(function(self.flat_values))

    def mapped(self, function: Callable[[bytes], Any]) -> RaggedTensor:
        """Return what a function makes of each string.

        Args:
            function: Returns bytes or a string.
        """
        return self.with_flat_values(self.flat_values.mapped(function))  # type: ignore[attr-defined]

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Return rows of rows with two axes made one.

        Args:
            outer_axis: The first of them.
            inner_axis: The last.
        """
        if outer_axis == inner_axis:
            return self
        values: Any = self.values
        if outer_axis > 1:
            return self._with(values.merge_dims(outer_axis - 1, inner_axis - 1))
        if outer_axis == 1:
            splits: Tensor = self.row_splits
            for _ in range(inner_axis - 1):
                is_ragged = isinstance(values, RaggedTensor)
                splits = values.row_splits[splits] if is_ragged else splits * values.shape[1]
                values = values.values if is_ragged else values.flatten(0, 1)
            return RaggedTensor(values, splits)
        if isinstance(values, RaggedTensor):
            return values.merge_dims(0, inner_axis - 1)
        return hand_out(values.flatten(0, inner_axis - 1) if inner_axis > 1 else values)

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Any:
        """Return a tensor whose rows are filled up.

        Args:
            default_value: What fills them; 0, or no letters, if `None`.
            name: Accepted.
            shape: The shape, `None` for sizes that the rows decide; longer rows are cut.
        """
        told = [None] * (1 + self.ragged_rank) if shape is None else list(shape)
        sizes = [own if size is None else int(size) for own, size in zip([len(self), *self._lengths()], told)]
        flat = self.flat_values
        if isinstance(flat, StringTensor):
            filling = StringTensor.of([b"" if default_value is None else default_value])
            pool = torch.cat([flat, filling])
            places = self._with_places(len(flat)).to_tensor(len(flat), shape=sizes)
            return hand_out(pool[places])
        fill = torch.zeros((), dtype=flat.dtype) if default_value is None else torch.as_tensor(default_value)
        dense = fill.to(flat.device, flat.dtype).expand(*sizes, *flat.shape[1:]).clone()
        self._fill(dense)
        return hand_out(dense)

    def _with_places(self, count: int) -> RaggedTensor:
        return self.with_flat_values(torch.arange(count))

    def _fill(self, dense: Tensor) -> None:
        for row, place in zip(self, dense):
            part = row if isinstance(row, RaggedTensor) else row[: len(place)]
            if isinstance(part, RaggedTensor):
                part._fill(place)
            else:
                place[: len(part)] = part

    def to_list(self) -> list[Any]:
        """Return the rows as lists."""
        return [row.to_list() if isinstance(row, RaggedTensor) else row.tolist() for row in self]

    def numpy(self) -> Any:
        """Return the rows as an array of arrays; of equal lengths, as one array."""
        rows = [row.numpy() for row in self]
        if len({np.shape(row) for row in rows}) == 1 and not isinstance(self.values, RaggedTensor):
            return np.stack(rows)
        made = np.empty(len(rows), dtype=object)
        made[:] = rows
        return made

    def __len__(self) -> int:
        return len(self.row_splits) - 1

    def __iter__(self) -> Iterator[Any]:
        ends = self.row_splits.tolist()
        return (self.values[start:end] for start, end in itertools.pairwise(ends))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            first, *rest = key
            chosen = self[first]
            if not rest:
                return chosen
            if not isinstance(first, slice):
                return chosen[tuple(rest) if len(rest) > 1 else rest[0]]
            return _joined([row[tuple(rest) if len(rest) > 1 else rest[0]] for row in chosen], chosen)
        if not isinstance(key, slice):
            start, end = self.row_splits.tolist()[int(key) :][:2] if int(key) >= 0 else self._from_end(int(key))
            return self.values[start:end]
        if key.step in (None, 1):
            start, end, _ = key.indices(len(self))
            splits = self.row_splits[start : max(end, start) + 1]
            first, last = int(splits[0]), int(splits[-1])
            return RaggedTensor(self.values[first:last], splits - first)
        return _joined([self[i] for i in range(*key.indices(len(self)))], self)

    def _from_end(self, key: int) -> list[int]:
        ends: list[int] = self.row_splits.tolist()
        return ends[key - 1 : key or None][:1] + [ends[key]]

    def __repr__(self) -> str:
        return f"<RaggedTensor {self.to_list()!r}>"


def _operator(name: str) -> Callable[[RaggedTensor, Any], RaggedTensor]:
    def compute(rows: RaggedTensor, other: Any) -> RaggedTensor:
        if isinstance(other, RaggedTensor):
            other = other.flat_values
        elif isinstance(other, Tensor) and other.dim():
            raise TypeError(f"RaggedTensor: another ragged one or a number goes with it; got {show(other)}.")
        return rows.with_each(lambda values: OPERATORS[name](values, other))

    return compute


for _name in (f"__{one}__" for one in (*BINARY, *COMPARISONS, *(f"r{one}" for one in BINARY))):
    if _name in OPERATORS:
        setattr(RaggedTensor, _name, _operator(_name))
RaggedTensor.__hash__ = object.__hash__  # type: ignore[method-assign]


def _flat(values: Sequence[Any], dtype: Any) -> Tensor:
    if isinstance(dtype, StringType) or (dtype is None and values and all(isinstance(v, (str, bytes)) for v in values)):
        return StringTensor.of(np.array([*values, None], dtype=object)[:-1])
    made = np.asarray(list(values))
    usual = {"i": torch.int32, "f": torch.float32}.get(made.dtype.kind if len(made) else "f")
    return torch.as_tensor(made, dtype=dtype if dtype is not None else usual)


def _as_values(values: Any) -> Values:
    if isinstance(values, (RaggedTensor, Tensor)):
        return values
    return RaggedTensor.of(list(values))


def _splits(lengths: Sequence[int]) -> Tensor:
    return torch.tensor([0, *np.cumsum(lengths, dtype=np.int64).tolist()], dtype=torch.int64)


def _counting(row: Tensor, padding: Any) -> int:
    """Return how much of a row stands before the padding at its end."""
    kept = (row != padding).nonzero()
    return int(kept[-1]) + 1 if len(kept) else 0


def joined_rows(rows: Sequence[Any]) -> RaggedTensor:
    """Return tensors, or ragged ones, as the rows of one.

    Args:
        rows: The tensors, one at least.
    """
    if isinstance(rows[0], RaggedTensor):
        values = joined_rows([row for one in rows for row in one])
        return RaggedTensor(values, _splits([len(row) for row in rows]))
    return RaggedTensor(torch.cat(list(rows)), _splits([len(row) for row in rows]))


def _joined(rows: list[Any], like: RaggedTensor) -> Any:
    if not rows:
        return like[:0]
    if isinstance(rows[0], Tensor) and not rows[0].dim():
        return hand_out(torch.stack(rows))
    return joined_rows(rows)
