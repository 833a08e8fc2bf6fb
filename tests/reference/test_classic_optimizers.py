"""The optimizers under the classic dialects against the numpy formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

from .classic_optimizers import DEFAULTS, OLD_EPSILON, Optimizer

CLASSIC = ("keras-2.3", "keras-2.2", "keras-1")
STEPS, ROWS = 40, 6

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in DEFAULTS),
    ("SGD", {"lr": 0.05, "decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "decay": 0.01}),
    ("SGD", {"lr": 0.05, "clipnorm": 0.3}),
    ("SGD", {"lr": 0.05, "clipvalue": 0.1}),
    ("SGD", {"lr": 0.05, "clipnorm": 0.5, "clipvalue": 0.1}),
    ("RMSprop", {"lr": 0.01, "rho": 0.7, "epsilon": 0.01, "decay": 0.05}),
    ("RMSprop", {"lr": 0.01, "epsilon": 0.01, "clipnorm": 0.3}),
    ("Adagrad", {"lr": 0.05, "epsilon": 0.1, "decay": 0.05}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "epsilon": 1e-3, "decay": 0.05}),
    ("Adam", {"lr": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01, "decay": 0.05}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "beta_2": 0.5}),
    ("Adam", {"lr": 0.02, "clipnorm": 0.3}),
    ("Adam", {"lr": 0.02, "epsilon": None}),
    ("Adamax", {"lr": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01, "decay": 0.05}),
    ("Nadam", {"lr": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01, "schedule_decay": 0.01}),
]


def _renamed(options: dict[str, Any]) -> dict[str, Any]:
    """Say learning_rate for lr: the translation of the old spelling, and its warning, are tested elsewhere."""
    return {"learning_rate" if key == "lr" else key: value for key, value in options.items()}


def _reference(name: str, dialect: str, options: dict[str, Any]) -> Optimizer:
    old = {"epsilon": OLD_EPSILON} if dialect == "keras-1" and name != "SGD" else {}
    return Optimizer(name, **{**old, **options})


@pytest.mark.parametrize("dialect", CLASSIC)
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(OPTIONS)])
def test_linear_regression(name: str, options: dict[str, Any], dialect: str) -> None:
    tk.set_dialect(dialect)
    rng = np.random.RandomState(3)
    x, y = rng.standard_normal((8, 4)), rng.standard_normal((8, 3))
    weights = [rng.standard_normal((4, 3)), rng.standard_normal(3)]
    model = tk.models.Sequential([tk.layers.Dense(3, input_shape=(4,))])
    model.set_weights([w.astype("float32") for w in weights])
    model.compile(optimizer=getattr(tk.optimizers, name)(**_renamed(options)), loss="mse")
    reference = _reference(name, dialect, options)
    for _ in range(STEPS):
        slope = 2 * (x @ weights[0] + weights[1] - y) / y.size
        weights = reference.step(weights, [x.T @ slope, slope.sum(0)])
        model.train_on_batch(x.astype("float32"), y.astype("float32"))
    for got, expected in zip(model.get_weights(), weights):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


EMBEDDED: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 0.1}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("Adagrad", {}),
    ("Adadelta", {}),
    ("Adam", {"learning_rate": 0.02}),
    ("Adam", {"learning_rate": 0.02, "amsgrad": True}),
    ("Adamax", {"learning_rate": 0.02}),
    ("Nadam", {"learning_rate": 0.02}),
]


@pytest.mark.parametrize("dialect", ["keras-2.3"])
@pytest.mark.parametrize(("name", "options"), EMBEDDED, ids=[f"{n}-{i}" for i, (n, _) in enumerate(EMBEDDED)])
def test_rows_that_a_batch_does_not_touch(name: str, options: dict[str, Any], dialect: str) -> None:
    tk.set_dialect(dialect)
    rng = np.random.RandomState(4)
    table = [rng.standard_normal((ROWS, 2))]
    model = tk.models.Sequential([tk.layers.Embedding(ROWS, 2, input_length=2), tk.layers.Flatten()])
    model.build((None, 2))
    model.set_weights([table[0].astype("float32")])
    model.compile(optimizer=getattr(tk.optimizers, name)(**options), loss="mse")
    reference = _reference(name, dialect, options)
    for step in range(STEPS):
        tokens = rng.randint(step % 3, step % 3 + 3, (5, 2))  # rows 5 and, for a while, 0 or 4 rest
        target = rng.standard_normal((5, 4))
        slope = 2 * (table[0][tokens].reshape(5, 4) - target) / target.size
        gradient = np.zeros((ROWS, 2))
        np.add.at(gradient, tokens, slope.reshape(5, 2, 2))
        table = reference.step(table, [gradient])
        model.train_on_batch(tokens, target.astype("float32"))
    np.testing.assert_allclose(model.get_weights()[0], table[0], rtol=1e-4, atol=1e-4)
