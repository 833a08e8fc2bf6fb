"""The helpers of `keras.layers.recurrent` that recurrent layers of users call and derive from.

Source: `keras/layers/recurrent.py`, Keras 1.2.2 and 2.0.8.
"""

from __future__ import annotations

from typing import Any

from ... import backend as K
from ...layers import RNN, Layer
from .generic import has_arg, to_list


def time_distributed_dense(
    x: Any,
    w: Any,
    b: Any = None,
    dropout: float | None = None,
    input_dim: int | None = None,
    output_dim: int | None = None,
    timesteps: int | None = None,
    training: Any = None,
) -> Any:
    """Return `x · w + b` at each step; dropout leaves out the same inputs at all steps.

    Args:
        x: Sequences, `(batch, steps, inputs)`.
        w: The matrix.
        b: The bias.
        dropout: The fraction of the inputs dropped in training.
        input_dim: The number of inputs; known from `x`.
        output_dim: The number of outputs; known from `w`.
        timesteps: The number of steps; known from `x`.
        training: Whether it is training; that of the model where it is left out.

    Example:
        >>> import numpy as np
        >>> tuple(time_distributed_dense(np.ones((2, 3, 4)), np.ones((4, 5))).shape)
        (2, 3, 5)
    """
    if dropout is not None and 0 < dropout < 1:
        dropped = x * K.expand_dims(K.dropout(K.ones_like(x[:, 0]), dropout), 1)
        x = K.in_train_phase(dropped, x, training=training)
    product = K.dot(x, w)
    return product if b is None else K.bias_add(product, b)


class _AlsoRNN(type(Layer)):  # type: ignore[misc]
    """The class of `Recurrent`: today's recurrent layers count as instances of it, as they derived from it once."""

    def __instancecheck__(cls, value: object) -> bool:
        return type.__instancecheck__(cls, value) or (cls.__dict__.get("_of_old", False) and isinstance(value, RNN))


class Recurrent(Layer, metaclass=_AlsoRNN):
    """Base of a user's recurrent layer: `step(inputs, states)` is one step, which a subclass defines.

    The subclass makes its weights in `build`, where it sets `self.states` to a list with one `None` a state, and stores
    the size of the output as `self.units` or `self.output_dim`.

    Args:
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is read from its end.
        stateful: Only `False`; write `RNN(cell, stateful=True)` for a layer that keeps its states.
        unroll: Accepted; the result is the same.
        implementation: Accepted; the result is the same.
        consume_less: Accepted; the result is the same.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `stateful=True`.

    Source:
        `keras/layers/recurrent.py`, Keras 1.2.2 and 2.0.8; `keras/legacy/layers.py`, Keras 2.2.4.

    Example:
        >>> class Sum(Recurrent):
        ...     units = 3
        ...     states = [None]
        ...     def step(self, x, states):
        ...         return x + states[0], [x + states[0]]
        >>> Sum()(K.ones((1, 4, 3))).tolist()
        [[4.0, 4.0, 4.0]]
    """

    _of_old = True
    supports_masking = True
    states: list[Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "call" not in cls.__dict__:  # its steps are the user's, and so the whole call is
            cls.call = cls.call  # type: ignore[method-assign]
        super().__init_subclass__(**kwargs)

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        implementation: int = 0,
        consume_less: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if stateful:
            owner = type(self).__name__
            raise ValueError(f"{owner}(stateful=True): its steps keep nothing; write RNN(cell, stateful=True).")
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.unroll, self.stateful = bool(go_backwards), bool(unroll), False
        self.implementation, self.consume_less = implementation, consume_less

    def step(self, inputs: Any, states: Any) -> Any:
        """Return the output of a step and the new states.

        Args:
            inputs: The step's input.
            states: The states, and behind them the constants.

        Raises:
            NotImplementedError: A subclass must define it.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step(inputs, states).")

    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        """Return what each step gets behind the states.

        Args:
            inputs: The whole input.
            training: Whether it is training.
        """
        return []

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        """Return what is walked over, step by step.

        Args:
            inputs: The whole input.
            training: Whether it is training.
        """
        return inputs

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Return the states before the first step: zeros.

        Args:
            inputs: The whole input.
        """
        zeros = K.zeros_like(inputs[:, 0, :1])
        return [K.tile(zeros, [1, self._size]) for _ in self.states]

    def get_initial_states(self, inputs: Any) -> list[Any]:
        """Return the states before the first step, under the name of Keras 1.

        Args:
            inputs: The whole input.
        """
        return self.get_initial_state(inputs)

    @property
    def _size(self) -> int:
        return int(self.units if hasattr(self, "units") else self.output_dim)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        """Return what the steps give, one after the other."""
        if isinstance(inputs, (list, tuple)):
            inputs, *initial_state = inputs
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        first = self.get_initial_states(inputs) if initial_state is None else to_list(initial_state, allow_tuple=True)
        told = {"training": training}
        constants = self.get_constants(inputs, **_wanted(self.get_constants, told))
        walked = self.preprocess_input(inputs, **_wanted(self.preprocess_input, told))
        last, outputs, states = K.rnn(
            self.step, walked, list(first), go_backwards=self.go_backwards, mask=mask, constants=list(constants)
        )
        output = outputs if self.return_sequences else last
        return [output, *states] if self.return_state else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the steps, where they are returned."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        kept = mask if self.return_sequences else None
        return [kept, *(None for _ in self.states)] if self.return_state else kept

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `(batch, units)`, or `(batch, steps, units)`, and the shapes of the states with `return_state`."""
        shape = input_shape[0] if isinstance(input_shape[0], (list, tuple)) else input_shape
        steps = (shape[1],) if self.return_sequences else ()
        output = (shape[0], *steps, self._size)
        return [output, *((shape[0], self._size) for _ in self.states)] if self.return_state else output


def _wanted(method: Any, told: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a method takes: those of Keras 1 know of no training."""
    return {name: value for name, value in told.items() if has_arg(method, name, accept_all=True)}
