"""The optimizers of `tf.train`: what they are in `fit`, and in sessions that run a step of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

_R = np.random.RandomState(0)
X = _R.randn(32, 4).astype("float32")
Y = X[:, :1] * 2 - X[:, 1:2]

# Call → the losses of four epochs under TensorFlow 2.15.1, where `compile` takes what `tf.compat.v1.train` makes.
LOSSES = {
    "GradientDescentOptimizer(.05)": [6.859621, 5.138728, 4.565574, 4.123426],
    "MomentumOptimizer(.02, .9)": [7.325752, 4.343658, 4.270764, 3.17021],
    "MomentumOptimizer(.02, .9, use_nesterov=True)": [6.913583, 4.361213, 3.863085, 3.095308],
    "AdamOptimizer(.01)": [8.214441, 7.604056, 7.07822, 6.618105],
    "AdamOptimizer(learning_rate=.01, beta1=.5, epsilon=1e-3)": [8.207747, 7.586934, 7.081407, 6.653626],
    "AdagradOptimizer(.1)": [7.3928, 5.32047, 4.56647, 4.137757],
    "AdadeltaOptimizer(1.)": [8.355494, 8.324573, 8.294271, 8.26421],
    "FtrlOptimizer(.1, l1_regularization_strength=.01)": [4.696998, 4.341309, 3.583021, 3.11717],
    "RMSPropOptimizer(.01)": [8.055388, 7.28549, 6.769217, 6.362674],
    "RMSPropOptimizer(.01, .8, .5, 1e-3)": [8.030866, 6.865013, 6.077272, 5.499403],
    "RMSPropOptimizer(.01, centered=True)": [8.045434, 7.215005, 6.619687, 6.136037],
}


@pytest.mark.parametrize("call", LOSSES)
def test_losses_of_fit(call: str) -> None:
    import tensorflow as tf

    layers = [
        tf.keras.layers.Dense(3, input_shape=(4,), activation="tanh", kernel_initializer="ones"),
        tf.keras.layers.Dense(1, kernel_initializer="ones"),
    ]
    model = tf.keras.Sequential(layers)
    model.compile(optimizer=eval(f"tf.train.{call}", {"tf": tf}), loss="mse")
    losses = model.fit(X, Y, epochs=4, batch_size=8, verbose=0, shuffle=False).history["loss"]
    np.testing.assert_allclose(losses, LOSSES[call], rtol=1e-4)


def test_keras_as_an_interface_to_tensorflow() -> None:
    import keras
    import tensorflow as tf
    from keras import backend as K

    session = tf.Session()
    K.set_session(session)
    x = tf.placeholder(tf.float32, shape=(None, 4))
    labels = tf.placeholder(tf.float32, shape=(None, 1))
    hidden = keras.layers.Dropout(0.1)(keras.layers.Dense(8, activation="tanh")(x))
    loss = tf.reduce_mean(keras.losses.mean_squared_error(labels, keras.layers.Dense(1)(hidden)))
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    feed: dict[Any, Any] = {x: X, labels: Y, K.learning_phase(): 0}
    with session.as_default():
        session.run(tf.global_variables_initializer())
        before = loss.eval(feed_dict=feed)
        for _ in range(20):
            step.run(feed_dict={**feed, K.learning_phase(): 1})
        assert loss.eval(feed) < before / 4
    K.set_session(None)


def test_a_linear_model_of_variables() -> None:  # gradient descent on one batch, written out by numpy
    import tensorflow as tf

    weights, bias = tf.Variable(tf.zeros([4, 1])), tf.Variable(tf.zeros([1]))
    steps = tf.Variable(0, trainable=False)
    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 1])
    loss = tf.reduce_mean(tf.square(tf.matmul(x, weights) + bias - y))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=steps)
    only = tf.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=[bias])
    w, b, losses, expected = np.zeros((4, 1)), np.zeros(1), [], []
    with tf.Session() as session:
        for _ in range(5):
            losses.append(session.run([train, loss], feed_dict={x: X, y: Y})[1])
            error = X @ w + b - Y
            expected.append((error**2).mean())
            w, b = w - 0.1 * 2 * X.T @ error / len(X), b - 0.1 * 2 * error.mean(0)
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
        np.testing.assert_allclose(weights.numpy(), w, atol=1e-6)
        assert session.run(steps) == 5
        session.run(only, {x: X, y: Y})
        np.testing.assert_allclose(weights.numpy(), w, atol=1e-6)
        np.testing.assert_allclose(bias.numpy(), b - 0.1 * 2 * (X @ w + b - Y).mean(0), atol=1e-6)


def test_a_frozen_weight_is_none_of_those_that_train() -> None:
    model = tk.Sequential([tk.layers.Dense(2, input_shape=(4,), trainable=False), tk.layers.Dense(1)])
    before = model.get_weights()
    step = tk.optimizers.SGD(0.1).minimize(tk.backend.mean(tk.backend.square(model.output)))
    step.run(feed_dict={model.input: X})
    same = [np.array_equal(old, new) for old, new in zip(before, model.get_weights())]
    assert same == [True, True, False, False]


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_a_model_goes_on_from_a_file(name: str, tmp_path: Path) -> None:
    import tensorflow as tf

    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(4,))])
    model.compile(tf.train.RMSPropOptimizer(0.01, momentum=0.5), "mse")
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / name)
    again = tf.keras.models.load_model(tmp_path / name)
    histories = [one.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"] for one in (model, again)]
    np.testing.assert_allclose(*histories, rtol=1e-6)
