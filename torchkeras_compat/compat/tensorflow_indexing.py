"""What `tensorflow` reads from tensors, and writes into them, by indices: scatter, segments, counts, windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .. import backend as K
from .._core import settings
from .._core.errors import argument_error
from .._core.lookups import guarded, marked
from .._core.strings import StringTensor
from .tensorflow_calls import FUNCTIONS, function, sizes, tensor


def _expect_values(owner: str, x: Tensor) -> None:
    """Raise where a shape follows from values, and there are none yet."""
    if x.device.type == "meta":
        raise RuntimeError(
            f"tf.{owner}: the shape of what it returns follows from values, which symbolic tensors have not; call it "
            f"in a layer."
        )


# --- different values --------------------------------------------------------------------------------------------


class Unique(NamedTuple):
    """Different values, and where each value is among them."""

    y: Any
    idx: Any


class UniqueWithCounts(NamedTuple):
    """Different values, where each value is among them, and how often each is there."""

    y: Any
    idx: Any
    count: Any


@function("unique_with_counts")
def _different(x: Tensor, out_idx: Any = "int32") -> Any:
    """Return the different values in the order in which they come."""
    if x.dim() != 1:
        raise argument_error("tf.unique", "x", "of one axis", tuple(x.shape))
    _expect_values("unique", x)
    if isinstance(x, StringTensor):
        words, codes = x.different()
        _, rank, counts = _different(codes, out_idx)
        begins = [int(torch.nonzero(rank == i)[0]) for i in range(len(words))]
        return x[begins], rank, counts
    values, places, counts = torch.unique(x, return_inverse=True, return_counts=True)
    first = torch.full((len(values),), len(x), device=x.device).scatter_reduce(
        0, places, torch.arange(len(x), device=x.device), "amin"
    )
    order = torch.argsort(first)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=x.device)
    kind = settings.torch_dtype(out_idx)
    return values[order], rank[places].to(kind), counts[order].to(kind)


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Unique:
    """Return the different values of a vector in the order in which they come, and where each value is among them.

    Args:
        x: The vector.
        out_idx: The type of the places.
        name: Accepted.
    """
    return Unique(*_different(x, out_idx)[:2])


def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> UniqueWithCounts:
    """Return what `unique` does, and how often each value is there.

    Args:
        x: The vector.
        out_idx: The type of places and counts.
        name: Accepted.
    """
    return UniqueWithCounts(*_different(x, out_idx))


FUNCTIONS["unique"], FUNCTIONS["unique_with_counts"] = unique, unique_with_counts


@function("searchsorted")
def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left", out_type: Any = "int32") -> Tensor:
    """Return where values would stand among others in order."""
    places = torch.searchsorted(sorted_sequence.contiguous(), values.contiguous(), side=side)
    return places.to(settings.torch_dtype(out_type))


# --- written by indices ------------------------------------------------------------------------------------------


def _written(owner: str, x: Tensor, indices: Any, updates: Tensor, way: str) -> Tensor:
    """Return a tensor with slices of others put, or added, where lists of indices say."""
    places = tensor(indices).to(x.device).long()
    depth = places.shape[-1]
    shape = (-1, *x.shape[depth:])
    rows = torch.zeros(places.shape[:-1], dtype=torch.long, device=x.device)
    outside: Tensor | None = None
    for axis in range(depth):
        place, wrong = guarded(places[..., axis], x.shape[axis])
        outside = wrong if outside is None or wrong is None else outside | wrong
        if wrong is None and x.device.type != "meta" and bool(((place < 0) | (place >= x.shape[axis])).any()):
            raise argument_error(f"tf.{owner}", "indices", f"from 0 to {x.shape[axis] - 1} in axis {axis}", indices)
        rows = rows * x.shape[axis] + place
    slices = marked(updates.expand(*places.shape[:-1], *x.shape[depth:]).to(x.dtype), outside)
    flat, slices, rows = x.reshape(shape), slices.reshape(shape), rows.reshape(-1)
    if way == "put":
        return flat.index_copy(0, rows, slices).reshape(x.shape)
    if way == "add":
        return flat.index_add(0, rows, slices).reshape(x.shape)
    return _reduced(flat, rows, slices, way).reshape(x.shape)


def _reduced(start: Tensor, rows: Tensor, slices: Tensor, way: str, include_self: bool = True) -> Tensor:
    places = rows.reshape(-1, *[1] * (slices.dim() - 1)).expand(slices.shape)
    return start.scatter_reduce(0, places, slices, way, include_self=include_self)


@function("scatter_nd")
def scatter_nd(indices: Any, updates: Tensor, shape: Any) -> Tensor:
    """Return zeros with slices added where lists of indices say."""
    return _written("scatter_nd", updates.new_zeros(sizes(shape)), indices, updates, "add")


def _enter_scatter(name: str, way: str, sign: int = 1) -> None:
    @function(f"tensor_scatter_nd_{name}", also={"x": "tensor"})
    def scatter(tensor: Tensor, indices: Any, updates: Tensor) -> Tensor:
        return _written(f"tensor_scatter_nd_{name}", tensor, indices, sign * updates, way)


for _name, _way, _sign in (
    ("update", "put", 1),
    ("add", "add", 1),
    ("sub", "add", -1),
    ("max", "amax", 1),
    ("min", "amin", 1),
):
    _enter_scatter(_name, _way, _sign)


# --- segments and counts -----------------------------------------------------------------------------------------


def _by_segment(x: Tensor, segments: Tensor, count: int, way: str) -> Tensor:
    """Return sums, means, products, or the largest or smallest, of the values of each segment."""
    ids = segments.long().reshape(-1)
    values = x.reshape(-1, *x.shape[segments.dim() :])
    kept = ids >= 0
    if ids.device.type != "meta" and not bool(kept.all()):  # those of negative numbers are left out
        ids, values = ids[kept], values[kept]
    if way == "sum":
        return values.new_zeros(count, *values.shape[1:]).index_add(0, ids, values)
    ends = torch.finfo(x.dtype) if x.is_floating_point() else torch.iinfo(x.dtype)
    of_nothing = {"mean": 0, "prod": 1, "amax": ends.min, "amin": ends.max}[way]
    start = torch.full((count, *values.shape[1:]), of_nothing, dtype=x.dtype, device=x.device)
    return _reduced(start, ids, values, way, include_self=way != "mean")


_SEGMENTS = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin", "prod": "prod"}


def _enter_segment(name: str, way: str) -> None:
    @function(f"math.unsorted_segment_{name}")
    def unsorted(data: Tensor, segment_ids: Tensor, num_segments: Any) -> Tensor:
        return _by_segment(data, segment_ids, int(num_segments), way)

    @function(f"math.segment_{name}")
    def in_order(data: Tensor, segment_ids: Tensor) -> Tensor:
        _expect_values(f"math.segment_{name}", segment_ids)
        count = int(segment_ids[-1]) + 1 if len(segment_ids) else 0
        result = _by_segment(data, segment_ids, count, way)
        empty = torch.bincount(segment_ids.long(), minlength=count) == 0
        if way in ("sum", "mean"):
            return result
        return result.masked_fill(empty.reshape(-1, *[1] * (result.dim() - 1)), int(way == "prod"))


for _name, _way in _SEGMENTS.items():
    _enter_segment(_name, _way)


def _counts(values: Tensor, weights: Tensor | None, size: int, kind: torch.dtype, binary: bool) -> Tensor:
    inside = values < size
    values = values[inside]
    if binary:
        return torch.zeros(size, dtype=kind, device=values.device).index_fill(0, values, 1)
    part = None if weights is None else weights.reshape(inside.shape)[inside]
    return torch.bincount(values, part, minlength=size).to(kind if part is None else part.dtype)


@function("math.bincount bincount")
def bincount(
    arr: Tensor,
    weights: Tensor | None = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = "int32",
    axis: int | None = None,
    binary_output: bool = False,
) -> Tensor:
    """Return how often each number is there, or the sum of its weights; with axis=-1, in each row by itself."""
    if axis not in (None, 0, -1):
        raise argument_error("tf.math.bincount", "axis", "None, 0 or -1", axis)
    _expect_values("math.bincount", arr)
    size = int(arr.max()) + 1 if arr.numel() else 0
    size = max(size, int(minlength or 0))
    size = size if maxlength is None else min(size, int(maxlength))
    kind = settings.torch_dtype(dtype)
    if axis == -1 and arr.dim() > 1:
        pairs = zip(arr.long(), [None] * len(arr) if weights is None else weights)
        return torch.stack([_counts(row, weight, size, kind, binary_output) for row, weight in pairs])
    return _counts(arr.long().reshape(-1), weights, size, kind, binary_output)


@function("math.confusion_matrix")
def confusion_matrix(
    labels: Tensor,
    predictions: Tensor,
    num_classes: Any = None,
    weights: Tensor | None = None,
    dtype: Any = "int32",
) -> Tensor:
    """Return how often each class (row) was taken for each (column)."""
    rows, columns = labels.long().reshape(-1), predictions.long().reshape(-1)
    if num_classes is None:
        _expect_values("math.confusion_matrix", rows)
        num_classes = int(torch.maximum(rows.max(), columns.max())) + 1
    size = int(num_classes)
    for name, values in (("labels", rows), ("predictions", columns)):
        if values.device.type != "meta" and bool(((values < 0) | (values >= size)).any()):
            raise argument_error("tf.math.confusion_matrix", name, f"from 0 to {size - 1}", values.tolist())
    kind = settings.torch_dtype(dtype)
    ones = torch.ones_like(rows, dtype=kind) if weights is None else weights.reshape(-1).to(kind)
    counts = torch.zeros(size * size, dtype=kind, device=rows.device)
    return counts.index_add(0, rows * size + columns, ones).reshape(size, size)


@function("histogram_fixed_width")
def histogram_fixed_width(values: Tensor, value_range: Any, nbins: int = 100, dtype: Any = "int32") -> Tensor:
    """Return how many values fall into each of equal bins, those outside into the first or last."""
    low, high = (float(end) for end in value_range)
    scaled = (values.reshape(-1).double() - low) / (high - low) * int(nbins)
    places = scaled.floor().clamp(0, int(nbins) - 1).long()
    return torch.bincount(places, minlength=int(nbins)).to(settings.torch_dtype(dtype))


# --- masks and windows -------------------------------------------------------------------------------------------


@function("sequence_mask")
def sequence_mask(lengths: Tensor, maxlen: Any = None, dtype: Any = "bool") -> Tensor:
    """Return which steps of sequences are within their lengths."""
    if maxlen is None:
        _expect_values("sequence_mask", lengths)
    most = int(lengths.max()) if maxlen is None else int(maxlen)
    steps = torch.arange(most, device=lengths.device)
    return (steps < lengths.unsqueeze(-1)).to(settings.torch_dtype(dtype))


@function("slice", also={"input_": "x"})
def slice_(x: Tensor, begin: Any, size: Any) -> Tensor:
    """Return a window of a tensor; -1 is the rest of an axis."""
    for axis, (start, length) in enumerate(zip(sizes(begin), sizes(size))):
        rest = x.shape[axis] - start
        if length > rest:
            raise argument_error("tf.slice", "size", f"within {tuple(x.shape)}", size)
        x = x.narrow(axis, start, rest if length == -1 else length)
    return x


@function("strided_slice", also={"input_": "x"})
def strided_slice(x: Tensor, begin: Any, end: Any, strides: Any = None) -> Tensor:
    """Return a window of a tensor, by steps."""
    starts, stops = sizes(begin), sizes(end)
    steps = (1,) * len(starts) if strides is None else sizes(strides)
    for axis, window in enumerate(zip(starts, stops, steps)):
        places = range(x.shape[axis])[slice(*window)]
        x = x.index_select(axis, torch.tensor(list(places), dtype=torch.long, device=x.device))
    return x


@function("reverse_sequence", also={"seq_dim": "seq_axis", "batch_dim": "batch_axis"})
def reverse_sequence(input: Tensor, seq_lengths: Tensor, seq_axis: int, batch_axis: int = 0) -> Tensor:
    """Return sequences of which the first steps, as many as each has, stand the other way round."""
    x = input.movedim((batch_axis, seq_axis), (0, 1))
    steps = torch.arange(x.shape[1], device=x.device)
    lengths = seq_lengths.long().unsqueeze(-1)
    order = torch.where(steps < lengths, lengths - 1 - steps, steps)
    order = order.reshape(*order.shape, *[1] * (x.dim() - 2)).expand(x.shape)
    return x.gather(1, order).movedim((0, 1), (batch_axis, seq_axis))


@function("dynamic_partition")
def dynamic_partition(data: Tensor, partitions: Tensor, num_partitions: int) -> Any:
    """Return the slices of each number, in a list."""
    _expect_values("dynamic_partition", partitions)
    return [data[partitions == i] for i in range(num_partitions)]


@function("dynamic_stitch")
def dynamic_stitch(indices: Sequence[Tensor], data: Sequence[Tensor]) -> Tensor:
    """Return slices put together at their indices."""
    places = torch.cat([i.reshape(-1) for i in indices]).long()
    _expect_values("dynamic_stitch", places)
    slices = torch.cat([d.reshape(-1, *d.shape[i.dim() :]) for i, d in zip(indices, data)])
    return slices.new_zeros(int(places.max()) + 1, *slices.shape[1:]).index_copy(0, places, slices)


@function("broadcast_to")
def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    """Return the values repeated to a shape."""
    return x.broadcast_to(sizes(shape)).clone()


@function("ensure_shape")
def ensure_shape(x: Tensor, shape: Any) -> Tensor:
    """Return a tensor, and raise where it has another shape."""
    wanted = tuple(shape)
    if len(wanted) != x.dim() or any(n not in (None, -1) and int(n) != own for n, own in zip(wanted, x.shape)):
        raise argument_error("tf.ensure_shape", "x", f"of shape {wanted}", tuple(x.shape))
    return x


@function("math.invert_permutation")
def invert_permutation(x: Tensor) -> Tensor:
    """Return where each number stands."""
    return torch.argsort(x).to(x.dtype)


@function("unravel_index")
def unravel_index(indices: Tensor, dims: Any) -> Tensor:
    """Return the places along each axis of places among all values."""
    return torch.stack(torch.unravel_index(indices.long(), sizes(dims))).to(indices.dtype)


def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> list[Tensor]:
    """Return the coordinates of a grid, one tensor for each axis.

    Args:
        args: The coordinates along each axis.
        indexing: `'xy'` has the first axis run along the columns, `'ij'` along the rows.
        name: Accepted.
    """
    return _meshgrid(list(args), indexing)  # type: ignore[no-any-return]


@function("_meshgrid")
def _meshgrid(vectors: Sequence[Tensor], indexing: str) -> Any:  # graphs keep the arguments of a call by their names
    return list(torch.meshgrid(*[v.reshape(-1) for v in vectors], indexing=indexing))


FUNCTIONS["meshgrid"] = meshgrid


# --- drawn -------------------------------------------------------------------------------------------------------


@function("random.categorical multinomial random.multinomial")
def categorical(logits: Tensor, num_samples: Any, dtype: Any = "int64", seed: int | None = None) -> Tensor:
    """Return classes drawn for each row, by logits."""
    shape = (len(logits), int(num_samples), logits.shape[-1])
    kind = settings.torch_dtype("int64" if dtype is None else dtype)
    if logits.device.type == "meta":
        return torch.empty(shape[:2], dtype=kind, device="meta")
    uniform = K.random_uniform(shape, 0.0, 1.0, "float64", seed).to(logits.device)
    gumbel: Tensor = -torch.log(-torch.log(uniform.clamp(min=1e-300)))  # its largest sum with logits is a draw
    return (logits.double().unsqueeze(1) + gumbel).argmax(-1).to(kind)
