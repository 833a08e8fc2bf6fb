"""The metrics of Keras 1 against numpy: functions of one batch, whose mean over the samples of batches is in logs.

Source: keras/metrics.py of 1.2.2; the averages are those of `Model._test_loop` in keras/engine/training.py, 1.2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

EPSILON = 1e-7
Array = np.ndarray[Any, Any]


def hard(y: Array) -> Array:
    return np.round(np.clip(y, 0, 1))


def precision(y: Array, p: Array) -> float:
    return float(hard(y * p).sum() / (hard(p).sum() + EPSILON))


def recall(y: Array, p: Array) -> float:
    return float(hard(y * p).sum() / (hard(y).sum() + EPSILON))


def fbeta_score(y: Array, p: Array, beta: float = 1.0) -> float:
    if hard(y).sum() == 0:
        return 0.0
    precise, found, square = precision(y, p), recall(y, p), beta**2
    return (1 + square) * precise * found / (square * precise + found + EPSILON)


def matthews_correlation(y: Array, p: Array) -> float:
    found, label = hard(p), hard(y)
    tp, tn = (label * found).sum(), ((1 - label) * (1 - found)).sum()
    fp, fn = ((1 - label) * found).sum(), (label * (1 - found)).sum()
    return float((tp * tn - fp * fn) / (np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) + EPSILON))


FUNCTIONS: dict[str, Callable[..., float]] = {
    "precision": precision,
    "recall": recall,
    "fmeasure": fbeta_score,
    "fbeta_score": fbeta_score,
    "matthews_correlation": matthews_correlation,
}
RNG = np.random.RandomState(5)
X = RNG.standard_normal((11, 3)).astype("float32")
Y = (RNG.rand(11, 2) > 0.5).astype("float32")
Y[8:] = 0.0  # a last batch without any positive label


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 3), (7, 4, 3)])
def test_one_batch(name: str, shape: tuple[int, ...]) -> None:
    for seed in range(5):
        rng = np.random.RandomState(seed)
        y, p = rng.randint(0, 2, shape).astype("float32"), (rng.rand(*shape) * 1.4 - 0.2).astype("float32")
        y[:] = 0 if seed == 4 else y
        found = float(getattr(tk.metrics, name)(y, p))
        assert found == pytest.approx(FUNCTIONS[name](y, p), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("beta", [0, 0.5, 2])
def test_beta(beta: float) -> None:
    y, p = np.random.RandomState(1).randint(0, 2, (9, 3)), np.random.RandomState(2).rand(9, 3)
    assert float(tk.metrics.fbeta_score(y, p, beta=beta)) == pytest.approx(fbeta_score(y, p, beta), rel=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_over_uneven_batches(name: str) -> None:
    tk.set_dialect("keras-1")
    model = tk.Sequential([tk.layers.Dense(2, input_dim=3, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[name])
    p = model.predict(X)
    of_batches = [FUNCTIONS[name](Y[i : i + 4], p[i : i + 4]) * len(Y[i : i + 4]) for i in range(0, 11, 4)]
    found = model.evaluate(X, Y, batch_size=4, verbose=0)
    assert found[1] == pytest.approx(sum(of_batches) / 11, rel=1e-5, abs=1e-6)
    assert model.metrics_names == ["loss", name]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("as_function", [False, True])
def test_history_over_uneven_batches(name: str, as_function: bool) -> None:
    tk.set_dialect("keras-1")
    model = tk.Sequential([tk.layers.Dense(2, input_dim=3, activation="sigmoid")])
    model.compile(tk.optimizers.SGD(0.0), "mse", metrics=[getattr(tk.metrics, name) if as_function else name])
    p = model.predict(X)
    of_batches = [FUNCTIONS[name](Y[i : i + 4], p[i : i + 4]) * len(Y[i : i + 4]) for i in range(0, 11, 4)]
    history = model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, validation_data=(X, Y)).history
    for key in (name, f"val_{name}"):
        assert history[key] == [pytest.approx(sum(of_batches) / 11, rel=1e-5, abs=1e-6)]


def test_other_names() -> None:
    assert tk.metrics.get("fscore") is tk.metrics.fscore is tk.metrics.f1score is tk.metrics.fmeasure
