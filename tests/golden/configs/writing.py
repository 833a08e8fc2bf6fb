"""What this package writes for Keras 3, model by model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

import torchkeras_compat as tk
from torchkeras_compat.saving.keras3_form import compile_for_keras_3, for_keras_3

DIALECT = "keras-2.15"


def json_of(build: Any) -> tuple[Any, str]:
    """Return a model and what `to_json` writes of it.

    Args:
        build: The function that builds the model.
    """
    tk.set_dialect(DIALECT)
    tk.backend.clear_session()
    model = build(tk)
    model = model["model"] if isinstance(model, dict) else model
    return model, model.to_json()


losses, metrics, optimizers = tk.losses, tk.metrics, tk.optimizers
schedules = optimizers.schedules

# Name → what `compile` is told, by a function that makes it under the dialect.
COMPILED: dict[str, Callable[[], dict[str, Any]]] = {
    "names": lambda: {"optimizer": "adam", "loss": "mse", "metrics": ["mae", "accuracy"]},
    "old_names": lambda: {"optimizer": "rmsprop", "loss": "logcosh", "metrics": ["kullback_leibler_divergence"]},
    "momentum": lambda: {
        "optimizer": optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
        "loss": losses.Huber(0.7),
    },
    "schedule": lambda: {"optimizer": optimizers.Adam(schedules.ExponentialDecay(0.1, 10, 0.5)), "loss": "mae"},
    "steps": lambda: {
        "optimizer": optimizers.SGD(schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.2, 0.3])),
        "loss": "msle",
    },
    "decayed": lambda: {"optimizer": optimizers.AdamW(0.1, weight_decay=0.01), "loss": "poisson"},
    "averaged": lambda: {"optimizer": optimizers.Nadam(use_ema=True, ema_momentum=0.9), "loss": "categorical_hinge"},
    "logits": lambda: {
        "optimizer": optimizers.Adagrad(0.1),
        "loss": losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        "metrics": [
            metrics.CategoricalAccuracy(name="right"),
            metrics.AUC(num_thresholds=50),
            metrics.Precision(thresholds=0.3),
        ],
    },
    "binary": lambda: {
        "optimizer": optimizers.Adadelta(0.5),
        "loss": losses.BinaryCrossentropy(from_logits=True),
        "metrics": [metrics.BinaryAccuracy(threshold=0.2), metrics.MeanSquaredError()],
        "weighted_metrics": ["mse"],
    },
    "cosine": lambda: {
        "optimizer": optimizers.Adamax(0.1),
        "loss": losses.CosineSimilarity(axis=1),
        "metrics": ["cosine_similarity"],
    },
    "summed": lambda: {"optimizer": optimizers.Ftrl(0.1), "loss": losses.MeanSquaredError(reduction="sum")},
    "lion": lambda: {"optimizer": optimizers.Lion(0.1), "loss": "squared_hinge"},
}


def small_model(keras: Any, name: str) -> Any:
    """Return the model that is compiled, its outputs probabilities but where the loss takes logits."""
    activation = "linear" if name in ("logits", "binary") else "sigmoid"
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation=activation)])


def compiled(name: str) -> tuple[Any, dict[str, Any], list[Any], list[float]]:
    """Return a compiled model, how it was compiled in the form of Keras 3, problems, and what it evaluates to.

    Args:
        name: A key of `COMPILED`.
    """
    tk.set_dialect(DIALECT)
    tk.backend.clear_session()
    model = small_model(tk, name)
    model.compile(**COMPILED[name]())
    config, problems = compile_for_keras_3(model.get_compile_config())
    model.set_weights(WEIGHTS)
    return model, json.loads(json.dumps(config)), problems, evaluated(model)


X, Y = np.linspace(-1, 1, 10).reshape(5, 2), np.eye(3)[[0, 1, 2, 0, 1]]
WEIGHTS = [np.linspace(-0.5, 0.7, 6).reshape(2, 3), np.array([0.1, 0.2, -0.3])]


def evaluated(model: Any) -> list[float]:
    """Return loss and metrics before and behind three steps of training."""
    seen = []
    for epochs in (0, 3):
        model.fit(X, Y, epochs=epochs, batch_size=5, verbose=0)
        seen += [float(np.asarray(value)) for value in np.ravel(model.evaluate(X, Y, verbose=0))]
    return seen


def written(build: Any) -> tuple[Any, dict[str, Any], list[Any]]:
    """Return a model, its configuration in the form of Keras 3, and what that cannot express.

    Args:
        build: The function that builds the model.
    """
    tk.set_dialect(DIALECT)
    tk.backend.clear_session()
    model = build(tk)
    model = model["model"] if isinstance(model, dict) else model
    config, problems = for_keras_3(tk.layers.serialize(model))
    return model, json.loads(json.dumps(config)), problems
