"""The state of an optimizer as its users ask for it: the counter and the slots, in Keras's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .._core.dialects import Rules
from .._core.weights import Codec, Variable
from .gradients import parameters
from .hyperparameters import Iterations
from .slot_variables import AVERAGE, NUMBERS, Place, SlotNames
from .slots import SlotTable
from .weight_io import SlotGroups, VariableList, WeightIO


class OwnState:
    """What an optimizer gives away of its state, and takes back.

    A subclass overrides what is private here where its files hold more, or less, than the slots that it uses.
    """

    mean_slots: ClassVar[frozenset[str]] = frozenset()  # slots that are means over an axis of a weight
    keras_slots: ClassVar[Mapping[str, SlotNames]] = {}  # what Keras calls them
    name: str
    use_ema: bool
    _iterations: int
    _counter: Variable | None  # of the user's, which counts the steps where one was assigned to `iterations`
    _rules: Rules
    _slots: SlotTable
    _added_slot: Callable[[Any, str], Variable | None]
    _weight_io: WeightIO

    @property
    def iterations(self) -> Iterations:
        """The number of steps made, over all models this optimizer serves."""
        return Iterations(self._count_now(), self._count_now, self._set_iterations, self._called)

    @iterations.setter
    def iterations(self, value: Any) -> None:
        if isinstance(value, Variable):
            self._counter = value
        self._iterations = int(value)
        if self._counter is not None and self._counter is not value:
            self._counter.assign(self._iterations)

    def _count_now(self) -> int:
        if self._counter is not None:
            self._iterations = int(self._counter)
        return self._iterations

    def _set_iterations(self, value: Any) -> None:
        self.iterations = value

    def _called(self, number: str = "iterations") -> str:
        """Return Keras's name for the counter or the learning rate."""
        return NUMBERS[self._rules.slot_naming][number].format(optimizer=self.name)

    @property
    def slot_groups(self) -> SlotGroups:
        """The slots in files."""
        raise NotImplementedError

    @property
    def weights(self) -> VariableList:
        """The counter and the slots, in the order of Keras's files."""
        return VariableList([self.iterations, *self._weight_io.tensors()])

    variables = weights

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return the counter and the slots as arrays, in Keras's order and, where a codec was bound, layout."""
        arrays: list[np.ndarray[Any, Any]] = self._weight_io.arrays()
        return arrays

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the counter and the slots from arrays in the order of `get_weights`.

        Raises:
            ValueError: Their number or one of their shapes is wrong; nothing is changed then.
        """
        self._weight_io.set_arrays(weights)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the counter and the slots into a store as arrays, under their numbers.

        Args:
            store: A dictionary or a group of an HDF5 file.
        """
        store.update({str(i): value for i, value in enumerate(self.get_weights())})

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Set the counter and the slots from what `save_own_variables` stored.

        Args:
            store: A dictionary or a group of an HDF5 file.

        Raises:
            ValueError: Another number of arrays, or one of another shape; nothing is changed then.
        """
        self.set_weights([np.asarray(store[str(i)]) for i in range(len(store))])

    @property
    def _name(self) -> str:
        """The name, by the attribute that the classes of `optimizers.legacy` keep it in."""
        return self.name

    def get_slot_names(self) -> list[str]:
        """Return the names of the slots, as the classes of `optimizers.legacy` have them."""
        return list(dict.fromkeys(place.name for place in self._weight_io.order()))

    def get_slot(self, var: Tensor, slot_name: str) -> Variable:
        """Return one slot of a weight, as the classes of `optimizers.legacy` have it.

        Args:
            var: The weight.
            slot_name: The name of the slot, one of `get_slot_names()`.

        Raises:
            KeyError: The optimizer does not serve the weight, or has no such slot.
        """
        if (added := self._added_slot(var, slot_name)) is not None:
            return added
        first = parameters(var)[0]
        places = [p for p in self._weight_io.order() if p.name == slot_name and p.params[0] is first]
        if not places:
            raise KeyError(f"{type(self).__name__} has no slot {slot_name!r} of this weight.")
        return self._weight_io.variables(places)[0]

    def __getattr__(self, name: str) -> Any:
        """Return the variables of one slot, by the attribute that the classes of Keras 2.11 to 2.15 keep them in."""
        slots = {**type(self).keras_slots, "average": AVERAGE}
        listed = {names.listed: slot for slot, names in slots.items()}
        if name in listed and "_rules" in self.__dict__ and self._rules.slot_naming == "slot_first":
            return self._weight_io.variables_of(listed[name])
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _weight_name(self, param: Tensor) -> str:
        return self._slots.weight_name(param)

    def _codec(self, param: Tensor) -> Codec | None:
        return self._slots.codec(param)

    def _whole(self, param: Tensor) -> tuple[tuple[Tensor, ...], Codec] | None:
        return self._slots.whole(param)

    def _join_parts(self, place: Place, slots: Sequence[Tensor]) -> Tensor:
        raise NotImplementedError

    def _split_parts(self, place: Place, value: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _file_groups(self) -> SlotGroups:
        averages: SlotGroups = (("average",),) if self.use_ema else ()
        return averages + self.slot_groups

    def _has_slot(self, name: str, param: Tensor) -> bool:
        return True

    def _idle_slot(self, name: str, param: Tensor) -> Tensor:
        return torch.zeros_like(param)

    def _extra_state(self) -> list[np.ndarray[Any, Any]]:
        return []

    def _set_extra_state(self, values: Sequence[Any]) -> None:
        return None

    def _surplus(self, count: int, order: list[Place]) -> bool:
        return False
