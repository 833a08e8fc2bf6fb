"""`to_torch` of models whose layers compute in several types: each value is cast where the layer would cast it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import layers

pytestmark = pytest.mark.filterwarnings("ignore:.*to_torch")  # what differs in training is told

random = np.random.RandomState(0)
NUMBERS, PICTURES = random.randn(5, 6).astype("float32"), random.randn(2, 8, 8, 3).astype("float32")
STEPS, INDICES = random.randn(4, 5, 3).astype("float32"), random.randint(0, 9, (4, 6))


def chain() -> tuple[Any, Any]:
    return tk.Sequential([tk.Input((6,)), layers.Dense(4, "relu", dtype="float64"), layers.Dense(1)]), NUMBERS


def graph() -> tuple[Any, Any]:
    x = tk.Input((6,))
    shared = layers.Dense(6)(x)
    both = layers.Add(dtype="float64")([layers.Dense(4)(shared), layers.Dense(4, dtype="float64")(shared)])
    return tk.Model(x, [both, layers.Dense(2)(both)]), NUMBERS


def function_between() -> tuple[Any, Any]:
    x = tk.Input((6,))
    y = layers.Dense(4, dtype="float64")(x) * 2 + 1
    return tk.Model(x, layers.Dense(3)(layers.BatchNormalization()(y))), NUMBERS


def channels() -> tuple[Any, Any]:
    net = [layers.Conv2D(4, 3, dtype="float64"), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(dtype="float64")]
    return tk.Sequential([tk.Input((8, 8, 3)), *net]), PICTURES


def nested() -> tuple[Any, Any]:
    inner = tk.Sequential([tk.Input((6,)), layers.Dense(4, dtype="float64")])
    x = tk.Input((6,))
    return tk.Model(x, layers.Dense(1)(inner(x))), NUMBERS


def recurrent() -> tuple[Any, Any]:
    net = [layers.LSTM(4, dtype="float64", return_sequences=True), layers.GRU(3)]
    return tk.Sequential([tk.Input((5, 3)), *net]), STEPS


def masked() -> tuple[Any, Any]:
    net = [layers.Embedding(9, 4, dtype="float64", mask_zero=True), layers.GRU(3)]
    return tk.Sequential([tk.Input((6,), dtype="int32"), *net]), INDICES


@pytest.mark.parametrize("make", [chain, graph, function_between, channels, nested, recurrent, masked])
def test_outputs_and_their_types_are_the_same(make: Callable[[], tuple[Any, Any]]) -> None:
    tk.set_dialect("keras-2.15")
    model, x = make()
    expected = model.predict(x, verbose=0)
    with torch.no_grad():
        outputs = model.to_torch().eval()(torch.tensor(x))
    for output, value in zip(outputs, expected) if isinstance(expected, list) else [(outputs, expected)]:
        assert output.numpy().dtype == value.dtype
        np.testing.assert_allclose(output.numpy(), value, rtol=1e-5, atol=1e-6)


def of_each_kind() -> tuple[Any, Any]:
    x = tk.Input((8, 8, 3))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(x))
    y = layers.Lambda(lambda t: t * 2.0)(layers.MaxPooling2D()(y)) - 0.5
    y = layers.LSTM(4, return_sequences=True)(layers.Reshape((9, 4))(y))
    y = layers.Flatten()(layers.MultiHeadAttention(2, 3)(y, y))
    return tk.Model(x, layers.Activation("softmax", dtype="float32")(layers.Dense(3)(y))), PICTURES


@pytest.mark.parametrize("make", [of_each_kind, masked])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_mixed_policy_gives_a_module_in_the_type_of_its_weights(make: Callable[[], Any], dtype: str) -> None:
    """The numbers are those of the same layers without the policy."""
    tk.set_dialect("keras-2.15")
    single, x = make()
    tk.mixed_precision.set_global_policy(f"mixed_{dtype}")
    tk.backend.clear_session()
    mixed, _ = make()
    mixed.set_weights(single.get_weights())
    with pytest.warns(UserWarning, match=rf"float32, the type of its weights; for {dtype}, .* under torch\.autocast"):
        module = mixed.to_torch().eval()
    with torch.no_grad():
        output = module(torch.tensor(x))
    np.testing.assert_allclose(output.numpy(), single.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    source = mixed.to_torch_source()
    assert f"run it under torch.autocast for {dtype}." in source
    assert ".half()" not in source
    assert (".float()" in source) == (make is masked)  # whose Embedding is of float64


def test_the_scale_of_a_loss_in_float16_is_left_out() -> None:
    tk.set_dialect("keras-2.15")
    model = tk.Sequential([tk.Input((3,)), layers.Dense(2, dtype="mixed_float16"), layers.Dense(1, dtype="float32")])
    model.compile(tk.mixed_precision.LossScaleOptimizer(tk.optimizers.SGD(0.1)), "mse")
    assert "torch.optim.SGD(model.parameters(), lr=0.1)" in model.to_torch_source()


def test_a_nested_model_gives_the_type_of_its_last_layer() -> None:
    """Keras 2.15: `inner(x).dtype` is that of the tensor, and the layer behind casts it."""
    tk.set_dialect("keras-2.15")
    model, x = nested()
    assert [str(layer.output.dtype) for layer in model.layers[1:]] == ["float64", "float32"]
    assert model.predict(x, verbose=0).dtype == np.float32
