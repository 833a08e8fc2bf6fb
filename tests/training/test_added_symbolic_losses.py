"""Symbolic tensors that are added to the loss of a functional model, in loops and steps that users write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L

X = np.random.RandomState(0).randn(8, 3).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def with_weights(model: Any) -> Any:
    numbers = np.random.RandomState(0)
    model.set_weights([(numbers.randn(*w.shape) * 0.3).astype("float32") for w in model.get_weights()])
    return model


def penalised(cls: Any = keras.Model) -> Any:
    inputs = L.Input((3,))
    hidden = L.Dense(4, activation="tanh")(inputs)
    model = with_weights(cls(inputs, L.Dense(1)(hidden)))
    model.add_loss(K.mean(hidden**2))
    return model


def test_a_loop_of_ones_own_sees_the_symbolic_losses() -> None:
    model, optimizer, losses = penalised(), keras.optimizers.SGD(0.1), []
    for _ in range(3):
        error = K.mean((model(X, training=True) - Y) ** 2)
        assert len(model.losses) == 1
        loss = error + model.losses[0]
        losses.append(float(loss))
        optimizer.minimize(loss, model.trainable_weights)
    np.testing.assert_allclose(losses, [2.7241, 1.2688, 0.7212], atol=1e-4)  # Keras 2.15.0
    assert len(model.losses) == 1


def own(self: Any, x: Any, y: Any) -> Any:
    return K.mean((y - self(x, training=True)) ** 2) + sum(self.losses)


def compiled(self: Any, x: Any, y: Any) -> Any:
    return self.compiled_loss(y, self(x, training=True), regularization_losses=self.losses)


def computed(self: Any, x: Any, y: Any) -> Any:
    return self.compute_loss(x, y, self(x, training=True))


@pytest.mark.parametrize("loss_of", [own, compiled, computed])
def test_a_train_step_of_ones_own_sees_the_symbolic_losses(loss_of: Any) -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            loss = loss_of(self, *data)
            self.optimizer.minimize(loss, self.trainable_variables)
            return {"loss": loss}

    plain, stepped = penalised(), penalised(Own)
    for model in (plain, stepped):
        model.compile("sgd", "mse")
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    for ours, expected in zip(stepped.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_a_model_inside_another_gives_its_losses() -> None:
    inner, inputs = penalised(), L.Input((3,))
    model = keras.Model(inputs, L.Dense(1, kernel_initializer="ones")(inner(inputs)))
    model(X)
    hidden = keras.Model(inner.inputs, inner.layers[1].output).predict(X, verbose=0)
    assert float(model.losses[0]) == pytest.approx(float(np.mean(hidden**2)), rel=1e-5)
