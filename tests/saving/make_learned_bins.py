"""Write a model whose Discretization has learned its intervals, and what it predicts, with Keras 2.15.

python make_learned_bins.py    writes data/learned_bins_keras_2_15.zip
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parent / "data" / "learned_bins_keras_2_15.zip"
X = np.random.RandomState(0).randn(40, 1).astype("float32")


def net(keras: Any, num_bins: int = 4) -> Any:
    """Return a model that has not learned yet."""
    inputs = keras.layers.Input((1,))
    bins = keras.layers.Discretization(num_bins=num_bins, name="bins")(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, name="out")(keras.layers.Embedding(num_bins + 2, 2)(bins)))


def nested(keras: Any) -> Any:
    """Return a model with one inside that learns, and has weights that do not train."""
    layers = keras.layers
    chain = [layers.Input((1,)), layers.Discretization(num_bins=4, name="bins"), layers.Embedding(6, 2)]
    inner = keras.Sequential([*chain, layers.Flatten(), layers.BatchNormalization()], name="inner")
    inputs = layers.Input((1,))
    return keras.Model(inputs, layers.Dense(1, name="out")(inner(inputs)))


if __name__ == "__main__":
    import keras

    made = net(keras)
    made.get_layer("bins").adapt(X)
    with zipfile.ZipFile(DATA, "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryDirectory() as folder:
        for name, save in {
            "net.h5": made.save,
            "net.keras": made.save,
            "w.h5": made.save_weights,
            "w.weights.h5": made.save_weights,
        }.items():
            save(f"{folder}/{name}")
            archive.write(f"{folder}/{name}", name)
        array = io.BytesIO()
        np.save(array, made.predict(X, verbose=0))
        archive.writestr("y.npy", array.getvalue())
        around = nested(keras)
        around.get_layer("inner").get_layer("bins").adapt(X)
        around.save(f"{folder}/nested.h5")
        archive.write(f"{folder}/nested.h5", "nested.h5")
        array = io.BytesIO()
        np.save(array, around.predict(X, verbose=0))
        archive.writestr("nested.npy", array.getvalue())
