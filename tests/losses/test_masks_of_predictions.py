"""A loss object that is called by hand takes the mask that predictions carry, as Keras 2.15's `Loss.__call__` does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers, losses

MASK = np.array([[True, False, False], [True, True, True]])
Y = np.array([[1, 2, 0], [0, 1, 2]])


@pytest.fixture(autouse=True)
def _dialect() -> None:
    keras.set_dialect("keras-2.15")


def predictions() -> tuple[Any, np.ndarray]:
    """Return probabilities with their mask, and the loss of each step."""
    x = np.random.RandomState(0).uniform(0.2, 1, (2, 3, 3)).astype("float32")
    x[~MASK] = 0
    y = layers.Activation("softmax")(layers.Masking()(keras.backend.constant(x)))
    return y, -np.log(np.take_along_axis(y.numpy(), Y[..., None], -1)[..., 0])


def sparse(**options: Any) -> Any:
    return losses.SparseCategoricalCrossentropy(**options)


def test_mean_is_that_of_the_valid_steps() -> None:
    y, values = predictions()
    np.testing.assert_allclose(sparse()(Y, y), values[MASK].mean(), rtol=1e-5)


def test_other_reductions_leave_masked_steps_out() -> None:
    y, values = predictions()
    np.testing.assert_allclose(sparse(reduction="sum")(Y, y), values[MASK].sum(), rtol=1e-5)
    np.testing.assert_allclose(sparse(reduction="none")(Y, y), values * MASK, rtol=1e-5)


def test_weights_multiply_what_counts() -> None:
    y, values = predictions()
    weight = np.array([[1.0, 2, 3], [0, 1, 2]])
    np.testing.assert_allclose(sparse()(Y, y, weight), (values * weight)[MASK].sum() / MASK.sum(), rtol=1e-5)


def test_an_ignored_class_is_left_out_besides() -> None:
    y, values = predictions()
    counts = MASK & (Y != 2)
    np.testing.assert_allclose(sparse(ignore_class=2)(Y, y), values[counts].mean(), rtol=1e-5)


def test_a_loss_of_a_users() -> None:
    class Largest(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return y_pred.max(-1)[0]

    y, _ = predictions()
    np.testing.assert_allclose(Largest()(Y, y), y.numpy().max(-1)[MASK].mean(), rtol=1e-5)


def test_functions_and_classic_losses_take_no_mask() -> None:
    y, values = predictions()
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(Y, y), values, rtol=1e-5)
    keras.set_dialect("keras-2.3")
    np.testing.assert_allclose(sparse()(Y, y), values.mean(), rtol=1e-5)


@pytest.mark.parametrize("how", ["compiled_loss", "compute_loss", "loss"])
def test_a_step_of_a_users_trains_as_the_built_in_one(how: str) -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            x, y = data
            p = self(x, training=True)
            if how == "compute_loss":
                loss = self.compute_loss(x, y, p, None)
            else:
                loss = getattr(self, how)(y, p)
            self.optimizer.minimize(loss, self.trainable_variables)
            self.compiled_metrics.update_state(y, p)
            return {metric.name: metric.result() for metric in self.metrics}

    x = np.random.RandomState(0).uniform(0.2, 1, (2, 3, 2)).astype("float32")
    x[~MASK] = 0
    found = []
    for cls in (keras.Model, Own):
        inputs = keras.Input((3, 2))
        hidden = layers.Masking()(inputs)
        model = cls(inputs, layers.Dense(1, kernel_initializer="ones")(hidden))
        model.compile("sgd", losses.MeanSquaredError(), metrics=["mae"])
        history = model.fit(x, x[..., :1], epochs=2, verbose=0, shuffle=False).history
        found.append((history["mae"], *model.get_weights()))
        assert ("loss" in history) is (cls is keras.Model or how != "loss")  # what no step computes is not told
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-5)
