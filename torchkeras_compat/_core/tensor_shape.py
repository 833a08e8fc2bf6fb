"""Shapes as TensorFlow hands them to user code: tuples that answer `as_list()` and its relatives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any


class Dimension(int):
    """A length, which scripts for TensorFlow 1 ask for its `value`."""

    @property
    def value(self) -> int:
        """The length."""
        return int(self)


class TensorShape(tuple[Any, ...]):
    """A shape: a tuple of lengths, `None` where one is not known.

    Args:
        dims: The lengths; one number alone is a shape of one axis.

    Example:
        >>> shape = TensorShape([None, 28, 28])
        >>> shape.as_list(), shape.ndims, shape[1:].num_elements()
        ([None, 28, 28], 3, 784)
    """

    __slots__ = ()

    def __new__(cls, dims: Any = ()) -> TensorShape:
        """Make the shape."""
        items: Iterable[Any] = dims if hasattr(dims, "__iter__") else (dims,)
        return super().__new__(cls, (int(n) if hasattr(n, "__index__") else n for n in items))

    @property
    def ndims(self) -> int:
        """The number of axes."""
        return len(self)

    rank = ndims

    @property
    def dims(self) -> list[Any]:
        """The lengths as a list."""
        return list(self)

    def as_list(self) -> list[Any]:
        """Return the lengths as a list."""
        return list(self)

    def num_elements(self) -> int | None:
        """Return the product of the lengths, `None` where one is not known."""
        return None if None in self else prod(int(n) for n in self)

    def numel(self) -> int:
        """Return the product of the lengths, as torch calls it."""
        return prod(int(n) for n in self)

    def is_fully_defined(self) -> bool:
        """Tell whether every length is known."""
        return None not in self

    def is_compatible_with(self, other: Any) -> bool:
        """Tell whether a tensor might have both shapes."""
        theirs = tuple(other)
        return len(self) == len(theirs) and all(a is None or b is None or a == b for a, b in zip(self, theirs))

    def with_rank(self, rank: int) -> TensorShape:
        """Return the shape, or raise `ValueError` where it has another number of axes."""
        if len(self) != rank:
            raise ValueError(f"with_rank({rank}): the shape {tuple(self)} has {len(self)} axes.")
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """Return the shape, or raise `ValueError` where it has fewer axes."""
        if len(self) < rank:
            raise ValueError(f"with_rank_at_least({rank}): the shape {tuple(self)} has {len(self)} axes.")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """Return the shape, or raise `ValueError` where it has more axes."""
        if len(self) > rank:
            raise ValueError(f"with_rank_at_most({rank}): the shape {tuple(self)} has {len(self)} axes.")
        return self

    def merge_with(self, other: Any) -> TensorShape:
        """Return what this shape and another know together, or raise `ValueError` where they contradict each other."""
        self.assert_is_compatible_with(other)
        return TensorShape([a if a is not None else b for a, b in zip(self, tuple(other))])

    def assert_has_rank(self, rank: int) -> None:
        """Raise `ValueError` where the shape has another number of axes."""
        self.with_rank(rank)

    def assert_same_rank(self, other: Any) -> None:
        """Raise `ValueError` where the shapes differ in their number of axes."""
        self.with_rank(len(tuple(other)))

    def assert_is_fully_defined(self) -> None:
        """Raise `ValueError` where a length is not known."""
        if not self.is_fully_defined():
            raise ValueError(f"assert_is_fully_defined: the shape {tuple(self)} has lengths that are not known.")

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise `ValueError` where no tensor has both shapes."""
        if not self.is_compatible_with(other):
            raise ValueError(f"The shapes {tuple(self)} and {tuple(other)} are not compatible.")

    def concatenate(self, other: Any) -> TensorShape:
        """Return this shape followed by another."""
        return TensorShape((*self, *other))

    def __add__(self, other: Any) -> TensorShape:
        return TensorShape((*self, *other))

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape((*other, *self))

    def __getitem__(self, key: Any) -> Any:
        item = super().__getitem__(key)
        return TensorShape(item) if isinstance(key, slice) else item if item is None else Dimension(item)


@dataclass(frozen=True)
class TensorSpec:
    """Shape and type of a tensor that need not be there.

    Attributes:
        shape: The shape, `None` for a length that is not known.
        dtype: The name of the type.
        name: The name, if it has one.

    Example:
        >>> TensorSpec((None, 3), 'float32').dtype
        'float32'
    """

    shape: Any
    dtype: Any = "float32"
    name: str | None = None

    def __repr__(self) -> str:
        shape = "<unknown>" if self.shape is None else tuple(self.shape)
        kind = str(self.dtype).removeprefix("torch.").removeprefix("tf.")
        return f"TensorSpec(shape={shape}, dtype=tf.{kind}, name={self.name!r})"
