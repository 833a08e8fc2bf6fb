"""Write models whose lookups have learned their words, and what they predict, with Keras 2.15.

python make_learned_words.py    writes data/learned_words_keras_2_15.zip
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parent / "data" / "learned_words_keras_2_15.zip"
TEXTS = np.array([["the cat sat"], ["a dog sat down"], ["the the cat"]])
WORDS = np.array([["red"], ["green"], ["blue"], ["red"]])
NUMBERS = np.array([[3], [5], [3], [9], [5], [3]])


def nets(keras: Any) -> dict[str, tuple[Any, Any]]:
    """Return models that have not learned yet, by name, and the data to learn from."""
    layers = keras.layers

    def net(dtype: str, lookup: Any, behind: Any) -> Any:
        inputs = keras.Input((1,), dtype=dtype)
        return keras.Model(inputs, behind(lookup(inputs)))

    def learned(lookup: Any, data: Any) -> Any:
        lookup.adapt(data)
        return lookup

    sequences = learned(layers.TextVectorization(output_sequence_length=4), TEXTS)
    bags = learned(layers.TextVectorization(output_mode="multi_hot"), TEXTS)
    weighted = learned(layers.TextVectorization(output_mode="tf_idf"), TEXTS)
    one_hot = learned(layers.StringLookup(output_mode="one_hot"), WORDS)
    several = learned(layers.IntegerLookup(output_mode="multi_hot"), NUMBERS)
    return {
        "sequences": (net("string", sequences, layers.Embedding(12, 2)), TEXTS),
        "bags": (net("string", bags, layers.Dense(2)), TEXTS),
        "weighted": (net("string", weighted, layers.Dense(2)), TEXTS),
        "one_hot": (net("string", one_hot, layers.Dense(2)), WORDS),
        "several": (net("int64", several, layers.Dense(2)), NUMBERS),
    }


if __name__ == "__main__":
    import keras
    import tensorflow as tf

    with zipfile.ZipFile(DATA, "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryDirectory() as folder:
        for name, (made, data) in nets(keras).items():
            made.save(f"{folder}/{name}.keras")
            archive.write(f"{folder}/{name}.keras", f"{name}.keras")
            array = io.BytesIO()
            np.save(array, made(tf.constant(data)).numpy())
            archive.writestr(f"{name}.npy", array.getvalue())
