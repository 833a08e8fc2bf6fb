"""The state of an optimizer as variables: their names are those that Keras 2.15 gives, in both kinds of its classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat._core import dialects
from torchkeras_compat.optimizers import experimental, legacy

X = np.random.RandomState(1).rand(8, 4).astype("float32")
Y = X[:, :1]

# Recorded with Keras 2.15.0 after one step: names of what the kernel of a layer `d1` has.
LEGACY: dict[str, tuple[dict[str, Any], list[str]]] = {
    "SGD": ({"momentum": 0.9}, ["momentum"]),
    "RMSprop": ({"momentum": 0.9, "centered": True}, ["rms", "momentum", "mg"]),
    "Adam": ({"amsgrad": True}, ["m", "v", "vhat"]),
    "Adagrad": ({}, ["accumulator"]),
    "Adadelta": ({}, ["accum_grad", "accum_var"]),
    "Adamax": ({}, ["m", "v"]),
    "Nadam": ({}, ["m", "v"]),
    "Ftrl": ({}, ["accumulator", "linear"]),
}
NEWER: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "SGD": ({}, {"momentums": "m"}),
    "RMSprop": (
        {"momentum": 0.9, "centered": True},
        {"_velocities": "velocity", "_momentums": "momentum", "_average_gradients": "average_gradient"},
    ),
    "Adam": ({"amsgrad": True}, {"_momentums": "m", "_velocities": "v", "_velocity_hats": "vhat"}),
    "AdamW": ({}, {"_momentums": "m", "_velocities": "v"}),
    "Adagrad": ({}, {"_accumulators": "accumulator"}),
    "Adadelta": ({}, {"_accumulated_grads": "accumulated_grad", "_accumulated_delta_vars": "accumulated_delta_var"}),
    "Adamax": ({}, {"_m": "m", "_u": "u"}),
    "Nadam": ({}, {"_momentums": "m", "_velocities": "v"}),
    "Ftrl": ({}, {"_accumulators": "accumulator", "_linears": "linear"}),
    "Lion": ({}, {"momentums": "m"}),
}


def trained(optimizer: Any) -> Any:
    model = keras.Sequential([L.Dense(3, input_shape=(4,), name="d1"), L.Dense(1, name="d2")])
    model.compile(optimizer, "mse")
    model.fit(X, Y, verbose=0)
    return model


@pytest.mark.parametrize("name", LEGACY)
def test_slots_of_the_legacy_classes(name: str) -> None:
    arguments, slots = LEGACY[name]
    optimizer = getattr(legacy, name)(**arguments)
    model = trained(optimizer)
    assert optimizer.get_slot_names() == slots
    names = [variable.name for variable in optimizer.weights]
    assert names[0] == f"{name}/iter:0"
    for slot in slots:
        variable = optimizer.get_slot(model.layers[0].kernel, slot)
        assert variable.name == f"{name}/d1/kernel/{slot}:0"
        assert variable.name in names
        assert tuple(variable.shape) == (4, 3)
    with pytest.raises(KeyError, match="no slot 'speed'"):
        optimizer.get_slot(model.layers[0].kernel, "speed")


@pytest.mark.parametrize("name", NEWER)
def test_lists_of_slots_of_the_newer_classes(name: str) -> None:
    arguments, lists = NEWER[name]
    optimizer = getattr(experimental, name)(**arguments, name="own")
    trained(optimizer)
    assert optimizer.variables[0].name == "iteration:0"
    assert optimizer.lr.name == "learning_rate:0"
    for attribute, slot in lists.items():
        variables = getattr(optimizer, attribute)
        of = ["d1/kernel", "d1/bias", "d2/kernel", "d2/bias"]
        assert [variable.name for variable in variables] == [f"own/{slot}/{weight}:0" for weight in of]
        assert [tuple(variable.shape) for variable in variables] == [(4, 3), (3,), (3, 1), (1,)]
    with pytest.raises(AttributeError, match="has no attribute '_speeds'"):
        optimizer._speeds  # noqa: B018
    with pytest.raises(AttributeError):
        getattr(getattr(legacy, name if hasattr(legacy, name) else "Adam")(), next(iter(lists)))


def test_slots_of_factored_weights_and_averages() -> None:
    optimizer = experimental.Adafactor(use_ema=True)
    trained(optimizer)
    names = {variable.name: tuple(variable.shape) for variable in optimizer.variables[1:]}
    assert names["Adafactor/r/d1/kernel:0"] == (4,)
    assert names["Adafactor/c/d1/kernel:0"] == (3,)
    assert names["Adafactor/average/d1/kernel:0"] == (4, 3)
    assert [v.name for v in optimizer._model_variables_moving_average][1] == "Adafactor/average/d1/bias:0"


def test_names_in_classic_keras() -> None:
    with dialects.making("keras-2.3"):
        optimizer = keras.optimizers.Adam()
        trained(optimizer)
    names = [variable.name for variable in optimizer.weights]
    # Keras 2.3.1, optimizers.py: `name='m_' + str(i)` within the scopes 'training' and 'Adam'.
    assert names[:6] == ["Adam/iterations:0", *(f"training/Adam/m_{i}:0" for i in range(4)), "training/Adam/v_0:0"]


@pytest.mark.parametrize("module", [legacy, experimental])
def test_variables_are_in_the_order_and_layout_of_the_arrays(module: Any) -> None:
    optimizer = module.Adam()
    model = keras.Sequential([L.Conv1D(2, 2, input_shape=(4, 1)), L.LSTM(3), L.Dense(1)])
    model.compile(optimizer, "mse")
    model.fit(X[:, :, None], Y, verbose=0)
    arrays = optimizer.get_weights()
    assert len(arrays) == len(optimizer.weights)
    for variable, array in zip(optimizer.weights, arrays):
        np.testing.assert_array_equal(K.get_value(variable), array)


def test_what_is_assigned_counts_in_the_next_step() -> None:
    optimizer = legacy.SGD(0.5, momentum=1.0)
    model = trained(optimizer)
    before = model.get_weights()[0]
    velocity = optimizer.get_slot(model.layers[0].kernel, "momentum")
    for variable in optimizer.weights:
        variable.assign(np.zeros(variable.shape))
    assert not velocity.numpy().any()
    assert int(optimizer.iterations) == 0
    step = np.arange(12, dtype="float32").reshape(4, 3)
    velocity.assign(step)
    zeros = [np.zeros(w.shape, "float32") for w in model.trainable_weights]
    optimizer.apply_gradients(zip(zeros, model.trainable_weights))
    np.testing.assert_allclose(model.get_weights()[0], before + step, rtol=1e-6)
    with pytest.raises(ValueError, match=r"SGD/d1/kernel/momentum:0.*\(4, 3\)"):
        velocity.assign(np.zeros((3, 4)))


def test_a_slot_that_is_not_in_use() -> None:
    optimizer = experimental.SGD()
    trained(optimizer)
    for variable in optimizer.variables:
        variable.assign(np.zeros(variable.shape))
    with pytest.raises(ValueError, match="not in use"):
        optimizer.momentums[0].assign(np.ones((4, 3)))


def test_the_number_beside_the_slots_of_nadam() -> None:
    optimizer = legacy.Nadam()
    trained(optimizer)
    cache = optimizer.weights[1]
    assert cache.name == "Nadam/momentum_cache:0"
    cache.assign(0.25)
    assert optimizer.get_weights()[1] == np.float32(0.25)


@pytest.mark.parametrize("module", [legacy, experimental])
def test_a_variable_of_the_users_counts_the_steps(module: Any) -> None:
    counter = K.variable(5, dtype="int64", name="steps")
    optimizer = module.SGD()
    optimizer.iterations = counter
    trained(optimizer)
    assert int(counter.numpy()) == 6
    counter.assign(9)
    assert int(optimizer.iterations) == 9
