"""Writes tutorials_2_15.npz: what the scripts of tutorials.py compute with Keras 2.15, in graphs as at their time.

oracle/bin/python tests/backend/make_tutorials.py    # the environment of make_keras_2_15.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tutorials import TUTORIALS, keras_of

if __name__ == "__main__":
    tf.compat.v1.disable_eager_execution()
    tf.compat.v1.experimental.output_all_intermediates(True)  # for the gradients of loops
    K = keras.backend
    arrays = {}
    for name, script in TUTORIALS.items():
        keras.backend.clear_session()
        for i, value in enumerate(script(keras_of(keras, keras.optimizers.legacy), K)):
            arrays[f"{name}/{i}"] = np.asarray(value, "float32")
    np.savez_compressed(Path(__file__).with_name("tutorials_2_15.npz"), **arrays)
