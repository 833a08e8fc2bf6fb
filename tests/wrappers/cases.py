"""Estimators that are fitted here and under Keras: the same text, the same weights, no chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from tensorflow import keras

LABELS = np.array(["setosa", "versicolor", "virginica"])


def flowers() -> tuple[Any, Any]:
    """Return twelve samples of three features, and the number of a class for each."""
    draw = np.random.RandomState(5)
    y = np.arange(12) % 3
    return (draw.randn(12, 3) + y[:, None]).astype("float32"), y


def model(outputs: int, activation: str | None, loss: Any, metrics: Any = ("accuracy",)) -> Any:
    """Return a compiled model whose weights are always the same."""
    network = keras.models.Sequential(
        [
            keras.layers.Dense(4, activation="tanh", input_shape=(3,)),
            keras.layers.Dense(outputs, activation=activation),
        ]
    )
    draw = np.random.RandomState(outputs)
    network.set_weights([draw.uniform(-0.5, 0.5, w.shape) for w in network.get_weights()])
    network.compile(loss=loss, optimizer=keras.optimizers.SGD(0.1), metrics=list(metrics))
    return network


def softmax(loss: str = "categorical_crossentropy", units: int = 3) -> Any:
    return model(units, "softmax", loss)


def sigmoid() -> Any:
    return model(1, "sigmoid", "binary_crossentropy")


def line(metrics: Any = ()) -> Any:
    return model(1, None, "mse", metrics)


def plane() -> Any:
    return model(2, None, "mse")


def cases(classifier: Any, regressor: Any) -> dict[str, tuple[Any, Any, Any, dict[str, Any]]]:
    """Return the estimators, with x, y and what else `fit` is told.

    Args:
        classifier: The class `KerasClassifier`.
        regressor: The class `KerasRegressor`.
    """
    x, y = flowers()
    told = {"epochs": 3, "batch_size": 4, "verbose": 0, "shuffle": False}
    weights = np.linspace(0.5, 2, 12).astype("float32")
    one_hot = np.eye(3, dtype="float32")[y]
    prices = (x.sum(1) + 1).astype("float32")
    return {
        "strings": (classifier(softmax, **told), x, LABELS[y], {}),
        "integers": (classifier(softmax, loss="sparse_categorical_crossentropy", **told), x, 10 * y - 7, {}),
        "one-hot": (classifier(softmax, **told), x, one_hot, {}),
        "two strings": (classifier(sigmoid, **told), x, LABELS[y // 2], {}),
        "two in a column": (classifier(sigmoid, **told), x, (y // 2)[:, None], {}),
        "two of softmax": (classifier(softmax, units=2, **told), x, y // 2 + 1, {}),
        "sample weights": (classifier(softmax, **told), x, y, {"sample_weight": weights}),
        "class weights": (classifier(softmax, class_weight={0: 1.0, 1: 5.0, 2: 0.5}, **told), x, y, {}),
        "call before constructor": (classifier(softmax, **told), x, y, {"epochs": 2, "batch_size": 6}),
        "regression": (regressor(line, **told), x, prices, {}),
        "regression in a column": (regressor(line, **told), x, prices[:, None], {}),
        "regression with metrics": (regressor(line, metrics=("mae",), **told), x, prices, {}),
        "regression of two": (regressor(plane, **told), x, np.stack([prices, -prices], 1), {}),
    }


def facts(estimator: Any, x: Any, y: Any, told: dict[str, Any]) -> dict[str, Any]:
    """Return what an estimator has to show after a fit."""
    history = estimator.fit(x, y, **told)
    seen = {
        "history": history.history,
        "predict": np.ravel(estimator.predict(x, verbose=0)).tolist(),
        "score": float(estimator.score(x, y)),
        "params": sorted(estimator.get_params()),
    }
    if hasattr(estimator, "classes_"):
        seen["classes"] = estimator.classes_.tolist()
        seen["n_classes"] = int(estimator.n_classes_)
        seen["probabilities"] = estimator.predict_proba(x, verbose=0).tolist()
    return seen
