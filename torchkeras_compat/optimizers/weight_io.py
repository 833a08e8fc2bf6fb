"""The state of an optimizer in Keras's order and layout: what its files hold."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from .._core.dialects import Rules
from .._core.errors import show
from .._core.weights import Codec, Variable
from .hyperparameters import Hyperparameter
from .slot_variables import PATHS, Place, SlotNames, SlotWeight

SlotGroups = tuple[tuple[str, ...], ...]


class VariableList(list[Any]):
    """A list that may be called, because `optimizer.variables` was a method once."""

    def __call__(self) -> VariableList:
        """Return the list."""
        return self


class StoredOptimizer(Protocol):
    """What the order and layout of the state depend on."""

    name: str
    always_interleaved: bool
    mean_slots: ClassVar[frozenset[str]]
    keras_slots: ClassVar[Mapping[str, SlotNames]]
    param_groups: list[dict[str, Any]]
    _rules: Rules
    _iterations: int

    def slots_of(self, param: Tensor) -> dict[str, Tensor]:
        """Return the slots of a parameter, up to date."""

    def _whole(self, param: Tensor) -> tuple[tuple[Tensor, ...], Codec] | None:
        """Return the parameters of the weight that begins with this one; `None` for those that follow."""

    def _weight_name(self, param: Tensor) -> str:
        """Return the name of the weight that begins with this parameter."""

    def _join_parts(self, place: Place, slots: Sequence[Tensor]) -> Tensor:
        """Return slots of other shapes than the parameters of a weight as the one that Keras has."""

    def _split_parts(self, place: Place, value: Tensor) -> Sequence[Tensor]:
        """Return what `_join_parts` joined."""

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
        """Return the slots of weights in the order of Keras's files."""
        optimizer = self.optimizer
        wholes = [whole for p in optimizer.param_groups[0]["params"] if (whole := optimizer._whole(p)) is not None]
        order: list[Place] = []
        for group in optimizer._file_groups():
            if optimizer._rules.interleaved_slots or optimizer.always_interleaved:  # weight by weight
                order += [Place(name, *whole) for whole in wholes for name in group]
            else:
                order += [Place(name, *whole) for name in group for whole in wholes]
        return [place for place in order if optimizer._has_slot(place.name, place.params[0])]

    def held(self, place: Place) -> list[Tensor]:
        """Return the tensors that a slot consists of; none where it is not in use."""
        slots = [self.optimizer.slots_of(param).get(place.name) for param in place.params]
        return [slot for slot in slots if slot is not None]

    def joined(self, place: Place) -> Tensor:
        """Return the slot of a weight, in Keras's layout where it lies as the parameters do."""
        used = self.held(place)
        if not used:
            idle = [self.optimizer._idle_slot(place.name, param) for param in place.params]
            return place.codec.read(*idle) if self._has_layout(place, idle) else idle[0]
        if self._has_layout(place, used):
            return place.codec.read(*used)
        return used[0] if len(used) == 1 else self.optimizer._join_parts(place, used)

    def _has_layout(self, place: Place, slots: Sequence[Tensor]) -> bool:
        """Tell whether slots lie as the parameters do: some are means over an axis of the weight."""
        if len(slots) > 1 and place.name in self.optimizer.mean_slots:
            return False
        return all(slot.shape == param.shape for slot, param in zip(slots, place.params))

    def tensors(self) -> list[Any]:
        """Return the extra state and the slots as variables, in the order of `arrays`."""
        extra = [self._extra_number(i) for i in range(len(self.optimizer._extra_state()))]
        return [*extra, *self.variables(self.order())]

    def variables(self, places: Sequence[Place]) -> list[Variable]:
        """Return slots as variables with the names that Keras gives them."""
        counts: dict[str, int] = {}
        made = []
        for place in places:
            number = counts[place.name] = counts.get(place.name, -1) + 1
            made.append(SlotWeight(self, place, functools.partial(self._path, place, number)).variable())
        return made

    def variables_of(self, slot: str) -> list[Variable]:
        """Return the variables of one slot, weight by weight."""
        return self.variables([place for place in self.order() if place.name == slot])

    def _path(self, place: Place, number: int) -> str:
        """Return the name of a slot's variable."""
        optimizer, naming = self.optimizer, self.optimizer._rules.slot_naming
        names = optimizer.keras_slots.get(place.name)
        slot = place.name if names is None else names.called(naming) or place.name
        weight = optimizer._weight_name(place.params[0])
        return PATHS[naming].format(optimizer=optimizer.name, slot=slot, weight=weight, i=number)

    def _extra_number(self, i: int) -> Hyperparameter:
        """Return a number of the extra state, which can be set through."""

        def get() -> float:
            return float(self.optimizer._extra_state()[i])

        def put(value: Any) -> None:
            values = list(self.optimizer._extra_state())
            values[i] = np.asarray(float(value), np.float32)
            self.optimizer._set_extra_state(values)

        return Hyperparameter(get(), get, put, f"{self.optimizer.name}/momentum_cache:0")

    def assign(self, place: Place, value: Tensor) -> None:
        """Write a value of the right shape, in Keras's layout, into a slot.

        Raises:
            ValueError: The slot is not in use, and the value is another than what stands for it.
        """
        writes = self._writes([place], [value])
        idle = not writes and not torch.equal(self.joined(place), value.to(place.params[0]))
        if idle:
            raise ValueError(f"{self.optimizer.name}: the slot {place.name!r} is not in use, and holds no values.")
        for slot, part in writes:
            slot.copy_(part)

    @torch.no_grad()
    def arrays(self) -> list[np.ndarray[Any, Any]]:
        """Return the counter, the extra state and the slots as arrays, in Keras's layout where it is known."""
        values = [np.asarray(int(self.optimizer._iterations), np.int64), *self.optimizer._extra_state()]
        for place in self.order():
            seen = self.joined(place).detach().cpu()
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
        writes: list[tuple[Tensor, Tensor]] = []
        for place, value in zip(order, values):
            used = self.held(place)
            if used:
                value = torch.as_tensor(np.array(value)) if not isinstance(value, Tensor) else value
                self._check(place, value)
                writes += zip(used, self._parts(place, used, value))
        return writes

    def _check(self, place: Place, value: Tensor) -> None:
        shape = self.joined(place).shape
        if value.shape != shape:
            raise ValueError(f"{self.optimizer.name}: slot {place.name!r} has shape {tuple(shape)}; got {show(value)}.")

    def _parts(self, place: Place, slots: Sequence[Tensor], value: Tensor) -> Sequence[Tensor]:
        """Return what an array in Keras's layout is for each parameter of a weight."""
        if self._has_layout(place, slots):
            return place.codec.write(value)
        return [value] if len(slots) == 1 else self.optimizer._split_parts(place, value)
