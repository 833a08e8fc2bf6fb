"""Shapes as TensorFlow hands them to user code: tuples that answer `as_list()` and its relatives."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any


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

    def concatenate(self, other: Any) -> TensorShape:
        """Return this shape followed by another."""
        return TensorShape((*self, *other))

    def __add__(self, other: Any) -> TensorShape:
        return TensorShape((*self, *other))

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape((*other, *self))

    def __getitem__(self, key: Any) -> Any:
        item = super().__getitem__(key)
        return TensorShape(item) if isinstance(key, slice) else item
