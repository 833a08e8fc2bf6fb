"""Layers of Keras 1 that Keras 2.15 has not, against numpy: outputs, gradients by differences, and ten steps of SGD."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from . import classic
from .classic_layers import gradients

Array = np.ndarray


@pytest.fixture(autouse=True)
def keras_1() -> None:
    tk.set_dialect("keras-1")


def _draw(*shape: int) -> Array:
    return np.random.RandomState(sum(shape)).standard_normal(shape)


DENSE: dict[str, dict[str, Any]] = {
    "defaults": {},
    "options": {
        "activation": "tanh",
        "W_regularizer": {"class_name": "L2", "config": {"l2": 0.05}},
        "b_regularizer": {"class_name": "L1", "config": {"l1": 0.02}},
        "b_constraint": "nonneg",
    },
    "no_bias": {"bias": False, "activation": "relu"},
}


def _steps_of_dense(
    options: dict[str, Any], weights: list[Array], x: Array, y: Array
) -> tuple[list[float], list[Array]]:
    """Take ten steps of SGD by differences, on what Keras 1.2.2 adds up."""

    def loss(*values: Array) -> float:
        output = classic.time_distributed_dense(x, *values, activation=options.get("activation", "linear"))
        penalty = 0.05 * (values[0] ** 2).sum() if "W_regularizer" in options else 0.0
        penalty += 0.02 * np.abs(values[1]).sum() if "b_regularizer" in options else 0.0
        return float(((output - y) ** 2).mean() + penalty)

    losses = []
    for _ in range(10):
        losses.append(loss(*weights))
        weights = [w - 0.1 * g for w, g in zip(weights, gradients(loss, weights))]
        if "b_constraint" in options:
            weights[1] = weights[1] * (weights[1] >= 0)
    return losses, weights


@pytest.mark.filterwarnings("ignore::FutureWarning")  # the arguments of Keras 1 are translated, and it is said
@pytest.mark.parametrize("name", DENSE)
def test_time_distributed_dense(name: str) -> None:
    """Class TimeDistributedDense: one Dense for each step."""
    options, x, y = DENSE[name], _draw(6, 3, 4), _draw(6, 3, 2)
    model = tk.models.Sequential([tk.layers.TimeDistributedDense(2, input_dim=4, input_length=3, **options)])
    weights = [_draw(4, 2), np.abs(_draw(2))][: 1 if name == "no_bias" else 2]
    model.set_weights([w.astype("float32") for w in weights])
    expected = classic.time_distributed_dense(x, *weights, activation=options.get("activation", "linear"))
    np.testing.assert_allclose(np.asarray(model(x.astype("float32"))), expected, rtol=1e-4, atol=1e-5)
    losses, after = _steps_of_dense(options, weights, x, y)
    model.compile(tk.optimizers.SGD(0.1), "mse")
    trained = [model.train_on_batch(x.astype("float32"), y.astype("float32")) for _ in range(10)]
    np.testing.assert_allclose([float(np.asarray(loss)) for loss in trained], losses, rtol=1e-4)
    for got, want in zip(model.get_weights(), after):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


MERGES: list[tuple[str, dict[str, Any], tuple[int, ...], tuple[int, ...]]] = [
    *[(mode, {}, (5, 3, 4), (5, 3, 4)) for mode in ("sum", "mul", "ave", "max")],
    ("concat", {}, (5, 3, 4), (5, 3, 2)),
    ("concat", {"concat_axis": 1}, (5, 3, 4), (5, 2, 4)),
    ("dot", {"dot_axes": 1}, (5, 4), (5, 4)),
    ("dot", {"dot_axes": [2, 1]}, (5, 3, 4), (5, 4, 2)),
    ("cos", {"dot_axes": 1}, (5, 4), (5, 4)),
]


@pytest.mark.parametrize(("mode", "options", "one", "other"), MERGES, ids=str)
def test_merge(mode: str, options: dict[str, Any], one: tuple[int, ...], other: tuple[int, ...]) -> None:
    """Class Merge, its modes."""
    arrays = [_draw(*one), 0.5 + _draw(*other)]
    expected = classic.merge(arrays, mode, **options)
    direction = _draw(*expected.shape)
    wanted = gradients(lambda *at: float((classic.merge(list(at), mode, **options) * direction).sum()), arrays)
    tensors = [torch.tensor(array.astype("float32"), requires_grad=True) for array in arrays]
    y = tk.layers.Merge(mode=mode, **options)(tensors)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    (y * torch.tensor(direction)).sum().backward()
    for tensor, gradient in zip(tensors, wanted):
        assert tensor.grad is not None
        np.testing.assert_allclose(tensor.grad.numpy(), gradient, rtol=1e-3, atol=1e-4)
