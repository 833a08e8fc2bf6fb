"""Batches that arrive one by one: generators, a `Sequence`, a DataLoader and their like."""

from __future__ import annotations

import itertools
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core import randomness
from ..._core.border import user_stacklevel
from ..._core.errors import show
from ..._core.samples import Samples
from ..._core.shapes import Shape, one_sample_hint
from ..._core.tree import Tree, flatten, is_branch, map_tree
from ...preprocessing.image.iterator import Iterator as PictureIterator
from ...utils.dataset import Dataset
from ...utils.read_ahead import END, ONE_THREAD, Reader, Workers
from ...utils.sequence import Sequence as BatchSequence
from .arrays import one_batch
from .batch import Batch
from .class_weights import with_class_weight
from .inputs import build_by
from .mapped_files import MappedFiles
from .position import Position, can_be_told_apart
from .recurring import RecurringBatch
from .signature import ModelOutput, Signature
from .standardize import (
    Arrays,
    expect_equal_rows,
    input_arrays,
    is_mapping,
    rows_of,
    target_arrays,
    warn_of_extra_keys,
    weight_arrays,
)


class StreamData:
    """Batches that arrive one by one: a generator, a `Sequence`, a DataLoader, or any iterable of `(x, y[, weight])`.

    Args:
        source: Where they come from.
        signature: What is known of the model.
        class_weight: Applied to each batch.
        with_targets: Whether an item is `(x, y[, weight])`, or `x` alone as in `predict`.
        samples: How many samples make a pass, where it is they that are counted (Keras 1), and not batches.
        inspect: Called with the arrays of the first batch.
        workers: Who reads a generator or a `Sequence`.

    Attributes:
        position: Where training stands in them, if somebody keeps that.
        used_at_once: Tells, where somebody knows, whether a batch's inputs are used up before the next batch is drawn.
    """

    position: Position | None = None
    sample: Shape | None = None
    used_at_once: Callable[[], bool] | None = None
    ran_out = False  # whether the source ended before the samples of a pass were there

    def __init__(
        self,
        source: Any,
        signature: Signature,
        class_weight: Any = None,
        with_targets: bool = True,
        samples: Samples | None = None,
        inspect: Callable[[Arrays], None] | None = None,
        workers: Workers = ONE_THREAD,
    ) -> None:
        self.source, self.signature = source, signature
        self.class_weight, self.with_targets = class_weight, with_targets
        self.loader = isinstance(source, torch.utils.data.DataLoader)  # which makes lists of tuples
        joined = self.loader and source.collate_fn is torch.utils.data.default_collate
        self.fresh = joined or isinstance(source, Dataset)  # whose batches have memory of their own
        self.length = length_of(source)
        self.indexed = self.length is not None and hasattr(source, "__getitem__")
        self.samples, self.inspect = samples, inspect
        self._first = True
        self._recurring: RecurringBatch | None = None
        self.batch_size: int | None = None
        self.n: int | None = None if samples is None else samples.count
        self.steps = self.length if samples is None else self._steps_for(samples.count)
        if isinstance(source, PictureIterator) and not workers.processes:
            # Batches of pictures draw from numpy's one generator: in their order, so that a run repeats.
            workers = workers._replace(number=min(workers.number, 1))
        self.reader = Reader(source, workers, _unused_of(source), _copied)
        self._reading: Iterator[Any] = iter(())  # the pass that has begun
        self._files = MappedFiles()
        self._stops: list[Any] = []  # what ends the reading ahead of a data set
        self._endless: Iterator[Any] | None = None
        self._seen_before = 0  # samples of the epoch in which training resumes

    def build_model(self) -> None:
        """Build a model whose call a user wrote by the first batch, which comes again where it can be drawn once."""
        waits = self.signature.inputs is None and self.signature.model._waits_for_batch(self.signature.whole)
        if not waits:
            return
        if isinstance(self.source, Dataset):
            item = self.source._first()
        else:
            item = self.reader.peek() if self.is_read_once else next(iter(self._items(False, 1)), END)
        if item is not END:
            build_by(input_arrays(self._parts(item)[0], self.signature), self.signature)

    def _steps_for(self, samples: int) -> int | None:
        """Return the number of batches that so many samples make, where the source tells and none is short."""
        size, n = getattr(self.source, "batch_size", None), getattr(self.source, "n", None)
        if not isinstance(size, int) or size <= 0 or samples % size or (isinstance(n, int) and n % size):
            return None
        return samples // size

    def epoch(self, shuffle: bool | str = False, limit: int | None = None, at_once: int = 0) -> Iterator[Batch]:
        """Yield the batches of one pass, at most `limit` of them; a generator goes on where it stood."""
        if self.samples is not None:
            return self._until(self.samples, shuffle)
        return map(self._batch, itertools.islice(self._items(shuffle, limit), limit))

    def _items(self, shuffle: bool | str, limit: int | None = None) -> Iterator[Any]:
        if self._goes_round(limit):
            if self._endless is None:
                self._endless = self._sequence_rounds(shuffle)
            return self._endless
        if self.position is None or self.is_read_once:
            return self._pass(shuffle, limit)
        if self.position.goes_on and isinstance(self.source, Dataset):
            self.source._begin_again()
        with self.position.beginning() as past:
            return self.position.counted(self._pass(shuffle, limit, past))

    def _goes_round(self, limit: int | None) -> bool:
        """Tell whether steps have nothing to do with the length of a `Sequence`, as in classic Keras.

        Callbacks that resume in the midst of an epoch came with the dialects in which they have.
        """
        goes_round = self.signature.model._rules.sequences_go_round and self.position is None
        return goes_round and self.indexed and limit is not None and limit != self.length

    def _sequence_rounds(self, shuffle: bool | str) -> Iterator[Any]:
        """Yield the batches of a `Sequence` without end, which is told the end of each round."""
        while self.length:
            yield from self._pass(shuffle, None)
            if hasattr(self.source, "on_epoch_end"):
                self.source.on_epoch_end()
            self.length = length_of(self.source)

    def _pass(self, shuffle: bool | str, limit: int | None, past: int = 0) -> Iterator[Any]:
        """Return the items of a pass but for those that are past."""
        if self.is_read_once:
            return self._drawn(limit)
        if self.indexed:
            length = self.length or 0
            order = randomness.permutation(length).tolist() if shuffle is True else range(length)
            self._reading = self.reader.read(order[past:], limit)
            return self._reading
        dataset = isinstance(self.source, Dataset)
        items: Iterator[Any] = self.source._elements(self._stops) if dataset else iter(self.source)
        for _ in range(past):
            next(items, None)
        return items

    @property
    def counts_samples(self) -> bool:
        """Whether a pass is as long as so many samples are, and the next one goes on behind them."""
        return self.samples is not None

    @property
    def is_read_once(self) -> bool:
        """Whether the source, such as a generator, goes on where it stands, and cannot begin anew."""
        return hasattr(self.source, "__next__") and (self.samples is not None or not self.indexed)

    def _drawn(self, limit: int | None) -> Iterator[Any]:
        """Yield what `next()` gives, from where the source stands; it need not have `__iter__`, as in classic Keras."""
        source, position = self.source, self.position
        if position is not None:
            position.begin_drawing()
        self._reading = self.reader.read(None, limit)
        for item in self._reading:
            if position is not None:
                position.draw(source)
            yield item

    def stop_reading(self, for_good: bool = False) -> None:
        """Stop who reads ahead, where a pass has ended; what they have drawn of a generator comes next time.

        Args:
            for_good: Whether there is no next pass, which may begin in the midst of this one.
        """
        if isinstance(self._reading, Generator) and (for_good or self.is_read_once or self._endless is None):
            self._reading.close()
            self._endless = None
        while for_good and self._stops:
            self._stops.pop()()

    def skip_order(self, steps: int | None) -> None:
        """Let a data set draw an order that no pass has: `fit` and `evaluate` of Keras make an iterator too many.

        Args:
            steps: How many batches a pass has; all if `None`.
        """
        if isinstance(self.source, Dataset) and not (steps and self.source.goes_on(steps)):
            self.source._elements([])

    def _rounds(self, shuffle: bool | str) -> Iterator[Any]:
        """Yield items without end: a source that can be read again is, as Keras 1 expected of its generators."""
        empty = False
        while not empty:
            empty = True
            for item in self._items(shuffle):
                empty = False
                yield item

    def _until(self, samples: Samples, shuffle: bool | str) -> Iterator[Batch]:
        """Yield whole batches until the samples have been reached; the next pass goes on behind them."""
        if self.is_read_once:
            self._endless = self._drawn(1)  # how many batches there are in an epoch shows at the first
        elif self._endless is None:
            self._endless = self._rounds(shuffle)
        seen = self._seen_before
        self._seen_before = 0
        while seen < samples.count:
            item = next(self._endless, END)
            if item is END:
                self.ran_out = True
                return
            batch = self._batch(item)
            seen += batch.size
            if self.is_read_once:
                self.reader.allowed = -(-(samples.count - seen) // batch.size)
            if self.position is not None:
                self.position.samples = seen
            yield batch
        if seen > samples.count:
            _warn_of_surplus(samples, seen)

    def goes_on(self, steps: int) -> bool:
        """Tell whether an epoch of so many steps begins where the one before ended, as the source itself says."""
        return hasattr(self.source, "goes_on") and bool(self.source.goes_on(steps))

    def batches_in(self, rows: int) -> int:
        """Return 1: batches come as they are."""
        return 1

    def end_epoch(self) -> None:
        """Tell a `Sequence` that an epoch has ended, if its rounds are the epochs."""
        if not hasattr(self.source, "on_epoch_end") or (self._endless is not None and self.samples is None):
            return
        if self.position is None or getattr(type(self.source), "on_epoch_end", None) is BatchSequence.on_epoch_end:
            self.source.on_epoch_end()
            return
        with self.position.ending_epoch():
            self.source.on_epoch_end()

    # --- where training stands in them ---------------------------------------------------------------------------

    def keep_position(self) -> None:
        """Keep account of where training stands, so that a backup can tell it."""
        held = (self.source, getattr(self.source, "sampler", None)) if self.loader else ()
        generators = {id(g): g for one in held if (g := getattr(one, "generator", None)) is not None}
        self.position = Position(list(generators.values()), self.reader)

    def source_state(self) -> dict[str, Any] | None:
        """Return where a source stands that can tell it; others are brought there step by step."""
        return self.source._place() if isinstance(self.source, (PictureIterator, Dataset)) else None

    def go_to_position(self, source_state: Any) -> None:
        """Bring the source to where training stood.

        Args:
            source_state: What `source_state` returned.
        """
        if self.position is None:
            return
        self._seen_before = self.position.samples
        if source_state is not None:
            self.source._set_place(source_state)
            return
        if self.is_read_once:
            self.position.advance(self.source, self.reader.next)
        if hasattr(self.source, "on_epoch_end"):
            self.position.end_epochs_again(self.source)

    def _batch(self, item: Any) -> Batch:
        arrays = self._parts(item)
        own = not self.fresh  # a source that fills one buffer again for each batch would change those that wait
        own_inputs = own and not (self.used_at_once is not None and self.used_at_once())
        if self._recurring is not None:
            batch = self._recurring.ready(arrays, (own_inputs, own, own), self._outputs())
            if batch is not None:
                return batch
        return self._new_kind(arrays, own_inputs)

    def _outputs(self) -> Sequence[ModelOutput] | None:
        """Return the outputs that targets are for."""
        return self.signature.outputs() if self.with_targets else None

    def _new_kind(self, item: tuple[Any, Any, Any], own_inputs: bool) -> Batch:
        """Return a batch of arrays that are looked at, and learn from it how others of its kind are made."""
        signature = self.signature
        x, y, weight = item
        inputs = input_arrays(x, signature)
        build_by(inputs, signature)
        if self._first:
            warn_of_extra_keys(x, signature)
            self._first = False
        outputs = self._outputs()
        arrays = self._arrays(inputs, y, weight, outputs)
        weighted = arrays
        if self.class_weight is not None:
            weighted = with_class_weight(arrays, self.class_weight, outputs, signature.model, None)
        batch = one_batch(weighted, signature)
        mapped = self._files.hold(inputs)
        if self.inspect is not None:
            self.inspect(arrays)
            self.inspect = None
        learns = self.class_weight is None and not mapped
        now = self._outputs()  # others than before, where this batch has built the model
        self._recurring = RecurringBatch.learn(item, batch, signature, now) if learns else None
        if not self.fresh:
            x = _apart(batch.x, inputs) if own_inputs else batch.x
            batch = Batch(x, _apart(batch.y, arrays.y), _apart(batch.weight, arrays.weight), batch.size)
        if mapped:
            self._files.read(flatten(batch.x))
        return batch

    def _arrays(self, inputs: Tree, y: Any, weight: Any, outputs: Sequence[ModelOutput] | None) -> Arrays:
        """Return the arrays of a batch, of as many samples each."""
        signature = self.signature
        if y is not None:
            y = self._targets(inputs, y, outputs)
        elif self.with_targets and signature.needs_targets():
            raise ValueError(
                "the data have x alone, and y is missing: the model was compiled with a loss, which needs targets; "
                "batches must be (x, y) or (x, y, sample_weight)."
            )
        if weight is not None:
            weight = weight_arrays(weight, outputs, signature.model)
        arrays = Arrays(inputs, y, weight)
        if not signature.whole:  # a step of the user's own may take parts of different lengths
            expect_equal_rows(arrays, signature, outputs)
        return arrays

    def _parts(self, item: Any) -> tuple[Any, Any, Any]:
        """Return x, y and weights of what the source yields; x alone where there are no targets to be."""
        many = isinstance(item, tuple) or (self.loader and isinstance(item, list) and len(item) > 1)
        if self.with_targets:
            return unpack(item) if many or not is_mapping(item) else (item, None, None)
        inputs = self.signature.inputs or ()
        if many and not (1 < len(inputs) == len(item) and not is_branch(item[0])):
            item = unpack(item)[0]  # else an array alone is not x: the tuple is
        return item, None, None

    def _targets(self, x: Tree, y: Any, outputs: Sequence[ModelOutput] | None) -> Tree:
        try:
            return target_arrays(y, outputs, self.signature.model, None if isinstance(y, np.ndarray) else rows_of(x))
        except ValueError as error:
            inputs = self.signature.inputs or ()
            lone = len(inputs) == 1 and not is_branch(y) and np.ndim(y) == 0
            hint = one_sample_hint(inputs[0].shape or (), tuple(x.shape)) if lone else ""
            if hint and isinstance(self.source, Dataset):
                hint = " The elements of the data set are single samples; write dataset.batch(32)."
            raise ValueError(f"{error}{hint}") from None


# What was read of a generator ahead of a training that ended, by generator.
_UNUSED: weakref.WeakKeyDictionary[Any, deque[Future[Any]]] = weakref.WeakKeyDictionary()


def _unused_of(source: Any) -> deque[Future[Any]]:
    return _UNUSED.setdefault(source, deque()) if can_be_told_apart(source) else deque()


def _copied(item: Tree) -> Tree:
    """Return what a source has given in memory of its own, for it may fill one buffer again before the item is used."""
    return map_tree(_copied_array, item)


def _copied_array(value: Any) -> Any:
    """Return a copy of an array or a tensor, and any other value as it is."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return value.clone() if isinstance(value, Tensor) else value


def _apart(tensors: Tree, sources: Tree) -> Tree:
    """Return tensors without the memory of their sources, which may fill one buffer again for each batch.

    Batches are read late: metrics and predictions of many are computed together.
    """
    if tensors is None or sources is None:
        return tensors
    if isinstance(sources, Tensor):
        return tensors.clone() if tensors.data_ptr() == sources.data_ptr() else tensors
    if isinstance(sources, np.ndarray):
        start = sources.__array_interface__["data"][0]
        return tensors.clone() if tensors.data_ptr() == start else tensors  # what was converted has its own memory
    if is_branch(sources):
        return map_tree(_apart, tensors, sources)
    return tensors  # sparse rows became dense in new memory


def _warn_of_surplus(samples: Samples, seen: int) -> None:
    warnings.warn(
        f"{samples.argument}={samples.count}: batches come whole, and {seen} samples were drawn. Give a number that "
        f"the batch size divides.",
        stacklevel=user_stacklevel(),
    )


def length_of(source: Any) -> int | None:
    """Return how many batches a source says it has; `None` where it does not know, as with an `IterableDataset`."""
    if not hasattr(source, "__len__"):
        return None
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        if hasattr(source, "__iter__"):
            return None
        raise


def unpack(item: Any) -> tuple[Any, Any, Any]:
    """Return `(x, y, sample_weight)` of what a generator yields; an array alone is x.

    Raises:
        ValueError: None of these.
    """
    if isinstance(item, (tuple, list)) and len(item) in (2, 3):
        x, y, *rest = item
        return x, y, rest[0] if rest else None
    if isinstance(item, tuple) and len(item) == 1:
        return item[0], None, None
    if getattr(item, "ndim", 0):
        return item, None, None
    raise ValueError(f"a generator must yield (x, y) or (x, y, sample_weight), or x alone; got {show(item)}.")


def is_stream(x: Any) -> bool:
    """Tell whether `x` yields batches instead of holding rows."""
    if (
        isinstance(x, (Tensor, np.ndarray, list, tuple, Mapping, str))
        or hasattr(x, "to_numpy")
        or hasattr(x, "__array__")
    ):
        return False
    if hasattr(x, "shape") and hasattr(x, "dtype"):  # h5py and its like
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or hasattr(x, "__getitem__")


def batched(x: Any, batch_size: int, shuffle: bool = False) -> Any:
    """Return a torch `Dataset`, which yields single samples, as a DataLoader; anything else as it is."""
    if not isinstance(x, torch.utils.data.Dataset):
        return x
    ordered = isinstance(x, torch.utils.data.IterableDataset)
    return torch.utils.data.DataLoader(x, batch_size=batch_size, shuffle=shuffle and not ordered)
