"""Iterators over data sets as TensorFlow 1 has them: what `get_next` gives is drawn anew each time a session runs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch

from .._core import settings
from .._core.strings import is_string_type
from .._core.symbolic import SymbolicTensor
from .._core.tree import flatten, map_tree
from .._core.user_tensors import hand_out
from ..backend.sessions import Operation

MODE = SimpleNamespace(eager=None)  # what a script has asked for, `True` or `False`


def enable_eager_execution(*args: Any, **kwargs: Any) -> None:
    """Let iterators of TensorFlow 1 give values: all else runs eagerly in any case.

    Args:
        args: Accepted.
        kwargs: Accepted.
    """
    MODE.eager = True


def disable_eager_execution() -> None:
    """Let iterators of TensorFlow 1 give symbolic tensors: all else runs eagerly in any case."""
    MODE.eager = False


class Optional:
    """An element, or none.

    Args:
        values: The element in a list, which is empty where there is none.
    """

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def has_value(self, name: str | None = None) -> Any:
        """Return whether there is one, as a tensor.

        Args:
            name: Accepted.
        """
        return hand_out(torch.tensor(bool(self._values)))

    def get_value(self, name: str | None = None) -> Any:
        """Return the element.

        Args:
            name: Accepted.

        Raises:
            ValueError: There is none.
        """
        if not self._values:
            raise ValueError("tf.experimental.Optional: there is no value; ask has_value() first.")
        return self._values[0]


class Elements(Iterator[Any]):
    """One pass over the elements, as `iter(dataset)` gives it.

    Args:
        begin: Begins a pass.

    Attributes:
        position: How many elements there have been.
    """

    def __init__(self, begin: Callable[[], Iterator[Any]]) -> None:
        self._begin, self._elements = begin, begin()
        self.position = 0

    def __next__(self) -> Any:
        element = next(self._elements)
        self.position += 1
        return element

    def get_next(self) -> Any:
        """Return the next element.

        Raises:
            IndexError: There is none; it is `tf.errors.OutOfRangeError`.
        """
        for element in self:
            return element
        raise IndexError("tf.data.Dataset: the pass has no further elements.")

    def get_next_as_optional(self) -> Optional:
        """Return the next element, or that there is none."""
        return Optional(list(itertools.islice(self, 1)))

    def move_to(self, position: int) -> None:
        """Go on behind so many elements, which are read again; a checkpoint tells how many there have been.

        Args:
            position: The number.
        """
        if position < self.position:
            self._elements, self.position = self._begin(), 0
        for _ in itertools.islice(self, position - self.position):
            pass


class _Restart(Operation):
    """What begins the pass of an iterator anew."""

    def __init__(self, iterator: DatasetIterator) -> None:
        self.iterator = iterator

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Begin the pass.

        Args:
            feed_dict: Accepted for TensorFlow's sake.
            session: Likewise.
        """
        self.iterator.begin()


class DatasetIterator(Iterator[Any]):
    """One pass over a data set; `fit` takes it, and sessions run what `get_next` returns.

    Args:
        dataset: The data set.
        eager: Whether `get_next` gives values where the script has not said.

    Attributes:
        initializer: Begins the pass anew when a session runs it.

    Example:
        >>> from torchkeras_compat.backend.sessions import Session
        >>> from torchkeras_compat.utils.dataset import Dataset
        >>> x = Dataset.range(3).make_one_shot_iterator().get_next() * 2
        >>> with Session() as session:
        ...     [int(session.run(x)) for _ in range(3)]
        [0, 2, 4]
    """

    def __init__(self, dataset: Any, eager: bool = False) -> None:
        self.dataset = dataset
        self._is_eager = eager if MODE.eager is None else MODE.eager
        self.initializer = _Restart(self)
        self.begin()

    def begin(self) -> None:
        """Begin the pass."""
        self._elements: Any = iter(self.dataset)

    def __next__(self) -> Any:
        return next(self._elements)

    def next_element(self) -> Any:
        """Return the next element.

        Raises:
            IndexError: There is none; it is `tf.errors.OutOfRangeError`.
        """
        return self._elements.get_next()

    def get_next(self, name: str | None = None) -> Any:
        """Return the next element, in graph mode as symbolic tensors that sessions draw.

        Args:
            name: Accepted.
        """
        if self._is_eager:
            return self.next_element()
        specs = self.dataset.element_spec
        symbols: list[SymbolicTensor] = []
        for spec in flatten(specs):
            kind = "string" if is_string_type(spec.dtype) else settings.dtype_name(settings.torch_dtype(spec.dtype))
            symbol = SymbolicTensor(tuple(spec.shape), kind, name=f"IteratorGetNext:{len(symbols)}")
            symbol.drawn_by = (self, len(symbols))
            symbols.append(symbol)
        left = iter(symbols)
        return map_tree(lambda spec: next(left), specs)
