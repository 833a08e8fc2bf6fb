"""Activations against their definitions, by every way of naming them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import activations
from torchkeras_compat._core import registry

X = np.array([-100, -4, -2.5, -1, -0.25, 0, 0.25, 1, 2.5, 4, 30], "float64")
ERF = np.vectorize(__import__("math").erf)

DEFINITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: 1.05070098 * np.where(x > 0, x, 1.67326324 * np.expm1(np.minimum(x, 0))),
    "gelu": lambda x: x * (1 + ERF(x / np.sqrt(2))) / 2,
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "exponential": np.exp,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (np.abs(x) + 1),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_definition(name: str) -> None:
    result = activations.get(name)(torch.tensor(X))
    np.testing.assert_allclose(result, DEFINITIONS[name](X), rtol=1e-7, atol=1e-8)


def _relu(x: np.ndarray, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> np.ndarray:
    above = np.where(x > threshold, x, 0)
    above = above if max_value is None else np.clip(above, 0, max_value)
    return above - alpha * np.maximum(threshold - x, 0)


@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.2},
        {"max_value": 1.5},
        {"max_value": 6},
        {"threshold": 0.5},
        {"threshold": -2.0},
        {"alpha": 0.2, "threshold": 0.5},
        {"alpha": 0.1, "max_value": 2.0, "threshold": 0.7},
        {"max_value": 3.0, "threshold": -2.0},
    ],
)
def test_relu_with_options(options: dict[str, Any]) -> None:
    np.testing.assert_allclose(activations.relu(torch.tensor(X), **options), _relu(X, **options))


def test_other_options() -> None:
    x = torch.tensor(X)
    np.testing.assert_allclose(activations.elu(x, 0.3), np.where(X > 0, X, 0.3 * np.expm1(np.minimum(X, 0))))
    tanh = 0.5 * X * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)))
    np.testing.assert_allclose(activations.gelu(x, approximate=True), tanh, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_selu_has_the_slope_of_the_right_at_zero(dtype: torch.dtype) -> None:
    x = torch.zeros(2, dtype=dtype, requires_grad=True)
    y = activations.selu(x)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.float(), 1.0507, rtol=1e-2)
    assert y.abs().max() < 1e-6


def test_softmax() -> None:
    x = torch.randn(2, 3, 4)
    torch.testing.assert_close(activations.softmax(x).sum(-1), torch.ones(2, 3))
    torch.testing.assert_close(activations.softmax(x, axis=1), torch.softmax(x, 1))
    both = activations.softmax(x, axis=(1, 2))
    torch.testing.assert_close(both, torch.softmax(x.flatten(1), 1).reshape(x.shape))
    with pytest.raises(ValueError, match=r"softmax.*two axes or more"):
        activations.softmax(torch.ones(3))


def test_get() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get("silu") is activations.swish is activations.silu
    assert activations.get("ReLU".lower()) is activations.relu
    assert activations.get(torch.tanh) is torch.tanh
    module = torch.nn.GELU()
    assert activations.get(module) is module
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(TypeError, match="an activation must be"):
        activations.get(3)


def test_serialize_round_trip() -> None:
    for name in DEFINITIONS:
        function = activations.get(name)
        assert activations.serialize(function) == name
        assert activations.deserialize(activations.serialize(function)) is function
    assert activations.serialize(activations.silu) == "swish"


def test_custom_objects() -> None:
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    assert activations.deserialize("twice", custom_objects={"twice": twice}) is twice
    with registry.custom_object_scope({"twice": twice}):
        assert activations.get("twice") is twice
    with pytest.raises(ValueError, match="unknown activation"):
        activations.get("twice")


def test_all_trace_as_one_graph() -> None:
    def everything(x: torch.Tensor) -> torch.Tensor:
        return sum((activations.get(name)(x) for name in DEFINITIONS), activations.softmax(x))  # type: ignore[return-value]

    x = torch.randn(3, 4)
    traced = torch.compile(everything, backend="eager", fullgraph=True)
    torch.testing.assert_close(traced(x), everything(x))


ROWS = np.random.RandomState(1).standard_normal((8, 4)).astype("float32")
BY_LAYER = [
    ("LeakyReLU", lambda z: np.where(z > 0, z, 0.3 * z)),
    (keras.layers.LeakyReLU(alpha=0.1), lambda z: np.where(z > 0, z, 0.1 * z)),
    (keras.layers.LeakyReLU, lambda z: np.where(z > 0, z, 0.3 * z)),
    ({"class_name": "LeakyReLU", "config": {"alpha": 0.2}}, lambda z: np.where(z > 0, z, 0.2 * z)),
    ({"class_name": "ReLU", "config": {"max_value": 0.5}}, lambda z: z.clip(0, 0.5)),
    ("ThresholdedReLU", lambda z: np.where(z > 1, z, 0)),
    ("PReLU", lambda z: np.maximum(z, 0)),
    ("ReLU", lambda z: np.maximum(z, 0)),
]


@pytest.mark.parametrize(("activation", "expected"), BY_LAYER)
def test_a_layer_as_activation(activation: Any, expected: Any) -> None:
    model = keras.Sequential([keras.layers.Dense(3, activation=activation, input_shape=(4,))])
    z = ROWS @ model.get_weights()[0]
    np.testing.assert_allclose(model.predict(ROWS), expected(z), rtol=1e-4, atol=1e-5)
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(ROWS), model.predict(ROWS))
    model.compile("sgd", "mse")
    model.fit(ROWS, z, verbose=0)


def test_configuration_of_a_layer_as_activation() -> None:
    dense = keras.layers.Dense(3, activation=keras.layers.LeakyReLU(alpha=0.25))
    config = dense.get_config()["activation"]
    assert config["class_name"] == "LeakyReLU"
    assert config["config"]["alpha"] == 0.25
    written = {"module": "keras.layers", "registered_name": None, **config}  # as the archives of Keras 2.15 have it
    assert activations.get(written).alpha == 0.25
    assert activations.serialize(dense.activation)["class_name"] == "LeakyReLU"
    assert keras.layers.Dense.from_config(dense.get_config()).activation.alpha == 0.25


def test_weights_of_a_layer_as_activation() -> None:
    model = keras.Sequential([keras.layers.Dense(3, activation="PReLU", input_shape=(4,))])
    assert [w.shape for w in model.get_weights()] == [(4, 3), (3,), (3,)]
    assert model.count_params() == 18
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.fit(ROWS, np.ones((8, 3), "float32"), verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights()))


def test_names_of_other_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown activation 'Dense'"):
        activations.get("Dense")
