"""The slots of an optimizer as Keras users know them: variables with a name, in Keras's layout, that can be set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from .._core.weights import Codec, Weight


class SlotNames(NamedTuple):
    """What Keras calls a slot where it does not call it what this package does.

    Attributes:
        newer: The name in the classes of Keras 2.11 to 2.15.
        listed: Their attribute that lists the slot's variables.
        classic: The name in Keras 2.3, that of this package if empty.
    """

    newer: str
    listed: str
    classic: str = ""

    def called(self, naming: str) -> str | None:
        """Return the name under a rule `slot_naming`, `None` for that of this package."""
        return {"slot_first": self.newer, "numbered": self.classic or None}.get(naming)


AVERAGE = SlotNames("average", "_model_variables_moving_average")  # of the weights, under `use_ema`

# For each rule `slot_naming`: what stands for the variable of the slot `{slot}` of the weight `{weight}`, number `{i}`.
PATHS: dict[str, str] = {
    "numbered": "training/{optimizer}/{slot}_{i}:0",
    "weight_first": "{optimizer}/{weight}/{slot}:0",
    "slot_first": "{optimizer}/{slot}/{weight}:0",
}
# Likewise for the counter and the learning rate.
NUMBERS: dict[str, dict[str, str]] = {
    "numbered": {"iterations": "{optimizer}/iterations:0", "learning_rate": "{optimizer}/learning_rate:0"},
    "weight_first": {"iterations": "{optimizer}/iter:0", "learning_rate": "{optimizer}/learning_rate:0"},
    "slot_first": {"iterations": "iteration:0", "learning_rate": "learning_rate:0"},
}


@dataclass(frozen=True)
class Place:
    """The slot of a weight, in a file one array.

    Attributes:
        name: The name of the slot.
        params: The parameters behind the weight.
        codec: The way between them and Keras's layout; the identity where it is not known.
    """

    name: str
    params: tuple[Tensor, ...]
    codec: Codec


class SlotAccess(Protocol):
    """What a variable needs of the state that its slot is a part of."""

    def joined(self, place: Place) -> Tensor:
        """Return a slot in Keras's layout."""

    def held(self, place: Place) -> Sequence[Tensor]:
        """Return the tensors that a slot consists of."""

    def assign(self, place: Place, value: Any) -> None:
        """Write a value in Keras's layout into a slot."""


class SlotWeight(Weight):
    """The line of a weight table that a slot would have, were it a weight; its `variable()` is for users.

    Args:
        state: What it is a part of.
        place: Which slot it is.
        path: Asked for its name each time, for a weight may be named anew.
    """

    def __init__(self, state: SlotAccess, place: Place, path: Callable[[], str]) -> None:
        super().__init__(place.name, nn.Module(), (), place.codec, trainable=False)
        self.state, self.slot, self._find_path = state, place, path

    @property
    def path(self) -> str:
        """The name, such as `'Adam/dense/kernel/m:0'`."""
        return self._find_path()

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The tensors behind the slot; where it is not in use, what stands for it."""
        return tuple(self.state.held(self.slot)) or (self.read(),)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in Keras's layout."""
        return tuple(self.read().shape)

    def read(self) -> Tensor:
        """Return the slot in Keras's layout."""
        return self.state.joined(self.slot)

    @torch.no_grad()
    def assign(self, value: Any) -> None:
        """Write a value in Keras's layout into the slot."""
        self.state.assign(self.slot, self.check(value))
