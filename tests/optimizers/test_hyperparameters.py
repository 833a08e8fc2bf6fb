"""Hyperparameters as Keras's variables: read, computed with, and set between two steps; numbers of Keras 2.15's legacy
optimizers, whose hyperparameters a callback set with `K.set_value` at the start of each epoch."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import backend as K
from torchkeras_compat import callbacks, layers, optimizers
from torchkeras_compat.optimizers import experimental, legacy

X = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype("float32")
START: list[Any] = [[[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]], [0.1, 0.2], [[0.7], [-0.8]], [0.05]]

# Class, arguments, what is set, to what in each epoch, the weights after three epochs of two batches.
FITS: list[tuple[str, dict[str, Any], str, list[float], list[float]]] = [
    (
        "SGD",
        {"learning_rate": 0.05, "momentum": 0.9},
        "momentum",
        [0.9, 0.5, 0.95],
        [
            0.118611,
            -0.219888,
            0.33277,
            0.364072,
            -0.453072,
            0.548033,
            0.262825,
            0.0155476,
            0.711023,
            -0.705677,
            0.281895,
        ],
    ),
    (
        "SGD",
        {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
        "momentum",
        [0.9, 0.0, 0.8],
        [
            0.117391,
            -0.218217,
            0.32846,
            0.369268,
            -0.46047,
            0.556752,
            0.227297,
            0.0560736,
            0.709076,
            -0.724169,
            0.231057,
        ],
    ),
    (
        "SGD",
        {"learning_rate": 0.05, "momentum": 0.9},
        "momentum",
        [0.9, 0.0, 0.9],
        [
            0.119265,
            -0.220728,
            0.330827,
            0.366361,
            -0.45761,
            0.553449,
            0.232972,
            0.0515157,
            0.712292,
            -0.722853,
            0.238992,
        ],
    ),
    (
        "SGD",
        {"learning_rate": 0.05, "momentum": 0.9, "decay": 0.01},
        "learning_rate",
        [0.05, 0.1, 0.02],
        [
            0.117339,
            -0.218866,
            0.340356,
            0.354892,
            -0.436628,
            0.528649,
            0.36469,
            -0.101789,
            0.715749,
            -0.656636,
            0.427247,
        ],
    ),
    (
        "RMSprop",
        {"learning_rate": 0.01},
        "rho",
        [0.9, 0.5, 0.99],
        [
            0.109587,
            -0.209199,
            0.314133,
            0.386279,
            -0.482397,
            0.582835,
            0.194259,
            0.106487,
            0.759476,
            -0.778597,
            0.143761,
        ],
    ),
    (
        "RMSprop",
        {"learning_rate": 0.01, "momentum": 0.5},
        "momentum",
        [0.5, 0.0, 0.9],
        [
            0.137195,
            -0.23566,
            0.341839,
            0.359719,
            -0.455271,
            0.556845,
            0.238262,
            0.0635098,
            0.796707,
            -0.757746,
            0.187206,
        ],
    ),
    (
        "RMSprop",
        {"learning_rate": 0.01, "momentum": 0.5, "centered": True},
        "rho",
        [0.9, 0.6, 0.8],
        [
            0.134883,
            -0.23356,
            0.337881,
            0.363276,
            -0.460462,
            0.56149,
            0.258666,
            0.0417486,
            0.750822,
            -0.761108,
            0.208186,
        ],
    ),
    (
        "Adam",
        {"learning_rate": 0.02},
        "beta_1",
        [0.9, 0.5, 0.95],
        [
            0.178207,
            -0.275538,
            0.395695,
            0.307146,
            -0.391491,
            0.494439,
            0.294071,
            0.00927082,
            0.827811,
            -0.678376,
            0.241888,
        ],
    ),
    (
        "Adam",
        {"learning_rate": 0.02, "amsgrad": True},
        "beta_2",
        [0.999, 0.9, 0.99],
        [0.108691, -0.209065, 0.33752, 0.36023, -0.431196, 0.526979, 0.27025, 0.0236307, 0.769355, -0.646041, 0.222503],
    ),
    (
        "Adamax",
        {"learning_rate": 0.02},
        "beta_1",
        [0.9, 0.5, 0.95],
        [
            0.148272,
            -0.246034,
            0.356029,
            0.346315,
            -0.438251,
            0.540673,
            0.239585,
            0.0633529,
            0.785562,
            -0.733864,
            0.18813,
        ],
    ),
    (
        "Nadam",
        {"learning_rate": 0.02},
        "beta_1",
        [0.9, 0.5, 0.95],
        [
            0.119219,
            -0.218134,
            0.327233,
            0.373986,
            -0.466751,
            0.56807,
            0.197846,
            0.104039,
            0.777198,
            -0.761033,
            0.146863,
        ],
    ),
    (
        "Adadelta",
        {"learning_rate": 1.0},
        "rho",
        [0.95, 0.5, 0.99],
        [
            0.100805,
            -0.200803,
            0.301234,
            0.398769,
            -0.498473,
            0.598476,
            0.106568,
            0.193436,
            0.702455,
            -0.798088,
            0.0565646,
        ],
    ),
    (
        "Ftrl",
        {"learning_rate": 0.1},
        "l1_regularization_strength",
        [0.0, 0.1, 0.01],
        [
            -0.0558755,
            0.0432456,
            -0.0282264,
            0.142935,
            -0.105675,
            0.140132,
            0.113377,
            -0.000242277,
            0.097086,
            -0.137226,
            0.159879,
        ],
    ),
    (
        "Ftrl",
        {"learning_rate": 0.1},
        "l2_regularization_strength",
        [0.0, 0.5, 0.01],
        [
            -0.0611985,
            0.0472637,
            -0.0338538,
            0.146525,
            -0.110961,
            0.143907,
            0.115785,
            -0.00232261,
            0.106983,
            -0.14257,
            0.160654,
        ],
    ),
]


def model(optimizer: Any, **compiled: Any) -> Any:
    made = tk.Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
    made.set_weights([np.array(w) for w in START])
    made.compile(optimizer, "mse", **compiled)
    return made


def fit(made: Any, *used: Any, epochs: int = 3) -> Any:
    made.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=list(used))
    return np.concatenate([w.ravel() for w in made.get_weights()])


def by_set_value(optimizer: Any, name: str, value: float) -> None:
    K.set_value(getattr(optimizer, name), value)


def by_assign(optimizer: Any, name: str, value: float) -> None:
    getattr(optimizer, name).assign(value)


WAYS = [by_set_value, by_assign, setattr]


class Scheduler(callbacks.Callback):
    def __init__(self, name: str, values: list[float], way: Any = setattr) -> None:
        super().__init__()
        self.name, self.values, self.way = name, values, way

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.way(self.model.optimizer, self.name, self.values[epoch])
        assert K.get_value(getattr(self.model.optimizer, self.name)) == pytest.approx(self.values[epoch])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("run", ["written out", "autograd", "captured"])
@pytest.mark.parametrize(("kind", "arguments", "name", "values", "weights"), FITS)
def test_a_callback_sets_it_and_the_next_step_uses_it(
    kind: str, arguments: Any, name: str, values: Any, weights: Any, run: str, way: Any, uncompiled: None
) -> None:
    made = model(getattr(optimizers.legacy, kind)(**arguments), jit_compile=run == "captured")
    if run == "autograd":
        made.layers[0].register_forward_hook(lambda *_: None)
    np.testing.assert_allclose(fit(made, Scheduler(name, values, way)), weights, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("run", ["written out", "autograd", "captured"])
@pytest.mark.parametrize("kind", ["SGD", "RMSprop"])
def test_momentum_set_from_zero_starts_a_velocity(kind: str, run: str, uncompiled: None) -> None:
    # The first epoch is plain; from then on it is a fit with momentum from where that stood.
    made = model(getattr(optimizers, kind)(0.01), jit_compile=run == "captured")
    if run == "autograd":
        made.layers[0].register_forward_hook(lambda *_: None)
    found = fit(made, Scheduler("momentum", [0.0, 0.9, 0.9]))
    if kind == "RMSprop":
        return  # its mean square goes on, which no second fit could show; that it runs and moves is the point
    other = model(getattr(optimizers, kind)(0.01))
    fit(other, epochs=1)
    other.compile(getattr(optimizers, kind)(0.01, momentum=0.9), "mse")
    np.testing.assert_allclose(found, fit(other, epochs=2), rtol=1e-5)


@pytest.mark.parametrize("run", ["written out", "captured"])
@pytest.mark.parametrize(
    ("name", "value"), [("clipnorm", 0.1), ("clipvalue", 0.01), ("global_clipnorm", 0.1), ("nesterov", True)]
)
def test_an_option_set_between_epochs_is_used(name: str, value: Any, run: str, uncompiled: None) -> None:
    class Set(callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                setattr(self.model.optimizer, name, value)

    found = fit(model(optimizers.SGD(0.05, momentum=0.5), jit_compile=run == "captured"), Set(), epochs=2)
    other = model(optimizers.SGD(0.05, momentum=0.5))
    fit(other, epochs=1)
    setattr(other.optimizer, name, value)
    np.testing.assert_allclose(found, fit(other, epochs=1), rtol=1e-5)
    assert not np.allclose(found, fit(model(optimizers.SGD(0.05, momentum=0.5)), epochs=2), rtol=1e-5)


@pytest.mark.parametrize("run", ["written out", "captured"])
@pytest.mark.parametrize("first", [0.01, 0.0])
def test_decay_can_be_set_as_in_classic_keras(first: float, run: str, uncompiled: None) -> None:
    # Keras 2.3.1: lr / (1 + decay · iterations), with what `decay` holds at that step.
    decays, w, b = [first, 0.2, 0.05], np.zeros((3, 1)), np.zeros(1)
    for step in range(6):
        x, y = X[4 * (step % 2) :][:4].astype("float64"), Y[4 * (step % 2) :][:4].astype("float64")
        error, rate = x @ w + b - y, 0.05 / (1 + decays[step // 2] * step)
        w, b = w - rate * x.T @ error / 2, b - rate * error.sum(0) / 2
    made = tk.Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer="zeros")])
    made.compile(optimizers.legacy.SGD(0.05, decay=first), "mse", jit_compile=run == "captured")
    np.testing.assert_allclose(fit(made, Scheduler("decay", decays)), np.concatenate([w.ravel(), b]), rtol=1e-5)


def test_the_snippet_of_the_decayed_rate() -> None:
    optimizer = optimizers.legacy.SGD(0.1, momentum=0.9, decay=0.01)
    fit(model(optimizer), epochs=5)
    decayed = optimizer.lr / (1.0 + optimizer.decay * K.cast(optimizer.iterations, K.dtype(optimizer.decay)))
    assert K.eval(decayed) == pytest.approx(0.1 / 1.1)
    assert optimizer.initial_decay > 0
    assert K.eval(optimizer.lr * (1.0 / (1.0 + optimizer.decay * optimizer.iterations))) == pytest.approx(0.1 / 1.1)


HYPER = [
    ("SGD", {"momentum": 0.9, "decay": 0.01}, ["lr", "learning_rate", "momentum", "decay"]),
    ("RMSprop", {}, ["rho", "momentum", "epsilon", "lr"]),
    ("Adam", {}, ["beta_1", "beta_2", "epsilon", "learning_rate"]),
    ("Nadam", {}, ["beta_1", "beta_2", "schedule_decay"]),
    ("Adagrad", {}, ["lr", "epsilon"]),
    ("Adadelta", {}, ["rho", "epsilon"]),
    ("Ftrl", {}, ["learning_rate_power", "beta", "l1_regularization_strength"]),
    ("Lion", {}, ["beta_1", "beta_2"]),
]


@pytest.mark.parametrize(("kind", "arguments", "names"), HYPER)
def test_what_a_variable_can_do(kind: str, arguments: Any, names: list[str]) -> None:
    optimizer = getattr(optimizers, kind)(**arguments)
    for name in names:
        number = getattr(optimizer, name)
        plain = float(number)
        assert K.dtype(number) == "float32"
        assert K.get_value(number) == K.eval(number) == np.float32(plain)
        assert number.numpy() == np.float32(plain)
        assert number.numpy().dtype == np.float32
        assert (f"{number:.3f}", str(number)) == (f"{plain:.3f}", str(plain))
        assert (number + 1, 2 * number, -number) == (plain + 1, 2 * plain, -plain)
        assert float(K.cast(number, "float64")) == pytest.approx(plain)
        assert float(torch.tensor(2.0) * number) == pytest.approx(2 * plain)
        K.set_value(number, plain / 2)
        assert number.value() == float(number) == getattr(optimizer, name) == plain / 2
        assert K.get_value(number) == np.float32(plain / 2)
        assert K.eval(K.update(number, plain)) == pytest.approx(plain)
        setattr(optimizer, name, plain)
        assert number.assign_add(0.25) == getattr(optimizer, name) == plain + 0.25
        assert number.assign_sub(0.25) == pytest.approx(plain)
        K.batch_set_value([(getattr(optimizer, name), plain / 4)])
        assert K.batch_get_value([getattr(optimizer, name)]) == [np.float32(plain / 4)]
        setattr(optimizer, name, K.variable(0.5) if plain >= 0 else -K.variable(0.5))
        assert abs(getattr(optimizer, name)) == 0.5
        setattr(optimizer, name, plain)


@pytest.mark.parametrize(("kind", "arguments", "names"), HYPER)
def test_copies_and_configurations_hold_plain_numbers(kind: str, arguments: Any, names: list[str]) -> None:
    optimizer = getattr(optimizers, kind)(**arguments)
    config = optimizer.get_config()
    assert all(type(value) in (float, int, bool, str, type(None)) for value in config.values())
    assert json.loads(json.dumps(config)) == config
    for name in names:
        number = getattr(optimizer, name)
        assert [type(c) for c in (copy.copy(number), copy.deepcopy(number), pickle.loads(pickle.dumps(number)))] == [
            float
        ] * 3
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        before = float(getattr(optimizer, names[0]))
        setattr(twin, names[0], before / 2)
        assert (getattr(twin, names[0]), getattr(optimizer, names[0])) == (before / 2, before)


def test_counter_as_a_variable() -> None:
    optimizer = optimizers.SGD()
    assert K.dtype(optimizer.iterations) == "int64"
    K.set_value(optimizer.iterations, 7)
    K.update_add(optimizer.iterations, 1)
    assert K.get_value(optimizer.iterations) == optimizer.get_weights()[0] == 8
    assert optimizer.iterations.assign_add(2) == 10


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match=r"beta_1.*a number"):
        optimizers.Adam().beta_1 = "much"


def test_a_rate_is_read_with_the_digits_of_float32() -> None:
    # Keras 2.15.0 on NumPy 1.26 prints 0.1 and 0.01: a float32 computes in double with numbers, and is rounded anew.
    optimizer = optimizers.SGD(0.1)
    assert str(K.get_value(optimizer.lr)) == repr(optimizer.lr.numpy()) == "0.1"
    assert float(K.get_value(optimizer.lr)) == 0.10000000149011612
    K.set_value(optimizer.lr, K.get_value(optimizer.lr) * 0.1)
    assert str(K.get_value(optimizer.lr)) == "0.01"
    assert f"{K.get_value(optimizer.lr)}" == f"{np.float32(0.01)}"  # NumPy formats a float32 as a double


def test_a_rate_that_is_a_variable() -> None:
    for module, follows in ((legacy, True), (experimental, False)):  # Keras 2.15.0: the newer classes take its value
        rate, weight = K.variable(0.5), K.variable(1.0)
        optimizer = module.SGD(rate)
        rate.assign(0.0)
        optimizer.apply_gradients([(np.ones((), "float32"), weight)])
        assert float(weight.numpy()) == (1.0 if follows else 0.5)
        optimizer.learning_rate = 0.25
        assert float(rate.numpy()) == (0.25 if follows else 0.0)
        assert optimizer.get_config()["learning_rate"] == 0.25


def test_the_decayed_rate_is_a_tensor_of_one_number() -> None:
    optimizer = legacy.SGD(0.1, decay=0.1)
    optimizer.iterations = 1
    assert str(optimizer._decayed_lr("float32").numpy()) == "0.09090909"
