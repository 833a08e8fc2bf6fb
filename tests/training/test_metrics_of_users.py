"""Metric classes that users write: what they override is called, and gets one target and one weight a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import dialects

K = tk.backend
X = np.random.RandomState(0).standard_normal((10, 3)).astype("float32")
Y = np.arange(10, dtype="float32")
WEIGHTS = np.linspace(0.5, 2, 10).astype("float32")


def evaluated(metric: Any, y: Any = Y, units: int = 1, **options: Any) -> tuple[Any, Any]:
    """Return what a metric comes to over uneven batches, and the predictions."""
    model = tk.Sequential([tk.Input((3,)), tk.layers.Dense(units)])
    loss = "mse" if units == 1 else tk.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, weighted_metrics=[metric])
    found = model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True, **options)
    return found[metric.name], model.predict(X, verbose=0)


class Doubled(tk.metrics.MeanSquaredError):  # type: ignore[misc]
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return super().update_state(y_true * 2, y_pred * 2, sample_weight)


class Rooted(tk.metrics.MeanSquaredError):  # type: ignore[misc]
    def result(self) -> Any:
        return K.sqrt(super().result())


@pytest.mark.parametrize(("metric", "change"), [(Doubled, lambda mse: 4 * mse), (Rooted, np.sqrt)])
def test_a_metric_of_the_package_with_another_method(metric: Any, change: Any) -> None:
    found, predicted = evaluated(metric(name="own"))
    np.testing.assert_allclose(found, change(np.mean((predicted[:, 0] - Y) ** 2)), rtol=1e-5)


class Hits(tk.metrics.Metric):  # type: ignore[misc]
    """The weighted number of right classes, as guides of Keras count them; notes the shapes that it saw."""

    def __init__(self, name: str = "hits", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.shapes: set[tuple[int, ...]] = set()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        largest = K.reshape(K.argmax(y_pred, axis=1), (-1, 1))
        hits = K.cast(K.equal(K.cast(y_true, "int32"), K.cast(largest, "int32")), "float32")
        if sample_weight is not None:
            self.shapes.add(tuple(sample_weight.shape))
            hits = hits * K.reshape(sample_weight, (-1, 1))
        self.total.assign_add(K.sum(hits))

    def result(self) -> Any:
        return self.total


@pytest.mark.parametrize(("dialect", "shapes"), [("keras-2.15", {(4, 1), (2, 1)}), ("keras-2.3", {(4,), (2,)})])
def test_targets_and_weights_of_samples_stand_in_rows(dialect: str, shapes: set[tuple[int, ...]]) -> None:
    classes = np.arange(10) % 3
    with dialects.using(dialect):
        metric = Hits()
        found, predicted = evaluated(metric, classes, units=3, sample_weight=WEIGHTS)
    np.testing.assert_allclose(found, WEIGHTS[predicted.argmax(-1) == classes].sum(), rtol=1e-5)
    assert metric.shapes == shapes
