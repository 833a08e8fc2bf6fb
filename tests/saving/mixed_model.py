"""The model in the files that Keras wrote, for the script that writes them and for the tests that read them."""

from __future__ import annotations

from typing import Any


def model(keras: Any) -> Any:
    """Return it: convolutions, normalisation, recurrent layers, a model in the model."""
    layers = keras.layers
    inner = keras.Sequential(
        [
            layers.Dense(4, activation="tanh", input_shape=(5, 6), name="wide"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(3, name="narrow"),
        ],
        name="inner",
    )
    return keras.Sequential(
        [
            layers.Conv1D(6, 3, padding="same", input_shape=(5, 2), name="conv"),
            layers.BatchNormalization(name="norm"),
            inner,
            layers.LSTM(4, return_sequences=True, name="lstm"),
            layers.GRU(3, name="gru"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(2, activation="softmax", name="dense"),
        ]
    )
