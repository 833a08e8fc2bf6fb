"""The weights of a model: those of its layers, of its metrics, and the variables that a user's class holds itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.border import nameless
from .._core.weights import Variable, Weight
from ..layers.base import Layer
from ..layers.base.tracking import in_order_of_attributes
from ..layers.base.weights import unique


@nameless
class ModelWeights(Layer):
    """What a model lists, counts, trains and hands out as weights."""

    _lists_stand_among_layers = True  # whether variables in lists stand in tf.keras where layers in them would

    def _weight_table(self) -> list[Weight]:
        """Return the weight table, layer by layer."""
        return unique(
            [*self._lines_of_all(lambda layer: layer._weight_table(), self._own_table()), *self._metric_table()]
        )

    def _trained_table(self) -> list[Weight]:
        """Return the weights to train as `trainable` stands now."""
        if not self.trainable:
            return []
        own = [line for line in self._own_table() if line.requires_grad]
        return unique(self._lines_of_all(lambda layer: layer._trained_table(), own))

    def _lines_of_all(self, lines_of: Callable[[Any], list[Weight]], own: list[Weight]) -> list[Weight]:
        """Return lines of the layers and of the model itself in the order of the dialect.

        Args:
            lines_of: What to take of a layer.
            own: The lines of the model itself; in tf.keras those in lists stand where layers in lists would.
        """
        if not own:
            return [line for layer in self._sublayers() for line in lines_of(layer)]
        if not self._rules.own_weights_last:
            return [*own, *(line for layer in self._sublayers() for line in lines_of(layer))]
        entered = {id(line) for line in own if self._lists_stand_among_layers}
        inside: list[Weight] = []
        for layer, lines in in_order_of_attributes(self, self._sublayers()):
            inside += [line for line in lines if id(line) in entered] if layer is None else lines_of(layer)
        return unique([*inside, *sorted(own, key=lambda line: not line.trainable)])

    def _metric_table(self) -> list[Weight]:
        """Return the states of metrics that the model holds itself, which Keras counts among its weights."""
        return []

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer."""
        if next(self._sublayers(), None) is not None:
            self._need_built("weights")
        return [w.variable() for w in self._weight_table()]

    variables = weights

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return copies of all weights as numpy arrays, layer by layer.

        Raises:
            ValueError: The model is not built yet.
        """
        if next(self._sublayers(), None) is not None:
            self._need_built("get_weights")
        return super().get_weights()

    def _need_built(self, what: str) -> None:
        if not self.built:
            raise ValueError(
                f"{self}: {what} needs a built model; give the first layer input_shape=(…), or call build."
            )

    def count_params(self) -> int:
        """Return the number of numbers in the weights."""
        self._need_built("count_params")
        return super().count_params()
