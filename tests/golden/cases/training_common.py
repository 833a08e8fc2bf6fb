"""What the tables of whole fits share: models, data, and how a case is told.

A case has its history, the weights afterwards, and what evaluate, predict and the on-batch methods return.

`arrays` names `[kind, shape]` for each array of the case (`make.training.array` draws them); `compile` and `fit` are
the arguments; `then` lists `[method, arguments]` called afterwards, in order. `scale` is the size of the first weights.
"""

from __future__ import annotations

from typing import Any

from .common import Case, case, make

N = 22  # with batches of 8 the last one is short

SGD = make("optimizers.SGD", learning_rate=0.1)
ADAM = make("optimizers.Adam", learning_rate=0.02, epsilon=0.001)


def dense(units: int, activation: str | None = None, **kwargs: Any) -> list[Any]:
    return ["Dense", {"units": units, "activation": activation, **kwargs}]


CLASSIFIER = [dense(6, "tanh"), dense(3, "softmax")]
BINARY = [dense(6, "tanh"), dense(1, "sigmoid")]
MULTILABEL = [dense(6, "tanh"), dense(3, "sigmoid")]
REGRESSION = [dense(6, "tanh"), dense(1)]
ONE_HOT = {"x": ["float", [N, 5]], "y": ["onehot:3", [N]]}
SPARSE = {"x": ["float", [N, 5]], "y": ["labels:3", [N]]}
ZERO_ONE = {"x": ["float", [N, 5]], "y": ["labels:2", [N, 1]]}
REAL = {"x": ["float", [N, 5]], "y": ["float", [N, 1]]}


def run(
    name: str,
    stack: list[Any],
    arrays: dict[str, Any],
    loss: Any,
    *,
    metrics: list[Any] | None = None,
    optimizer: Any = SGD,
    compiled: dict[str, Any] | None = None,
    then: list[Any] | None = None,
    **fit: Any,
) -> Case:
    """Describe a fit; three epochs over batches of eight unless told otherwise."""
    fields: dict[str, Any] = {"stack": stack, "arrays": arrays, "then": then or []}
    for extra in ("scale", "dialect", "batch_shape", "tolerance", "may_be_nan"):
        if extra in fit:
            fields[extra] = fit.pop(extra)
    told = {"optimizer": optimizer, "loss": loss, **(compiled or {})}
    if metrics is not None:
        told["metrics"] = metrics
    fields["compile"] = told
    fields["fit"] = {"x": "@x", "y": "@y", "batch_size": 8, "epochs": 3, "shuffle": False, **fit}
    if fit.get("none"):
        fields["fit"] = None
    return case(name, **fields)


XY = {"x": "@x", "y": "@y"}
AFTER = [["evaluate", {**XY, "batch_size": 5}], ["predict", {"x": "@x", "batch_size": 7}]]
BATCHES = [
    ["train_on_batch", XY],
    ["train_on_batch", {**XY, "sample_weight": "@w"}],
    ["train_on_batch", {**XY, "class_weight": {"0": 0.5, "1": 2.0, "2": 3.0}}],
    ["train_on_batch", {**XY, "sample_weight": "@w", "class_weight": {"0": 0.5, "1": 2.0, "2": 3.0}}],
    ["test_on_batch", XY],
    ["test_on_batch", {**XY, "sample_weight": "@w"}],
    ["predict_on_batch", {"x": "@x"}],
    ["evaluate", {**XY, "sample_weight": "@w", "batch_size": 5, "return_dict": True}],
    ["train_on_batch", {**XY, "return_dict": True}],
    ["train_on_batch", {**XY, "reset_metrics": False}],
]
