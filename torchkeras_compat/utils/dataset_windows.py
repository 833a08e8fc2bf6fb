"""Data sets of data sets, and one of several: windows, `flat_map`, `interleave` and their like."""

from __future__ import annotations

import bisect
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import randomness
from .._core.errors import positive_int
from .._core.strings import StringTensor
from .._core.user_tensors import hand_out
from .dataset_trees import UNKNOWN, Chained, Stops, Tree, as_tensor, called, joined, mapped, stacked


class Windows(Chained):
    """The part of a data set that goes beyond one element at a time."""

    def window(
        self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False, name: Any = None
    ) -> Any:
        """Return runs of elements, each a data set; a tuple or dictionary of data sets where elements are those.

        Args:
            size: Elements in a window.
            shift: By how many elements a window begins behind the one before; `size` if `None`.
            stride: The distance of two elements in a window.
            drop_remainder: Whether shorter windows at the end are left out.
            name: Accepted.
        """
        width, distance = positive_int("Dataset.window", "size", size), positive_int("Dataset.window", "stride", stride)
        step = width if shift is None else positive_int("Dataset.window", "shift", shift)

        def windows(stops: Stops) -> Iterator[Any]:
            for elements in _runs(self._elements(stops), width, distance, step):
                if len(elements) == width or not drop_remainder:
                    yield joined(self._of, elements)

        span, n = (width - 1) * distance + 1, self._length
        length = n if n < 0 else max(0, (n - span) // step + 1) if drop_remainder else -(-n // step)
        return self._derived(windows, length)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Any:
        """Return the elements of the data sets that a function makes of each element, one data set after the other.

        Args:
            map_func: Returns a data set.
            name: Accepted.
        """

        def items(stops: Stops) -> Iterator[Any]:
            for item in self._elements(stops):
                yield from called(map_func, item)._elements(stops)

        return self._derived(items, UNKNOWN)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int | None = None,
        block_length: int = 1,
        num_parallel_calls: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return the elements of the data sets that a function makes of each element, some of each in turn.

        Args:
            map_func: Returns a data set.
            cycle_length: How many data sets take turns; as many as there are processors if `None`.
            block_length: How many elements one gives at its turn.
            num_parallel_calls: Accepted.
            kwargs: Accepted: `deterministic`, `name`.
        """
        cycle = torch.get_num_threads() if cycle_length in (None, -1) else cycle_length
        width = positive_int("Dataset.interleave", "cycle_length", cycle)

        def items(stops: Stops) -> Iterator[Any]:
            sources = (called(map_func, item)._elements(stops) for item in self._elements(stops))
            open_ones = deque(itertools.islice(sources, width))
            while open_ones:
                source = open_ones.popleft()
                block = list(itertools.islice(source, block_length))
                yield from block
                if len(block) == block_length:
                    open_ones.append(source)
                elif (following := next(sources, None)) is not None:
                    open_ones.append(following)

        return self._derived(items, UNKNOWN)

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Tree = None,
        padding_values: Tree = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Return batches of elements of different lengths, filled up to the longest of the batch.

        Args:
            batch_size: Elements in a batch.
            padded_shapes: The shape that each element is filled up to, `None` for the longest of the batch.
            padding_values: What fills them; 0, or an empty string.
            drop_remainder: Whether a last, shorter batch is left out.
            name: Accepted.
        """
        size = positive_int("Dataset.padded_batch", "batch_size", batch_size)

        def batches(stops: Stops) -> Iterator[Any]:
            items = self._elements(stops)
            while part := list(itertools.islice(items, size)):
                if len(part) == size or not drop_remainder:
                    yield _padded(part, padded_shapes, padding_values)

        return self._derived(batches, UNKNOWN if self._length < 0 else -(-self._length // size))

    def group_by_window(
        self,
        key_func: Callable[..., Any],
        reduce_func: Callable[..., Any],
        window_size: int | None = None,
        window_size_func: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Any:
        """Return what a function makes of the elements of one key, as many at a time as a window has.

        Args:
            key_func: Returns the key of an element, a whole number.
            reduce_func: Returns a data set for a key and the data set of its elements.
            window_size: Elements in a window.
            window_size_func: Returns that for a key, instead.
            name: Accepted.

        Raises:
            ValueError: Neither or both say how long windows are.
        """
        if (window_size is None) == (window_size_func is None):
            raise ValueError("Dataset.group_by_window: give window_size or window_size_func, one of the two.")

        def size_of(key: Tensor) -> int:
            return int(window_size if window_size_func is None else called(window_size_func, key))  # type: ignore[arg-type]

        def items(stops: Stops) -> Iterator[Any]:
            groups: dict[int, list[Any]] = {}
            for item in self._elements(stops):
                key = as_tensor(called(key_func, item)).long()
                group = groups.setdefault(int(key), [])
                group.append(item)
                if len(group) == size_of(key):
                    yield from called(reduce_func, (key, self._of(groups.pop(int(key)))))._elements(stops)
            for number, group in sorted(groups.items()):
                yield from called(reduce_func, (torch.tensor(number), self._of(group)))._elements(stops)

        return self._derived(items, UNKNOWN)

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable[..., Any],
        bucket_boundaries: Sequence[int],
        bucket_batch_sizes: Sequence[int],
        padded_shapes: Tree = None,
        padding_values: Tree = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Return batches of elements of similar lengths, filled up to the longest of the batch.

        Args:
            element_length_func: Returns the length of an element.
            bucket_boundaries: Where one range of lengths ends and the next begins.
            bucket_batch_sizes: Elements in a batch of each range, one more than boundaries.
            padded_shapes: As in `padded_batch`.
            padding_values: As in `padded_batch`.
            pad_to_bucket_boundary: Whether elements are filled up to the longest length of their range.
            no_padding: Whether elements have one length in each range, and are not filled up.
            drop_remainder: Whether last, shorter batches are left out.
            name: Accepted.

        Raises:
            ValueError: As many sizes as boundaries, or an element beyond the last boundary that is to be filled up.
        """
        ends, counts = [int(n) for n in bucket_boundaries], [int(n) for n in bucket_batch_sizes]
        if len(counts) != len(ends) + 1:
            raise ValueError(
                f"Dataset.bucket_by_sequence_length: {len(ends)} boundaries make {len(ends) + 1} ranges, each with its "
                f"batch size; got {len(counts)} sizes."
            )

        def batch(bucket: Tensor, group: Any) -> Any:
            size = counts[int(bucket)]
            if no_padding:
                return group.batch(size, drop_remainder)
            shapes = padded_shapes
            if pad_to_bucket_boundary:
                if int(bucket) == len(ends):
                    raise ValueError(
                        f"Dataset.bucket_by_sequence_length: an element is as long as the last boundary, {ends[-1]}, "
                        f"or longer, and cannot be filled up to it."
                    )
                shapes = _open_axes(group._first() if shapes is None else shapes, ends[int(bucket)] - 1, shapes is None)
            return group.padded_batch(size, shapes, padding_values, drop_remainder)

        def key(*parts: Any) -> int:
            return bisect.bisect_right(ends, int(element_length_func(*parts)))

        return self.group_by_window(key, batch, window_size_func=lambda bucket: counts[int(bucket)])

    @classmethod
    def choose_from_datasets(
        cls, datasets: Sequence[Any], choice_dataset: Any, stop_on_empty_dataset: bool = True
    ) -> Any:
        """Return an element of one data set after the other, as a data set of numbers says.

        Args:
            datasets: The data sets.
            choice_dataset: Tells which one gives the next element.
            stop_on_empty_dataset: Whether it ends where one is asked that has no more.
        """

        def items(stops: Stops) -> Iterator[Any]:
            return _in_turn(datasets, choice_dataset._elements(stops), stop_on_empty_dataset, stops)

        return datasets[0]._joined_with(datasets[1:], items)

    @classmethod
    def sample_from_datasets(
        cls,
        datasets: Sequence[Any],
        weights: Any = None,
        seed: int | None = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Any:
        """Return elements of data sets that are drawn by chance.

        Args:
            datasets: The data sets.
            weights: How likely each is; all alike if `None`.
            seed: Makes the choice repeat; the numbers are not TensorFlow's.
            stop_on_empty_dataset: Whether it ends where one is drawn that has no more.
            rerandomize_each_iteration: Whether each pass draws anew; with a seed, not if `None`.
        """
        likely = np.full(len(datasets), 1 / len(datasets)) if weights is None else np.asarray(weights, "float64")
        draws = np.random.RandomState(randomness.draw_seed() if seed is None else int(seed))
        again = (seed is not None) if rerandomize_each_iteration is None else not rerandomize_each_iteration
        begun = draws.get_state()

        def choices() -> Iterator[int]:
            if again:
                draws.set_state(begun)
            while True:
                yield int(draws.choice(len(datasets), p=likely / likely.sum()))

        def items(stops: Stops) -> Iterator[Any]:
            return _in_turn(datasets, choices(), stop_on_empty_dataset, stops)

        return datasets[0]._joined_with(datasets[1:], items)

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Any:
        """Return each `num_shards`-th element, from `index` on.

        Args:
            num_shards: The number of parts.
            index: Which of them.
            name: Accepted.
        """
        of, first = int(num_shards), int(index)
        length = self._length if self._length < 0 else len(range(first, self._length, of))
        return self._derived(lambda stops: itertools.islice(self._elements(stops), first, None, of), length)

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Any:
        """Return the elements before the first of which a function is false.

        Args:
            predicate: The function.
            name: Accepted.
        """
        return self._derived(
            lambda stops: itertools.takewhile(lambda item: bool(called(predicate, item)), self._elements(stops)),
            UNKNOWN,
        )

    def scan(self, initial_state: Tree, scan_func: Callable[..., Any], name: str | None = None) -> Any:
        """Return what a function of a state and an element makes of each, which hands its state on.

        Args:
            initial_state: The state before the first element.
            scan_func: Returns the next state and an element.
            name: Accepted.
        """

        def items(stops: Stops) -> Iterator[Any]:
            state = mapped(as_tensor, initial_state)
            for item in self._elements(stops):
                state, made = called(scan_func, (state, item))
                yield made

        return self._derived(items, self._length)

    def reduce(self, initial_state: Tree, reduce_func: Callable[..., Any], name: str | None = None) -> Tree:
        """Return the last state of a function of a state and an element.

        Args:
            initial_state: The state before the first element.
            reduce_func: Returns the next state.
            name: Accepted.
        """
        state = mapped(as_tensor, initial_state)
        for item in self._elements([]):
            state = called(reduce_func, (state, item))
        return mapped(hand_out, state)

    def apply(self, transformation_func: Callable[[Any], Any]) -> Any:
        """Return what a function makes of the data set.

        Args:
            transformation_func: The function.
        """
        return transformation_func(self)

    def get_single_element(self, name: str | None = None) -> Tree:
        """Return the only element.

        Raises:
            ValueError: There are none or several.
        """
        elements = list(itertools.islice(self._elements([]), 2))
        if len(elements) != 1:
            raise ValueError(f"Dataset.get_single_element: one element is expected; got {len(elements) or 'none'}.")
        return mapped(hand_out, elements[0])


def _runs(items: Iterable[Any], size: int, stride: int, shift: int) -> Iterator[list[Any]]:
    """Yield `size` elements in the distance of `stride`, from each `shift`-th on; fewer at the end."""
    source, held = iter(items), deque[Any]()
    span = (size - 1) * stride + 1
    while True:
        held.extend(itertools.islice(source, span - len(held)))
        if not held:
            return
        yield list(itertools.islice(held, 0, None, stride))
        behind = shift - len(held)
        for _ in range(min(shift, len(held))):
            held.popleft()
        if behind > 0:
            deque(itertools.islice(source, behind), maxlen=0)


def _in_turn(datasets: Sequence[Any], choices: Iterator[Any], stops_where_empty: bool, stops: Stops) -> Iterator[Any]:
    """Yield an element of the data set that each choice names, until all, or the first one, have no more."""
    sources = [dataset._elements(stops) for dataset in datasets]
    ended: set[int] = set()
    for choice in map(int, choices):
        if choice in ended:
            continue
        for item in sources[choice]:
            yield item
            break
        else:
            ended.add(choice)
            if stops_where_empty or len(ended) == len(sources):
                return


def _open_axes(tree: Tree, size: int, of_element: bool) -> Tree:
    """Return shapes with a size for each axis that is open; for an element, all of its axes are."""
    if isinstance(tree, dict):
        return {key: _open_axes(value, size, of_element) for key, value in tree.items()}
    if isinstance(tree, tuple) and (of_element or any(isinstance(part, (tuple, list, dict)) for part in tree)):
        return tuple(_open_axes(value, size, of_element) for value in tree)
    if of_element:
        shape = list(tree.shape)
        return [size, *shape[1:]] if shape else shape
    return [size if n in (None, -1) else n for n in tree]


def _padded(elements: list[Tree], shapes: Tree, values: Tree) -> Tree:
    """Return elements as one batch, each leaf filled up."""
    first = elements[0]
    if isinstance(first, dict):
        parts = [(k, [e[k] for e in elements], _part(shapes, k), _part(values, k)) for k in first]
        return {key: _padded(*part) for key, *part in parts}
    if isinstance(first, tuple):
        return tuple(_padded(list(part), _part(shapes, i), _part(values, i)) for i, part in enumerate(zip(*elements)))
    tensors = [as_tensor(element) for element in elements]
    asked = [None] * tensors[0].dim() if shapes is None else list(shapes)
    longest = [max(t.shape[axis] for t in tensors) if n in (None, -1) else n for axis, n in enumerate(asked)]
    return stacked([_filled(tensor, longest, values) for tensor in tensors])


def _part(tree: Tree, place: Any) -> Tree:
    return tree[place] if isinstance(tree, (dict, tuple)) else tree


def _filled(tensor: Tensor, sizes: list[int], value: Any) -> Tensor:
    if any(n > size for n, size in zip(tensor.shape, sizes)):
        raise ValueError(f"Dataset.padded_batch: an element of shape {tuple(tensor.shape)} does not fit into {sizes}.")
    if isinstance(tensor, StringTensor):
        if not sizes:
            return tensor
        whole: Any = StringTensor.of([b"" if value is None else value]).expand(sizes).numpy().copy()
        whole[tuple(slice(n) for n in tensor.shape)] = tensor.numpy()
        return StringTensor.of(whole)
    filled = tensor.new_full(sizes, 0 if value is None else float(value) if tensor.is_floating_point() else int(value))
    filled[tuple(slice(n) for n in tensor.shape)] = tensor
    return filled
