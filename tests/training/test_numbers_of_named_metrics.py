"""What logs call metrics that are given by name: tf.keras numbers them afresh in each `compile` (Keras 2.15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import compat

X = np.random.RandomState(0).rand(8, 3)
Y = np.array([[0.0], [1.0]] * 4)


@pytest.fixture(autouse=True)
def keras() -> Iterator[Any]:
    compat.install("tf.keras")
    from tensorflow import keras

    yield keras
    compat.uninstall()


def _keys(model: Any, targets: Any, **told: Any) -> list[str]:
    model.compile("sgd", "binary_crossentropy", **told)
    history = model.fit(X, targets, validation_data=(X, targets), verbose=0).history
    assert [key for key in history if key.startswith("val_")] == [f"val_{k}" for k in history if "val_" not in k]
    return [key for key in history if "val_" not in key and "loss" not in key]


def test_one_output(keras: Any) -> None:
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid", input_shape=(3,))])
    for _ in range(2):
        assert _keys(model, Y, metrics=["AUC"]) == ["auc"]
        assert _keys(model, Y, metrics=["Precision", "Recall", "acc"]) == ["precision", "recall", "acc"]
    assert _keys(model, Y, metrics=["AUC"], weighted_metrics=["AUC"]) == ["auc", "auc_1"]
    assert _keys(model, Y, metrics=[keras.metrics.AUC()]) == ["auc"]
    assert _keys(model, Y, metrics=[keras.metrics.AUC(), "AUC"]) == ["auc_1", "auc"]
    assert _keys(model, Y, metrics=["BinaryAccuracy"]) == ["binary_accuracy"]


def test_two_outputs(keras: Any) -> None:
    inputs = keras.Input((3,))
    outputs = [keras.layers.Dense(1, activation="sigmoid", name=name)(inputs) for name in "ab"]
    model = keras.Model(inputs, outputs)
    for _ in range(2):
        assert _keys(model, [Y, Y], metrics=["AUC"]) == ["a_auc", "b_auc_1"]
    assert _keys(model, [Y, Y], metrics=[["AUC"], ["AUC", "Precision"]]) == ["a_auc", "b_auc_1", "b_precision"]
