"""Measure 30 steps of every optimizer on Keras 2.15 into `steps.npz`.

It needs an environment of its own: `pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'`.
"""

from __future__ import annotations

from pathlib import Path

import cases
import keras
import numpy as np
import tensorflow as tf

MODULES = {"tf.keras": keras.optimizers.legacy, "keras-2.15": keras.optimizers}


def dense(case: cases.Case) -> np.ndarray:
    """Return the weights after all steps, in one row."""
    dialect, name, kwargs = case
    optimizer = getattr(MODULES[dialect], name)(**kwargs)
    weights = [tf.Variable(w) for w in cases.start()]
    for step in cases.noise():
        optimizer.apply_gradients([(0.3 * w + n, w) for w, n in zip(weights, step)])
    return np.concatenate([w.numpy().ravel() for w in weights])


def rows(case: cases.Case) -> np.ndarray:
    """Return an embedding's weights after all steps with sparse gradients."""
    dialect, name, kwargs = case
    optimizer = getattr(MODULES[dialect], name)(**kwargs)
    weight = tf.Variable(cases.table())
    for touched, values in cases.touched():
        optimizer.apply_gradients([(tf.IndexedSlices(values, touched, weight.shape), weight)])
    return weight.numpy()


if __name__ == "__main__":
    found = {cases.key(case): dense(case) for case in cases.CASES}
    found |= {"rows " + cases.key(case): rows(case) for case in cases.ROW_CASES}
    np.savez_compressed(Path(__file__).with_name("steps.npz"), **found)
