"""The state of an optimizer in Keras's order and layout: what its files hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .._core.dialects import Rules
from .._core.errors import show
from .._core.weights import Codec

SlotGroups = tuple[tuple[str, ...], ...]
Place = tuple[str, Tensor]  # the slot of a parameter


class VariableList(list[Any]):
    """A list that may be called, because `optimizer.variables` was a method once."""

    def __call__(self) -> VariableList:
        """Return the list."""
        return self


class StoredOptimizer(Protocol):
    """What the order and layout of the state depend on."""

    name: str
    always_interleaved: bool
    param_groups: list[dict[str, Any]]
    _rules: Rules
    _iterations: int

    def slots_of(self, param: Tensor) -> dict[str, Tensor]:
        """Return the slots of a parameter, up to date."""

    def _codec(self, param: Tensor) -> Codec | None:
        """Return the way between a parameter and Keras's layout."""

    def _file_groups(self) -> SlotGroups:
        """Return the slots in a file; each group is stored weight by weight in keras-2.15."""

    def _has_slot(self, name: str, param: Tensor) -> bool:
        """Tell whether a file has this slot of this parameter."""

    def _idle_slot(self, name: str, param: Tensor) -> Tensor:
        """Return what a file holds for a slot that is not in use."""

    def _extra_state(self) -> list[np.ndarray[Any, Any]]:
        """Return what a file holds between the counter and the slots."""

    def _set_extra_state(self, values: Sequence[Any]) -> None:
        """Set what `_extra_state` returned."""

    def _surplus(self, count: int, order: list[Place]) -> bool:
        """Tell whether a file of `count` arrays has some at its end that are not in use."""


class WeightIO:
    """Gives the state of one optimizer away and takes it back.

    Args:
        optimizer: The optimizer.
    """

    def __init__(self, optimizer: StoredOptimizer) -> None:
        self.optimizer = optimizer

    def order(self) -> list[Place]:
        """Return the slots of parameters in the order of Keras's files."""
        optimizer = self.optimizer
        params = optimizer.param_groups[0]["params"]
        weight_by_weight = optimizer._rules.interleaved_slots or optimizer.always_interleaved
        order: list[Place] = []
        for group in optimizer._file_groups():
            if weight_by_weight:
                order += [(name, p) for p in params for name in group]
            else:
                order += [(name, p) for name in group for p in params]
        return [(name, p) for name, p in order if optimizer._has_slot(name, p)]

    def _slot(self, name: str, param: Tensor) -> Tensor:
        slot = self.optimizer.slots_of(param).get(name)
        return self.optimizer._idle_slot(name, param) if slot is None else slot

    def _codec(self, slot: Tensor, param: Tensor) -> Codec | None:
        return self.optimizer._codec(param) if slot.shape == param.shape else None

    def tensors(self) -> list[Any]:
        """Return the extra state and the slots, in torch's layout."""
        return [*self.optimizer._extra_state(), *[self._slot(name, param) for name, param in self.order()]]

    @torch.no_grad()
    def arrays(self) -> list[np.ndarray[Any, Any]]:
        """Return the counter, the extra state and the slots as arrays, in Keras's layout where it is known."""
        values = [np.asarray(int(self.optimizer._iterations), np.int64), *self.optimizer._extra_state()]
        for name, param in self.order():
            slot = self._slot(name, param)
            codec = self._codec(slot, param)
            seen = (codec.read(slot) if codec else slot).detach().cpu()
            values.append((seen.float() if seen.dtype == torch.bfloat16 else seen).numpy().copy())
        return values

    @torch.no_grad()
    def set_arrays(self, weights: Sequence[Any]) -> None:
        """Set the state from arrays in the order of `arrays`.

        Raises:
            ValueError: Their number or one of their shapes is wrong; nothing is changed then.
        """
        optimizer, order = self.optimizer, self.order()
        extra = len(optimizer._extra_state())
        needed = 1 + extra + len(order)
        weights = list(weights)[:needed] if optimizer._surplus(len(weights), order) else list(weights)
        if len(weights) == needed - 1 and len(order):  # files of Keras before 2.3 have no counter
            weights = [0, *weights]
        if len(weights) != needed:
            raise ValueError(f"{optimizer.name}: set_weights needs {needed} arrays; got {len(weights)}.")
        writes = self._writes(order, weights[1 + extra :])
        optimizer._iterations = int(np.asarray(weights[0]))
        optimizer._set_extra_state(weights[1 : 1 + extra])
        for slot, value in writes:
            slot.copy_(value)

    def _writes(self, order: Sequence[Place], values: Sequence[Any]) -> list[tuple[Tensor, Tensor]]:
        """Return each slot that is in use with what is to be written into it."""
        writes = []
        for (name, param), value in zip(order, values):
            slot = self.optimizer.slots_of(param).get(name)
            if slot is None:
                continue
            codec = self._codec(slot, param)
            value = torch.as_tensor(np.array(value)) if not isinstance(value, Tensor) else value
            written = codec.write(value)[0] if codec else value
            if written.shape != slot.shape:
                raise ValueError(
                    f"{self.optimizer.name}: slot {name!r} has shape {tuple(slot.shape)}; got {show(value)}."
                )
            writes.append((slot, written))
        return writes
