"""Functions of tensors in graphs, each as an expression of the inputs `x`, `y` (4, 6) and `i` (4, integers)."""

from __future__ import annotations

from typing import Any

import numpy as np

EXPRESSIONS = """\
x[..., 0]
x[..., tf.newaxis]
x[:, ::-1, :2]
x // 2
tf.transpose(x)
tf.transpose(x, perm=[0, 2, 1])
tf.matmul(x, tf.transpose(y, [0, 2, 1]))
tf.reshape(x, (tf.shape(x)[0], -1))
tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1] * 2, 3])
tf.cast(x, tf.float16)
tf.cast(x > 0, tf.float32)
tf.cast(x, 'int32')
tf.math.atan2(x, y)
tf.atan2(y, x)
tf.math.atan2(y=x, x=y)
K.ones((K.shape(x)[0], 2)) + x[:, 0, :2]
tf.fill(tf.shape(x), 2.)
tf.zeros((tf.shape(x)[0], 3))
tf.ones([tf.shape(x)[0], 2]) + x[:, 0, :2]
tf.convert_to_tensor(x)
tf.pad(x, tf.constant([[0, 0], [1, 1], [0, 2]]), 'REFLECT')
tf.gather(table, i)
K.gather(table, i)
K.batch_flatten(K.stack([x, y], axis=1))
tf.keras.losses.mse(x, y)
tf.keras.losses.binary_crossentropy(tf.sigmoid(x), tf.sigmoid(y))
K.mean(tf.keras.losses.mae(x, y) * 6., axis=-1)
tf.random.normal(tf.shape(x)) * 0. + x
K.random_normal(K.shape(x)) * 0. + x
K.random_uniform((K.shape(x)[0], 6)) * 0. + y[:, 1]
K.conv2d(x[..., None], kernel, padding='same')""".splitlines()


def values() -> dict[str, Any]:
    """Return the inputs, and the constants that expressions have."""
    random = np.random.RandomState(0)
    return {
        "x": random.randn(3, 4, 6).astype("float32"),
        "y": random.randn(3, 4, 6).astype("float32"),
        "i": random.randint(0, 4, (3, 4)).astype("int32"),
        "table": random.randn(4, 2).astype("float32"),
        "kernel": random.randn(3, 3, 1, 2).astype("float32"),
    }


def build(expression: str, keras: Any, tf: Any) -> Any:
    """Return the model of one expression.

    Args:
        expression: Of x, y, i, and the constants.
        keras: `tensorflow.keras`.
        tf: `tensorflow`.
    """
    arrays = values()
    inputs = {name: keras.Input(arrays[name].shape[1:], dtype=str(arrays[name].dtype), name=name) for name in "xyi"}
    known = {**arrays, **inputs, "tf": tf, "K": keras.backend}
    return keras.Model(inputs, eval(expression, known))


def feed() -> dict[str, Any]:
    """Return what `predict` takes."""
    return {name: value for name, value in values().items() if name in "xyi"}
