"""Operators and backend functions between symbolic tensors, and Lambda over trees."""

from __future__ import annotations

from typing import Any

from ..case import Case, Keras, Table, real

TABLE = Table()


@TABLE.case(x=[real(4), real(4)], y=real(2))
def operators(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4,)), keras.Input((4,))
    u, v = L.Dense(4, activation="tanh")(a), L.Dense(4)(b)
    h = L.concatenate([u + v, u - 2 * v, u * v, u / 3.0, -u, u**2, 1 - v, 2.0 / (3 + u), v + 1])
    return keras.Model([a, b], L.Dense(2)(h))


@TABLE.case(x=real(6, 4), y=real(2))
def slices(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 4))
    h = L.Dense(4, activation="tanh")(x)
    parts = [h[:, 0], h[:, -1], h[:, 1:3, 0], h[:, ::2, 1], h[..., 2], h[:, 3, None][:, 0]]
    return keras.Model(x, L.Dense(2)(L.concatenate(parts)))


@TABLE.case(x=[real(4), real(4)], y=real(1))
def comparisons_and_choices(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    a, b = keras.Input((4,)), keras.Input((4,))
    h = L.Dense(4)(a)
    chosen = K.switch(h > b, h, 0.5 * b)
    counted = K.cast(K.greater_equal(h, 0.0), "float32") * h
    return keras.Model([a, b], L.Dense(1)(L.concatenate([chosen, counted, K.maximum(h, b), K.minimum(h, 0.1)])))


@TABLE.case(x=[real(4), real(4)], y=real(1), scale=0.7)
def normalised_and_compared(keras: Keras) -> Any:
    """Cosine similarity of two towers, written with backend functions."""
    L, K = keras.layers, keras.backend
    a, b = keras.Input((4,)), keras.Input((4,))
    tower = L.Dense(3, activation="tanh")
    u, v = K.l2_normalize(tower(a), axis=-1), K.l2_normalize(tower(b), axis=-1)
    return keras.Model([a, b], L.Dense(1)(K.sum(u * v, axis=-1, keepdims=True)))


def _of_backend(name: str, function: Any, units: int) -> None:
    def build(keras: Keras) -> Any:
        L = keras.layers
        x = keras.Input((5, 3))
        h = L.Dense(4, activation="tanh")(x)  # (samples, 5, 4)
        return keras.Model(x, L.Dense(2)(function(keras.backend, h)))

    TABLE.append(Case(f"backend_{name}", build, real(5, 3), real(2), {"loss": "mse"}))


_of_backend("reductions", lambda K, h: K.mean(h, axis=1) + K.sum(h, axis=1) + K.max(h, axis=1) - K.min(h, axis=1), 4)
_of_backend("spread", lambda K, h: K.std(h, axis=1) + K.var(h, axis=1) + K.prod(1 + 0.1 * h, axis=1), 4)
_of_backend("elementwise", lambda K, h: K.mean(K.exp(h) + K.log(2 + h) + K.sqrt(K.abs(h) + 1) + K.sign(h), axis=1), 4)
_of_backend("activations", lambda K, h: K.mean(K.sigmoid(h) + K.tanh(h) + K.relu(h) + K.softplus(h), axis=1), 4)
_of_backend("clip_pow_square", lambda K, h: K.mean(K.clip(h, -0.5, 0.5) + K.pow(h, 3) + K.square(h), axis=1), 4)
_of_backend("permute_reshape", lambda K, h: K.reshape(K.permute_dimensions(h, (0, 2, 1)), (-1, 20)), 20)
_of_backend("batch_flatten", lambda K, h: K.reshape(K.batch_flatten(h), (-1, 20)), 20)
_of_backend("expand_squeeze", lambda K, h: K.squeeze(K.expand_dims(K.mean(h, axis=1), 1), 1), 4)
_of_backend("concatenate_stack", lambda K, h: K.concatenate([K.stack([h[:, 0], h[:, 1]], axis=1)[:, 1], h[:, 2]]), 8)
_of_backend("softmax_attention", lambda K, h: K.batch_dot(K.softmax(h[:, :, 0]), h, axes=[1, 1]), 4)
_of_backend("repeat_and_reverse", lambda K, h: K.reverse(K.repeat(K.mean(h, axis=1), 2), axes=1)[:, 0], 4)


@TABLE.case(x=[real(4), real(3)], y=real(2))
def lambda_of_a_list(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    a, b = keras.Input((4,)), keras.Input((3,))
    outer = L.Lambda(lambda pair: K.expand_dims(pair[0], 2) * K.expand_dims(pair[1], 1))([a, L.Dense(3)(b)])
    return keras.Model([a, b], L.Dense(2)(L.Flatten()(outer)))


@TABLE.case(x=real(6), y=real(2))
def lambda_that_returns_a_list(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6,))
    first, second = L.Lambda(lambda h: [h[:, :3], h[:, 3:]])(L.Dense(6, activation="tanh")(x))
    return keras.Model(x, L.Dense(2)(L.multiply([first, second])))


@TABLE.case(x=real(6), y=real(2))
def lambda_with_arguments(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6,))

    def part(h: Any, start: int, stop: int = 6) -> Any:
        return h[:, start:stop]

    parts = [L.Lambda(part, arguments={"start": i, "stop": i + 2})(x) for i in (0, 2)]
    parts.append(L.Lambda(part, arguments={"start": 4}, output_shape=(2,))(x))
    return keras.Model(x, L.Dense(2)(L.add([L.Dense(2)(p) for p in parts])))


@TABLE.case(x=[real(4), real(4)], y=[real(4), real()], compile={"loss": "mse", "metrics": ["mae"]})
def outputs_of_operators(keras: Keras) -> Any:
    """The outputs are those of operators, not of layers with names."""
    L, K = keras.layers, keras.backend
    a, b = keras.Input((4,)), keras.Input((4,))
    u, v = L.Dense(4)(a), L.Dense(4)(b)
    return keras.Model([a, b], [u + v, K.sum(u * v, axis=-1)])


@TABLE.case(x=real(4), y=real(2))
def array_as_an_operand(keras: Keras) -> Any:
    import numpy as np

    L = keras.layers
    x = keras.Input((4,))
    scale, shift = np.array([1.0, 2.0, 3.0, 0.5], "float32"), np.ones((1, 4), "float32")
    return keras.Model(x, L.Dense(2)((L.Dense(4, activation="tanh")(x) + shift) * scale))


@TABLE.case(x=[real(5, 3), real(4, 3)], y=real(2), untrained=1)
def dot_and_batch_dot(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    a, b = keras.Input((5, 3)), keras.Input((4, 3))
    scores = K.batch_dot(a, K.permute_dimensions(L.Dense(3)(b), (0, 2, 1)))  # (samples, 5, 4)
    return keras.Model([a, b], L.Dense(2)(L.Flatten()(K.softmax(scores))))
