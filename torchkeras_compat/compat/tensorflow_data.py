"""`tf.data.Dataset`, as far as it feeds `fit`, `evaluate` and `predict`: a chain of iterables."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import randomness
from .._core.errors import argument_error, positive_int
from .tensorflow_functions import tensor

AUTOTUNE = -1
INFINITE, UNKNOWN = -1, -2  # TensorFlow's numbers for the length of a data set

Tree = Any  # an array, or a tuple or dictionary of trees


def _mapped(function: Callable[[Any], Any], tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {key: _mapped(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_mapped(function, value) for value in tree)
    return function(tree)


def _leaves(tree: Tree) -> list[Any]:
    if isinstance(tree, (dict, tuple)):
        return [leaf for value in (tree.values() if isinstance(tree, dict) else tree) for leaf in _leaves(value)]
    return [tree]


def _joined(function: Callable[[list[Any]], Any], trees: list[Tree]) -> Tree:
    first = trees[0]
    if isinstance(first, dict):
        return {key: _joined(function, [tree[key] for tree in trees]) for key in first}
    if isinstance(first, tuple):
        return tuple(_joined(function, list(parts)) for parts in zip(*trees))
    return function(trees)


def _array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    return tensor(value).cpu() if isinstance(value, (list, int, float, bool)) else np.asarray(value)


def _stacked(values: list[Any]) -> Any:
    return torch.stack([torch.as_tensor(v) for v in values])


def _sized(length: int, change: Callable[[int], int]) -> int:
    return length if length < 0 else change(length)


class Dataset:
    """A source of elements that can be shuffled, batched, mapped and repeated.

    Args:
        make: Returns a new iterator over the elements.
        length: How many there are; -1 without end, -2 unknown.

    Example:
        >>> import numpy as np
        >>> data = Dataset.from_tensor_slices((np.arange(5), np.ones(5))).batch(2).prefetch(AUTOTUNE)
        >>> [tuple(x.tolist()) for x, y in data], len(data)
        ([(0, 1), (2, 3), (4,)], 3)
    """

    def __init__(self, make: Callable[[], Iterator[Any]], length: int) -> None:
        self._make, self._length = make, length

    def __iter__(self) -> Iterator[Any]:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        if name == "__len__":
            raise AttributeError(name)
        known = ", ".join(n for n in dir(type(self)) if not n.startswith("_"))
        raise AttributeError(f"tf.data.Dataset has no {name!r} here, only: {known}.")

    # --- sources -------------------------------------------------------------------------------------------------

    @classmethod
    def from_tensor_slices(cls, tensors: Tree, name: str | None = None) -> Dataset:
        """Return the rows of arrays.

        Args:
            tensors: An array, or a tuple or dictionary of arrays with as many rows.
            name: Accepted.
        """
        arrays = _mapped(_array, tensors)
        rows = {len(leaf) for leaf in _leaves(arrays)}
        if len(rows) != 1:
            raise ValueError(f"Dataset.from_tensor_slices: all arrays must have as many rows; got {sorted(rows)}.")
        count = rows.pop()
        return _finite(lambda: (_mapped(operator.itemgetter(i), arrays) for i in range(count)), count)

    @classmethod
    def from_tensors(cls, tensors: Tree, name: str | None = None) -> Dataset:
        """Return one element.

        Args:
            tensors: The element.
            name: Accepted.
        """
        element = _mapped(_array, tensors)
        return _finite(lambda: iter([element]), 1)

    @classmethod
    def from_generator(
        cls, generator: Callable[..., Iterable[Any]], *types: Any, args: Any = (), **kwargs: Any
    ) -> Dataset:
        """Return what a function's iterable yields, which is called anew for each pass.

        Args:
            generator: The function.
            types: Accepted: `output_types`, `output_shapes`.
            args: The function's arguments.
            kwargs: Accepted: `output_types`, `output_shapes`, `output_signature`, `name`.
        """
        if not callable(generator):
            raise argument_error(
                "Dataset.from_generator", "generator", "a function that returns an iterable", generator
            )
        return cls(lambda: (_mapped(_array, item) for item in generator(*(args or ()))), UNKNOWN)

    @classmethod
    def range(cls, *args: int, **kwargs: Any) -> Dataset:
        """Return whole numbers.

        Args:
            args: As Python's `range` takes them.
            kwargs: Accepted.
        """
        numbers = range(*args)
        return _finite(lambda: (torch.tensor(n) for n in numbers), len(numbers))

    @classmethod
    def zip(cls, *datasets: Any, **kwargs: Any) -> Dataset:
        """Return tuples of the elements of several.

        Args:
            datasets: The data sets, or a tuple of them.
            kwargs: `datasets`, the same by name.
        """
        several = kwargs.get("datasets", datasets)
        parts = several[0] if len(several) == 1 and isinstance(several[0], (tuple, list)) else several
        lengths = [part._length for part in parts if part._length != INFINITE]
        length = UNKNOWN if UNKNOWN in lengths else min(lengths, default=INFINITE)
        return _sized_dataset(lambda: zip(*parts), length)

    # --- changes -------------------------------------------------------------------------------------------------

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return the elements in a random order, each drawn from a buffer of the next ones.

        Args:
            buffer_size: How many elements the buffer holds.
            seed: Makes the order repeat.
            reshuffle_each_iteration: Whether each pass has an order of its own; `True` if `None`.
            name: Accepted.
        """
        size = positive_int("Dataset.shuffle", "buffer_size", buffer_size)
        state: dict[str, Any] = {}

        def draw() -> Any:
            if "numbers" not in state:
                state["numbers"] = np.random.default_rng(randomness.draw_seed() if seed is None else seed)
            if reshuffle_each_iteration is False:
                state.setdefault("first", int(state["numbers"].integers(2**31)))
                return np.random.default_rng(state["first"])
            return state["numbers"]

        def items() -> Iterator[Any]:
            numbers, source = draw(), iter(self)
            buffer = list(itertools.islice(source, size))
            for item in source:
                place = int(numbers.integers(len(buffer)))
                yield buffer[place]
                buffer[place] = item
            for place in numbers.permutation(len(buffer)):
                yield buffer[place]

        return _sized_dataset(items, self._length)

    def batch(
        self, batch_size: int, drop_remainder: bool = False, num_parallel_calls: Any = None, **kwargs: Any
    ) -> Dataset:
        """Return batches of elements.

        Args:
            batch_size: Elements in a batch.
            drop_remainder: Whether a last, shorter batch is left out.
            num_parallel_calls: Accepted.
            kwargs: Accepted: `deterministic`, `name`.
        """
        size = positive_int("Dataset.batch", "batch_size", batch_size)

        def batches() -> Iterator[Any]:
            source = iter(self)
            while rows := list(itertools.islice(source, size)):
                if len(rows) == size or not drop_remainder:
                    yield _joined(_stacked, rows)

        return _sized_dataset(batches, _sized(self._length, lambda n: n // size if drop_remainder else -(-n // size)))

    def unbatch(self, name: str | None = None) -> Dataset:
        """Return the rows of the elements."""

        def rows() -> Iterator[Any]:
            for item in self:
                yield from (_mapped(operator.itemgetter(i), item) for i in range(len(_leaves(item)[0])))

        return Dataset(rows, UNKNOWN)

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """Return the elements several times.

        Args:
            count: How many times; without end if `None` or -1.
            name: Accepted.
        """
        endless = count is None or count < 0
        passes: Callable[[], Iterable[int]] = itertools.count if endless else lambda: range(count or 0)

        def items() -> Iterator[Any]:
            for _ in passes():
                empty = True
                for item in self:
                    empty = False
                    yield item
                if empty:
                    return

        return _sized_dataset(items, INFINITE if endless else _sized(self._length, lambda n: n * (count or 0)))

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None, **kwargs: Any) -> Dataset:
        """Return what a function makes of each element; the parts of a tuple are its arguments.

        Args:
            map_func: The function, of tensors.
            num_parallel_calls: Accepted.
            kwargs: Accepted: `deterministic`, `name`.
        """
        return _sized_dataset(lambda: (_called(map_func, item) for item in self), self._length)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Return the elements of which a function is true.

        Args:
            predicate: The function.
            name: Accepted.
        """
        return Dataset(lambda: (item for item in self if bool(_called(predicate, item))), UNKNOWN)

    def take(self, count: int, name: str | None = None) -> Dataset:
        """Return the first elements.

        Args:
            count: How many; all if -1.
            name: Accepted.
        """
        if count < 0:
            return self
        length = count if self._length == INFINITE else _sized(self._length, lambda n: min(n, count))
        return _sized_dataset(lambda: itertools.islice(iter(self), count), length)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """Return the elements behind the first ones.

        Args:
            count: How many are left out.
            name: Accepted.
        """
        length = _sized(self._length, lambda n: max(n - count, 0))
        return _sized_dataset(lambda: itertools.islice(iter(self), count, None), length)

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """Return the elements of this one, then those of another.

        Args:
            dataset: The other.
            name: Accepted.
        """
        lengths = (self._length, dataset._length)
        length = min(lengths) if min(lengths) < 0 else sum(lengths)
        return _sized_dataset(lambda: itertools.chain(self, dataset), length)

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Return pairs of a number and an element.

        Args:
            start: The first number.
            name: Accepted.
        """
        return _sized_dataset(lambda: ((torch.tensor(i), x) for i, x in enumerate(self, start)), self._length)

    def prefetch(self, buffer_size: Any = None, name: str | None = None) -> Dataset:
        """Return the data set: batches are made as they are needed."""
        return self

    def cache(self, filename: str = "", name: str | None = None) -> Dataset:
        """Return the elements of the first whole pass, kept in memory."""
        kept: list[Any] = []
        done: list[bool] = []

        def items() -> Iterator[Any]:
            if done:
                yield from kept
                return
            seen = []
            for item in self:
                seen.append(item)
                yield item
            if not done:
                kept.extend(seen)
                done.append(True)

        return _sized_dataset(items, self._length)

    def with_options(self, options: Any, name: str | None = None) -> Dataset:
        """Return the data set: TensorFlow's options have no meaning here."""
        return self

    def goes_on(self, steps: int) -> bool:
        """Tell whether an epoch of so many steps begins where the one before ended; `fit` asks.

        Args:
            steps: Batches in an epoch.
        """
        return self._length != steps

    def cardinality(self) -> Tensor:
        """Return the number of elements; -1 without end, -2 unknown."""
        return torch.tensor(self._length)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator over the elements as numpy arrays."""
        return (_mapped(lambda v: v.cpu().numpy() if isinstance(v, Tensor) else np.asarray(v), item) for item in self)


class _Finite(Dataset):
    """A data set whose length is known."""

    def __len__(self) -> int:
        return self._length


def _finite(make: Callable[[], Iterator[Any]], length: int) -> Dataset:
    return _Finite(make, length)


def _sized_dataset(make: Callable[[], Iterator[Any]], length: int) -> Dataset:
    return Dataset(make, length) if length < 0 else _Finite(make, length)


def _called(function: Callable[..., Any], item: Any) -> Any:
    tensors = _mapped(torch.as_tensor, item)
    made = function(*tensors) if isinstance(tensors, tuple) else function(tensors)
    return tuple(made) if isinstance(made, list) else made
