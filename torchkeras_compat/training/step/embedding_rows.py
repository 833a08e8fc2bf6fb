"""Embeddings whose untouched rows cost nothing: gradients by row, updates of the rows that a batch touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ..._core.weights import Weight
from ...optimizers import Optimizer

LAZY_ELEMENTS = 1 << 16  # a smaller table is stepped whole in less time than its rows are sorted


class RowWeight:
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
        self.binding = optimizer.bind([(weight.path, self.param)])
        self.slots = dict(optimizer.slots_of(self.param))
        self.pending_decay = optimizer.pending_decay(self.param) if optimizer.rows_decay else None

    @torch.no_grad()
    def step(self, grad: Tensor, scalars: Mapping[str, Any]) -> None:
        """Step the touched rows by a gradient that is sparse, or all rows by a dense one."""
        if grad.is_sparse:
            self.step_rows(grad._indices()[0], grad._values(), scalars)
        else:
            self._dense_step(grad, scalars)

    @torch.no_grad()
    def step_rows(self, indices: Tensor, values: Tensor, scalars: Mapping[str, Any]) -> None:
        """Step the rows that `indices` name, some perhaps repeatedly, by their gradients."""
        optimizer, pending = self.optimizer, self.pending_decay
        if optimizer.lazy_rows and optimizer._adds_gradient:
            self.param.index_add_(0, indices, values, alpha=-scalars["lr"])
            return
        rows, grad_rows = joined_rows(indices, values)
        if not (optimizer.rows_stay or optimizer.lazy_rows):  # only the clipping went by rows
            self._dense_step(torch.zeros_like(self.param).index_copy_(0, rows, grad_rows), scalars)
        elif pending is None:
            optimizer.update_rows(self.param, rows, grad_rows, self.slots, None, 0, scalars)
        else:
            optimizer.update_rows(self.param, rows, grad_rows, self.slots, pending.last_seen, pending.steps, scalars)
            pending.decays = optimizer._row_decays()
            pending.steps += 1

    def _dense_step(self, grad: Tensor, scalars: Mapping[str, Any]) -> None:
        if self.pending_decay is not None:
            self.pending_decay.apply()
        self.optimizer.update([self.param], [grad], {name: [slot] for name, slot in self.slots.items()}, scalars)

    def valid(self) -> bool:
        """Tell whether the slots are still those of the optimizer, and beside the weight."""
        state = self.optimizer.state[self.param]
        kind = (self.param.dtype, self.param.device)
        return set(self.slots) == set(self.optimizer.slot_names) and all(
            state.get(name) is slot and (slot.dtype, slot.device) == kind for name, slot in self.slots.items()
        )


def joined_rows(indices: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return each touched row once with the sum of its gradients.

    On CUDA the number of different rows stays on the device, so rows are padded by repeating the last one, which is
    then written several times with the same value.
    """
    if indices.device.type == "cpu":
        rows, inverse = torch.unique(indices, return_inverse=True)
        return rows, values.new_zeros(len(rows), *values.shape[1:]).index_add_(0, inverse, values)
    ordered, order = indices.sort()
    fresh = torch.ones_like(ordered)
    fresh[1:] = (ordered[1:] != ordered[:-1]).to(ordered.dtype)
    place = fresh.cumsum(0) - 1
    sums = torch.zeros_like(values).index_add_(0, place, values.index_select(0, order))
    rows = torch.empty_like(ordered).fill_(0).scatter_(0, place, ordered)
    kept = torch.minimum(torch.arange(len(ordered), device=place.device), place[-1])
    return rows.index_select(0, kept), sums.index_select(0, kept)


def goes_by_rows(optimizer: Optimizer, weight: Weight) -> bool:
    """Tell whether a weight is an embedding's table that this optimizer steps row by row."""
    if not isinstance(weight.module, nn.Embedding) or weight.regularizer is not None or weight.constraint is not None:
        return False
    clipped_by_rows = bool(optimizer.clips) and optimizer._rules.untouched_rows_stay
    large = weight.parameters[0].numel() >= LAZY_ELEMENTS
    return optimizer.rows_stay or clipped_by_rows or (optimizer.lazy_rows and large)


class Lookups(TorchFunctionMode):
    """Keeps what is looked up in the tables of embeddings, as the leaves of a graph.

    Args:
        weights: The tables.
    """

    def __init__(self, weights: list[RowWeight]) -> None:
        super().__init__()
        self.weights = {id(weight.param): weight for weight in weights}
        self.found: list[tuple[RowWeight, Tensor, Tensor]] = []  # table, indices, rows

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        weight = self.weights.get(id(args[1])) if func is F.embedding and len(args) > 1 else None
        if weight is None:
            return result
        rows = result.detach().requires_grad_()
        self.found.append((weight, args[0], rows))
        return rows


@contextmanager
def row_gradients(weights: list[RowWeight]) -> Iterator[None]:
    """Let the embeddings give sparse gradients for what runs inside."""
    for weight in weights:
        weight.module.sparse = True  # type: ignore[assignment]
    try:
        yield
    finally:
        for weight in weights:
            weight.module.sparse = False  # type: ignore[assignment]
