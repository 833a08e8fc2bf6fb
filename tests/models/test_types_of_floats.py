"""Layers of other floats in one model: each casts what comes in, and data come in the type that an input declares.

Types and shapes are those that Keras 2.15.0 gives; all weights are 1/2, so that the values can be read off.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from torchkeras_compat import Input, Sequential, layers, models
from torchkeras_compat import backend as K

X = np.ones((4, 3))


def _halves(model: Any) -> Any:
    model.set_weights([np.full_like(w, 0.5) for w in model.get_weights()])
    return model


def test_a_first_layer_of_longer_floats_beside_another() -> None:
    inputs = Input((3,))
    longer, shorter = layers.Dense(2, dtype="float64")(inputs), layers.Dense(2)(inputs)
    outputs = [longer, shorter, layers.Add()([longer, shorter]), layers.Concatenate()([shorter, longer])]
    model = _halves(models.Model(inputs, outputs))
    predictions = model.predict(X, verbose=0)
    assert [p.dtype.name for p in predictions] == ["float64", "float32", "float32", "float32"]
    assert [float(p[0, 0]) for p in predictions] == [2, 2, 4, 2]


def test_inputs_of_both_types() -> None:
    a, b = Input((3,)), Input((3,), dtype="float64")
    joined = layers.Add()([layers.Dense(2)(a), layers.Dense(2, dtype="float64")(b)])
    model = _halves(models.Model([a, b], joined))
    predictions = model.predict([X, X], verbose=0)
    assert (predictions.dtype.name, float(predictions[0, 0])) == ("float32", 4)
    model.compile("sgd", "mse")
    assert model.fit([X, X], np.zeros((4, 2)), verbose=0).history["loss"] == [16]


@pytest.mark.parametrize(
    ("first", "declared", "type_of_input", "type_of_output"),
    [
        ("float64", None, "float64", "float32"),
        ("float64", "float32", "float32", "float32"),
        ("float32", "float64", "float64", "float32"),
    ],
)
def test_the_input_of_a_chain(first: str, declared: str | None, type_of_input: str, type_of_output: str) -> None:
    stack = [layers.Dense(3, dtype=first, input_shape=(3,)), layers.Dense(2)]
    model = _halves(Sequential(stack if declared is None else [Input((3,), dtype=declared), *stack]))
    assert K.dtype(model.input) == type_of_input
    predictions = model.predict(X, verbose=0)
    assert (predictions.dtype.name, float(predictions[0, 0])) == (type_of_output, 3.5)
    assert float(model(X)[0, 0]) == 3.5
