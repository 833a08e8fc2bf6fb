"""What users pass to `fit`, `evaluate` and `predict` becomes batches of tensors on the model's device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._core import randomness
from .._core.errors import argument_error, positive_int, show
from .._core.shapes import Shape

GATHERED_BYTES = 1 << 22  # rows gathered at once: enough to spare calls, little beside the data itself
RESIDENT_SHARE = 0.5  # of the device's free memory that a data set may take


class Batch(NamedTuple):
    """One batch on the device; `size` is its number of rows, known on the host."""

    x: Tensor
    y: Tensor | None
    weight: Tensor | None
    size: int


@dataclass(frozen=True)
class Target:
    """What the model's side knows about inputs and targets, so that they are converted once.

    Attributes:
        device: Where batches go.
        dtype: The float type of the model.
        integer_input: Whether the first layer takes indices.
        prepare_y: Checks the targets of a data set and gives them the shape and type the loss wants.
        prepare_weight: Likewise for sample weights.
        expect_x: Returns inputs in the rank the model takes, or raises when their shape does not fit it.
        batch_size: The batch size that `batch_input_shape` fixes, if it does.
    """

    device: torch.device
    dtype: torch.dtype
    integer_input: bool
    prepare_y: Callable[[Any], Tensor]
    prepare_weight: Callable[[Tensor], Tensor]
    expect_x: Callable[[Tensor], Tensor]
    batch_size: int | None = None


def expect_rows(rows: int, target: Target) -> None:
    """Raise when a single batch does not have the number of rows that `batch_input_shape` fixes."""
    if target.batch_size is not None and rows != target.batch_size:
        raise ValueError(
            f"batch_input_shape fixes the batch size at {target.batch_size}; got a batch of {rows} samples."
        )


def as_array(value: Any, argument: str) -> Any:
    """Return arrays, tensors, lists, pandas and h5py objects as a numpy array or a tensor.

    Raises:
        TypeError: An object array, or nothing that holds numbers.
        ValueError: No rows, or rows of different lengths.
    """
    if isinstance(value, Tensor):
        array: Any = value.detach()
    else:
        value = _single(value, argument)
        if hasattr(value, "to_numpy"):
            value = value.to_numpy()
        try:
            array = value.detach() if isinstance(value, Tensor) else np.asarray(value)
        except ValueError as error:
            raise ValueError(f"{argument} must be rows of equal length; {error}") from None
    if not isinstance(array, Tensor) and (array.dtype.kind not in "biufc"):
        raise TypeError(
            f"{argument} must hold numbers; got an array of dtype {array.dtype}. Write {argument}.astype('float32'), "
            f"or give every row the same length (preprocessing.sequence.pad_sequences)."
        )
    if array.ndim == 0:
        raise ValueError(f"{argument} must be an array with a row for each sample; got {show(value)}.")
    if array.shape[0] == 0:
        raise ValueError(f"{argument} is empty: shape {tuple(array.shape)}.")
    return array


def _single(value: Any, argument: str) -> Any:
    """Return the array inside a list or a dictionary of one array (Keras's spellings for models with one input)."""
    if isinstance(value, dict):
        if len(value) != 1:
            raise ValueError(
                f"{argument}: a Sequential has one input and one output; got the dictionary keys {list(value)}."
            )
        return next(iter(value.values()))
    if isinstance(value, (list, tuple)) and value and hasattr(value[0], "ndim") and value[0].ndim > 0:
        if len(value) == 1:
            return value[0]
        if isinstance(value[0], Tensor):
            return torch.stack(list(value))
        if len({np.shape(v) for v in value}) > 1:
            raise ValueError(
                f"{argument}: got a list of {len(value)} arrays of shapes {[np.shape(v) for v in value][:3]}; "
                f"a Sequential has one input."
            )
    return value


def to_tensor(array: Any, dtype: torch.dtype | None = None) -> Tensor:
    """Return a numpy array as a tensor, without a copy where torch can share it."""
    if isinstance(array, Tensor):
        tensor = array
    else:
        plain = np.asarray(array)
        if plain.dtype.kind == "u" and plain.dtype.itemsize > 1:
            plain = plain.astype(np.int64)
        if not plain.flags.writeable or any(s < 0 for s in plain.strides) or not plain.dtype.isnative:
            plain = np.array(plain, dtype=plain.dtype.newbyteorder("="))
        tensor = torch.from_numpy(plain)
    return tensor if dtype is None else tensor.to(dtype)


def input_tensor(array: Any, target: Target) -> Tensor:
    """Return inputs as a tensor: indices stay integers, small integers are cast batch by batch, the rest now."""
    tensor = to_tensor(array)
    if target.integer_input:
        return tensor if tensor.dtype in (torch.int32, torch.int64) else tensor.long()
    if tensor.dtype == target.dtype or tensor.dtype in (torch.uint8, torch.int8, torch.bool):
        return tensor
    return tensor.to(target.dtype)


class ArrayData:
    """Arrays held in memory.

    Args:
        x: Inputs, a row for each sample.
        y: Targets, or `None`.
        weight: A weight for each sample (or time step), or `None`.
        batch_size: Rows in a batch.
        target: What the model's side knows.
    """

    def __init__(self, x: Any, y: Any, weight: Any, batch_size: int, target: Target) -> None:
        self.batch_size = batch_size
        self.target = target
        self.x = target.expect_x(input_tensor(x, target))
        self.y = None if y is None else target.prepare_y(y)
        self.weight = None if weight is None else target.prepare_weight(to_tensor(weight, target.dtype))
        self.n = int(self.x.shape[0])
        for name, part in (("y", self.y), ("sample_weight", self.weight)):
            if part is not None and part.shape[0] != self.n:
                raise ValueError(f"x and {name} must have as many rows; got {self.n} and {len(part)}.")
        self.steps = -(-self.n // batch_size)
        self._move_to_device()

    def _move_to_device(self) -> None:
        device = self.target.device
        elsewhere = [p for p in (self.x, self.y, self.weight) if p is not None and p.device != device]
        if not elsewhere:
            return
        size = sum(p.numel() * p.element_size() for p in elsewhere)
        if device.type == "cuda" and size > RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
            return  # stays on the host; `_ready` moves each batch
        self.x = self.x.to(device)
        self.y = None if self.y is None else self.y.to(device)
        self.weight = None if self.weight is None else self.weight.to(device)

    def _ready(self, x: Tensor, y: Tensor | None, weight: Tensor | None) -> Batch:
        device, dtype = self.target.device, self.target.dtype
        if x.device != device:
            x = x.to(device, non_blocking=True)
            y = None if y is None else y.to(device, non_blocking=True)
            weight = None if weight is None else weight.to(device, non_blocking=True)
        if x.dtype != dtype and not self.target.integer_input:
            x = x.to(dtype)
        return Batch(x, y, weight, x.shape[0])

    def goes_on(self, steps: int) -> bool:
        """Tell whether an epoch of so many steps begins where the one before ended, and not at the first row."""
        return True

    @property
    def sample(self) -> Shape:
        """The shape of a row of the inputs."""
        return tuple(self.x.shape[1:])

    def whole(self) -> Batch:
        """Return all rows as one batch."""
        return self._ready(self.x, self.y, self.weight)

    def _pieces(self, rows: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None, Tensor | None]]:
        """Yield pieces of several batches each: views in the given order, or rows gathered once for many batches."""
        if rows is None:
            yield self.x, self.y, self.weight
            return
        row_bytes = max(1, self.x.element_size() * self.x[0].numel())
        rows = rows.to(self.x.device)
        for part in torch.split(rows, max(1, GATHERED_BYTES // (row_bytes * self.batch_size)) * self.batch_size):
            x = self.x.index_select(0, part)
            y = None if self.y is None else self.y.index_select(0, part)
            yield x, y, None if self.weight is None else self.weight.index_select(0, part)

    def _order(self, shuffle: bool | str) -> Tensor | None:
        if shuffle == "batch":  # whole batches change places; a short last one stays last
            full = self.n // self.batch_size
            rows = torch.arange(self.n)
            batches = rows[: full * self.batch_size].view(full, self.batch_size)[randomness.permutation(full)]
            return torch.cat([batches.flatten(), rows[full * self.batch_size :]])
        return randomness.permutation(self.n) if shuffle else None

    def epoch(self, shuffle: bool | str = False, limit: int | None = None, at_once: int = 0) -> Iterator[Batch]:
        """Yield the batches of one pass, at most `limit` of them.

        Args:
            shuffle: Whether rows come in a new order; `'batch'` keeps batches together.
            limit: The number of batches; all if `None`.
            at_once: Several batches may come as one of up to this many rows, where nothing tells them apart.
        """
        merged = max(1, at_once // self.batch_size) if limit is None else 1
        return itertools.islice(self._batches(self._order(shuffle), merged * self.batch_size), limit)

    def _batches(self, rows: Tensor | None, size: int) -> Iterator[Batch]:
        for x, y, weight in self._pieces(rows):
            ys: Iterable[Tensor | None] = itertools.repeat(None) if y is None else torch.split(y, size)
            ws: Iterable[Tensor | None] = itertools.repeat(None) if weight is None else torch.split(weight, size)
            for parts in zip(torch.split(x, size), ys, ws):
                yield self._ready(*parts)

    def batches_in(self, rows: int) -> int:
        """Return how many batches this many rows make."""
        return -(-rows // self.batch_size)

    def end_epoch(self) -> None:
        """Nothing to do between passes over arrays."""


class StreamData:
    """Batches that arrive one by one: a generator, a `Sequence`, a DataLoader, or any iterable of `(x, y[, weight])`.

    Args:
        source: Where they come from.
        target: What the model's side knows.
        class_weight: Applied to each batch.
        with_targets: Whether an item is `(x, y[, weight])`, or `x` alone as in `predict`.
    """

    batch_size: int | None = None
    n: int | None = None
    sample: Shape | None = None

    def __init__(self, source: Any, target: Target, class_weight: Any = None, with_targets: bool = True) -> None:
        self.source, self.target = source, target
        self.class_weight, self.with_targets = class_weight, with_targets
        self.loader = isinstance(source, torch.utils.data.DataLoader)  # which makes lists of tuples
        self.indexed = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self.steps: int | None = len(source) if hasattr(source, "__len__") else None
        self._iterator: Iterator[Any] | None = None

    def epoch(self, shuffle: bool | str = False, limit: int | None = None, at_once: int = 0) -> Iterator[Batch]:
        """Yield the batches of one pass, at most `limit` of them; a generator goes on where it stood."""
        if self.indexed:
            order = randomness.permutation(len(self.source)).tolist() if shuffle is True else range(len(self.source))
            items: Iterator[Any] = (self.source[i] for i in order)
        elif iter(self.source) is self.source:
            items = self.source
        else:
            items = iter(self.source)
        return map(self._batch, itertools.islice(items, limit))

    def goes_on(self, steps: int) -> bool:
        """Tell whether an epoch of so many steps begins where the one before ended, as the source itself says."""
        return hasattr(self.source, "goes_on") and bool(self.source.goes_on(steps))

    def batches_in(self, rows: int) -> int:
        """Return 1: batches come as they are."""
        return 1

    def end_epoch(self) -> None:
        """Tell a `Sequence` that an epoch has ended."""
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def _batch(self, item: Any) -> Batch:
        pair = isinstance(item, tuple) or (self.loader and isinstance(item, list) and len(item) > 1)
        x, y, weight = unpack(item) if self.with_targets or pair else (item, None, None)
        x = as_array(x, "x")
        expect_rows(len(x), self.target)
        y = as_array(y, "y") if y is not None and self.with_targets else None
        weight = None if weight is None else as_array(weight, "sample_weight")
        return ArrayData(x, y, combined_weight(y, weight, self.class_weight, None), len(x), self.target).whole()


def unpack(item: Any) -> tuple[Any, Any, Any]:
    """Return `(x, y, sample_weight)` of what a generator yields.

    Raises:
        ValueError: Neither `(x, y)` nor `(x, y, sample_weight)`.
    """
    if isinstance(item, (tuple, list)) and len(item) in (2, 3):
        x, y, *rest = item
        return x, y, rest[0] if rest else None
    if isinstance(item, tuple) and len(item) == 1:
        return item[0], None, None
    raise ValueError(f"a generator must yield (x, y) or (x, y, sample_weight); got {show(item)}.")


def is_stream(x: Any) -> bool:
    """Tell whether `x` yields batches instead of holding rows."""
    if isinstance(x, (Tensor, np.ndarray, list, tuple, dict, str)) or hasattr(x, "to_numpy") or hasattr(x, "__array__"):
        return False
    if hasattr(x, "shape") and hasattr(x, "dtype"):  # h5py and its like
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or hasattr(x, "__getitem__")


def class_indices(y: Any) -> np.ndarray[Any, Any]:
    """Return the class of each row of one-hot, binary or integer targets.

    Raises:
        ValueError: Targets with more than two axes.
    """
    labels = to_numpy(y) if isinstance(y, Tensor) else np.asarray(y)
    if labels.ndim > 2:
        raise ValueError(
            f"class_weight needs targets with one class a sample; got shape {labels.shape}. Use sample_weight instead."
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels.argmax(1)  # type: ignore[no-any-return]
    return labels.reshape(-1).astype(np.int64)


def weights_by_class(y: Any, class_weight: Any) -> np.ndarray[Any, Any]:
    """Return each row's weight by its class.

    Args:
        y: Targets.
        class_weight: `{class: weight}`, or `'balanced'` for rows / (classes × rows of the class).

    Raises:
        ValueError: Anything else, or a class of `y` that has no weight.
    """
    labels = class_indices(y)
    present, counts = np.unique(labels, return_counts=True)
    if class_weight == "balanced":
        class_weight = dict(zip(present.tolist(), (len(labels) / (len(present) * counts)).tolist()))
    if not isinstance(class_weight, dict):
        raise argument_error("fit", "class_weight", "a dictionary {class: weight} or 'balanced'", class_weight)
    if not all(isinstance(k, (int, float, np.number)) and float(k).is_integer() for k in class_weight):
        raise argument_error("fit", "class_weight", "a dictionary whose keys are class indices", class_weight)
    table = {int(k): float(v) for k, v in class_weight.items()}
    missing = [int(c) for c in present if int(c) not in table]
    if missing:
        raise ValueError(
            f"class_weight has no weight for the classes {missing}, which stand in y; give every class one."
        )
    return np.array([table[int(c)] for c in present], dtype="float32")[np.searchsorted(present, labels)]


def combined_weight(y: Any, sample_weight: Any, class_weight: Any, ignored: Callable[[], None] | None) -> Any:
    """Return the product of both kinds of weights, or whichever there is.

    Args:
        y: Targets, for `class_weight`.
        sample_weight: A weight for each row (or time step).
        class_weight: Weights by class.
        ignored: Called, and `class_weight` left out, where the dialect lets `sample_weight` win.
    """
    if class_weight is None or y is None:
        return sample_weight
    by_class = weights_by_class(y, class_weight)
    if sample_weight is None:
        return by_class
    if ignored is not None:
        ignored()
        return sample_weight
    weight = to_numpy(sample_weight) if isinstance(sample_weight, Tensor) else np.asarray(sample_weight)
    return weight * by_class.reshape(-1, *(1,) * (weight.ndim - 1))


def split(parts: Sequence[Any], fraction: float) -> tuple[list[Any], list[Any]]:
    """Cut the last `fraction` of the rows off, as `validation_split` does: before any shuffling.

    Raises:
        ValueError: A fraction outside (0, 1), or one that leaves no rows on a side.
    """
    if not 0 < fraction < 1:
        raise argument_error("fit", "validation_split", "a number in [0, 1)", fraction)
    n = len(parts[0])
    at = int(n * (1 - fraction))
    if at in (0, n):
        raise ValueError(f"fit(validation_split={fraction}): of {n} rows none would be left for one of the two parts.")
    return [None if p is None else p[:at] for p in parts], [None if p is None else p[at:] for p in parts]


def batch_size_of(method: str, value: Any, fixed: int | None) -> int:
    """Return the batch size asked for, that of `batch_input_shape`, or 32."""
    if value is None:
        return fixed or 32
    return positive_int(method, "batch_size", value)


def batched(x: Any, batch_size: int, shuffle: bool = False) -> Any:
    """Return a torch `Dataset`, which yields single samples, as a DataLoader; anything else as it is."""
    if not isinstance(x, torch.utils.data.Dataset):
        return x
    ordered = isinstance(x, torch.utils.data.IterableDataset)
    return torch.utils.data.DataLoader(x, batch_size=batch_size, shuffle=shuffle and not ordered)


def to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """Return a tensor as a numpy array; bfloat16, which numpy has not, as float32."""
    host = tensor.detach().cpu()
    return (host.float() if host.dtype == torch.bfloat16 else host).numpy()
