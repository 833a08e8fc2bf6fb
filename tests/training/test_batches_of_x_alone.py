"""Data sets and generators that have x and no targets; the numbers are those of Keras 2.15.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat.utils.dataset import Dataset

X = np.ones((8, 2), "float32")


def batches() -> Iterator[Any]:
    while True:
        yield X[:4]


def data_set() -> Any:
    return Dataset.from_tensor_slices(X).batch(4)


class Sums(keras.Model):
    """Its own step takes a batch as it is."""

    def train_step(self, data: Any) -> Any:
        assert tuple(data.shape) == (4, 2)
        return {"sum": data.sum()}


def with_added_loss() -> Any:
    inputs = keras.Input((2,))
    outputs = layers.Dense(2, kernel_initializer="ones")(inputs)
    model = keras.Model(inputs, outputs)
    model.add_loss(keras.backend.mean(outputs))
    model.compile(keras.optimizers.SGD(0.1))
    return model


@pytest.mark.parametrize(
    "options", [{"x": data_set()}, {"x": batches(), "steps_per_epoch": 2}, {"x": X, "batch_size": 4}]
)
def test_a_models_own_step_gets_the_batch_itself(options: dict[str, Any]) -> None:
    model = Sums()
    model.compile()
    assert model.fit(**options, verbose=0).history == {"sum": [8.0]}


def test_losses_of_the_model_need_no_targets() -> None:
    for options in ({"x": data_set()}, {"x": batches(), "steps_per_epoch": 2}):
        model = with_added_loss()
        assert model.evaluate(data_set(), verbose=0) == 2.0
        assert model.fit(**options, verbose=0).history["loss"] == pytest.approx([1.925])


@pytest.mark.parametrize("source", [data_set, lambda: iter([X]), lambda: iter([(X,)])])
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_a_loss_of_targets_asks_for_them(method: str, source: Any) -> None:
    model = keras.Sequential([layers.Dense(2, input_shape=(2,))])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="y is missing"):
        getattr(model, method)(source(), verbose=0)
