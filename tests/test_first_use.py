"""The first model of a process does not import what only compiling needs: SymPy and torch's compiler, a second."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """
import sys
import numpy as np
import torchkeras_compat as keras
from torchkeras_compat import layers as L
"""
CHAINS = {
    "Dense": ("L.Dense(4, input_dim=3)", (3,)),
    "Embedding": ("L.Embedding(9, 3, input_length=5), L.Flatten()", (5,)),
    "LSTM": ("L.LSTM(4, input_shape=(5, 3))", (5, 3)),
    "GRU": ("L.GRU(4, input_shape=(5, 3))", (5, 3)),
    "Bidirectional": ("L.Bidirectional(L.SimpleRNN(4), input_shape=(5, 3))", (5, 3)),
    "Conv2D": (
        "L.Conv2D(4, 3, input_shape=(6, 6, 2)), L.BatchNormalization(), L.Flatten()",
        (6, 6, 2),
    ),
    "LayerNormalization": ("L.Dense(4, input_shape=(5, 3)), L.LayerNormalization(), L.Flatten()", (5, 3)),
}
TRAINING = """
model = keras.Sequential([{chain}, L.Dropout(0.1), L.Dense(1)])
model.compile("adam", "mse", metrics=["mae"])
x, y = np.ones((8, *{shape}), "float32"), np.ones((8, 1))
model.fit(x, y, verbose=0)
model.evaluate(x, y, verbose=0)
model.predict(x, verbose=0)
"""
FUNCTIONAL = """
x = keras.Input((3,))
joined = L.Concatenate()([x, L.Dense(2, activation="relu")(x)])
model = keras.Model(x, L.Lambda(lambda t: keras.backend.square(t))(L.Dense(2)(joined)))
model.compile("rmsprop", "mse")
model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
model.summary()
"""
FILES = """
import os, tempfile
folder = tempfile.mkdtemp()
model = keras.Sequential([L.Embedding(9, 3, input_length=5), L.GRU(4), L.Dense(2)])
model.compile("adam", "mse")
for name in ("model.keras", "model.h5"):
    model.save(os.path.join(folder, name))
    keras.models.load_model(os.path.join(folder, name))
model.save_weights(os.path.join(folder, "model.weights.h5"))
model.load_weights(os.path.join(folder, "model.weights.h5"))
"""
OWN = """
class Own(L.Layer):
    def build(self, shape):
        self.w = self.add_weight(name="w", shape=(shape[-1], 2))
    def call(self, x):
        return keras.backend.dot(x, self.w)
class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.own = Own()
    def call(self, x):
        return self.own(x)
model = Model()
model.compile("sgd", lambda true, made: keras.backend.mean(keras.backend.square(true - made), axis=-1))
model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
"""
LOOP = """
import torchkeras_compat.compat
torchkeras_compat.compat.install()
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(4, "relu", input_shape=(3,)), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.Adam()
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(model(np.ones((8, 3), "float32"), training=True)))
optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
"""
CODES = {
    **{name: TRAINING.format(chain=chain, shape=shape) for name, (chain, shape) in CHAINS.items()},
    "functional": FUNCTIONAL,
    "files": FILES,
    "classes of users": OWN,
    "a loop of a user": LOOP,
}


@pytest.mark.parametrize("name", CODES)
def test_no_compiler_is_imported(name: str) -> None:
    code = START + CODES[name] + "print([m for m in ('sympy', 'torch._dynamo', 'torch._inductor') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1] == "[]"
