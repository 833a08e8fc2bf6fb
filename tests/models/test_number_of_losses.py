"""How many losses `model.losses` lists, whether the model has run on data or not, by Keras 2.15.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import Input, Sequential, layers, models
from torchkeras_compat import backend as K

X, Y = np.ones((4, 3), "float32"), np.ones((4, 3), "float32")


class Adds(layers.Layer):
    def call(self, inputs: Any) -> Any:
        self.add_loss(K.mean(inputs))
        return inputs


def _penalized(**options: Any) -> layers.Dense:
    return layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1", **options)


def _graph(*between: Any) -> models.Model:
    inputs = outputs = Input((3,))
    for layer in between:
        outputs = layer(outputs)
    return models.Model(inputs, outputs)


def _with_symbolic_loss() -> models.Model:
    model = _graph(_penalized())
    model.add_loss(lambda: K.mean(model.layers[1].kernel))
    model.add_loss(K.mean(model.output))
    return model


def _called_twice() -> models.Model:
    layer = layers.Dense(3, activity_regularizer="l1")
    return _graph(layer, layer)


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (lambda: _graph(_penalized()), 2),
        (lambda: Sequential([_penalized(input_shape=(3,))]), 2),
        (_with_symbolic_loss, 4),
        (_called_twice, 2),
        (lambda: _graph(Adds(), Adds()), 2),
        (lambda: _graph(layers.ActivityRegularization(0.1)), 1),
        (lambda: _graph(layers.Reshape((3, 1)), layers.TimeDistributed(_penalized()), layers.Flatten()), 2),
    ],
)
def test_before_and_after_runs(make: Callable[[], Any], number: int) -> None:
    model = make()
    counts = [len(model.losses)]
    model.predict(X, verbose=0)
    counts.append(len(model.losses))
    model(X)
    assert all(isinstance(loss, torch.Tensor) for loss in model.losses)
    counts.append(len(model.losses))
    model.predict(X, verbose=0)
    counts.append(len(model.losses))
    if model.output_shape == (None, 3):
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        counts.append(len(model.losses))
        model.evaluate(X, Y, verbose=0)
        counts.append(len(model.losses))
    assert counts == [number] * len(counts)


def test_a_chain_that_is_not_built_has_none() -> None:
    model = Sequential([_penalized()])
    assert len(model.losses) == 0
    model.build((None, 3))
    assert len(model.losses) == 2


def test_a_layer_that_is_built_has_those_of_its_weights() -> None:
    layer = _penalized()
    layer.build((None, 3))
    assert len(layer.losses) == 1
    layer(X)
    assert len(layer.losses) == 2


def test_a_run_by_hand_decides_anew() -> None:
    class InTraining(layers.Layer):
        def call(self, inputs: Any, training: Any = None) -> Any:
            if training:
                self.add_loss(K.mean(inputs))
            return inputs

    model = _graph(InTraining())
    counts = [len(model.losses)]
    for training in (True, False, True):
        model(X, training=training)
        counts.append(len(model.losses))
    assert counts == [0, 1, 0, 1]
