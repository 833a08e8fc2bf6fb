"""What ties an optimizer to one model's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .._core.weights import Codec

if TYPE_CHECKING:
    from .core import Stepper


class Binding:
    """An optimizer's slots for the parameters of one model.

    Attributes:
        optimizer: Whose they are.
        names: The names of the parameters.
        params: The parameters, each once.
        codecs: id of a parameter → the way to Keras's layout.
    """

    def __init__(self, optimizer: Stepper, named: Sequence[tuple[str, Tensor]], codecs: Mapping[str, Codec]) -> None:
        self.optimizer = optimizer
        unique = {id(param): (name, param) for name, param in reversed(named)}
        self.names = [name for name, _ in reversed(unique.values())]
        self.params = [param for _, param in reversed(unique.values())]
        self.codecs = {id(param): codecs[name] for name, param in named if name in codecs}

    def __getstate__(self) -> dict[str, Any]:
        """Give the codecs in the order of the parameters, whose ids are others in a copy."""
        return {**self.__dict__, "codecs": [self.codecs.get(id(param)) for param in self.params]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.codecs = {id(param): codec for param, codec in zip(self.params, state["codecs"]) if codec is not None}

    @property
    def slots(self) -> dict[str, list[Tensor]]:
        """Slot name → one tensor for each parameter."""
        held = [self.optimizer.slots_of(param) for param in self.params]
        return {name: [h[name] for h in held] for name in self.optimizer.slot_names}

    def adopt(self, slots: Mapping[str, Sequence[Tensor]]) -> None:
        """Let the given tensors, such as views of one flat tensor, be the slots from now on; values are copied in.

        Args:
            slots: Slot name → one tensor of each parameter's shape.
        """
        for name, tensors in slots.items():
            for param, tensor in zip(self.params, tensors):
                held = self.optimizer.slots_of(param)
                tensor.copy_(held[name])
                held[name] = tensor

    def step(self, grads: Sequence[Tensor | None]) -> None:
        """Make one step from gradients in the order of `params`; `None` leaves a parameter as it is."""
        self.optimizer.step_with(self.params, grads)

    def covers(self, other: Binding) -> bool:
        """Whether every parameter of `other` is one of these."""
        own = {id(param) for param in self.params}
        return all(id(param) in own for param in other.params)
