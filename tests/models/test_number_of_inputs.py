"""Several tensors for what takes one, and the other way round, are refused by name, built or not, and never stacked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

TWO = [np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")]


def unbuilt() -> Any:
    return keras.Sequential([layers.Dense(1)])


def built() -> Any:
    return keras.Sequential([layers.Dense(1, input_shape=(3,))])


def functional() -> Any:
    x = keras.Input((3,))
    return keras.Model(x, layers.Dense(1)(x))


def around_another() -> Any:
    return keras.Sequential([functional()])


MODELS = [unbuilt, built, functional, around_another]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("as_seen", [list, tuple])
def test_a_call(make: Callable[[], Any], as_seen: type) -> None:
    with pytest.raises(ValueError, match=r"(takes one input|must be one array).*got 2"):
        make()(as_seen(map(torch.as_tensor, TWO)))


@pytest.mark.parametrize("make", MODELS)
def test_a_call_with_symbols(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"(takes one input|must be one array).*got 2"):
        make()([keras.Input((3,)), keras.Input((3,))])


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("method", ["predict", "fit", "train_on_batch", "predict_on_batch", "evaluate"])
def test_data(make: Callable[[], Any], method: str) -> None:
    model = make()
    model.compile("sgd", "mse")
    targets = () if "predict" in method else (np.ones((2, 1)),)
    with pytest.raises(ValueError, match=r"has one input.*got a list of 2 arrays"):
        getattr(model, method)(TWO, *targets)


def test_one_tensor_for_two_inputs() -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([a, b], layers.add([a, b]))
    with pytest.raises(ValueError, match="x must be 2 arrays, for the inputs 'a', 'b'; got 1"):
        model(torch.ones(2, 3))
    with pytest.raises(ValueError, match="x must be 2 arrays, for the inputs 'a', 'b'; got 1"):
        model(keras.Input((3,)))
    with pytest.raises(ValueError, match="has 2 inputs"):
        model.predict(TWO[0])


@pytest.mark.parametrize("make", MODELS)
def test_a_list_of_one_is_that_one(make: Callable[[], Any]) -> None:
    model = make()
    whole = model.predict(TWO[0], verbose=0)
    np.testing.assert_array_equal(model.predict([TWO[0]], verbose=0), whole)
    assert model([torch.as_tensor(TWO[0])]).shape == (2, 1)


def test_lists_of_numbers_are_one_array() -> None:
    assert unbuilt().predict([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], verbose=0).shape == (3, 1)
