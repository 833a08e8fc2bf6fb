"""Layers of users' own that call other layers, take lists and dictionaries, and further arguments."""

from __future__ import annotations

from typing import Any

from ..case import Keras, Table, real, tokens

TABLE = Table()


@TABLE.case(x=real(4), y=real(2))
def layer_that_calls_layers(keras: Keras) -> Any:
    L = keras.layers

    class Residual(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.first = L.Dense(units, activation="tanh")
            self.second = L.Dense(4)

        def call(self, inputs: Any) -> Any:
            return inputs + self.second(self.first(inputs))

    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(Residual(5)(Residual(3)(x))))


@TABLE.case(x=real(4), y=real(3))
def layers_made_in_build_beside_weights(keras: Keras) -> Any:
    """The order of a layer's weights: its own first, then those of the layers in it."""
    L = keras.layers

    class Mixed(L.Layer):  # type: ignore[misc, name-defined]
        def build(self, input_shape: Any) -> None:
            self.inner = L.Dense(3, use_bias=False)
            self.scale = self.add_weight(name="scale", shape=(3,), initializer="ones")
            self.normal = L.BatchNormalization()
            self.fixed = self.add_weight(name="fixed", shape=(3,), initializer="zeros", trainable=False)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return self.normal(self.inner(inputs)) * self.scale + self.fixed

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], 3)

    x = keras.Input((4,))
    return keras.Model(x, L.Dense(3)(Mixed()(x)))


@TABLE.case(x=real(4), y=real(2), compile={"loss": "mse", "metrics": ["mae"]})
def penalties_of_layers_inside(keras: Keras) -> Any:
    L, K, R = keras.layers, keras.backend, keras.regularizers

    class Penalised(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.first = L.Dense(3, activity_regularizer=R.l2(0.1), kernel_regularizer=R.l1(0.02))
            self.second = L.Dense(3, bias_regularizer=R.l2(0.3))

        def call(self, inputs: Any) -> Any:
            h = self.second(self.first(inputs))
            self.add_loss(0.05 * K.mean(K.square(h)))
            return h

    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(Penalised()(x)))


@TABLE.case(x=tokens(6, 9), y=real(2))
def masks_of_layers_inside(keras: Keras) -> Any:
    L = keras.layers

    class Reader(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.embedding = L.Embedding(9, 4, mask_zero=True)
            self.between, self.lstm = L.Dense(4, activation="tanh"), L.LSTM(3)

        def call(self, inputs: Any) -> Any:
            return self.lstm(self.between(self.embedding(inputs)))

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 3)

    x = keras.Input((6,), dtype="int32")
    return keras.Model(x, L.Dense(2)(Reader()(x)))


@TABLE.case(x=real(4), y=real(2), train_forward=True)
def one_name_for_two_layers_inside(keras: Keras) -> Any:
    L = keras.layers

    class Twins(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.one, self.two = L.Dense(3, name="twin"), L.Dense(3, name="twin")
            self.many = [L.Dense(3, name="twin"), L.BatchNormalization(name="twin")]

        def call(self, inputs: Any) -> Any:
            return self.many[1](self.one(inputs) * self.two(inputs) - self.many[0](inputs))

    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(Twins()(x)))


@TABLE.case(x=[real(4), real(3)], y=real(2))
def layer_of_a_list(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend

    class Bilinear(L.Layer):  # type: ignore[misc, name-defined]
        def build(self, input_shape: Any) -> None:
            (_, m), (_, n) = input_shape
            self.kernel = self.add_weight(name="kernel", shape=(m, n), initializer="glorot_uniform")
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            a, b = inputs
            return K.dot(a, self.kernel) * b

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape[1]

    a, b = keras.Input((4,)), keras.Input((3,))
    return keras.Model([a, b], L.Dense(2)(Bilinear()([a, b])))


@TABLE.case(x=[real(4), real(4)], y=real(2))
def layer_of_a_dictionary(keras: Keras) -> Any:
    L = keras.layers

    class Gate(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.gate = L.Dense(4, activation="sigmoid")

        def call(self, inputs: Any) -> Any:
            open_ = self.gate(inputs["control"])
            return {"kept": inputs["value"] * open_, "dropped": inputs["value"] * (1 - open_)}

    a, b = keras.Input((4,)), keras.Input((4,))
    outputs = Gate()({"value": a, "control": b})
    return keras.Model([a, b], L.Dense(2)(outputs["kept"]) - L.Dense(2)(outputs["dropped"]))


@TABLE.case(x=real(4), y=[real(2), real(3)])
def layer_that_returns_a_list(keras: Keras) -> Any:
    L = keras.layers

    class Two(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.a, self.b = L.Dense(2), L.Dense(3)

        def call(self, inputs: Any) -> Any:
            return [self.a(inputs), self.b(inputs)]

        def compute_output_shape(self, input_shape: Any) -> Any:
            return [(input_shape[0], 2), (input_shape[0], 3)]

    x = keras.Input((4,))
    return keras.Model(x, Two(name="two")(x))


@TABLE.case(x=[real(4), real(3)], y=real(2))
def further_arguments_of_a_call(keras: Keras) -> Any:
    """Numbers and tensors beyond the first argument are part of the graph."""
    L = keras.layers

    class Scaled(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.of_context = L.Dense(4)

        def call(self, inputs: Any, context: Any = None, scale: float = 1.0) -> Any:
            h = inputs * scale
            return h if context is None else h + self.of_context(context)

    x, context = keras.Input((4,)), keras.Input((3,))
    layer = Scaled()
    h = layer(x, context=context, scale=2.0)
    h = layer(h, context, scale=0.5)
    return keras.Model([x, context], L.Dense(2)(Scaled()(h, scale=3.0)))


@TABLE.case(x=real(5, 4), y=real(2), train_forward=True)
def transformer_block(keras: Keras) -> Any:
    """Attention by one head and two normalised residuals, written with Dense and backend functions."""
    L, K = keras.layers, keras.backend

    class Attention(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.query, self.key, self.value = L.Dense(4), L.Dense(4), L.Dense(4)

        def call(self, inputs: Any) -> Any:
            q, k, v = self.query(inputs), self.key(inputs), self.value(inputs)
            scores = K.batch_dot(q, k, axes=[2, 2]) / 2.0
            return K.batch_dot(K.softmax(scores), v)

    class Block(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.attention = Attention()
            self.feed_forward = keras.Sequential([L.Dense(6, activation="relu"), L.Dense(4)])
            self.first, self.second = L.BatchNormalization(), L.BatchNormalization()
            self.dropout = L.Dropout(0.0)

        def call(self, inputs: Any, training: Any = None) -> Any:
            h = self.first(inputs + self.dropout(self.attention(inputs), training=training), training=training)
            return self.second(h + self.feed_forward(h), training=training)

    x = keras.Input((5, 4))
    return keras.Model(x, L.Dense(2)(L.GlobalAveragePooling1D()(Block()(x))))


@TABLE.case(x=real(4), y=real(2), train_forward=True)
def phase_inside_a_layer(keras: Keras) -> Any:
    L = keras.layers

    class Phases(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.normal = L.BatchNormalization(momentum=0.7)

        def call(self, inputs: Any, training: Any = None) -> Any:
            h = self.normal(inputs)  # nobody hands the phase on
            return h + 1.0 if training else h

    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(Phases()(x)))


@TABLE.case(x=real(4), y=real(2))
def frozen_layer_inside_a_layer(keras: Keras) -> Any:
    L = keras.layers

    class Half(L.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.fixed, self.learned = L.Dense(3, trainable=False), L.Dense(3, activation="tanh")

        def call(self, inputs: Any) -> Any:
            return self.fixed(inputs) + self.learned(inputs)

    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(Half()(x)))
