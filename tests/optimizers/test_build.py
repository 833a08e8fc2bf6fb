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


def test_own_variables_go_into_a_store_and_back() -> None:
    keras.set_dialect("keras-2.15")
    model = keras.Sequential([L.Dense(2, input_shape=(3,))])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(X, np.zeros((len(X), 2)), verbose=0)
    store: dict[str, Any] = {}
    model.optimizer.save_own_variables(store)
    assert [np.shape(store[str(i)]) for i in range(5)] == [(), (3, 2), (3, 2), (2,), (2,)]  # as Keras 2.15 numbers them
    other = keras.optimizers.Adam(0.1)
    other.build(keras.Sequential([L.Dense(2, input_shape=(3,))]).trainable_variables)
    other.load_own_variables(store)
    for ours, theirs in zip(other.get_weights(), model.optimizer.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="arrays"):
        other.load_own_variables({"0": np.array(3), "1": np.ones(2)})


def test_averages_are_put_into_weights_of_layers() -> None:
    keras.set_dialect("keras-2.15")
    model = keras.Sequential([L.Dense(1, input_shape=(1,), kernel_initializer="zeros")])
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.apply_gradients([(np.ones((1, 1), "float32"), model.trainable_variables[0])])
    optimizer.finalize_variable_values(model.trainable_variables)
    assert model.get_weights()[0].item() == -0.5


def test_a_users_schedule_by_name() -> None:
    class Half(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> float:
            return 0.5

        def get_config(self) -> dict[str, Any]:
            return {}

    config = keras.optimizers.SGD(Half()).get_config()
    made = keras.optimizers.SGD.from_config(config, custom_objects={"Half": Half})
    assert made.get_config() == config
