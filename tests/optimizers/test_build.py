"""State that is made before the first step, as Keras 2.11 to 2.15 do by `build`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L

X, Y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
# Keras 2.15: the counter, and the slots of two Dense layers.
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "adam": [(), (3, 2), (3, 2), (2,), (2,), (2, 1), (2, 1), (1,), (1,)],
    "momentum": [(), (3, 2), (2,), (2, 1), (1,)],
    "centered": [(), (3, 2), (2,), (2, 1), (1,), (3, 2), (2,), (2, 1), (1,)],
}


def optimizer_of(name: str) -> Any:
    if name == "adam":
        return keras.optimizers.Adam(0.01)
    if name == "momentum":
        return keras.optimizers.SGD(0.1, momentum=0.9)
    return keras.optimizers.RMSprop(0.1, centered=True)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("scaled", [False, True])
def test_build_makes_what_the_first_step_would(name: str, scaled: bool) -> None:
    keras.set_dialect("keras-2.15")
    results = []
    for built in (False, True):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([L.Dense(2, input_shape=(3,)), L.Dense(1)])
        optimizer = optimizer_of(name)
        if scaled:
            optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
        if built:
            optimizer.build(model.trainable_variables)
            assert [value.shape for value in optimizer.get_weights()] == SHAPES[name]
            assert int(optimizer.iterations) == 0
            optimizer.build(model.trainable_variables)
        model.compile(optimizer, "mse")
        model.fit(X, Y, epochs=3, verbose=0)
        assert [value.shape for value in optimizer.get_weights()] == SHAPES[name]
        results.append(model.get_weights())
    for ours, theirs in zip(*results):
        np.testing.assert_array_equal(ours, theirs)


def test_gradients_of_one_device_are_the_aggregate() -> None:
    pairs = [(np.ones(2), keras.backend.variable([1.0, 2.0]))]
    assert keras.optimizers.SGD().aggregate_gradients(zip(*map(list, zip(*pairs)))) == pairs
