"""Several inputs with unequal numbers of samples: Keras 2.3.1 asks the first of them in `predict`, and only there."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat.layers import Dense, Input, concatenate

CLASSIC = ("keras-1", "keras-2.2", "keras-2.3")
RANDOM = np.random.RandomState(0)
A, B = RANDOM.randn(5, 3).astype("float32"), RANDOM.randn(50, 2).astype("float32")


def model_of(dialect: str) -> Any:
    keras.set_dialect(dialect)
    a, b = Input((3,), name="a"), Input((2,), name="b")
    model = keras.models.Model([a, b], Dense(2)(concatenate([a, b])))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("dialect", CLASSIC)
@pytest.mark.parametrize("size", [2, 5, 32])
@pytest.mark.parametrize("form", ["list", "dict", "lists"])
def test_predict_takes_the_number_of_the_first(dialect: str, size: int, form: str) -> None:
    model = model_of(dialect)
    expected = model.predict([A, B[:5]], batch_size=size)
    x: Any = {"list": [A, B], "dict": {"b": B, "a": A}, "lists": [A.tolist(), B]}[form]
    with pytest.warns(UserWarning, match=r"x\['a'\] has 5 samples and x\['b'\] more, .* first 5 are") as told:
        result = model.predict(x, batch_size=size)
    assert len(told) == 1
    np.testing.assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize("dialect", CLASSIC)
def test_fewer_are_an_error(dialect: str) -> None:
    model = model_of(dialect)
    for size in (2, 64):
        with pytest.raises(ValueError, match="must have as many rows; got 50 and 5"):
            keras.models.Model(model.inputs[::-1], model.outputs).predict([B, A], batch_size=size)


@pytest.mark.parametrize("dialect", [*CLASSIC, "tf.keras", "keras-2.15"])
def test_training_wants_equal_numbers(dialect: str) -> None:
    model = model_of(dialect)
    y = np.zeros((5, 2), "float32")
    for method in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match="must have as many rows"):
            method([A, B], y)
    with pytest.raises(ValueError, match="must have as many rows"):
        model.predict_on_batch([A, B])


@pytest.mark.parametrize("dialect", ["tf.keras", "keras-2.15"])
def test_later_keras_wants_them_in_predict_too(dialect: str) -> None:
    with pytest.raises(ValueError, match="must have as many rows"):
        model_of(dialect).predict([A, B])


def test_equal_numbers_go_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model_of("keras-2.3").predict([A, B[:5]]).shape == (5, 2)
