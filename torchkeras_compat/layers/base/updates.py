"""What a layer's `call` changes beside its output: `add_update`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..._core import settings
from ..._core.border import nameless
from ..._core.dialects import Rules
from ..._core.runs import RUN
from ..._core.weights import Variable


@nameless
class Updates:
    """What a layer's `call` changes."""

    name: str
    trainable: bool
    stateful: bool
    _rules: Rules

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Change variables, as `call` says for this batch.

        In classic Keras this is done when the call has ended, in training alone unless the layer is stateful, and not
        in a frozen layer. In the dialects of tf.keras it is done at once, functions in any mode.

        Args:
            updates: A pair `(variable, new value)`, a function that assigns, or the result of `K.update` and its like,
                which change by themselves; or a list of such.
            inputs: Accepted for Keras's sake.

        Raises:
            ValueError: It is not told in `call`.

        Example:
            >>> import numpy as np
            >>> import torchkeras_compat as keras
            >>> class Counting(keras.layers.Layer):
            ...     def build(self, input_shape):
            ...         self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)
            ...     def call(self, x):
            ...         self.add_update((self.count, self.count + 1.0))
            ...         return x
            >>> layer = Counting()
            >>> _ = layer(np.ones((1, 2)), training=True), layer(np.ones((1, 2)))
            >>> layer.get_weights()
            [array(1., dtype=float32)]
        """
        if _is_pair(updates):
            self._add(functools.partial(_assign_value, *updates), only_in_training=True)
        elif isinstance(updates, (list, tuple)):
            for update in updates:
                self.add_update(update)
        elif callable(updates):
            self._add(updates, only_in_training=self._rules.updates_end_the_call)

    def _add(self, change: Callable[[], Any], only_in_training: bool) -> None:
        """Make a change, or let it wait for the end of the call."""
        if not settings.inside_run():
            raise ValueError(f"{self}: add_update(…): write it in call, where the new value of a batch is known.")
        if RUN.held_updates is not None:
            RUN.held_updates.append(change)
        elif self.trainable and (settings.running_phase() or not only_in_training):
            change()

    def _updates_count(self) -> bool:
        """Tell whether what waits for the end of the call is changed in this run."""
        return self.stateful or bool(self.trainable and settings.running_phase())


def _is_pair(update: Any) -> bool:
    """Tell whether an update is a variable and its new value, and not two results of `K.update`, of which each waits.

    Where nothing waits, a result of `K.update` is a variable.
    """
    if not isinstance(update, tuple) or len(update) != 2 or not isinstance(update[0], Variable):
        return False
    return RUN.held_updates is not None or not isinstance(update[1], Variable)


def _assign_value(variable: Variable, value: Any) -> None:
    variable.assign(value)
