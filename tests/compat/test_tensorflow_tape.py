"""`tf.GradientTape` as tutorials use it; numbers are those of TensorFlow 2.15.1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

X = np.arange(12.0, dtype="float32").reshape(4, 3) / 10


def chain(*units: int, inputs: int = 3, activation: Any = None) -> Any:
    from tensorflow import keras

    *hidden, last = [{"units": n, "kernel_initializer": "ones"} for n in units]
    layers = [keras.layers.Dense(activation=activation, **options) for options in hidden]
    return keras.Sequential([keras.Input((inputs,)), *layers, keras.layers.Dense(**last)])


def near(values: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(values), expected, rtol=1e-4, atol=1e-4)


def test_watched_tensors_and_gradients_of_gradients() -> None:
    import tensorflow as tf

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert float(tape.gradient(y, x)) == 6
    v = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = v**3
        first = inner.gradient(y, v)
    assert (float(first), float(outer.gradient(first, v))) == (27, 18)
    assert not first.requires_grad or float(first.numpy()) == 27


def test_the_structure_of_sources() -> None:
    import tensorflow as tf

    w, b = tf.Variable([[1.0, 2.0], [3.0, 4.0]]), tf.Variable([1.0, 1.0])
    with tf.GradientTape(persistent=True) as tape:
        y = tf.matmul([[1.0, 2.0]], w) + b
        loss = tf.reduce_mean(y**2)
    dw, db = tape.gradient(loss, [w, b])
    near(dw, [[8, 11], [16, 22]])
    near(db, [8, 11])
    named = tape.gradient(loss, {"w": w, "b": b})
    near(named["b"], [8, 11])
    near(tape.gradient(y, w), [[1, 1], [2, 2]])
    assert isinstance(tape.gradient(loss, (w, b)), tuple)
    near(tape.gradient(y, b, output_gradients=tf.constant([[1.0, 10.0]])), [1, 10])
    near(tape.gradient([loss, y], b), [9, 12])
    other = tf.Variable(2.0)
    assert tape.gradient(y, other) is None
    assert float(tape.gradient(y, other, unconnected_gradients=tf.UnconnectedGradients.ZERO)) == 0


def test_jacobians() -> None:
    import tensorflow as tf

    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        y = tf.stack([x[0] * x[1], x[2] ** 2])
        rows = tf.reshape(x, (3, 1))
        squares = rows**2
    near(tape.jacobian(y, x), [[2, 1, 0], [0, 0, 6]])
    near(tape.batch_jacobian(squares, rows), np.array([2.0, 4.0, 6.0]).reshape(3, 1, 1))


def test_a_training_loop() -> None:
    import tensorflow as tf
    from tensorflow import keras

    model, losses = chain(4, 1, activation="relu"), []
    optimizer, loss_of = keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError()
    mean = keras.metrics.Mean()
    for x, y in tf.data.Dataset.from_tensor_slices((X, np.ones((4, 1), "float32"))).batch(2):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
            loss += sum(model.losses)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        mean.update_state(loss)
        losses.append(float(loss.numpy()))
    near(losses, [7.24, 6.262])
    assert float(mean.result()) == pytest.approx(6.751, abs=1e-3)
    near(model.get_weights()[0][0], [0.682] * 4)


def test_a_step_of_ones_own() -> None:
    import tensorflow as tf
    from tensorflow import keras

    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.score = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, x: Any) -> Any:
            return self.score(x)

        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
            self.compiled_metrics.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    model = Own()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, np.ones((4, 1)), epochs=2, verbose=0, batch_size=4).history
    near(history["mae"], [1.0, 0.9725])


def test_two_tapes_over_one_pass() -> None:
    import tensorflow as tf
    from tensorflow import keras

    generator, critic = chain(3, inputs=2), chain(1)
    crossentropy = keras.losses.BinaryCrossentropy(from_logits=True)
    with tf.GradientTape() as for_generator, tf.GradientTape() as for_critic:
        fake = generator(tf.ones([2, 2]), training=True)
        of_real, of_fake = critic(tf.ones((2, 3)), training=True), critic(fake, training=True)
        loss = crossentropy(tf.ones_like(of_fake), of_fake)
        critics = crossentropy(tf.ones_like(of_real), of_real) + crossentropy(tf.zeros_like(of_fake), of_fake)
    near(for_generator.gradient(loss, generator.trainable_variables)[0], np.full((2, 3), -0.0025))
    near(for_critic.gradient(critics, critic.trainable_variables)[0], np.full((3, 1), 1.9476))


def test_a_penalty_on_gradients() -> None:
    import tensorflow as tf

    critic = chain(4, 1, activation="tanh")
    x = tf.constant([[0.1, 0.2, 0.3], [0.3, 0.1, 0.0]])
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(x)
            score = critic(x, training=True)
        grads = inner.gradient(score, [x])[0]
        norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=[1]))
        penalty = tf.reduce_mean((norm - 1.0) ** 2)
    kernel, bias, last, none = tape.gradient(penalty, critic.trainable_variables)
    assert float(penalty) == pytest.approx(19.8651, abs=1e-3)
    near(kernel[:, 0], [1.8638, 2.4535, 2.4882])
    near(bias, [-10.7524] * 4)
    near(last, [[12.147]] * 4)
    assert none is None


def test_gradients_by_what_a_layer_gives() -> None:
    import tensorflow as tf
    from tensorflow import keras

    inputs = keras.Input((4, 4, 1))
    maps = keras.layers.Conv2D(2, 3, kernel_initializer="ones", name="conv")(inputs)
    scores = keras.layers.Dense(2, kernel_initializer="ones")(keras.layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(inputs, scores)
    both = keras.Model([model.inputs], [model.get_layer("conv").output, model.output])
    with tf.GradientTape() as tape:
        convolved, predictions = both(np.ones((1, 4, 4, 1), "float32"))
        best = predictions[:, tf.argmax(predictions[0])]
    near(tape.gradient(best, convolved)[0, 0, 0], [0.25, 0.25])


def test_where_nothing_is_recorded() -> None:
    import tensorflow as tf
    import torch

    v = tf.Variable(2.0)
    with torch.no_grad(), tf.GradientTape() as tape:
        y = v * v
        with tape.stop_recording():
            z = v * 3
    assert float(tape.gradient(y, v)) == 4
    assert tape.gradient(z, v) is None
    assert torch.is_grad_enabled()
    with pytest.raises(TypeError, match=r"watch.*tensor must be a tensor"):
        tape.watch(3.0)


def test_a_variable_that_does_not_train() -> None:
    """Recorded from Keras 2.15: a layer lists it among those that do not train."""
    import tensorflow as tf

    class Counting(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(tf.ones((4, 2)))
            self.seen = tf.Variable(0.0, trainable=False)

        def call(self, x: Any) -> Any:
            self.seen.assign_add(tf.reduce_sum(x))
            return tf.matmul(x, self.w)

    layer = Counting()
    layer(tf.ones((1, 4)))
    assert layer.seen.trainable is False
    assert [len(layer.trainable_weights), len(layer.non_trainable_weights), len(layer.weights)] == [1, 1, 2]
    assert float(layer.seen) == 4


def test_a_weight_that_says_how_replicas_share_it() -> None:
    import tensorflow as tf

    class Counted(tf.keras.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            self.seen = self.add_weight(
                "seen",
                (),
                initializer="zeros",
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.MEAN,
            )

        def call(self, x: Any) -> Any:
            self.seen.assign_add(1.0)
            return x

    layer = Counted()
    layer(tf.ones((1, 2)))
    assert float(layer.seen) == 1
