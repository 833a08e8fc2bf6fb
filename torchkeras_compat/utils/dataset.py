"""`Dataset`: elements that can be shuffled, batched, mapped and repeated, as `tf.data` has them."""

from __future__ import annotations

import functools
import glob
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .._core.errors import positive_int
from .._core.ragged import RaggedTensor, joined_rows
from .._core.strings import STRING, StringTensor
from .._core.tensor_shape import TensorSpec
from .._core.user_tensors import hand_out
from .dataset_choices import Choices
from .dataset_iterator import DatasetIterator, Elements
from .dataset_sources import Sources
from .dataset_storage import Storage
from .dataset_trees import (
    INFINITE,
    UNKNOWN,
    Stops,
    Tree,
    as_tensor,
    called,
    filled,
    joined,
    leaves,
    mapped,
    stacked,
)
from .dataset_windows import Windows
from .read_ahead import END, Ahead, Task, Workers
from .shuffling import Order

AUTOTUNE = -1
FILE_READERS = Workers(2, False, 2)  # a batch for each while one is in use


def _sized(length: int, change: Callable[[int], int]) -> int:
    return length if length < 0 else change(length)


class Rows(Protocol):
    """Elements that can be read in any order.

    Attributes:
        slow: Whether reading them takes long, so that batches are read ahead.
    """

    slow: bool

    def __len__(self) -> int:
        """Return how many there are."""

    def row(self, index: int) -> Tree:
        """Return one element."""

    def __getitem__(self, indices: Sequence[int]) -> Tree:
        """Return several elements as a batch."""


class _ArrayRows:
    """The rows of arrays."""

    slow = False

    def __init__(self, arrays: Tree, count: int) -> None:
        self.arrays, self.count = arrays, count

    def __len__(self) -> int:
        return self.count

    def row(self, index: int) -> Tree:
        return mapped(operator.itemgetter(index), self.arrays)

    def __getitem__(self, indices: Sequence[int]) -> Tree:
        first, count = indices[0], len(indices)
        in_order = list(indices) == list(range(first, first + count))
        places = None if in_order else torch.tensor(indices)

        def chosen(rows: Any) -> Any:
            if isinstance(rows, RaggedTensor):
                return joined_rows([rows[i] for i in indices])
            # A copy in either case, which a function of the user's may write into.
            return rows[first : first + count].clone() if places is None else rows.index_select(0, places)

        return mapped(chosen, self.arrays)


class Dataset(Sources, Windows, Storage, Choices):
    """A source of elements that can be shuffled, batched, mapped and repeated.

    Args:
        make: Returns a new iterator over the elements; it puts what ends its reading ahead into a list.
        length: How many there are; -1 without end, -2 unknown.
        parents: The data sets that it is made of.
        batched: Whether the last of its batches may be shorter than the others.

    Attributes:
        class_names: Of a data set from folders: the names of the classes.
        file_paths: Of a data set from folders: the files.

    Example:
        >>> import numpy as np
        >>> data = Dataset.from_tensor_slices((np.arange(5), np.ones(5))).batch(2).prefetch(AUTOTUNE)
        >>> [x.tolist() for x, y in data], len(data)
        ([[0, 1], [2, 3], [4]], 3)
    """

    class_names: list[Any]
    file_paths: list[str]
    _rows: Rows | None = None  # where elements can be read in any order
    _indices: Callable[[], Iterator[int]]  # of those rows, for a pass
    _resumes = False

    def __init__(
        self,
        make: Callable[[Stops], Iterator[Any]],
        length: int,
        parents: Iterable[Dataset] = (),
        batched: bool = False,
    ) -> None:
        self._make, self._length, self._batched = make, length, batched
        self._orders: list[Order] = [order for parent in parents for order in parent._orders]
        self._begun: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator over the elements, whose tensors have the manners of Keras's."""
        return Elements(lambda: (mapped(hand_out, item) for item in self._elements([])))

    def _elements(self, stops: Stops) -> Iterator[Any]:
        """Return an iterator over the elements as torch's tensors.

        Args:
            stops: Gets what ends the reading ahead of this pass.
        """
        self._begun = self._states()
        return self._make(stops)

    def __bool__(self) -> bool:
        """Return `True`: a data set is something, also one without elements."""
        return True

    def __repr__(self) -> str:
        spec = self._known_spec()
        return "<Dataset without elements>" if spec is END else f"<Dataset element_spec={spec!r}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known = ", ".join(n for n in dir(type(self)) if not n.startswith("_"))
        raise AttributeError(f"tf.data.Dataset has no {name!r} here, only: {known}.")

    def _derived(self, make: Callable[[Stops], Iterator[Any]], length: int) -> Dataset:
        return sized_dataset(make, length, (self,), self._batched)

    def _joined_with(self, others: Sequence[Any], make: Callable[[Stops], Iterator[Any]]) -> Dataset:
        parts = (self, *others)
        return sized_dataset(make, UNKNOWN, parts, all(part._batched for part in parts))

    @classmethod
    def _of(cls, elements: list[Any]) -> Dataset:
        return cls._begun_by(lambda: iter(elements), len(elements))

    @classmethod
    def _begun_by(cls, make: Callable[[], Iterator[Any]], length: int) -> Dataset:
        return sized_dataset(lambda stops: make(), length)

    def _resumed(self, make: Callable[[Stops], Iterator[Any]], length: int) -> Dataset:
        """Return a derived data set of which a pass goes on behind an element that could not be computed."""
        derived = self._derived(make, length)
        derived._resumes = self._resumes
        return derived

    # --- sources -------------------------------------------------------------------------------------------------

    @classmethod
    def from_tensor_slices(cls, tensors: Tree, name: str | None = None) -> Dataset:
        """Return the rows of arrays.

        Args:
            tensors: An array, or a tuple or dictionary of arrays with as many rows.
            name: Accepted.
        """
        arrays = mapped(as_tensor, tensors)
        rows = {len(leaf) for leaf in leaves(arrays)}
        if len(rows) != 1:
            raise ValueError(f"Dataset.from_tensor_slices: all arrays must have as many rows; got {sorted(rows)}.")
        return from_rows(_ArrayRows(arrays, rows.pop()))

    @classmethod
    def from_tensors(cls, tensors: Tree, name: str | None = None) -> Dataset:
        """Return one element.

        Args:
            tensors: The element.
            name: Accepted.
        """
        element = mapped(as_tensor, tensors)
        return sized_dataset(lambda stops: iter([element]), 1)

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None
    ) -> Dataset:
        """Return the paths of the files that match a pattern, as strings.

        Args:
            file_pattern: A pattern such as `'data/*.txt'`, or a list of them.
            shuffle: Whether each pass has another order; so it is if `None`.
            seed: Makes the order repeat.
            name: Accepted.

        Raises:
            ValueError: No file matches.
        """
        patterns = np.ravel(as_tensor(file_pattern).numpy()).tolist()
        paths = sorted({path for pattern in patterns for path in glob.glob(pattern.decode())})
        if not paths:
            raise ValueError(f"Dataset.list_files: no file matches {[pattern.decode() for pattern in patterns]}.")
        listed = cls.from_tensor_slices(paths)
        return listed if shuffle is False else listed.shuffle(len(paths), seed)

    @classmethod
    def range(cls, *args: int, **kwargs: Any) -> Dataset:
        """Return whole numbers.

        Args:
            args: As Python's `range` takes them.
            kwargs: Accepted.
        """
        return Dataset.from_tensor_slices(np.arange(*(int(arg) for arg in args)))

    @classmethod
    def zip(cls, *datasets: Any, **kwargs: Any) -> Dataset:
        """Return the elements of several data sets together.

        Args:
            datasets: The data sets, or a tree of them: its form is that of the elements.
            kwargs: `datasets`, the same by name.
        """
        several = kwargs.get("datasets", datasets[0] if len(datasets) == 1 else datasets)
        tree = tuple(several) if isinstance(several, list) else several
        parts = leaves(tree)
        lengths = [part._length for part in parts if part._length != INFINITE]
        length = UNKNOWN if UNKNOWN in lengths else min(lengths, default=INFINITE)
        batched = all(part._batched for part in parts)

        def items(stops: Stops) -> Iterator[Any]:
            return (filled(tree, iter(elements)) for elements in zip(*(part._elements(stops) for part in parts)))

        return sized_dataset(items, length, parts, batched)

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
            seed: Makes the order repeat, and that of TensorFlow.
            reshuffle_each_iteration: Whether each pass has an order of its own; `True` if `None`.
            name: Accepted.
        """
        size = positive_int("Dataset.shuffle", "buffer_size", buffer_size)
        order = Order(size, None if seed is None else int(seed), reshuffle_each_iteration is not False)
        if self._rows is None:
            changed = self._derived(lambda stops: order.shuffled(self._elements(stops)), self._length)
        else:
            indices = self._indices
            changed = from_rows(self._rows, lambda: order.shuffled(indices()), self)
        changed._orders.append(order)
        return changed

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

        def parts(items: Iterator[Any]) -> Iterator[list[Any]]:
            while part := list(itertools.islice(items, size)):
                if len(part) == size or not drop_remainder:
                    yield part

        def batches(stops: Stops) -> Iterator[Any]:
            if self._rows is None:
                return (joined(stacked, part) for part in parts(self._elements(stops)))
            wanted = parts(self._indices())
            return _read_ahead(self._rows, wanted, stops) if self._rows.slow else map(self._rows.__getitem__, wanted)

        length = _sized(self._length, lambda n: n // size if drop_remainder else -(-n // size))
        return sized_dataset(batches, length, (self,), not drop_remainder)

    def unbatch(self, name: str | None = None) -> Dataset:
        """Return the rows of the elements."""

        def rows(stops: Stops) -> Iterator[Any]:
            for item in self._elements(stops):
                yield from (mapped(operator.itemgetter(i), item) for i in range(len(leaves(item)[0])))

        return Dataset(rows, UNKNOWN, (self,))

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """Return the elements several times.

        Args:
            count: How many times; without end if `None` or -1.
            name: Accepted.
        """
        endless = count is None or count < 0
        passes: Callable[[], Iterable[int]] = itertools.count if endless else lambda: range(count or 0)

        def items(stops: Stops) -> Iterator[Any]:
            for _ in passes():
                empty = True
                for item in self._elements(stops):
                    empty = False
                    yield item
                if empty:
                    return

        return self._derived(items, INFINITE if endless else _sized(self._length, lambda n: n * int(count or 0)))

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None, **kwargs: Any) -> Dataset:
        """Return what a function makes of each element; the parts of a tuple are its arguments.

        Args:
            map_func: The function, of tensors.
            num_parallel_calls: Accepted.
            kwargs: Accepted: `deterministic`, `name`.
        """
        function = functools.partial(called, map_func)
        return self._resumed(lambda stops: map(function, self._elements(stops)), self._length)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Return the elements of which a function is true.

        Args:
            predicate: The function.
            name: Accepted.
        """
        return self._resumed(
            lambda stops: filter(lambda item: bool(called(predicate, item)), self._elements(stops)), UNKNOWN
        )

    def take(self, count: int, name: str | None = None) -> Dataset:
        """Return the first elements.

        Args:
            count: How many; all if -1.
            name: Accepted.
        """
        wanted = int(count)
        if wanted < 0:
            return self
        length = wanted if self._length == INFINITE else _sized(self._length, lambda n: min(n, wanted))
        return self._resumed(lambda stops: itertools.islice(self._elements(stops), wanted), length)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """Return the elements behind the first ones.

        Args:
            count: How many are left out; all if -1.
            name: Accepted.
        """
        if (start := int(count)) < 0:
            return self.take(0)
        length = _sized(self._length, lambda n: max(n - start, 0))
        return self._derived(lambda stops: itertools.islice(self._elements(stops), start, None), length)

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """Return the elements of this one, then those of another.

        Args:
            dataset: The other.
            name: Accepted.
        """
        lengths = (self._length, dataset._length)
        length = min(lengths) if min(lengths) < 0 else sum(lengths)
        parts = (self, dataset)

        def items(stops: Stops) -> Iterator[Any]:
            for part in parts:
                yield from part._elements(stops)

        return sized_dataset(items, length, parts, self._batched or dataset._batched)

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Return pairs of a number and an element.

        Args:
            start: The first number.
            name: Accepted.
        """
        return self._derived(
            lambda stops: ((torch.tensor(i), x) for i, x in enumerate(self._elements(stops), start)), self._length
        )

    def prefetch(self, buffer_size: Any = None, name: str | None = None) -> Dataset:
        """Return the data set: files are read ahead in any case, and all else is computed when it is needed."""
        return self

    def with_options(self, options: Any, name: str | None = None) -> Dataset:
        """Return the data set: TensorFlow's options have no meaning here."""
        return self

    # --- what it is ----------------------------------------------------------------------------------------------

    def cardinality(self) -> Tensor:
        """Return the number of elements; -1 without end, -2 unknown."""
        return torch.tensor(self._length)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator over the elements as numpy arrays, and strings as bytes."""
        return (mapped(_as_numpy, item) for item in self._elements([]))

    def make_one_shot_iterator(self) -> DatasetIterator:
        """Return an iterator of TensorFlow 1: without `tf.enable_eager_execution()` sessions draw what it gives."""
        return DatasetIterator(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> DatasetIterator:
        """Return an iterator of TensorFlow 1, which `session.run(iterator.initializer)` begins anew.

        Args:
            shared_name: Accepted.
        """
        return DatasetIterator(self)

    @property
    def element_spec(self) -> Tree:
        """Shapes and types of an element, which the first one tells."""
        spec = self._known_spec()
        if spec is END:
            raise ValueError("Dataset.element_spec: the data set is empty.")
        return spec

    def _known_spec(self) -> Tree:
        """Return shapes and types of an element, `END` where there is none."""
        if self._announced is not None:
            return self._announced
        first = self._first()
        return END if first is END else mapped(self._spec, first)

    def _first(self) -> Any:
        """Return the first element of the next pass, which still is the next one; `END` where there is none."""
        place, stops = self._place(), Stops()
        first = next(self._elements(stops), END)
        self._set_place(place)
        for stop in stops:
            stop()
        return first

    def _spec(self, leaf: Any) -> TensorSpec:
        shape = list(leaf.shape)
        if self._batched and shape:
            shape[0] = None
        kind = STRING if isinstance(leaf, StringTensor) else str(torch.as_tensor(leaf).dtype).removeprefix("torch.")
        return TensorSpec(tuple(shape), kind)

    # --- what `fit` asks -----------------------------------------------------------------------------------------

    def goes_on(self, steps: int) -> bool:
        """Tell whether an epoch of so many steps begins where the one before ended.

        Args:
            steps: Batches in an epoch.
        """
        return self._length != steps

    def _states(self) -> list[Any]:
        return [order.state() for order in self._orders]

    def _set_states(self, states: list[Any]) -> None:
        for order, state in zip(self._orders, states):
            order.set_state(state)

    def _place(self) -> dict[str, Any]:
        """Return where the orders stand, and where they stood when the last pass began."""
        return {"now": self._states(), "begun": self._begun}

    def _set_place(self, place: Mapping[str, Any]) -> None:
        self._begun = place["begun"]
        self._set_states(place["now"])

    def _begin_again(self) -> None:
        """Let the next pass have the orders of the last one."""
        self._set_states(self._begun)


class _Finite(Dataset):
    """A data set whose length is known."""

    def __len__(self) -> int:
        return self._length


def sized_dataset(
    make: Callable[[Stops], Iterator[Any]], length: int, parents: Iterable[Dataset] = (), batched: bool = False
) -> Dataset:
    """Return a data set, with a length where it is known; the arguments are those of `Dataset`."""
    return (Dataset if length < 0 else _Finite)(make, length, parents, batched)


def from_rows(rows: Rows, indices: Callable[[], Iterator[int]] | None = None, parent: Dataset | None = None) -> Dataset:
    """Return a data set of rows that can be read in any order.

    Args:
        rows: The rows.
        indices: Returns the order of a pass; as they stand if `None`.
        parent: The data set whose order is changed.
    """
    count = len(rows)
    order: Callable[[], Iterator[int]] = range(count).__iter__ if indices is None else indices
    dataset = sized_dataset(lambda stops: map(rows.row, order()), count, () if parent is None else (parent,))
    dataset._rows, dataset._indices = rows, order
    dataset._resumes = True
    return dataset


def _read_ahead(rows: Rows, wanted: Iterator[Sequence[int]], stops: Stops) -> Iterator[Any]:
    """Yield batches of rows that threads read while the one before is in use."""
    ahead = Ahead(rows, FILE_READERS, map(Task, wanted))
    stops.append(ahead.stop)
    try:
        while (batch := ahead.next()) is not END:
            yield batch
    finally:
        ahead.stop()


def _as_numpy(leaf: Any) -> Any:
    """Return a part of an element as numpy has it: a single value as one of numpy's numbers."""
    if hasattr(leaf, "as_numpy_iterator"):
        return leaf.as_numpy_iterator()
    array = leaf.numpy() if isinstance(leaf, RaggedTensor) else torch.as_tensor(leaf).numpy(force=True)
    return array[()] if isinstance(array, np.ndarray) else array
