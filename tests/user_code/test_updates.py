"""Variables that a layer's `call` changes by `add_update`, `K.update` or `assign`, each in the way of its Keras.

Classic Keras collects updates and runs them with a training step, after what the step computes; what predicts runs
those of stateful layers alone (`Container.updates`, `state_updates` in 1.2.2 to 2.3.1).  TensorFlow 2 runs an
assignment where it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers

X = np.random.RandomState(0).rand(8, 3).astype("float32")
Y = X[:, :1]
CLASSIC = ("keras-1", "keras-2.2", "keras-2.3")
MEAN = X.mean(axis=0)

# What a call hands to add_update → the moving mean after one step from 0.
WAYS: dict[str, tuple[Callable[[Any, Any], Any], np.ndarray[Any, Any]]] = {
    "pair": (lambda v, x: (v, K.mean(x, axis=0)), MEAN),
    "list of pairs": (lambda v, x: [(v, K.mean(x, axis=0))], MEAN),
    "update": (lambda v, x: K.update(v, K.mean(x, axis=0)), MEAN),
    "list of updates": (lambda v, x: [K.update_add(v, K.mean(x, axis=0))], MEAN),
    "two additions": (lambda v, x: [K.update_add(v, K.mean(x, axis=0)), K.update_sub(v, 1.0 + 0 * v)], MEAN - 1),
    "moving average": (lambda v, x: K.moving_average_update(v, K.mean(x, axis=0), 0.9), MEAN * 0.1),
    "function": (lambda v, x: lambda: v.assign(K.mean(x, axis=0)), MEAN),
}


class Moving(layers.Layer):
    """Keeps a number for each feature, changed as a test says, and subtracts it."""

    def __init__(self, way: Callable[[Any, Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.way = way

    def build(self, input_shape: Any) -> None:
        self.moving = self.add_weight(name="moving", shape=(3,), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        self.add_update(self.way(self.moving, x), x)
        return x - self.moving

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def trained(dialect: str, way: Callable[[Any, Any], Any], **options: Any) -> tuple[Any, Any]:
    keras.set_dialect(dialect)
    layer = Moving(way, input_shape=(3,))
    for name, value in options.items():
        setattr(layer, name, value)
    model = keras.models.Sequential([layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    return model, layer


@pytest.mark.parametrize("dialect", CLASSIC)
@pytest.mark.parametrize("way", WAYS)
def test_classic_updates_belong_to_training(dialect: str, way: str) -> None:
    update, expected = WAYS[way]
    model, layer = trained(dialect, update)
    for run in (model.predict, lambda x: model.evaluate(x, Y, verbose=0), lambda x: model.test_on_batch(x, Y), model):
        run(X)
        np.testing.assert_array_equal(K.get_value(layer.moving), np.zeros(3))
    before = model.evaluate(X, Y, verbose=0)
    loss = model.train_on_batch(X, Y)
    if way != "function":  # the step computes with what was there before it
        np.testing.assert_allclose(loss, before, rtol=1e-6)
    np.testing.assert_allclose(K.get_value(layer.moving), expected, rtol=1e-5)


@pytest.mark.parametrize("way", ["pair", "update", "function"])
def test_frozen_layers_keep_what_they_have(way: str) -> None:
    model, layer = trained("keras-2.3", WAYS[way][0], trainable=False)
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(K.get_value(layer.moving), np.zeros(3))


@pytest.mark.parametrize("way", ["pair", "update"])
def test_stateful_layers_move_when_they_predict(way: str) -> None:
    model, layer = trained("keras-2.3", WAYS[way][0], stateful=True)
    model.predict(X, batch_size=8)
    np.testing.assert_allclose(K.get_value(layer.moving), MEAN, rtol=1e-6)


def test_centers_of_classes() -> None:
    """The centers move by what the batch before the step says, as the numpy lines compute."""

    class Centers(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.centers = self.add_weight(name="centers", shape=(2, 3), initializer="ones", trainable=False)
            super().build(input_shape)

        def call(self, x: Any, mask: Any = None) -> Any:
            features, labels = x
            delta = K.dot(K.transpose(labels), K.dot(labels, self.centers) - features)
            count = K.sum(K.transpose(labels), axis=1, keepdims=True) + 1
            self.add_update((self.centers, self.centers - 0.5 * delta / count), x)
            return K.sum(K.square(features - K.dot(labels, self.centers)), axis=1, keepdims=True)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape[0][0], 1

    features, labels = layers.Input((3,)), layers.Input((2,))
    layer = Centers()
    model = keras.models.Model([features, labels], layer([features, labels]))
    model.compile("sgd", "mse")
    hot = np.eye(2, dtype="float32")[np.arange(8) % 2]
    ones = np.ones((2, 3))
    distance = np.square(X - hot @ ones).sum(axis=1)
    moved = ones - 0.5 * hot.T @ (hot @ ones - X) / (hot.sum(axis=0)[:, None] + 1)
    np.testing.assert_allclose(model.train_on_batch([X, hot], np.zeros((8, 1))), np.square(distance).mean(), rtol=1e-5)
    np.testing.assert_allclose(K.get_value(layer.centers), moved, rtol=1e-5)


def test_tf_keras_assigns_where_it_stands() -> None:
    """Keras 2.15: `predict` moves a variable that the call assigns, and what follows in it reads the new value."""
    for way in ("update", "function"):
        _, layer = trained("tf.keras", WAYS[way][0])
        predicted = layer(X).numpy()
        np.testing.assert_allclose(predicted, X - MEAN, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(K.get_value(layer.moving), MEAN, rtol=1e-6)


def test_an_update_outside_a_call_is_refused() -> None:
    layer = layers.Dense(2, input_dim=3)
    keras.models.Sequential([layer])
    with pytest.raises(ValueError, match=r"add_update.*in call"):
        layer.add_update((layer.kernel, layer.kernel * 2))


def test_an_assigned_list_of_updates_names_add_update() -> None:
    class Old(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.updates = []  # type: ignore[misc]

    with pytest.raises(AttributeError, match=r"call self\.add_update\(\[\(variable, value\)\]\) in call"):
        Old()


@pytest.mark.parametrize("size", [3, 600])
@pytest.mark.parametrize("dialect", ["keras-2.3", "tf.keras"])
@pytest.mark.parametrize("trainable", [False, True])
def test_what_a_call_has_read_may_be_assigned(dialect: str, size: int, trainable: bool) -> None:
    """The gradient is that by the value that was read: of mean(x · v · w) by w, mean(x · v)."""
    keras.set_dialect(dialect)

    class Scaled(layers.Layer):
        def build(self, input_shape: Any) -> None:
            shape = () if trainable else (size,)
            self.v = K.variable(2.0) if trainable else self.add_weight("v", shape=shape, trainable=False)
            self.w = self.add_weight("w", shape=(size,), initializer="ones")
            K.set_value(self.v, 2 * np.ones(shape))
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            y = x * self.w * self.v
            self.v.assign(self.v * 0 + 5.0)
            return y

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    x = np.ones((4, size), "float32")
    layer = Scaled(input_shape=(size,))
    model = keras.models.Sequential([layer])
    model.compile(keras.optimizers.SGD(1.0), lambda t, p: K.mean(p, axis=-1))
    model.train_on_batch(x, x)
    np.testing.assert_allclose(K.get_value(layer.w), 1 - 2 / size * np.ones(size), rtol=1e-5)
