"""The part of a data set that leaves elements out, or cuts batches anew."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from .._core import randomness
from .._core.errors import positive_int
from .._core.ragged import RaggedTensor, joined_rows
from .dataset_trees import INFINITE, UNKNOWN, Chained, Stops, Tree, as_tensor, called, joined

_SEEN_AT_FIRST = 10  # of each class, before any has been seen
_COUNTED_TOGETHER = 32


class Choices(Chained):
    """What keeps some of the elements, or other rows together."""

    _resumes: bool  # whether a pass goes on behind an element that could not be computed

    def unique(self, name: str | None = None) -> Any:
        """Return each different element once, where it comes first.

        Args:
            name: Accepted.
        """

        def items(stops: Stops) -> Iterator[Any]:
            seen: set[Any] = set()
            for item in self._elements(stops):
                key = as_tensor(item).tolist()
                key = repr(key) if isinstance(key, list) else key
                if key not in seen:
                    seen.add(key)
                    yield item

        return self._derived(items, UNKNOWN)

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Any:
        """Return the elements that can be computed; errors of those that cannot are passed over.

        Args:
            log_warning: Whether each error is printed.
            name: Accepted.

        Raises:
            TypeError: The data set is no row of `map` and `filter` over rows, and ends with the first error.
        """
        if not self._resumes:
            raise TypeError(
                "Dataset.ignore_errors: a pass goes on behind an error of map and filter alone; "
                "write ignore_errors right behind them, before batch and its like."
            )

        def items(stops: Stops) -> Iterator[Any]:
            elements = self._elements(stops)
            while True:
                try:
                    yield next(elements)
                except StopIteration:
                    return
                except Exception as error:  # that is what was asked for
                    if log_warning:
                        print(f"Dataset.ignore_errors: {error}")

        return self._derived(items, INFINITE if self._length == INFINITE else UNKNOWN)

    def rebatch(self, batch_size: int, drop_remainder: bool = False, name: str | None = None) -> Any:
        """Return the rows of batches in batches of another size.

        Args:
            batch_size: Rows in a batch.
            drop_remainder: Whether a last, shorter batch is left out.
            name: Accepted.
        """
        positive_int("Dataset.rebatch", "batch_size", batch_size)
        return self.unbatch().batch(batch_size, drop_remainder)  # type: ignore[attr-defined]

    def ragged_batch(
        self, batch_size: int, drop_remainder: bool = False, row_splits_dtype: Any = None, name: str | None = None
    ) -> Any:
        """Return batches whose rows may have different lengths, as ragged tensors.

        Args:
            batch_size: Elements in a batch.
            drop_remainder: Whether a last, shorter batch is left out.
            row_splits_dtype: Accepted.
            name: Accepted.
        """
        size = positive_int("Dataset.ragged_batch", "batch_size", batch_size)

        def batches(stops: Stops) -> Iterator[Any]:
            items = self._elements(stops)
            while part := list(itertools.islice(items, size)):
                if len(part) == size or not drop_remainder:
                    yield joined(_as_rows, part)

        n = self._length
        return self._derived(batches, n if n < 0 else n // size if drop_remainder else -(-n // size))

    def rejection_resample(
        self,
        class_func: Callable[..., Any],
        target_dist: Any,
        initial_dist: Any = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> Any:
        """Return pairs of a class and an element, of which some are left out so that classes are as frequent as told.

        Args:
            class_func: Returns the class of an element, a whole number.
            target_dist: How frequent each class is to be.
            initial_dist: How frequent each is; counted on the way if `None`.
            seed: Makes the choice repeat; the numbers are not TensorFlow's.
            name: Accepted.
        """
        wanted = np.asarray(as_tensor(target_dist), dtype="float64")
        known = None if initial_dist is None else np.asarray(as_tensor(initial_dist), dtype="float64")
        draws = np.random.RandomState(randomness.draw_seed() if seed is None else int(seed))

        def items(stops: Stops) -> Iterator[Any]:
            counts = np.full(len(wanted), _SEEN_AT_FIRST)
            elements = self._elements(stops)
            while part := list(itertools.islice(elements, _COUNTED_TOGETHER)):
                classes = [as_tensor(called(class_func, item)) for item in part]
                numbers = [int(one) for one in classes]
                counts += np.bincount(numbers, minlength=len(wanted))
                kept = _kept_shares(wanted, counts / counts.sum() if known is None else known)
                for item, one, number in zip(part, classes, numbers):
                    if draws.uniform() < kept[number]:
                        yield one, item

        return self._derived(items, INFINITE if self._length == INFINITE else UNKNOWN)


def _kept_shares(wanted: Any, present: Any) -> Any:
    """Return how many of the elements of each class are kept, so that as few as can be are left out."""
    ratios = wanted / (present + np.finfo("float32").tiny)
    return ratios / ratios.max()


def _as_rows(values: list[Any]) -> Tree:
    tensors = [as_tensor(value) for value in values]
    if isinstance(tensors[0], RaggedTensor) or tensors[0].dim():
        return joined_rows(tensors)
    return torch.stack(tensors)
