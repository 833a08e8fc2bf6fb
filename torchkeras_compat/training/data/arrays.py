"""What users pass to `fit`, `evaluate` and `predict` becomes batches of tensors on the model's device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..._core import randomness
from ..._core.errors import argument_error, positive_int
from ..._core.shapes import Shape
from .convert import to_tensor
from .sparse import SparseRows

GATHERED_BYTES = 1 << 22  # rows gathered at once: enough to spare calls, little beside the data itself
RESIDENT_SHARE = 0.5  # of the device's free memory that a data set may take


class Batch(NamedTuple):
    """One batch on the device; `size` is its number of rows, known on the host."""

    x: Any
    y: Any
    weight: Any
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
        shape: The shape of the inputs, the batch first, where it is known.
    """

    device: torch.device
    dtype: torch.dtype
    integer_input: bool
    prepare_y: Callable[[Any], Tensor]
    prepare_weight: Callable[[Tensor], Tensor]
    expect_x: Callable[[Tensor], Tensor]
    batch_size: int | None = None
    shape: Shape | None = None


def expect_rows(rows: int, target: Target) -> None:
    """Raise when a single batch does not have the number of rows that `batch_input_shape` fixes."""
    if target.batch_size is not None and rows != target.batch_size:
        raise ValueError(
            f"batch_input_shape fixes the batch size at {target.batch_size}; got a batch of {rows} samples."
        )


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

    ran_out = False  # arrays go on from the start

    def __init__(self, x: Any, y: Any, weight: Any, batch_size: int, target: Target) -> None:
        self.batch_size = batch_size
        self.target = target
        self.x = self._inputs(x)
        self.y = None if y is None else target.prepare_y(y)
        self.weight = None if weight is None else target.prepare_weight(to_tensor(weight, target.dtype))
        self.n = len(x)
        for name, part in (("y", self.y), ("sample_weight", self.weight)):
            if part is not None and part.shape[0] != self.n:
                raise ValueError(f"x and {name} must have as many rows; got {self.n} and {len(part)}.")
        self.steps = -(-self.n // batch_size)
        self._move_to_device()

    def _inputs(self, x: Any) -> Tensor:
        """Return the inputs as the model takes them."""
        return self.target.expect_x(input_tensor(x, self.target))

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

    def _rows_in_a_piece(self, size: int) -> int:
        row_bytes = max(1, self.x.element_size() * self.x[0].numel())
        return max(1, GATHERED_BYTES // (row_bytes * size)) * size

    def _pieces(self, rows: Tensor | None, size: int) -> Iterator[tuple[Tensor, Tensor | None, Tensor | None]]:
        """Yield pieces of several batches each: views in the given order, or rows gathered once for many batches."""
        if rows is None:
            yield self.x, self.y, self.weight
            return
        rows = rows.to(self.x.device)
        for part in torch.split(rows, self._rows_in_a_piece(size)):
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
        for x, y, weight in self._pieces(rows, size):
            ys: Iterable[Tensor | None] = itertools.repeat(None) if y is None else torch.split(y, size)
            ws: Iterable[Tensor | None] = itertools.repeat(None) if weight is None else torch.split(weight, size)
            for parts in zip(torch.split(x, size), ys, ws):
                yield self._ready(*parts)

    def batches_in(self, rows: int) -> int:
        """Return how many batches this many rows make."""
        return -(-rows // self.batch_size)

    def end_epoch(self) -> None:
        """Nothing to do between passes over arrays."""


class SparseData(ArrayData):
    """A sparse matrix held in memory: a few batches at a time become dense, never the whole.

    Its `x` is the first row alone, which stands for the others' shape.
    """

    def __init__(self, x: SparseRows, y: Any, weight: Any, batch_size: int, target: Target) -> None:
        self._matrix = x
        super().__init__(x, y, weight, batch_size, target)

    def _dense(self, rows: Any) -> Tensor:
        x = input_tensor(self._matrix[rows].dense(), self.target)
        return x.reshape(len(x), *self.x.shape[1:])

    def _inputs(self, x: Any) -> Tensor:
        return super()._inputs(x[:1].dense())

    def whole(self) -> Batch:
        """Return all rows as one batch."""
        return self._ready(self._dense(slice(None)), self.y, self.weight)

    def _pieces(self, rows: Tensor | None, size: int) -> Iterator[tuple[Tensor, Tensor | None, Tensor | None]]:
        step = self._rows_in_a_piece(size)
        for start in range(0, self.n, step):
            piece = slice(start, start + step)
            part = None if rows is None else rows[piece]
            x = self._dense(piece if part is None else part.cpu().numpy())
            yield x, _piece_of(self.y, piece, part), _piece_of(self.weight, piece, part)


def _piece_of(tensor: Tensor | None, piece: slice, part: Tensor | None) -> Tensor | None:
    if tensor is None:
        return None
    return tensor[piece] if part is None else tensor.index_select(0, part.to(tensor.device))


def array_data(x: Any, y: Any, weight: Any, batch_size: int, target: Target) -> ArrayData:
    """Return data held in memory; the arguments are those of `ArrayData`, and `x` may be sparse rows."""
    kind = SparseData if isinstance(x, SparseRows) else ArrayData
    return kind(x, y, weight, batch_size, target)


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
