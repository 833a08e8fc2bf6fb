"""Embeddings whose untouched rows cost nothing: gradients by row, updates of the rows that a batch touched."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ..._core.graph_capture import capturing
from ..._core.weights import Weight
from ...optimizers import Optimizer
from ...optimizers.foreach import Tensors
from ...optimizers.slots import Gradients, Scalars

LAZY_ELEMENTS = 1 << 16  # a smaller table is stepped whole in less time than its rows are sorted
LAZY_ELEMENTS_ON_CUDA = 1 << 26  # there is bandwidth for more, and a table that is stepped whole is part of a graph


class EmbeddingGroup:
    """The table of one embedding.

    Args:
        optimizer: The optimizer.
        weight: The entry of the weight table.
    """

    def __init__(self, optimizer: Optimizer, weight: Weight) -> None:
        self.optimizer = optimizer
        self.name = weight.path
        self.module = weight.module
        self.param: Tensor = weight.parameters[0]
        self.params = [self.param]
        optimizer.bind([(weight.path, self.param)])
        self.slots = dict(optimizer.slots_of(self.param))
        sparse = optimizer.sparse_rows
        self.by_rows = sparse.stay or sparse.lazy  # otherwise only the clipping goes by rows
        self.adds_gradient = sparse.adds_gradient
        self.pending_decay = sparse.pending(self.param) if sparse.decay else None

    def gather(self, grads: Sequence[Tensor | None]) -> Gradients:
        """Return the gradient of the table as a step wants it: of a sparse one the rows that a batch touched.

        Args:
            grads: The gradient alone, `None` where the loss does not depend on the table.
        """
        (grad,) = grads
        if grad is None:
            return []
        return [(TouchedRows(self, grad._indices()[0]), [grad._values()])] if grad.is_sparse else [(self, [grad])]

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Step the whole table."""
        if self.pending_decay is not None:
            self.pending_decay.apply()
        self.optimizer.update(self.params, grads, {name: [slot] for name, slot in self.slots.items()}, scalars)

    def step_touched(self, indices: Tensor, values: Tensor, scalars: Scalars) -> None:
        """Step the rows that `indices` name, some perhaps repeatedly, by their gradients."""
        if self.adds_gradient:
            self.param.index_add_(0, indices, values, alpha=-float(scalars["lr"]))  # a number: no graph has this
            return
        touched, grads = joined_rows(indices, values)
        if self.by_rows:
            sparse = self.optimizer.sparse_rows
            sparse.update(self.param, touched, grads, self.slots, self.pending_decay, scalars)
        else:
            self.step([torch.zeros_like(self.param).index_copy_(0, touched, grads)], scalars)

    def valid(self) -> bool:
        """Tell whether the slots are still those of the optimizer, and beside the weight."""
        state = self.optimizer.state[self.param]
        kind = (self.param.dtype, self.param.device)
        return set(self.slots) == set(self.optimizer.slot_names) and all(
            state.get(name) is slot and (slot.dtype, slot.device) == kind for name, slot in self.slots.items()
        )


class TouchedRows(NamedTuple):
    """The rows of an embedding's table that a batch looked up.

    Attributes:
        group: The table.
        indices: Which rows, some perhaps repeatedly.
    """

    group: EmbeddingGroup
    indices: Tensor

    @property
    def params(self) -> Tensors:
        """The table."""
        return self.group.params

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Step them by their gradients, one for each of `indices`."""
        self.group.step_touched(self.indices, grads[0], scalars)


Lookup = tuple[EmbeddingGroup, Tensor, Tensor]  # the table, the indices, and what was looked up or its gradient


def join_lookups(lookups: Sequence[Lookup]) -> Gradients:
    """Return what a step takes from lookups in tables: each table once, with all that was looked up in it.

    Args:
        lookups: Tables, indices (n), and gradients of the rows (n, dim).
    """
    by_table: dict[int, list[Lookup]] = {}
    for lookup in lookups:
        by_table.setdefault(id(lookup[0]), []).append(lookup)
    return [
        (TouchedRows(table[0][0], _joined([i for _, i, _ in table])), [_joined([values for *_, values in table])])
        for table in by_table.values()
    ]


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors))


def joined_rows(indices: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return each touched row once with the sum of its gradients.

    On CUDA the number of different rows stays on the device, so they are padded by repeating the last one, which is
    then written several times with the same value.
    """
    if indices.device.type == "cpu":
        touched, inverse = torch.unique(indices, return_inverse=True)
        return touched, values.new_zeros(len(touched), *values.shape[1:]).index_add_(0, inverse, values)
    ordered, order = indices.sort()
    fresh = torch.ones_like(ordered)
    fresh[1:] = (ordered[1:] != ordered[:-1]).to(ordered.dtype)
    place = fresh.cumsum(0) - 1
    sums = torch.zeros_like(values).index_add_(0, place, values.index_select(0, order))
    touched = torch.empty_like(ordered).fill_(0).scatter_(0, place, ordered)
    kept = torch.minimum(torch.arange(len(ordered), device=place.device), place[-1])
    return touched.index_select(0, kept), sums.index_select(0, kept)


def goes_by_rows(optimizer: Optimizer, weight: Weight) -> bool:
    """Tell whether a weight is an embedding's table that this optimizer steps row by row."""
    if not isinstance(weight.module, nn.Embedding) or weight.regularizer is not None:
        return False
    sparse = optimizer.sparse_rows
    clipped_by_rows = bool(optimizer.clipping.limits) and optimizer._rules.lookups_clipped_apart
    if weight.constraint is not None:  # it changes rows that a batch did not touch
        return clipped_by_rows and not sparse.stay
    table = weight.parameters[0]
    large = table.numel() >= (LAZY_ELEMENTS_ON_CUDA if table.is_cuda else LAZY_ELEMENTS)
    return sparse.stay or clipped_by_rows or (sparse.lazy and large)


class LookupRecording:
    """A context in which the embeddings give sparse gradients; in a graph, what is looked up in them is noted instead.

    Args:
        embeddings: The tables.

    Attributes:
        noted: Of the graph being captured: table, indices, and what was looked up.
    """

    def __init__(self, embeddings: Sequence[EmbeddingGroup]) -> None:
        self.embeddings = embeddings
        self.noted: list[Lookup] = []
        self._inside = ExitStack()

    def __enter__(self) -> None:
        if capturing():
            self.noted = []
            self._inside.enter_context(_NotesLookups(self.embeddings, self.noted))
        else:
            self._give_sparse_gradients(True)

    def __exit__(self, *error: object) -> None:
        self._give_sparse_gradients(False)
        self._inside.close()

    def _give_sparse_gradients(self, sparse: bool) -> None:
        for group in self.embeddings:
            group.module.sparse = sparse  # type: ignore[assignment]


class _NotesLookups(TorchFunctionMode):
    """Makes leaves of a graph of what is looked up in the tables of embeddings, and notes them."""

    def __init__(self, embeddings: Sequence[EmbeddingGroup], noted: list[Lookup]) -> None:
        super().__init__()
        self.tables = {id(group.param): group for group in embeddings}
        self.noted = noted

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        group = self.tables.get(id(args[1])) if func is F.embedding and len(args) > 1 else None
        if group is None:
            return result
        leaf = result.detach().requires_grad_()
        self.noted.append((group, args[0], leaf))
        return leaf
