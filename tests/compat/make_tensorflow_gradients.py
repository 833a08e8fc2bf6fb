"""Write the gradients of `tensorflow_gradients` that TensorFlow 2.15 gives: run in its environment, in this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_gradients import GRADIENTS, weights_of

gradients = {}
for name, (function, value) in GRADIENTS.items():
    x = tf.constant(value)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(tf, x)
        loss = tf.reduce_sum(y * weights_of(y.shape))
    gradients[name] = tape.gradient(loss, x).numpy()
np.savez_compressed(Path(__file__).parent / "tensorflow_gradients.npz", **gradients)
