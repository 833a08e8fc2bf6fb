"""`model.layers` of classic Keras: a list whose end is the model's."""

from __future__ import annotations

from typing import Any, Protocol

from ..layers.base import Layer


class LayeredModel(Protocol):
    """What the list needs of its model."""

    @property
    def layers(self) -> list[Layer]:
        """The layers."""

    def _take_last_off(self) -> None:
        """Let the model end before its last layer."""


class LayerList(list[Layer]):
    """The layers of a model; a layer that is taken off the end of the list is taken off the model.

    In classic Keras it was the model's own list: `model.layers.pop()` was the first of the lines that made a model
    without its last layer. Whatever else is done to the list does nothing to the model.

    Args:
        model: The model.
        layers: Its layers.
    """

    def __init__(self, model: LayeredModel, layers: list[Layer]) -> None:
        super().__init__(layers)
        self._model = model

    def pop(self, index: Any = -1) -> Layer:
        """Take a layer off and return it."""
        layer = self[index]
        if index in (-1, len(self) - 1) and self._model.layers[-1:] == [layer]:
            self._model._take_last_off()
        return super().pop(index)

    def remove(self, layer: Layer) -> None:
        """Take a layer off."""
        self.pop(self.index(layer))

    def __delitem__(self, index: Any) -> None:
        """Take a layer off, or a slice of them."""
        for place in sorted(range(len(self))[index], reverse=True) if isinstance(index, slice) else [index]:
            self.pop(place)

    def __reduce__(self) -> Any:
        return list, (list(self),)
