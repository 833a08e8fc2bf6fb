"""Metric objects that layers of users hold, and what `add_metric` makes of their results: as in Keras 2.15.

Logs have such a metric under its own name, whether or not `add_metric` was told, and whatever name that was given; it
starts afresh with each epoch and each evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

K = tk.backend
X = np.random.RandomState(0).standard_normal((10, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 0).astype("float32")
WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "updated": lambda layer, x: layer.mean.update_state(x),
    "added": lambda layer, x: layer.add_metric(layer.mean(x)),
    "added by its name": lambda layer, x: layer.add_metric(layer.mean(x), name="own"),
    "added by another": lambda layer, x: layer.add_metric(layer.mean(x), name="other", aggregation=None),
}


class Holding(tk.layers.Layer):
    """A layer that tells the mean of what comes in."""

    def __init__(self, tell: Callable[[Any, Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = tk.metrics.Mean(name="own")
        self.tell = tell

    def call(self, x: Any) -> Any:
        self.tell(self, x)
        return x


def compiled(*layers: Any, **options: Any) -> Any:
    model = tk.Sequential([tk.Input((3,)), *layers, tk.layers.Dense(1)])
    model.compile(tk.optimizers.legacy.SGD(0.1), "mse", **options)
    return model


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [{}, {"jit_compile": True}])
@pytest.mark.filterwarnings("ignore:.*(eagerly|compiler)")
def test_logs_have_it_by_its_own_name(way: str, options: dict[str, Any]) -> None:
    tk.set_dialect("tf.keras")
    model = compiled(Holding(WAYS[way]), **options)
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0, validation_data=(X[:5], Y[:5])).history
    assert set(history) == {"loss", "own", "val_loss", "val_own"}
    np.testing.assert_allclose(history["own"], [X.mean()] * 2, rtol=1e-5)
    np.testing.assert_allclose(history["val_own"], [X[:5].mean()] * 2, rtol=1e-5)
    found = model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["own"], X.mean(), rtol=1e-5)
    assert model.metrics_names == ["loss", "own"]
    assert [metric.name for metric in model.metrics] == ["loss", "own"]
    model.train_on_batch(X[:4], Y[:4])
    assert float(model.layers[0].mean.result()) == pytest.approx(X[:4].mean(), rel=1e-5)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:.*eagerly")
def test_steps_that_a_stream_would_record(way: str, replayed: None) -> None:
    model = compiled(Holding(WAYS[way]), jit_compile=True)
    history = model.fit(X[:8], Y[:8], batch_size=2, epochs=3, verbose=0).history
    np.testing.assert_allclose(history["own"], [X[:8].mean()] * 3, rtol=1e-5)


def test_a_metric_in_a_nested_model_and_one_in_a_list() -> None:
    class Several(tk.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.kept = [tk.metrics.Mean(name="low"), tk.metrics.Mean(name="high")]

        def call(self, x: Any) -> Any:
            self.kept[0].update_state(K.min(x, axis=-1))
            self.kept[1].update_state(K.max(x, axis=-1))
            return x

    inner = tk.Sequential([tk.Input((3,)), Several(), Holding(WAYS["updated"])])
    history = compiled(inner).fit(X, Y, batch_size=4, verbose=0).history
    assert set(history) == {"loss", "low", "high", "own"}
    np.testing.assert_allclose(history["low"], [X.min(1).mean()], rtol=1e-5)
    np.testing.assert_allclose(history["high"], [X.max(1).mean()], rtol=1e-5)


def test_a_metric_that_is_held_elsewhere() -> None:
    elsewhere = tk.metrics.Mean(name="elsewhere")

    class Telling(tk.layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_metric(elsewhere(x))
            return x

    history = compiled(Telling()).fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["elsewhere"], [X.mean()] * 2, rtol=1e-5)


def test_the_endpoint_of_kerass_guide() -> None:
    """A layer with the loss and the accuracy in it (Keras's guide «Customizing what happens in fit», 2020)."""

    class Endpoint(tk.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.loss_fn = tk.losses.BinaryCrossentropy(from_logits=True)
            self.accuracy_fn = tk.metrics.BinaryAccuracy()

        def call(self, targets: Any, logits: Any, sample_weights: Any = None) -> Any:
            self.add_loss(self.loss_fn(targets, logits, sample_weights))
            self.add_metric(self.accuracy_fn(targets, logits, sample_weights), name="accuracy")
            return K.sigmoid(logits)

    inputs, targets = tk.Input((3,)), tk.Input((1,))
    logits = tk.layers.Dense(1)(inputs)
    model = tk.Model([inputs, targets], Endpoint()(targets, logits))
    model.compile(tk.optimizers.legacy.SGD(0.0))
    history = model.fit([X, Y], batch_size=4, verbose=0).history
    right = (model.predict([X, Y]) > K.sigmoid(K.constant(0.5)).numpy()) == Y  # a threshold of .5 on logits
    assert history["binary_accuracy"] == [pytest.approx(right.mean())]


def test_a_value_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="name must be a string, which logs call the metric; got None"):
        tk.layers.Dense(1).add_metric(K.constant(1.0))


def test_states_as_arrays() -> None:
    metric, other = tk.metrics.Mean(), tk.metrics.Mean()
    metric.update_state([1.0, 2.0])
    assert [array.tolist() for array in metric.get_weights()] == [3.0, 2.0]
    other.set_weights(metric.get_weights())
    assert float(other.result()) == 1.5
    assert (metric.count_params(), metric.trainable_variables) == (2, [])
    with pytest.raises(ValueError, match=r"mean.*set_weights: the states have shapes \[\(\), \(\)\]; got \[\(\)\]"):
        other.set_weights([1.0])
    found = tk.metrics.TruePositives(thresholds=[0.5, 0.7])
    found.update_state([0, 1, 1], [0.2, 0.6, 0.9])
    assert found.accumulator.numpy().tolist() == [2.0, 1.0]
    assert tk.metrics.SensitivityAtSpecificity(0.4).value == 0.4
