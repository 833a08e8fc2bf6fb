"""What a metric of one number, or of several, for each batch counts for in an epoch: numbers of Keras 2.15."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import backend as K
from torchkeras_compat import layers, metrics

XT = np.arange(1, 21).reshape(5, 4, 1).astype("float32") / 10
XT[0, 2:] = 0
XT[3, 1:] = 0
YT = (np.arange(20).reshape(5, 4, 1) % 3).astype("float32")
YT[4] = 5
W = np.array([1, 2, 0, 0.5, 3], "float32")
WT = (np.arange(20).reshape(5, 4) % 4).astype("float32")


def mean_of_targets(y_true: Any, y_pred: Any) -> Any:
    return K.mean(y_true)


def largest(y_true: Any, y_pred: Any) -> Any:
    return K.max(y_pred)


def by_step(y_true: Any, y_pred: Any) -> Any:
    return K.mean(K.abs(y_true - y_pred), axis=-1)


def by_element(y_true: Any, y_pred: Any) -> Any:
    return K.abs(y_true - y_pred)


METRICS: dict[str, Any] = {
    "zero": lambda: mean_of_targets,
    "max": lambda: largest,
    "wrapzero": lambda: metrics.MeanMetricWrapper(mean_of_targets, name="wrapped"),
    "perbt": lambda: by_step,
    "full": lambda: by_element,
    "MAE": metrics.MeanAbsoluteError,
}

# Metric, model, weights (`'w'`: one a step where there are steps; `'1d'`: one a sequence), argument of compile, value.
VALUES: list[tuple[str, str, str | None, str, float]] = [
    ("zero", "masked", None, "metrics", 2.016667),
    ("zero", "masked", None, "weighted_metrics", 2.016667),
    ("zero", "masked", "w", "metrics", 2.016667),
    ("zero", "masked", "w", "weighted_metrics", 2.217105),
    ("zero", "masked", "1d", "metrics", 2.016667),
    ("zero", "masked", "1d", "weighted_metrics", 3.077778),
    ("zero", "unmasked", None, "metrics", 2.291667),
    ("zero", "unmasked", None, "weighted_metrics", 2.291667),
    ("zero", "unmasked", "w", "metrics", 2.291667),
    ("zero", "unmasked", "w", "weighted_metrics", 1.75),
    ("zero", "unmasked", "1d", "metrics", 2.291667),
    ("zero", "flat", None, "metrics", 2.166667),
    ("zero", "flat", None, "weighted_metrics", 2.166667),
    ("zero", "flat", "w", "metrics", 2.166667),
    ("zero", "flat", "w", "weighted_metrics", 2.615385),
    ("zero", "lstm", None, "metrics", 2.166667),
    ("zero", "lstm", None, "weighted_metrics", 2.166667),
    ("zero", "lstm", "w", "metrics", 2.166667),
    ("zero", "lstm", "w", "weighted_metrics", 2.615385),
    ("max", "masked", None, "metrics", 1.286667),
    ("max", "masked", None, "weighted_metrics", 1.286667),
    ("max", "masked", "w", "metrics", 1.286667),
    ("max", "masked", "w", "weighted_metrics", 1.336842),
    ("max", "masked", "1d", "metrics", 1.286667),
    ("max", "masked", "1d", "weighted_metrics", 1.451111),
    ("max", "unmasked", None, "metrics", 1.366667),
    ("max", "unmasked", None, "weighted_metrics", 1.366667),
    ("max", "unmasked", "w", "metrics", 1.366667),
    ("max", "unmasked", "w", "weighted_metrics", 1.24),
    ("max", "unmasked", "1d", "metrics", 1.366667),
    ("max", "flat", None, "metrics", 4.733334),
    ("max", "flat", None, "weighted_metrics", 4.733334),
    ("max", "flat", "w", "metrics", 4.733334),
    ("max", "flat", "w", "weighted_metrics", 4.938461),
    ("max", "lstm", None, "metrics", 0.862757),
    ("max", "lstm", None, "weighted_metrics", 0.862757),
    ("max", "lstm", "w", "metrics", 0.862757),
    ("max", "lstm", "w", "weighted_metrics", 0.8586667),
    ("perbt", "masked", None, "metrics", 1.373333),
    ("perbt", "masked", None, "weighted_metrics", 1.373333),
    ("perbt", "masked", "w", "metrics", 1.373333),
    ("perbt", "masked", "w", "weighted_metrics", 1.378947),
    ("perbt", "masked", "1d", "metrics", 1.373333),
    ("perbt", "masked", "1d", "weighted_metrics", 1.997778),
    ("perbt", "unmasked", None, "metrics", 1.28),
    ("perbt", "unmasked", None, "weighted_metrics", 1.28),
    ("perbt", "unmasked", "w", "metrics", 1.28),
    ("perbt", "unmasked", "w", "weighted_metrics", 1.173333),
    ("perbt", "unmasked", "1d", "metrics", 1.28),
    ("perbt", "unmasked", "1d", "weighted_metrics", 1.863461),
    ("perbt", "flat", None, "metrics", 1.56),
    ("perbt", "flat", None, "weighted_metrics", 1.56),
    ("perbt", "flat", "w", "metrics", 1.56),
    ("perbt", "flat", "w", "weighted_metrics", 1.746154),
    ("perbt", "lstm", None, "metrics", 1.193219),
    ("perbt", "lstm", None, "weighted_metrics", 1.193219),
    ("perbt", "lstm", "w", "metrics", 1.193219),
    ("perbt", "lstm", "w", "weighted_metrics", 1.991628),
    ("full", "masked", None, "metrics", 1.373333),
    ("full", "masked", None, "weighted_metrics", 1.373333),
    ("full", "masked", "w", "metrics", 1.373333),
    ("full", "masked", "w", "weighted_metrics", 1.378947),
    ("full", "masked", "1d", "metrics", 1.373333),
    ("full", "masked", "1d", "weighted_metrics", 1.997778),
    ("full", "lstm", None, "metrics", 1.193219),
    ("full", "lstm", None, "weighted_metrics", 1.193219),
    ("full", "lstm", "w", "metrics", 1.193219),
    ("full", "lstm", "w", "weighted_metrics", 1.991628),
    ("wrapzero", "masked", None, "metrics", 2.016667),
    ("wrapzero", "masked", None, "weighted_metrics", 2.016667),
    ("wrapzero", "masked", "w", "metrics", 2.016667),
    ("wrapzero", "masked", "w", "weighted_metrics", 2.217105),
    ("wrapzero", "masked", "1d", "metrics", 2.016667),
    ("wrapzero", "masked", "1d", "weighted_metrics", 3.077778),
    ("wrapzero", "unmasked", None, "metrics", 2.291667),
    ("wrapzero", "unmasked", None, "weighted_metrics", 2.291667),
    ("wrapzero", "unmasked", "w", "metrics", 2.291667),
    ("wrapzero", "unmasked", "w", "weighted_metrics", 1.75),
    ("wrapzero", "unmasked", "1d", "metrics", 2.291667),
    ("wrapzero", "flat", None, "metrics", 2.166667),
    ("wrapzero", "flat", None, "weighted_metrics", 2.166667),
    ("wrapzero", "flat", "w", "metrics", 2.166667),
    ("wrapzero", "flat", "w", "weighted_metrics", 2.615385),
    ("wrapzero", "lstm", None, "metrics", 2.166667),
    ("wrapzero", "lstm", None, "weighted_metrics", 2.166667),
    ("wrapzero", "lstm", "w", "metrics", 2.166667),
    ("wrapzero", "lstm", "w", "weighted_metrics", 2.615385),
    ("MAE", "masked", None, "metrics", 1.373333),
    ("MAE", "masked", None, "weighted_metrics", 1.373333),
    ("MAE", "masked", "w", "metrics", 1.373333),
    ("MAE", "masked", "w", "weighted_metrics", 1.378947),
    ("MAE", "masked", "1d", "metrics", 1.373333),
    ("MAE", "masked", "1d", "weighted_metrics", 1.997778),
    ("MAE", "lstm", None, "metrics", 1.193219),
    ("MAE", "lstm", None, "weighted_metrics", 1.193219),
    ("MAE", "lstm", "w", "metrics", 1.193219),
    ("MAE", "lstm", "w", "weighted_metrics", 1.991628),
]


def made(kind: str, **compiled: Any) -> tuple[Any, Any, Any, Any]:
    """Return a model and its data: inputs, targets, weights."""
    if kind == "flat":
        dense = layers.Dense(1, kernel_initializer="ones")
        stack: list[Any] = [layers.Activation("linear", input_shape=(4,)), dense]
        data = (XT[:, :, 0], YT[:, 0], W)
    elif kind == "lstm":
        lstm = layers.LSTM(1, kernel_initializer="ones", recurrent_initializer="ones")
        stack, data = [layers.Masking(input_shape=(4, 1)), lstm], (XT, YT[:, 0], W)
    else:
        masking = layers.Masking(input_shape=(4, 1)) if kind == "masked" else layers.Flatten(input_shape=(4, 1))
        stack = [masking, layers.Activation("linear")] if kind == "masked" else [masking, layers.Reshape((4, 1))]
        data = (XT, YT, WT)
    model = tk.Sequential(stack)
    model.compile("sgd", "mse", **compiled)
    return (model, *data)


@pytest.mark.parametrize(("name", "kind", "weights", "argument", "expected"), VALUES)
def test_batches_of_different_sizes(name: str, kind: str, weights: Any, argument: str, expected: float) -> None:
    model, x, y, w = made(kind, **{argument: [METRICS[name]()]})
    w = None if weights is None else W if weights == "1d" else w
    assert model.evaluate(x, y, batch_size=2, verbose=0, sample_weight=w)[1] == pytest.approx(expected, rel=1e-5)


def test_fit_counts_as_evaluate_does() -> None:
    model, x, y, _ = made("masked", metrics=[mean_of_targets])
    history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0, validation_data=(x, y), validation_batch_size=2)
    found = history.history
    assert (found["mean_of_targets"], found["val_mean_of_targets"]) == (pytest.approx([2.016667]),) * 2


@pytest.mark.parametrize(("argument", "weighted"), [("metrics", False), ("weighted_metrics", True)])
@pytest.mark.parametrize("kind", ["masked", "flat"])
def test_classic_keras_counts_rows(kind: str, argument: str, weighted: bool) -> None:
    # `weighted_masked_objective` of Keras 2.2.4: score · mask / mean(mask), its mean over the axes beyond the weights',
    # · weights / mean(weights ≠ 0); batches by their rows.
    tk.set_dialect("keras-2.2")
    model, x, y, _ = made(kind, **{argument: [mean_of_targets]})
    total = 0.0
    for rows in (slice(0, 2), slice(2, 4), slice(4, 5)):
        score = np.full(len(x[rows]), y[rows].mean())
        if kind == "masked":
            mask = (x[rows, :, 0] != 0).astype(float)
            score = (y[rows].mean() * mask / mask.mean()).mean(1)
        if weighted:
            score = score * W[rows] / (W[rows] != 0).mean()
        total += score.mean() * len(score)
    found = model.evaluate(x, y, batch_size=2, verbose=0, sample_weight=W)[1]
    assert found == pytest.approx(total / 5, rel=1e-5)
