"""Layers that only Keras 1 has give the numbers of its formulas: forward, gradients, and weights after ten steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L

from . import classic_layers as reference

CASES: dict[str, tuple[Callable[..., Any], reference.Function, tuple[int, ...]]] = {
    "MaxoutDense": (lambda **k: L.MaxoutDense(3, **k), reference.maxout_dense, (5,)),
    "MaxoutDense, two, no bias": (
        lambda **k: L.MaxoutDense(output_dim=2, nb_feature=2, bias=False, **k),
        reference.maxout_dense,
        (4,),
    ),
    "Highway": (lambda **k: L.Highway(**k), reference.highway, (4,)),
    "Highway, no bias": (lambda **k: L.Highway(bias=False, **k), reference.highway, (3,)),
    "Highway, tanh": (
        lambda **k: L.Highway(activation="tanh", **k),
        functools.partial(reference.highway, activation=np.tanh),
        (4,),
    ),
    "SReLU": (lambda **k: L.SReLU(**k), reference.srelu, (6,)),
    "SReLU, shared": (
        lambda **k: L.SReLU(
            t_left_init="uniform",
            a_left_init="one",
            t_right_init="one",
            a_right_init="zero",
            shared_axes=(1, 2),
            **k,
        ),
        reference.srelu,
        (3, 2, 4),
    ),
    "ParametricSoftplus": (lambda **k: L.ParametricSoftplus(**k), reference.parametric_softplus, (6,)),
    "ParametricSoftplus, shared": (
        lambda **k: L.ParametricSoftplus(alpha_init=0.7, beta_init=1.5, shared_axes=[1], **k),
        reference.parametric_softplus,
        (3, 4),
    ),
}
RATE, STEPS = 0.05, 10


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Any, reference.Function, np.ndarray, list[np.ndarray]]:
    """A model of one layer in float64 with weights drawn anew, its formula, a batch and the weights."""
    make, formula, shape = CASES[request.param]
    rng = np.random.RandomState(7)
    model = keras.Sequential([make(input_shape=shape, dtype="float64")])
    weights = [rng.uniform(-1, 1, weight.shape) for weight in model.get_weights()]
    model.set_weights(weights)
    return model, formula, rng.normal(size=(8, *shape)), weights


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
def test_forward_and_ten_steps(case: tuple[Any, reference.Function, np.ndarray, list[np.ndarray]]) -> None:
    model, formula, x, weights = case
    assert np.allclose(model.predict(x, verbose=0), formula(x, *weights), atol=1e-6)
    y = np.random.RandomState(3).normal(size=formula(x, *weights).shape)

    def loss(*values: np.ndarray) -> float:
        return float(((formula(x, *values) - y) ** 2).mean())

    model.compile(keras.optimizers.SGD(RATE), "mse")
    for _ in range(STEPS):
        assert float(model.train_on_batch(x, y)) == pytest.approx(loss(*weights), rel=1e-5)
        slopes = reference.gradients(loss, weights)
        weights = [weight - RATE * slope for weight, slope in zip(weights, slopes)]
    for weight, expected in zip(model.get_weights(), weights):
        assert np.allclose(weight, expected, atol=1e-6)


def test_they_begin_as_in_keras_1() -> None:
    highway = L.Highway(input_dim=3)
    highway.build((None, 3))
    kernel, carry, bias, bias_carry = highway.get_weights()
    assert min(np.ptp(kernel), np.ptp(carry)) > 0
    assert [bias.tolist(), bias_carry.tolist()] == [[0, 0, 0], [1, 1, 1]]
    older = L.Highway(input_dim=3, transform_bias=-2)  # the default up to Keras 1.1, where it had this argument
    older.build((None, 3))
    assert older.get_weights()[3].tolist() == [-2, -2, -2]
    assert L.Highway.from_config(older.get_config()).transform_bias == -2
    softplus = L.ParametricSoftplus()
    softplus.build((None, 2))
    assert np.allclose(softplus.get_weights(), [[0.2, 0.2], [5.0, 5.0]])
    srelu = L.SReLU()
    srelu.build((None, 2))
    t_left, _, _, a_right = srelu.get_weights()
    assert [t_left.tolist(), a_right.tolist()] == [[0, 0], [1, 1]]


def test_a_network_of_highways_learns() -> None:
    rng = np.random.RandomState(0)
    x = rng.normal(size=(128, 4))
    y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [L.Dense(16, input_dim=4), *(L.Highway(activation="relu") for _ in range(3)), L.MaxoutDense(8), L.SReLU()]
    )
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=60, batch_size=32, verbose=0)
    assert history.history["loss"][-1] < 0.3 < history.history["loss"][0]
