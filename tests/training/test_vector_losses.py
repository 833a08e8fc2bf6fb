"""Losses of several values that layers add: their sum is minimised, their mean is shown; numbers of Keras 2.15."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import backend as K
from torchkeras_compat._core import dialects

X = np.random.RandomState(0).rand(10, 3).astype("float32")
KINDS = {
    "every value": (lambda x: K.square(x), [2.60906, 1.10303], 0.59978),
    "a value a sample": (lambda x: K.sum(K.square(x), axis=1), [5.21813, 2.20607], 1.19956),
    "a column": (lambda x: K.sum(K.square(x), axis=1, keepdims=True), [5.21813, 2.20607], 1.19956),
}


class Penalised(tk.layers.Layer):
    def __init__(self, penalty: Any) -> None:
        super().__init__()
        self.penalty = penalty

    def call(self, x: Any) -> Any:
        self.add_loss(self.penalty(x))
        return x


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("several", [False, True])
def test_added_losses_of_several_values(kind: str, several: bool) -> None:
    penalty, losses, evaluated = KINDS[kind]
    with dialects.using("keras-2.15"):
        x = tk.Input((3,))
        y = Penalised(penalty)(tk.layers.Dense(2, kernel_initializer="ones")(x))
        model = tk.Model(x, [y, x] if several else y)
        model.compile(tk.optimizers.SGD(0.01))
        history = model.fit(X, batch_size=4, epochs=2, verbose=0, shuffle=False).history
        np.testing.assert_allclose(history["loss"], losses, rtol=1e-5)
        assert model.evaluate(X, verbose=0) == pytest.approx(evaluated, rel=1e-4)
    kernel = [[0.71228, 0.71228], [0.66174, 0.66174], [0.66918, 0.66918]]
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-5)


def test_beside_targets_the_gradients_are_those_of_the_sum() -> None:
    def trained(penalty: Any) -> np.ndarray[Any, Any]:
        x = tk.Input((3,))
        y = Penalised(penalty)(tk.layers.Dense(2, kernel_initializer="ones", kernel_regularizer="l2")(x))
        model = tk.Model(x, y)
        model.compile(tk.optimizers.SGD(0.01), "mse")
        model.fit(X, X[:, :2], batch_size=5, epochs=2, verbose=0, shuffle=False)
        weights: np.ndarray[Any, Any] = model.get_weights()[0]
        return weights

    np.testing.assert_allclose(trained(lambda x: K.square(x)), trained(lambda x: K.sum(K.square(x))), rtol=1e-5)


def test_an_input_whose_shape_is_a_number() -> None:  # as Keras 2.15 takes it
    assert tk.Input(shape=3).shape == (None, 3)
    assert tk.layers.InputLayer(input_shape=3).batch_input_shape == (None, 3)
    with pytest.raises(ValueError, match="input_shape"):
        tk.Input(shape=-3)
