"""Names in logs: what `compile` was told, and how loss, metrics and history are named."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras
from .errors import kind

ROWS = 4
NAMES = ("a", "b", "c")


def outputs(keras: Keras, count: int, named: bool) -> Any:
    """Build a model of one input and some outputs of two units, named a, b, c or by itself."""
    L = keras.layers
    x = keras.Input((3,))
    heads = [L.Dense(2, activation="softmax", name=NAMES[i] if named else None)(x) for i in range(count)]
    return keras.Model(x, heads if count > 1 else heads[0])


def named_in_logs(keras: Keras, model: Any, told: dict[str, Any], weighted: bool = False) -> dict[str, Any]:
    """Train for a step and say what the numbers are called."""
    count = len(model.outputs) if model.outputs else 2
    rng = np.random.RandomState(3)
    x = rng.standard_normal((ROWS, 3)).astype("float32")
    y = [np.eye(2, dtype="float32")[rng.randint(0, 2, ROWS)] for _ in range(count)]
    weights = [np.ones(ROWS, "float32")] * count if weighted else None
    if count == 1:
        y, weights = y[0], weights and weights[0]
    model.compile(optimizer="sgd", **told)
    try:
        history = model.fit(x, y, sample_weight=weights, validation_data=(x, y), verbose=0)
    except Exception as error:
        return {"raises": kind(error)}
    return {
        "history": list(history.history),
        "metrics_names": list(model.metrics_names),
        "evaluate": list(model.evaluate(x, y, verbose=0, return_dict=True)),
        "train_on_batch": list(model.train_on_batch(x, y, return_dict=True)),
        "metrics": [metric.name for metric in model.metrics],
        "numbers": len(np.atleast_1d(model.test_on_batch(x, y))),
    }


def _functional(count: int, told: Any, named: bool = True, weighted: bool = False) -> Callable[[Keras], Any]:
    def fact(keras: Keras) -> Any:
        arguments = told(keras) if callable(told) else told
        return named_in_logs(keras, outputs(keras, count, named), arguments, weighted)

    return fact


def _half(keras: Keras, y_true: Any, y_pred: Any) -> Any:
    return keras.backend.mean(y_pred, axis=-1)


def _own(keras: Keras) -> Any:
    def own(y_true: Any, y_pred: Any) -> Any:
        return keras.backend.mean(y_pred, axis=-1)

    return own


CE = "categorical_crossentropy"
ONE: dict[str, Any] = {
    "nothing": {"loss": "mse"},
    "accuracy": {"loss": CE, "metrics": ["accuracy"]},
    "acc": {"loss": CE, "metrics": ["acc"]},
    "abbreviations": {"loss": CE, "metrics": ["mae", "MSE", "mape", "cosine_similarity"]},
    "full_names": {"loss": CE, "metrics": ["mean_absolute_error", "mean_squared_error"]},
    "metric_alone": {"loss": CE, "metrics": "mae"},
    "metrics_by_output": {"loss": {"a": CE}, "metrics": {"a": ["mae"]}},
    "objects": lambda keras: {"loss": CE, "metrics": [keras.metrics.AUC(), keras.metrics.Precision(name="p")]},
    "class_by_name": {"loss": CE, "metrics": ["AUC", "Precision"]},
    "function": lambda keras: {"loss": CE, "metrics": [_own(keras)]},
    "lambda": lambda keras: {"loss": CE, "metrics": [lambda t, p: keras.backend.mean(p, axis=-1)]},
    "partial": lambda keras: {"loss": CE, "metrics": [functools.partial(_half, keras)]},
    "same_twice": {"loss": CE, "metrics": ["mae", "mae"]},
    "metric_named_as_the_loss": {"loss": CE, "metrics": [CE]},
    "weighted": {"loss": CE, "metrics": ["mae"], "weighted_metrics": ["mae", "accuracy"]},
}
TWO: dict[str, Any] = {
    "one_loss": {"loss": "mse"},
    "losses": {"loss": ["mse", CE]},
    "losses_by_name": {"loss": {"b": "mse", "a": CE}},
    "one_without_a_loss": {"loss": ["mse", None]},
    "only_the_second_has_a_loss": {"loss": {"b": "mse"}},
    "loss_weights": {"loss": "mse", "loss_weights": [0.5, 1]},
    "flat_metric": {"loss": "mse", "metrics": ["mae"]},
    "flat_metrics": {"loss": "mse", "metrics": ["mae", "accuracy"]},
    "metrics_by_list": {"loss": "mse", "metrics": [["mae"], ["accuracy", "mse"]]},
    "metrics_by_list_with_none": {"loss": "mse", "metrics": [None, "accuracy"]},
    "metrics_by_list_with_empty": {"loss": "mse", "metrics": [[], ["accuracy"]]},
    "metrics_by_name": {"loss": "mse", "metrics": {"b": "accuracy", "a": ["mae", "mse"]}},
    "metrics_of_an_output_without_a_loss": {"loss": {"a": "mse"}, "metrics": {"b": "mae"}},
    "weighted_metrics": {"loss": "mse", "metrics": [["mae"], []], "weighted_metrics": [["mae"], ["mse"]]},
    "weighted_metrics_by_name": {"loss": "mse", "weighted_metrics": {"b": ["accuracy"]}},
    "acc_and_objects": lambda keras: {
        "loss": "mse",
        "metrics": [["acc"], [keras.metrics.MeanAbsoluteError(), keras.metrics.MeanSquaredError(name="own")]],
    },
    "same_in_both": {"loss": CE, "metrics": [["accuracy"], ["accuracy"]]},
    "objects_of_one_name": lambda keras: {
        "loss": CE,
        "metrics": [[keras.metrics.AUC(name="auc")], [keras.metrics.AUC(name="auc")]],
    },
    "functions": lambda keras: {"loss": "mse", "metrics": [[_own(keras)], [_own(keras), "mae"]]},
    "loss_objects": lambda keras: {"loss": [keras.losses.Huber(name="h"), keras.losses.MeanAbsoluteError()]},
}
THREE: dict[str, Any] = {
    "losses": {"loss": ["mse", CE, "mae"]},
    "flat_metric": {"loss": "mse", "metrics": ["accuracy"]},
    "the_middle_without_a_loss": {"loss": ["mse", None, CE], "metrics": [["mae"], ["mae"], ["accuracy"]]},
    "one_metric_each": {"loss": "mse", "metrics": ["mae", "mse", "accuracy"]},
}

FACTS: dict[str, Callable[[Keras], Any]] = {
    **{f"one_{name}": _functional(1, told) for name, told in ONE.items()},
    **{f"two_{name}": _functional(2, told) for name, told in TWO.items()},
    **{f"three_{name}": _functional(3, told) for name, told in THREE.items()},
    "one_unnamed": _functional(1, ONE["accuracy"], named=False),
    "two_unnamed": _functional(2, TWO["metrics_by_list"], named=False),
    "one_weighted": _functional(1, ONE["weighted"], weighted=True),
    "two_weighted": _functional(2, TWO["weighted_metrics"], weighted=True),
}


def fact(function: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter a fact under its name."""
    FACTS[function.__name__] = function
    return function


@fact
def one_layer_for_two_outputs(keras: Keras) -> Any:
    """The layer is called twice, so that both outputs have its name."""
    L = keras.layers
    x = keras.Input((3,))
    shared = L.Dense(2, name="head")
    model = keras.Model(x, [shared(x), shared(L.Dense(3)(x))])
    return named_in_logs(keras, model, {"loss": "mse", "metrics": ["mae"]}) | {"outputs": list(model.output_names)}


@fact
def outputs_of_a_nested_model(keras: Keras) -> Any:
    inner = outputs(keras, 2, True)
    x = keras.Input((3,))
    model = keras.Model(x, inner(x))
    return named_in_logs(keras, model, {"loss": "mse", "metrics": ["mae"]}) | {"outputs": list(model.output_names)}


@fact
def outputs_that_are_models(keras: Keras) -> Any:
    x = keras.Input((3,))
    heads = [keras.Sequential([keras.layers.Dense(2)], name=name) for name in ("left", "right")]
    model = keras.Model(x, [head(x) for head in heads])
    return named_in_logs(keras, model, {"loss": "mse", "metrics": ["mae"]})


@fact
def dictionary_of_outputs_with_other_keys(keras: Keras) -> Any:
    """The keys of the dictionary are not the names of the layers."""
    L = keras.layers
    x = keras.Input((3,))
    model = keras.Model(x, {"second": L.Dense(2, name="a")(x), "first": L.Dense(2, name="b")(x)})
    data = np.ones((ROWS, 3), "float32")
    y = {"first": np.ones((ROWS, 2), "float32"), "second": np.zeros((ROWS, 2), "float32")}
    model.compile(optimizer="sgd", loss={"first": "mse", "second": "mae"}, metrics={"first": ["mae"]})
    history = model.fit(data, y, verbose=0)
    return {"history": list(history.history), "outputs": list(model.output_names)}


@fact
def losses_and_metrics_added(keras: Keras) -> Any:
    K = keras.backend
    model = outputs(keras, 1, True)
    model.add_loss(K.mean(model.output))
    model.add_metric(K.mean(model.output), name="average", aggregation="mean")
    return named_in_logs(keras, model, {"loss": "mse", "metrics": ["mae"]})


@fact
def losses_and_metrics_added_to_two_outputs(keras: Keras) -> Any:
    K = keras.backend
    model = outputs(keras, 2, True)
    model.add_loss(K.mean(model.outputs[0]))
    model.add_metric(K.mean(model.outputs[1]), name="average", aggregation="mean")
    return named_in_logs(keras, model, {"loss": "mse", "metrics": [["mae"], []]})


@fact
def subclassed_with_two_outputs(keras: Keras) -> Any:
    L = keras.layers

    class Two(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = L.Dense(2), L.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.a(inputs), self.b(inputs)

    return named_in_logs(keras, Two(), {"loss": "mse", "metrics": [["mae"], ["accuracy"]]})


@fact
def names_before_anything_was_compiled_or_trained(keras: Keras) -> Any:
    model = outputs(keras, 2, True)
    before = list(model.metrics_names)
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return {"before": before, "compiled": list(model.metrics_names)}
