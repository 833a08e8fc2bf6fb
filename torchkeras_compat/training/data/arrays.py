"""Arrays in memory, cut into batches on the model's device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from ..._core import randomness
from ..._core.errors import argument_error, positive_int
from ..._core.tree import Tree, fill, flatten, is_branch, map_tree
from .batch import Batch
from .inputs import LazyLeaf, input_tensors, inputs_on_device, row_bytes
from .mapped_files import MappedFiles
from .position import Position
from .signature import Signature
from .standardize import Arrays, rows_of
from .targets import target_tensors, weight_tensors

GATHERED_BYTES = 1 << 22  # rows gathered at once: enough to spare calls, little beside the data itself
BATCH_SIZE = 32  # where nobody asks for another
RESIDENT_SHARE = 0.5  # of the device's free memory that a data set may take

Leaf = Tensor | LazyLeaf
Pick = Callable[[Sequence[Tensor]], Tree]


class ArrayData:
    """Arrays held in memory.

    x, y and weights are trees, and a batch is cut from the flat list of their leaves: one input and one output cost a
    step no more than they would without trees.

    Args:
        arrays: Inputs, targets and sample weights, a row for each sample.
        batch_size: Rows in a batch.
        signature: What is known of the model; one that is not built is built.
        rounds: How often a pass goes over the rows.

    Attributes:
        position: Where training stands in them, if somebody keeps that.
    """

    ran_out = False  # arrays go on from the start
    counts_samples = False
    position: Position | None = None

    def __init__(self, arrays: Arrays, batch_size: int, signature: Signature, rounds: int = 1) -> None:
        self.batch_size = batch_size
        self.n = arrays.rows
        self.steps = -(-self.n // batch_size) * rounds
        self._rounds = rounds
        self.leaves: list[Leaf] = []
        self._device, self._dtype = signature.device, signature.dtype
        x, y, weight = arrays
        self._files = MappedFiles()
        self._is_mapped = self._files.hold(x)
        x = input_tensors(x, signature, read_device=True)
        self._pick_x = self._enter(x)
        self._casts = self._places_to_cast(signature)
        self._pick_y = self._enter(None if y is None else target_tensors(y, signature, read_device=True))
        self._pick_weight = self._enter(None if weight is None else weight_tensors(weight, signature))
        self.sample = map_tree(lambda leaf: tuple(leaf.shape[1:]), x) if is_branch(x) else tuple(x.shape[1:])
        self._moves = any(leaf.device != signature.device for leaf in self.leaves) and not self._move_to_device()

    def _enter(self, tree: Tree) -> Pick:
        """Enter the leaves of a tree and return what puts those of a batch in their places again."""
        if tree is None:
            return _nothing
        if not is_branch(tree):
            self.leaves.append(tree)
            return itemgetter(len(self.leaves) - 1)
        places: list[int | None] = []
        for leaf in flatten(tree):
            places.append(None if leaf is None else len(self.leaves))
            if leaf is not None:
                self.leaves.append(leaf)
        if isinstance(tree, list) and not any(map(is_branch, tree)):
            return lambda leaves: [None if i is None else leaves[i] for i in places]
        return lambda leaves: fill(tree, [None if i is None else leaves[i] for i in places])

    def _places_to_cast(self, signature: Signature) -> list[int]:
        """Return the numbers of the inputs that stand in memory in a small type."""
        slots = [i for i, slot in enumerate(signature.inputs or ()) if not slot.takes_integers and slot.dtype is None]
        return [i for i in slots if self.leaves[i].dtype != self._dtype]

    def _move_to_device(self) -> bool:
        """Move what has a place on the device there; tell whether that is all, so that batches need no move."""
        device = self._device
        elsewhere = [leaf for leaf in self.leaves if isinstance(leaf, Tensor) and leaf.device != device]
        size = sum(leaf.numel() * leaf.element_size() for leaf in elsewhere)
        if device.type == "cuda" and size > RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
            return False
        self.leaves = [leaf.to(device) if isinstance(leaf, Tensor) else leaf for leaf in self.leaves]
        return all(leaf.device == device for leaf in self.leaves)

    def _ready(self, leaves: Sequence[Tensor]) -> Batch:
        if self._moves:
            leaves = [leaf.to(self._device, non_blocking=True) for leaf in leaves]
        if self._casts:
            leaves = list(leaves)
            for i in self._casts:
                leaves[i] = leaves[i].to(self._dtype)
        return Batch(self._pick_x(leaves), self._pick_y(leaves), self._pick_weight(leaves), leaves[0].shape[0])

    def goes_on(self, steps: int) -> bool:
        """Tell whether an epoch of so many steps begins where the one before ended, and not at the first row."""
        return True

    def _rows_in_a_piece(self, size: int) -> int:
        return max(1, GATHERED_BYTES // (max(1, sum(map(row_bytes, self.leaves))) * size)) * size

    def _pieces(self, rows: Tensor | None, size: int) -> Iterator[Sequence[Tensor]]:
        """Yield pieces of several batches each: views in the order there is, or rows gathered once for many batches."""
        tensors = [leaf for leaf in self.leaves if isinstance(leaf, Tensor)]
        if rows is None and len(tensors) == len(self.leaves):
            yield tensors
            return
        step = self._rows_in_a_piece(size)
        if rows is None:
            for start in range(0, self.n, step):
                yield [leaf[start : start + step] for leaf in self.leaves]
            return
        rows = rows.to(tensors[0].device if tensors else "cpu")
        for part in torch.split(rows, step):
            yield [self._gather(leaf, part.to(leaf.device)) for leaf in self.leaves]

    def _gather(self, leaf: Leaf, rows: Tensor) -> Tensor:
        if self._is_mapped and isinstance(leaf, Tensor) and leaf.device.type == "cpu":
            return self._files.gather(leaf, rows)
        return leaf.index_select(0, rows)

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
        if self.position is not None:
            with self.position.beginning() as past:
                order = self._order(shuffle)
            rest = itertools.islice(self._batches(order, self.batch_size), past, None)
            return self.position.counted(itertools.islice(rest, limit))
        return itertools.islice(self._batches(self._order(shuffle), merged * self.batch_size), limit)

    def _batches(self, rows: Tensor | None, size: int) -> Iterator[Batch]:
        for leaves in itertools.chain.from_iterable(self._pieces(rows, size) for _ in range(self._rounds)):
            for parts in zip(*[torch.split(leaf, size) for leaf in leaves]):
                yield self._ready(parts)
                if self._is_mapped:
                    self._files.read(parts)

    def batches_in(self, rows: int) -> int:
        """Return how many batches this many rows make."""
        return -(-rows // self.batch_size)

    def stop_reading(self, for_good: bool = False) -> None:
        """Do nothing: nobody reads arrays ahead."""

    def skip_order(self, steps: int | None) -> None:
        """Do nothing: the order of arrays is not TensorFlow's."""

    def end_epoch(self) -> None:
        """Nothing to do between passes over arrays."""

    def keep_position(self) -> None:
        """Keep account of where training stands, so that a backup can tell it."""
        self.position = Position()

    def source_state(self) -> None:
        """Return nothing: arrays have no state of their own."""

    def go_to_position(self, source_state: Any) -> None:
        """Nothing to do: a pass over arrays begins wherever it should."""


def one_batch(arrays: Arrays, signature: Signature) -> Batch:
    """Return all rows as one batch; a model that is not built is built.

    Raises:
        ValueError: Another number of rows than `batch_input_shape` fixes.
    """
    x, y, weight = arrays
    rows = rows_of(x)
    if signature.batch_size is not None and rows != signature.batch_size:
        raise ValueError(
            f"batch_input_shape fixes the batch size at {signature.batch_size}; got a batch of {rows} samples."
        )
    x = inputs_on_device(input_tensors(x, signature), signature)
    if y is not None:
        y = _on_device(target_tensors(y, signature), signature.device)
    if weight is not None:
        weight = _on_device(weight_tensors(weight, signature), signature.device)
    return Batch(x, y, weight, rows)


def _on_device(tree: Tree, device: torch.device) -> Tree:
    if is_branch(tree):
        return map_tree(lambda leaf: _on_device(leaf, device), tree)
    if isinstance(tree, LazyLeaf):
        tree = tree[:]
    return tree if tree is None or tree.device == device else tree.to(device, non_blocking=True)


def _nothing(leaves: Sequence[Tensor]) -> None:
    """Return `None`, where there are no targets or weights."""


def split(arrays: Arrays, fraction: float) -> tuple[Arrays, Arrays]:
    """Cut the last `fraction` of the rows off, as `validation_split` does: before any shuffling.

    Raises:
        ValueError: A fraction outside (0, 1), or one that leaves no rows on a side.
    """
    if not 0 < fraction < 1:
        raise argument_error("fit", "validation_split", "a number in [0, 1)", fraction)
    n = arrays.rows
    at = int(n * (1 - fraction))
    if at in (0, n):
        raise ValueError(f"fit(validation_split={fraction}): of {n} rows none would be left for one of the two parts.")
    return Arrays(*(_cut(tree, slice(at)) for tree in arrays)), Arrays(
        *(_cut(tree, slice(at, None)) for tree in arrays)
    )


def _cut(tree: Tree, rows: slice) -> Tree:
    return map_tree(lambda leaf: None if leaf is None else leaf[rows], tree)


def batch_size_of(method: str, value: Any) -> int:
    """Return the batch size asked for."""
    return positive_int(method, "batch_size", value)
