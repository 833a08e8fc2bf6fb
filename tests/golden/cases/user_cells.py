"""Cells as users write them, over the `keras` module they are given: Keras's own, or the package in its place."""

from __future__ import annotations

from typing import Any


def user_cells(keras: Any, shape: Any) -> dict[str, type]:
    """Return the cells by name.

    Args:
        keras: The module.
        shape: Makes a `TensorShape`.
    """
    K, Layer = keras.backend, keras.layers.Layer

    class MinimalCell(Layer):
        """One state, whose size is an integer."""

        def __init__(self, units, **kwargs):
            self.units = units
            self.state_size = units
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
            self.recurrent_kernel = self.add_weight(
                shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
            )
            self.built = True

        def call(self, inputs, states):
            output = K.tanh(K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent_kernel))
            return output, [output]

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class MemoryCell(Layer):
        """Two states, one of them a matrix, that do not begin at zero; it does something else in training."""

        def __init__(self, units, features, **kwargs):
            super().__init__(**kwargs)
            self.units, self.features = units, features
            self.state_size = [units, shape([units, features])]
            self.output_size = units

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")

        def call(self, inputs, states, training=None):
            hidden, memory = states
            hidden = K.tanh(K.dot(inputs, self.kernel) + 0.5 * hidden)
            memory = 0.9 * memory + K.expand_dims(hidden, -1) * K.expand_dims(inputs, 1)
            scale = 2.0 if training else 1.0
            return scale * K.sum(memory, axis=-1), [hidden, memory]

        def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
            return [K.ones((batch_size, self.units)) * 0.5, K.ones((batch_size, self.units, self.features)) * 0.1]

        def get_config(self):
            return {**super().get_config(), "units": self.units, "features": self.features}

    class ConstantsCell(MinimalCell):
        """A cell that gets a constant in each step."""

        def build(self, input_shape):
            super().build(input_shape)
            self.of_constant = self.add_weight(shape=(2, self.units), initializer="uniform", name="of_constant")

        def call(self, inputs, states, constants):
            output = K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent_kernel)
            output = K.tanh(output + K.dot(constants[0], self.of_constant))
            return output, [output]

    class WrappedCell(Layer):
        """A cell that has another one of Keras's inside."""

        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = keras.layers.LSTMCell(units, name="inner")
            self.state_size = self.inner.state_size
            self.output_size = units

        def build(self, input_shape):
            self.inner.build(input_shape)
            self.built = True

        def call(self, inputs, states):
            output, states = self.inner(inputs, states)
            return output + 1.0, states

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return {cell.__name__: cell for cell in (MinimalCell, MemoryCell, ConstantsCell, WrappedCell)}
