"""Metrics of several outputs keep their state: `result()` is right whenever it is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers

RNG = np.random.RandomState(4)
X = RNG.randn(20, 5).astype("float32")
Y, BITS = RNG.randn(20, 2).astype("float32"), RNG.randint(0, 2, (20, 1)).astype("float32")


def model(**metrics: Any) -> Any:
    x = keras.Input((5,))
    h = layers.Dense(4, activation="tanh")(x)
    built = keras.Model(x, [layers.Dense(2, name="y")(h), layers.Dense(1, activation="sigmoid", name="bit")(h)])
    built.compile("sgd", ["mse", "binary_crossentropy"], metrics=metrics)
    return built


def named(built: Any) -> dict[str, float]:
    return {metric.name: float(metric.result()) for metric in built.metrics}


def test_results_after_fit_and_evaluate() -> None:
    away, right = keras.metrics.MeanAbsoluteError(name="away"), keras.metrics.BinaryAccuracy()
    built = model(y=[away], bit=[right, keras.metrics.AUC(name="auc")])
    history = built.fit(X, [Y, BITS], batch_size=8, epochs=2, verbose=0).history
    results = named(built)
    assert {"loss", "y_loss", "bit_loss"} <= set(results)
    for name, value in results.items():
        np.testing.assert_allclose(value, history[name][-1], rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(float(right.result()), history["bit_binary_accuracy"][-1], rtol=1e-5)
    told = built.evaluate(X, [Y, BITS], batch_size=8, verbose=0, return_dict=True)
    for name, value in named(built).items():
        np.testing.assert_allclose(value, told[name], rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(float(away.result()), np.abs(built.predict(X, verbose=0)[0] - Y).mean(), rtol=1e-5)


def test_results_inside_callbacks() -> None:
    seen: list[tuple[str, dict[str, float], dict[str, float]]] = []

    class Reader(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(("batch", named(self.model), dict(logs)))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(("epoch", {}, dict(logs)))

    built = model(y=["mae"], bit=["accuracy"])
    keras.set_dialect("keras-2.15")
    history = built.fit(X, [Y, BITS], batch_size=8, epochs=2, verbose=0, callbacks=[Reader()]).history
    batches = [results for kind, results, _ in seen if kind == "batch"]
    assert len(batches) == 6
    for epoch in range(2):  # what the last batch of an epoch showed is the epoch's
        for name, value in batches[3 * epoch + 2].items():
            np.testing.assert_allclose(value, history[name][epoch], rtol=1e-5, err_msg=name)
    assert batches[0]["y_mae"] != pytest.approx(batches[2]["y_mae"])


def test_a_metric_of_one_output_sees_that_output_alone() -> None:
    seen: dict[str, set[tuple[int, ...]]] = {"y": set(), "bit": set()}

    def of(name: str) -> Any:
        def metric(y_true: Any, y_pred: Any) -> Any:
            seen[name] |= {tuple(y_true.shape[1:]), tuple(y_pred.shape[1:])}
            return keras.backend.mean(y_pred)

        return metric

    model(y=[of("y")], bit=[of("bit")]).fit(X, [Y, BITS], batch_size=8, verbose=0)
    assert seen == {"y": {(2,)}, "bit": {(1,)}}


def test_the_model_tells_the_loss_as_it_was_given() -> None:
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    for loss in ("mse", keras.losses.MeanAbsoluteError(), {"dense": "mse"}, ["mae"]):
        model.compile("sgd", loss)
        assert model.loss is loss  # as in Keras 2.15.0


def test_a_step_of_ones_own_without_a_compiled_loss_has_no_names() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            x, y = data
            loss = keras.backend.mean((y - self(x, training=True)) ** 2)
            self.optimizer.minimize(loss, self.trainable_variables)
            return {"own": loss}

    inputs = keras.Input((2,))
    model = Own(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert model.metrics_names == []  # Keras 2.15.0
