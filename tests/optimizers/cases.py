"""What `make_steps.py` measured on Keras 2.15 and `test_formulas.py` repeats: classes, arguments, data."""

from __future__ import annotations

from typing import Any

import numpy as np

STEPS = 30
SHAPES = [(4, 3), (3,)]
ROWS, DIM = 9, 2

Case = tuple[str, str, dict[str, Any]]

_CLIPS: list[dict[str, Any]] = [
    {"clipnorm": 0.5},
    {"clipvalue": 0.2},
    {"global_clipnorm": 0.6},
    {"clipvalue": 0.3, "clipnorm": 0.5},
]

_SHARED: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"learning_rate": 0.05, "momentum": 0.9},
        {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
        *({"learning_rate": 0.05, "momentum": 0.5, **clip} for clip in _CLIPS),
    ],
    "RMSprop": [
        {},
        {"learning_rate": 0.01, "rho": 0.7, "epsilon": 0.01},
        {"learning_rate": 0.01, "momentum": 0.8, "epsilon": 0.01},
        {"learning_rate": 0.01, "centered": True, "epsilon": 0.01},
        {"learning_rate": 0.01, "centered": True, "momentum": 0.5, "epsilon": 0.01},
    ],
    "Adagrad": [{}, {"learning_rate": 0.05, "initial_accumulator_value": 0.0}, {"learning_rate": 0.05, "epsilon": 0.1}],
    "Adadelta": [{}, {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}],
    "Adam": [
        {},
        {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01},
        {"learning_rate": 0.02, "amsgrad": True, "beta_2": 0.5, "epsilon": 0.01},
    ],
    "Adamax": [{}, {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01}],
    "Nadam": [{}, {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01}],
    "Ftrl": [
        {},
        {"learning_rate": 0.1, "learning_rate_power": -0.3, "initial_accumulator_value": 0.5},
        {"learning_rate": 0.1, "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.02},
        {"learning_rate": 0.1, "l2_shrinkage_regularization_strength": 0.05, "beta": 0.5},
    ],
}
_LEGACY_ONLY: dict[str, list[dict[str, Any]]] = {
    "SGD": [{"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "decay": 0.05}],
    "Adam": [{"learning_rate": 0.02, "decay": 0.05}],
    "Nadam": [{"learning_rate": 0.02, "schedule_decay": 0.1}],
}
_EMA = {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 7}
_NEWER_ONLY: dict[str, list[dict[str, Any]]] = {
    "SGD": [{"learning_rate": 0.05, "weight_decay": 0.1}, {"learning_rate": 0.05, "momentum": 0.5, **_EMA}],
    "RMSprop": [{"learning_rate": 0.01, "weight_decay": 0.1, "use_ema": True, "ema_momentum": 0.5}],
    "AdamW": [{}, {"learning_rate": 0.02, "weight_decay": 0.1, "amsgrad": True}],
    "Lion": [{}, {"learning_rate": 0.01, "beta_1": 0.7, "beta_2": 0.9, "weight_decay": 0.1}],
    "Adafactor": [
        {},
        {"learning_rate": 0.02, "beta_2_decay": -0.6, "clip_threshold": 0.7},
        {"learning_rate": 0.5, "relative_step": False, "weight_decay": 0.02},
    ],
}


def _listed(dialect: str, *tables: dict[str, list[dict[str, Any]]]) -> list[Case]:
    return [(dialect, name, kwargs) for table in tables for name, variants in table.items() for kwargs in variants]


CASES: list[Case] = _listed("tf.keras", _SHARED, _LEGACY_ONLY) + _listed("keras-2.15", _SHARED, _NEWER_ONLY)

_ROWS: dict[str, list[dict[str, Any]]] = {
    "SGD": [{"learning_rate": 0.1}, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}],
    "RMSprop": [
        {"learning_rate": 0.01},
        {"learning_rate": 0.01, "centered": True, "epsilon": 0.01},
        {"learning_rate": 0.01, "momentum": 0.7},
    ],
    "Adagrad": [{"learning_rate": 0.1}],
    "Adadelta": [{"learning_rate": 1.0}],
    "Adam": [{"learning_rate": 0.02}],
    "Adamax": [{"learning_rate": 0.02}],
    "Nadam": [{"learning_rate": 0.02}],
    "Ftrl": [{"learning_rate": 0.1}],
}
ROW_CASES: list[Case] = _listed("tf.keras", _ROWS) + _listed("keras-2.15", {k: _ROWS[k] for k in ("SGD", "RMSprop")})


def key(case: Case) -> str:
    """Return the name of a case."""
    dialect, name, kwargs = case
    return " ".join([dialect, name, *(f"{k}={v}" for k, v in kwargs.items())])


def start() -> list[np.ndarray[Any, Any]]:
    """Return the weights before the first step."""
    rng = np.random.RandomState(3)
    return [rng.standard_normal(shape).astype("float32") for shape in SHAPES]


def noise() -> list[list[np.ndarray[Any, Any]]]:
    """Return what is added to `0.3 w` to make the gradients of each step."""
    rng = np.random.RandomState(4)
    return [[rng.standard_normal(shape).astype("float32") for shape in SHAPES] for _ in range(STEPS)]


def table() -> np.ndarray[Any, Any]:
    """Return an embedding's weights before the first step."""
    return np.random.RandomState(5).standard_normal((ROWS, DIM)).astype("float32")


def touched() -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Return the rows and their gradients of each step; some rows rest for long, the last is never touched."""
    rng = np.random.RandomState(6)
    steps = []
    for step in range(STEPS):
        pool = np.arange(ROWS - 1) if step % 10 == 0 else np.arange(step % 4, step % 4 + 4)
        rows = rng.permutation(pool)[:3]
        steps.append((rows, rng.standard_normal((3, DIM)).astype("float32")))
    return steps
