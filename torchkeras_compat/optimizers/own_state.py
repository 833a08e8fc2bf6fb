"""The state of an optimizer as its users ask for it: the counter and the slots, in Keras's order."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .._core.weights import Codec
from .slots import SlotTable
from .weight_io import Place, SlotGroups, VariableList, WeightIO


class OwnState:
    """What an optimizer gives away of its state, and takes back.

    A subclass overrides what is private here where its files hold more, or less, than the slots that it uses.
    """

    mean_slots: ClassVar[frozenset[str]] = frozenset()  # slots that are means over an axis of a weight
    use_ema: bool
    _slots: SlotTable
    _weight_io: WeightIO

    @property
    def iterations(self) -> Any:
        """The number of steps so far."""
        raise NotImplementedError

    @iterations.setter
    def iterations(self, value: Any) -> None:
        raise NotImplementedError

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
