"""What a user's code sees around a call: symbolic tensors that are no arguments, and variables that change later.

In classic Keras a function of a layer was called once, when the graph was made, and whatever it named was in the graph.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers

X = np.random.RandomState(0).rand(8, 6).astype("float32")
STEPS = np.arange(12.0, dtype="float32").reshape(2, 3, 2)


def gates(hidden: Any) -> dict[str, Any]:
    def of_a_function(x: Any) -> Any:
        return x * K.sigmoid(hidden)

    class Named(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return of_hidden(x)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    def of_hidden(x: Any) -> Any:
        return x * K.sigmoid(hidden)

    class Direct(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return self.gated(x)

        def gated(self, x: Any) -> Any:
            return x * K.sigmoid(hidden)

    return {
        "lambda": layers.Lambda(lambda x: x * K.sigmoid(hidden)),
        "function": layers.Lambda(of_a_function, output_shape=(6,)),
        "method": Direct(),
        "method of a layer that says its shape": type("Shaped", (Direct,), {"compute_output_shape": lambda s, i: i})(),
    }


@pytest.mark.parametrize("kind", gates(keras.Input((6,))))
def test_a_layer_may_name_a_tensor_of_the_graph(kind: str) -> None:
    x = keras.Input((6,))
    hidden = layers.Dense(6, name="hidden")(x)
    out = layers.Dense(6, name="out")(hidden)
    model = keras.Model(x, gates(hidden)[kind](out))
    h, o = keras.Model(x, [hidden, out]).predict(X, verbose=0)
    np.testing.assert_allclose(model.predict(X, verbose=0), o / (1 + np.exp(-h)), rtol=1e-5, atol=1e-6)
    assert tuple(model.output_shape) == (None, 6)
    model.compile("sgd", "mse")
    kernel = model.get_layer("hidden").get_weights()[0]
    model.fit(X, X, verbose=0)
    assert not np.array_equal(model.get_layer("hidden").get_weights()[0], kernel)


def test_a_loss_of_tensors_that_the_layer_does_not_take() -> None:
    """The variational autoencoder of many books: the layer is called on two tensors, and its loss has two more."""
    x = keras.Input((6,))
    h = layers.Dense(4, activation="relu")(x)
    mean, log_variance = layers.Dense(2)(h), layers.Dense(2)(h)
    decoded = layers.Dense(6, activation="sigmoid")(mean)

    class Loss(layers.Layer):  # type: ignore[misc]
        def of(self, x: Any, decoded: Any) -> Any:
            divergence = -0.5 * K.mean(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
            return K.mean(keras.metrics.binary_crossentropy(x, decoded) + divergence)

        def call(self, inputs: Any) -> Any:
            self.add_loss(self.of(*inputs), inputs=inputs)
            return inputs[0]

    model = keras.Model(x, Loss()([x, decoded]))
    model.compile(keras.optimizers.SGD(0.0), loss=None)
    m, v, d = keras.Model(x, [mean, log_variance, decoded]).predict(X, verbose=0)
    crossentropy = -(X * np.log(d) + (1 - X) * np.log(1 - d)).mean(-1)
    expected = (crossentropy - 0.5 * (1 + v - m**2 - np.exp(v)).mean(-1)).mean()
    history = model.fit(X, batch_size=8, verbose=0, validation_data=(X, None)).history
    assert history["loss"] == pytest.approx([expected], rel=1e-5)
    assert history["val_loss"] == pytest.approx([expected], rel=1e-5)


def test_a_tensor_of_another_graph_is_left_alone() -> None:
    other = keras.Input((6,))

    def named(x: Any) -> Any:
        return x + 1 if x is not None else other

    x = keras.Input((6,))
    assert keras.Model(x, layers.Lambda(named)(x)).predict(X, verbose=0) == pytest.approx(X + 1)


def slices(x: Any) -> list[Any]:
    return [layers.Lambda(lambda z: z[:, step])(x) for step in range(3)]  # noqa: B023


def slices_of_a_name(x: Any) -> list[Any]:
    outputs = []
    for step in range(3):
        outputs.append(layers.Lambda(lambda z: x[:, step])(x))  # noqa: B023
    return outputs


@pytest.mark.parametrize("make", [slices, slices_of_a_name])
def test_each_lambda_keeps_the_variable_of_its_turn(make: Any) -> None:
    """A course's LSTM takes the steps of a sequence apart so; in Keras 2.15 all Lambdas see the last number."""
    x = keras.Input((3, 2))
    model = keras.Model(x, make(x))
    expected = [STEPS[:, i] for i in range(3)]
    for part, wanted in zip(model.predict(STEPS, verbose=0), expected):
        np.testing.assert_array_equal(part, wanted)
    if make is slices:
        for part, wanted in zip(copy.deepcopy(model).predict(STEPS, verbose=0), expected):
            np.testing.assert_array_equal(part, wanted)
        keras.set_dialect("tf.keras")
        x = keras.Input((3, 2))
        for part in keras.Model(x, make(x)).predict(STEPS, verbose=0):
            np.testing.assert_array_equal(part, STEPS[:, 2])


def test_numbers_and_helpers_are_those_of_the_call() -> None:
    scale = 2.0
    x = keras.Input((6,))
    layer = layers.Lambda(lambda z: z * scale)
    model = keras.Model(x, layer(x))
    scale = 3.0
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * X, rtol=1e-6)
    np.testing.assert_allclose(layer(X).numpy(), 2 * X, rtol=1e-6)
    with pytest.warns(UserWarning, match="'scale' has changed since it was first called"):
        layer(x)
    layer.function = lambda z: z * scale
    np.testing.assert_allclose(layer(X).numpy(), 3 * X, rtol=1e-6)


def test_variables_of_the_backend_are_followed() -> None:
    weight = K.variable(2.0)
    x = keras.Input((6,))
    model = keras.Model(x, layers.Lambda(lambda z: z * weight)(x))
    K.set_value(weight, 5.0)
    np.testing.assert_allclose(model.predict(X, verbose=0), 5 * X, rtol=1e-6)


def half(z: Any) -> Any:
    return z / 2


def test_a_layer_of_a_named_function_is_pickled() -> None:
    x = keras.Input((6,))
    layer = layers.Lambda(half)
    layer(x)
    again = pickle.loads(pickle.dumps(layer))
    assert again.function is half
    np.testing.assert_allclose(again(X).numpy(), X / 2)


def test_data_that_code_names_are_not_searched() -> None:
    rings: list[Any] = []
    rings.append(rings)
    many = {i: [i] * 10 for i in range(100_000)}
    x = keras.Input((6,))
    layer = layers.Lambda(lambda z: z + len(rings) + len(many[0]))
    np.testing.assert_allclose(keras.Model(x, layer(x)).predict(X, verbose=0), X + 11, rtol=1e-6)


# --- gradients inside a graph ---


def where_the_largest_are(tensors: Any) -> Any:
    before, after = tensors
    return K.gradients(K.sum(after), before)


def test_a_layer_gives_the_gradient_of_one_tensor_by_another() -> None:
    """An autoencoder notes so which numbers pooling has kept; numpy says which are the largest."""
    pictures = np.random.RandomState(2).rand(3, 4, 4, 1).astype("float32")
    x = keras.Input((4, 4, 1))
    before = layers.Conv2D(2, 3, padding="same", name="before")(x)
    after = layers.MaxPooling2D()(before)
    where = layers.Lambda(where_the_largest_are, output_shape=lambda shapes: shapes[0])([before, after])
    model = keras.Model(x, where)
    values = keras.Model(x, before).predict(pictures, verbose=0).reshape(3, 2, 2, 2, 2, 2)
    expected = (values == values.max((2, 4), keepdims=True)).reshape(3, 4, 4, 2)
    np.testing.assert_array_equal(model.predict(pictures, verbose=0), expected)
    up = layers.multiply([where, layers.UpSampling2D()(after)])
    trained = keras.Model(x, layers.Conv2D(1, 1)(up))
    trained.compile("sgd", "mse")
    kernel = trained.get_layer("before").get_weights()[0]
    trained.fit(pictures, pictures, verbose=0)
    assert not np.array_equal(trained.get_layer("before").get_weights()[0], kernel)
    assert np.isfinite(trained.evaluate(pictures, pictures, verbose=0))


def test_gradients_of_what_a_layer_computes_itself() -> None:
    x = keras.Input((6,))
    squares = layers.Lambda(lambda z: K.gradients(K.sum(K.square(z)), z)[0])(x)
    np.testing.assert_allclose(keras.Model(x, squares).predict(X, verbose=0), 2 * X, rtol=1e-6)

    class Norm(layers.Layer):  # type: ignore[misc]
        """The norm of a critic's gradient by its input, which a penalty is made of."""

        def call(self, tensors: Any) -> Any:
            score, of = tensors
            gradient = K.gradients(score, of)[0]
            return K.sqrt(K.sum(K.square(gradient), axis=1, keepdims=True))

        def compute_output_shape(self, shapes: Any) -> Any:
            return (shapes[0][0], 1)

    critic = layers.Dense(1, use_bias=False)
    norm = Norm()([critic(x), x])
    model = keras.Model(x, norm)
    expected = np.sqrt(np.square(critic.get_weights()[0]).sum())
    np.testing.assert_allclose(model.predict(X, verbose=0), np.full((8, 1), expected), rtol=1e-5)
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.fit(X, np.ones((8, 1)), epochs=30, verbose=0)  # a gradient of the gradient draws the norm to 1
    assert np.sqrt(np.square(critic.get_weights()[0]).sum()) == pytest.approx(1, abs=1e-3)
