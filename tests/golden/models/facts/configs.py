"""Configurations of functional models: the JSON that Keras writes, and what is in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras, Tree, draw_weights, leaves

FACTS: dict[str, Callable[[Keras], Any]] = {}
ROWS = 3


def normalised(config: dict[str, Any]) -> dict[str, Any]:
    """Keep of a model's configuration what makes the graph: classes, names, connections."""
    kept = {
        "name": config["name"],
        "input_layers": config["input_layers"],
        "output_layers": config["output_layers"],
        "layers": [_layer(layer) for layer in config["layers"]],
    }
    plain: dict[str, Any] = json.loads(json.dumps(kept))
    return plain


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    kept = {key: layer[key] for key in ("class_name", "name", "inbound_nodes")}
    inner = layer["config"]
    if "input_layers" in inner:
        kept["model"] = normalised(inner)
    elif "layers" in inner:
        kept["classes"] = [one["class_name"] for one in inner["layers"] if one["class_name"] != "InputLayer"]
    return kept


def feed(model: Any) -> Tree:
    """Return numbers for the inputs of a model, with three steps where the number of steps is open."""
    rng = np.random.RandomState(5)
    arrays = [rng.randint(0, 3, (ROWS, *(n or 3 for n in tensor.shape[1:]))) for tensor in model.inputs]
    return [array.astype("float32") for array in arrays] if len(arrays) > 1 else arrays[0].astype("float32")


def answer(model: Any, names: list[str] | None = None) -> dict[str, Any]:
    """Return what a model computes with weights drawn for it, so that a model read from JSON can be compared."""
    shapes = [list(value.shape) for value in model.get_weights()]
    names = names or [weight.name.rpartition("/")[2].partition(":")[0] for weight in model.weights]
    model.set_weights(draw_weights(names, shapes, np.random.RandomState(9), 0.5))
    outputs = [np.asarray(output).round(6).tolist() for output in leaves(model.predict(feed(model), verbose=0))]
    return {"names": names, "shapes": shapes, "outputs": outputs}


def config(build: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter the configuration of the model that a function builds."""

    def fact(keras: Keras) -> Any:
        model = build(keras)
        return {"config": normalised(model.get_config()), "json": model.to_json(), "answer": answer(model)}

    FACTS[build.__name__] = fact
    return build


@config
def chain(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(2, activation="softmax")(L.Dense(4, kernel_regularizer="l2")(x)))


@config
def two_inputs_two_outputs(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((3,), name="b")
    h = L.Concatenate(axis=-1)([L.Dense(4)(a), b])
    return keras.Model([a, b], [L.Dense(2)(h), L.Dense(1, name="answer")(h)], name="two")


@config
def dictionaries(keras: Keras) -> Any:
    L = keras.layers
    inputs = {"b": keras.Input((5,), name="b"), "a": keras.Input((3,), name="a")}
    h = L.concatenate([inputs["a"], inputs["b"]])
    return keras.Model(inputs, {"y": L.Dense(2, name="y")(h), "x": L.Dense(1, name="x")(h)})


@config
def shared_layer(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((5,))
    shared = L.Dense(3, name="shared")
    return keras.Model([a, b], L.add([shared(a), shared(b), shared(L.Dense(5)(a))]))


@config
def shared_nested_model(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((5,))
    inner = keras.Model(z, [L.Dense(3)(z), L.Dense(2)(z)], name="inner")
    a, b = keras.Input((5,)), keras.Input((5,))
    return keras.Model([a, b], [inner(a)[0], inner(b)[1]])


@config
def sequential_inside(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(1)(keras.Sequential([L.Dense(3, input_shape=(5,)), L.Dropout(0.5)])(x)))


@config
def convolutional_residual(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 6, 2))
    h = L.BatchNormalization()(L.Conv2D(2, 3, padding="same")(x))
    return keras.Model(x, L.Flatten()(L.MaxPooling2D()(L.Add()([x, h]))))


@config
def initial_states(keras: Keras) -> Any:
    L = keras.layers
    source, target = keras.Input((None, 3)), keras.Input((None, 4))
    _, *states = L.LSTM(4, return_state=True)(source)
    return keras.Model([source, target], L.LSTM(4, return_sequences=True)(target, initial_state=states))


@config
def wrapped(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((4, 3))
    h = L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode="sum")(x)
    return keras.Model(x, L.RNN([L.GRUCell(3), L.LSTMCell(2)])(L.TimeDistributed(L.Dense(3))(h)))


@config
def training_in_the_call(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(2)(L.BatchNormalization()(L.Dropout(0.5)(x, training=False), training=False)))


@config
def masked_tokens(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6,), dtype="int32", name="tokens")
    embedded = L.Embedding(5, 3, mask_zero=True)(x)
    return keras.Model(x, L.concatenate([L.LSTM(2)(embedded), L.GRU(2, go_backwards=True)(embedded)]))
