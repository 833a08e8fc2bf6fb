"""What layers tell of themselves for whoever saves or describes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras

FACTS: dict[str, Callable[[Keras], Any]] = {}


def fact(function: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter what a function returns."""
    FACTS[function.__name__] = function
    return function


def _layers(keras: Keras) -> dict[str, Any]:
    L = keras.layers
    return {
        "dense": (L.Dense(2), (4, 3)),
        "conv": (L.Conv2D(2, 3, use_bias=False), (2, 5, 5, 1)),
        "normalization": (L.BatchNormalization(), (4, 3)),
        "lstm": (L.LSTM(2), (2, 4, 3)),
        "both": (L.Bidirectional(L.LSTM(2)), (2, 4, 3)),
        "embedding": (L.Embedding(5, 2), (2, 3)),
        "dropout": (L.Dropout(0.5), (2, 3)),
    }


@fact
def own_variables(keras: Keras) -> Any:
    seen = {}
    for name, (layer, shape) in _layers(keras).items():
        layer(np.zeros(shape, "float32"))
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        seen[name] = {key: list(np.shape(value)) for key, value in store.items()}
        layer.load_own_variables({key: np.asarray(value) + 1 for key, value in store.items()})
        again: dict[str, Any] = {}
        layer.save_own_variables(again)
        assert all(np.allclose(again[key], np.asarray(store[key]) + 1) for key in store)
    return seen


@fact
def builds(keras: Keras) -> Any:
    seen = {}
    for name, (layer, shape) in _layers(keras).items():
        if name == "embedding":  # Keras leaves its length open, whatever it is built for
            continue
        model = keras.Sequential([layer])
        model.build((None, *shape[1:]))
        config = model.get_build_config()
        other = keras.Sequential([type(layer).from_config(layer.get_config())])
        other.build_from_config(config)
        seen[name] = {
            "model": [None if n is None else int(n) for n in config["input_shape"]],
            "weights": [list(map(int, weight.shape)) for weight in other.weights],
        }
    return seen


@fact
def scopes(keras: Keras) -> Any:
    return keras.layers.Dense(2, name="named").name_scope()


@fact
def variables_by_their_first_name(keras: Keras) -> Any:
    class Scale(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_variable(name="factor", shape=(3,), initializer="ones")

        def call(self, x: Any) -> Any:
            return x * self.factor

    layer = Scale()
    layer(np.ones((2, 3), "float32"))
    return [list(map(int, weight.shape)) for weight in layer.trainable_weights]
