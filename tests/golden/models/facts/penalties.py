"""What penalties count: what `losses` lists after a call, in which order, and what is trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras

FACTS: dict[str, Callable[[Keras], Any]] = {}
X = np.ones((4, 3), "float32")


def fact(function: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter what a function returns."""
    FACTS[function.__name__] = function
    return function


def listed(build: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter what a layer or model that a function builds and calls lists."""

    def losses(keras: Keras) -> Any:
        return [round(float(np.asarray(value)), 4) for value in build(keras).losses]

    FACTS[build.__name__] = losses
    return build


def _dense(keras: Keras, units: int, weight: float = 0.1, activity: float = 0.01) -> Any:
    regularizers = keras.regularizers
    return keras.layers.Dense(
        units,
        kernel_initializer="ones",
        kernel_regularizer=regularizers.l2(weight) if weight else None,
        activity_regularizer=regularizers.l2(activity) if activity else None,
    )


def _called(model: Any, times: int = 1) -> Any:
    for _ in range(times):
        model(X)
    return model


@listed
def layer(keras: Keras) -> Any:
    return _called(_dense(keras, 2))


@listed
def layer_called_twice(keras: Keras) -> Any:
    return _called(_dense(keras, 2), 2)


@listed
def sequential(keras: Keras) -> Any:
    return _called(keras.Sequential([_dense(keras, 2), _dense(keras, 1, activity=0), _dense(keras, 2, weight=0)]))


@listed
def graph_in_which_a_layer_stands_twice(keras: Keras) -> Any:
    x = keras.Input((3,))
    shared = _dense(keras, 3)
    return _called(keras.Model(x, _dense(keras, 2)(shared(shared(x)))))


@listed
def nested_models(keras: Keras) -> Any:
    inner = keras.Sequential([_dense(keras, 2), keras.Sequential([_dense(keras, 1, 0.3, 0.02)])])
    return _called(keras.Sequential([_dense(keras, 4), inner, _dense(keras, 3)]))


@listed
def frozen_layer(keras: Keras) -> Any:
    first = _dense(keras, 2)
    first.trainable = False
    return _called(keras.Sequential([first, _dense(keras, 1)]))


@listed
def subclassed(keras: Keras) -> Any:
    class Two(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.late = _dense(keras, 1)
            self.early = _dense(keras, 2)

        def call(self, x: Any) -> Any:
            return self.late(self.early(x))

    return _called(Two())


@listed
def layer_that_adds_and_holds_others(keras: Keras) -> Any:
    class Adds(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = _dense(keras, 2)

        def build(self, input_shape: Any) -> None:
            regularizer = keras.regularizers.l1(0.5)
            self.scale = self.add_weight("scale", (3,), initializer="ones", regularizer=regularizer)

        def call(self, x: Any) -> Any:
            y = self.inner(x * self.scale)
            self.add_loss(7.0 + 0.0 * keras.backend.sum(y))
            self.add_loss(8.0 + 0.0 * keras.backend.sum(y))
            return y

    return _called(keras.Sequential([_dense(keras, 3), Adds()]))


@fact
def losses_while_layers_are_frozen(keras: Keras) -> Any:
    y = np.zeros((4, 1), "float32")
    seen = {}
    for frozen in ("layer before compile", "layer after compile", "model", "nothing"):
        first = _dense(keras, 2, activity=0)
        model = keras.Sequential([keras.layers.InputLayer((3,)), first, _dense(keras, 1, activity=0)])
        first.trainable = frozen != "layer before compile"
        if frozen == "model":
            model.trainable = False
        model.compile("sgd", "mse")
        if frozen == "layer after compile":
            first.trainable = False
        numbers = model.evaluate(X, y, verbose=0), model.train_on_batch(X, y), model.test_on_batch(X, y)
        seen[frozen] = [round(float(number), 4) for number in numbers]
    return seen


@listed
def weight_that_is_not_trainable(keras: Keras) -> Any:
    class Scale(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def build(self, input_shape: Any) -> None:
            l2 = keras.regularizers.l2(0.5)
            self.factor = self.add_weight("factor", (3,), initializer="ones", regularizer=l2, trainable=False)

        def call(self, x: Any) -> Any:
            return x * self.factor

    return _called(Scale())
