"""What `iterator.get_next()` of TensorFlow 1 returns, given to `fit` and its like: the same as the arrays behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat.utils.dataset import Dataset

X = np.arange(24, dtype="float32").reshape(12, 2) / 24
Y = X.sum(1, keepdims=True)


def symbols(repeats: int | None = None) -> Any:
    return Dataset.from_tensor_slices((X, Y)).batch(4).repeat(repeats).make_one_shot_iterator().get_next()


def model() -> Any:
    made = keras.Sequential([keras.layers.Dense(1, input_dim=2, kernel_initializer="ones")])
    made.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return made


def test_batches_are_drawn_anew() -> None:
    drawn, expected = model(), model()
    x, y = symbols()
    history = drawn.fit(
        x * 2, y, steps_per_epoch=3, epochs=2, verbose=0, validation_data=symbols(), validation_steps=3
    ).history
    told = expected.fit(
        X * 2, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y), validation_batch_size=4
    ).history
    assert history.keys() == told.keys()
    for name in told:
        np.testing.assert_allclose(history[name], told[name], rtol=1e-5)
    np.testing.assert_allclose(drawn.evaluate(x, y, steps=3, verbose=0), expected.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(drawn.predict(x, steps=3, verbose=0), expected.predict(X, verbose=0), rtol=1e-5)


def test_a_pass_that_ends() -> None:
    x, y = symbols(1)
    assert model().fit(x, y, steps_per_epoch=3, verbose=0).history["loss"]


def test_a_symbolic_tensor_without_values_is_refused() -> None:
    _, y = symbols()
    with pytest.raises(TypeError, match=r"what iterator\.get_next\(\) of a tf\.data\.Dataset returns"):
        model().fit(keras.Input((2,)), y)
