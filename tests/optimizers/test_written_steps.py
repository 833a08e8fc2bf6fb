"""Steps that a user writes a variable at a time: on weights of several parameters, called in each way."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat import mixed_precision, optimizers
from torchkeras_compat._core import dialects

X = np.random.RandomState(1).rand(6, 4, 3).astype("float32")
Y = X.sum((1, 2))


class Descent(optimizers.Optimizer):  # type: ignore[misc]
    """Gradient descent, which counts its calls in a variable of its own."""

    def __init__(self, learning_rate: Any = 0.1, name: str = "Descent", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)

    def build(self, var_list: Any) -> None:
        super().build(var_list)
        if not hasattr(self, "calls"):
            self.calls = self.add_variable((), initializer="zeros", name="calls")

    def update_step(self, gradient: Any, variable: Any) -> None:
        assert tuple(gradient.shape) == tuple(variable.shape)
        self.calls.assign_add(1.0)
        variable.assign_sub(gradient * self.learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learning_rate": self._serialize_hyperparameter(self._learning_rate)}


def recurrent() -> Any:
    keras.utils.set_random_seed(4)
    image = L.Reshape((4, 3, 1), input_shape=(4, 3))
    return keras.Sequential([image, L.Conv2D(2, 2), L.Reshape((3, 4)), L.LSTM(3), L.Dense(1)])


def stepped_by_definition(model: Any, rate: float) -> list[np.ndarray[Any, Any]]:
    """Return w − rate · gradient for each weight, with gradients of autograd in Keras's layout."""
    loss = ((model(X)[:, 0] - keras.backend.constant(Y)) ** 2).mean()
    pairs = optimizers.SGD().compute_gradients(loss, model.trainable_weights)
    return [weight.numpy() - rate * gradient.detach().numpy() for gradient, weight in pairs]


@pytest.mark.parametrize("way", ["fit", "minimize", "apply_gradients"])
def test_each_weight_gets_its_gradient_in_its_own_layout(way: str) -> None:
    model, optimizer = recurrent(), Descent(0.05)
    expected = stepped_by_definition(model, 0.05)
    if way == "fit":
        model.compile(optimizer, "mse")
        model.fit(X, Y, verbose=0)
    else:
        loss = ((model(X)[:, 0] - keras.backend.constant(Y)) ** 2).mean()
        if way == "minimize":
            optimizer.minimize(loss, model.trainable_weights)
        else:
            optimizer.apply_gradients(optimizers.SGD().compute_gradients(loss, model.trainable_weights))
    assert int(optimizer.iterations) == 1
    assert float(optimizer.calls) == len(expected)
    for weight, value in zip(model.get_weights(), expected):
        np.testing.assert_allclose(weight, value, rtol=1e-5, atol=1e-6)


def test_state_goes_out_and_comes_in() -> None:
    model, optimizer = recurrent(), Descent()
    model.compile(optimizer, "mse")
    model.fit(X, Y, verbose=0)
    assert [value.tolist() for value in optimizer.get_weights()] == [1, len(model.weights)]
    optimizer.set_weights([7, 3.0])
    assert (int(optimizer.iterations), float(optimizer.calls)) == (7, 3.0)
    with pytest.raises(ValueError, match="set_weights needs 2 arrays; got 1"):
        optimizer.set_weights([7])
    with pytest.raises(ValueError, match=r"has shape \(\); got \(2,\)"):
        optimizer.set_weights([7, [1.0, 2.0]])
    again = Descent.from_config(optimizer.get_config())
    assert again.learning_rate == optimizer.learning_rate


def test_a_callback_sets_the_rate_and_a_copy_trains_on() -> None:
    model = recurrent()
    model.compile(Descent(0.05), "mse")
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)])
    assert model.optimizer.learning_rate == pytest.approx(0.01)
    other = copy.deepcopy(model)
    for trained in (model, other):
        trained.fit(X, Y, verbose=0)
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)  # memory that lies otherwise, other last bits


def test_frozen_and_unreached_weights_stay() -> None:
    model = recurrent()
    model.layers[1].trainable = False
    before = model.layers[1].get_weights()
    model.compile(Descent(0.05), "mse")
    model.fit(X, Y, verbose=0)
    for now, then in zip(model.layers[1].get_weights(), before):
        np.testing.assert_array_equal(now, then)


@pytest.mark.usefixtures("uncompiled")
def test_what_it_cannot_be_part_of_is_said() -> None:
    model = recurrent()
    model.compile(Descent(0.05), "mse", jit_compile=True)
    with pytest.warns(UserWarning, match="Descent.*: its step is written a variable at a time"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(TypeError, match="the step of Descent is its user's"):
        mixed_precision.LossScaleOptimizer(Descent())
    model.compile(Descent(0.05, use_ema=True), "mse")
    with pytest.raises(ValueError, match="use_ema must be False; an update_step of your own may keep its averages"):
        model.fit(X, Y, verbose=0)


def test_decay_as_optimizers_of_tf_keras_ask_for_it() -> None:
    """`_decayed_lr` is `lr / (1 + decay · steps made)` (Keras 2.15, `optimizers/legacy/optimizer_v2.py`)."""

    class Decaying(optimizers.Optimizer):  # type: ignore[misc]
        def __init__(self, learning_rate: float = 0.1, name: str = "Decaying", **kwargs: Any) -> None:
            super().__init__(name, **kwargs)
            self._set_hyper("learning_rate", learning_rate)
            self._set_hyper("decay", self._initial_decay)

        def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
            return var.assign_sub(grad * self._decayed_lr("float32"))

    with dialects.using("tf.keras"):
        optimizer, variable = Decaying(0.5, decay=1.0), keras.backend.variable([6.0])
    for expected in (5.5, 5.25, 5.25 - 0.5 / 3):
        optimizer.apply_gradients([(keras.backend.constant([1.0]), variable)])
        np.testing.assert_allclose(variable.numpy(), [expected], rtol=1e-6)
