"""The weights of a model: those of its layers, of its metrics, and the variables that a user's class holds itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core.border import nameless
from .._core.weights import Variable, Weight
from ..layers.base import Layer
from ..layers.base.tracking import Part, in_order_of_attributes
from ..layers.base.weights import unique


@nameless
class ModelWeights(Layer):
    """What a model lists, counts, trains and hands out as weights."""

    _lists_stand_among_layers = True  # whether variables in lists stand in tf.keras where layers in them would

    def _weight_table(self) -> list[Weight]:
        """Return the weight table, layer by layer."""
        own = self._own_table()
        if not self._rules.own_weights_last:
            table = [*own, *(line for layer in self._sublayers() for line in layer._weight_table())]
        else:
            table = [line for part in self._parts(own) for line in _lines_of(part)]
            table += sorted(own, key=lambda line: not line.trainable)
        return unique([*table, *self._metric_table()])

    def _trained_table(self) -> list[Weight]:
        """Return the weights to train as `trainable` stands now."""
        if not self.trainable:
            return []
        own = [line for line in self._own_table() if line.requires_grad]
        if not self._rules.own_weights_last:
            return unique([*own, *(line for layer in self._sublayers() for line in layer._trained_table())])
        trained: list[Weight] = []
        for part in self._parts(own):
            trained += [*(line for layer in part.layers for line in layer._trained_table()), *part.variables]
        return unique([*trained, *own])

    def _learning_and_others(self) -> tuple[list[Weight], list[Weight]]:
        """Return the weights that may train as layers are frozen now, and the others, each in Keras's order."""
        if not self._rules.own_weights_last or not self._trainable:
            return super()._learning_and_others()
        own = self._own_table()
        of_parts = [part.learning_and_others() for part in self._parts(own)]
        learning = [*(w for part, _ in of_parts for w in part), *(w for w in own if w.trainable)]
        return unique(learning), unique([*(w for _, part in of_parts for w in part), *own])

    def _parts(self, own: list[Weight]) -> list[Part]:
        """Return what the attributes hold; of the variables in lists those that stand among layers.

        Args:
            own: The lines of the model itself that count.
        """
        entered = {id(line) for line in own if self._lists_stand_among_layers}
        return [
            part._replace(variables=[line for line in part.variables if id(line) in entered])
            for part in in_order_of_attributes(self, self._sublayers())
        ]

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


def _lines_of(part: Part) -> list[Weight]:
    """Return the weights in an attribute of a model: in a list, as in a layer, what may train comes first."""
    if not part.is_container:
        return [line for layer in part.layers for line in layer._weight_table()]
    learning, others = part.learning_and_others()
    return [*learning, *others]
