"""Ends of models: the last layer, the loss that fits it, targets and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .draws import Draw, Options, Shape, weight_options


@dataclass
class Head:
    """What an output is trained for.

    Attributes:
        layer: The last layer: class and arguments.
        shape: The shape of the output, without the axis of samples.
        target: How targets are drawn.
        loss: The loss, a name or an object.
        metrics: Metrics that fit.
        classes: How many classes `class_weight` may name; none where it may not be given.
    """

    layer: tuple[str, Options]
    shape: Shape
    target: Options
    loss: Any
    metrics: list[Any] = field(default_factory=list)
    classes: int = 0


def _object(path: str, /, **options: Any) -> Options:
    return {"$": path, **options}


def _layer(r: Draw, shape: Shape, units: int, activation: str | None) -> tuple[str, Options]:
    """Draw a layer of so many units that ends in an activation."""
    told = {} if activation is None else {"activation": activation}
    if len(shape) == 3:
        return "Conv2D", {"filters": units, "kernel_size": 1, **told}
    if len(shape) == 2 and r.chance(0.15):
        return "TimeDistributed", {"layer": {"$": "layers.Dense", "units": units, **told}}
    return "Dense", {"units": units, **told, **(weight_options(r) if r.chance(0.2) else {})}


REGRESSION_METRICS: list[Any] = [
    "mae",
    "mse",
    "MSE",
    "mean_absolute_error",
    "cosine_similarity",
    "logcosh",
    _object("metrics.RootMeanSquaredError"),
    _object("metrics.MeanAbsoluteError", name="own"),
    _object("metrics.LogCoshError"),
    _object("metrics.CosineSimilarity", axis=-1),
    _object("metrics.MeanSquaredError"),
    {"$ref": "metrics.mean_squared_error"},
    {"$ref": "losses.mean_absolute_error"},
]


def regression(r: Draw, shape: Shape) -> Head:
    units = r.integer(1, 4)
    activation = r.one([None, None, "linear", "tanh", "softsign"])
    target, metrics = {"kind": "real"}, list(REGRESSION_METRICS)
    delta = r.number(0.3, 1.5)
    losses: list[tuple[Any, str | None, str]] = [
        (r.one(["mse", "MSE", "mean_squared_error", _object("losses.MeanSquaredError")]), activation, "real"),
        ({"$ref": "losses.mean_squared_error"}, activation, "real"),
        (r.one(["mae", "mean_absolute_error", _object("losses.MeanAbsoluteError")]), activation, "real"),
        (r.one([_object("losses.Huber", delta=delta), "huber", _object("losses.Huber")]), activation, "real"),
        (r.one(["log_cosh", "logcosh", _object("losses.LogCosh")]), activation, "real"),
        (r.one(["cosine_similarity", _object("losses.CosineSimilarity")]), activation, "real"),
        (r.one(["mape", _object("losses.MeanAbsolutePercentageError")]), "softplus", "away"),
        (r.one(["msle", _object("losses.MeanSquaredLogarithmicError")]), r.one(["softplus", "relu"]), "positive"),
        (r.one(["poisson", _object("losses.Poisson")]), r.one(["softplus", "exponential", "sigmoid"]), "counts"),
        ({"$fn": "own_loss"}, activation, "real"),
    ]
    loss, activation, target["kind"] = r.one([losses[0], *losses])
    if len(shape) == 1:
        metrics.append(_object("metrics.R2Score"))
    if activation == "softplus":
        metrics += ["mape", "msle", _object("metrics.MeanSquaredLogarithmicError"), _object("metrics.Poisson")]
    return Head(_layer(r, shape, units, activation), (*shape[:-1], units), target, loss, metrics)


BINARY_METRICS: list[Any] = [
    "accuracy",
    "acc",
    "binary_accuracy",
    "mae",
    _object("metrics.BinaryAccuracy", threshold=0.4),
    _object("metrics.Precision"),
    _object("metrics.Precision", thresholds=[0.3, 0.6]),
    _object("metrics.Recall", thresholds=0.4),
    _object("metrics.AUC"),
    _object("metrics.AUC", num_thresholds=20, curve="PR"),
    _object("metrics.AUC", num_thresholds=50, summation_method="majoring"),
    _object("metrics.TruePositives"),
    _object("metrics.FalseNegatives", thresholds=0.6),
    _object("metrics.TrueNegatives"),
    _object("metrics.FalsePositives"),
    _object("metrics.BinaryIoU", target_class_ids=[0, 1], threshold=0.45),
    _object("metrics.BinaryCrossentropy"),
    _object("metrics.SensitivityAtSpecificity", specificity=0.5, num_thresholds=30),
    _object("metrics.SpecificityAtSensitivity", sensitivity=0.5, num_thresholds=30),
    _object("metrics.PrecisionAtRecall", recall=0.6, num_thresholds=30),
    _object("metrics.RecallAtPrecision", precision=0.5, num_thresholds=30),
    {"$ref": "metrics.binary_accuracy"},
]


def binary(r: Draw, shape: Shape) -> Head:
    units = r.one([1, 1, 1, 2, 3])
    logits, smoothing = r.chance(0.25), r.one([0.0, 0.1, 0.2])
    told: Options = {"from_logits": True} if logits else {}
    if smoothing:
        told["label_smoothing"] = smoothing
    focal = {**told, "gamma": r.one([1.0, 2.0, 3.0])}
    if r.chance(0.4):
        focal |= {"apply_class_balancing": True, "alpha": r.number(0.2, 0.6)}
    losses: list[Any] = [
        _object("losses.BinaryCrossentropy", **told),
        _object("losses.BinaryFocalCrossentropy", **focal),
    ]
    if not logits:
        losses += ["binary_crossentropy", "binary_focal_crossentropy", "mse", {"$ref": "losses.binary_crossentropy"}]
        losses += ["binary_crossentropy"]
    head = Head(
        _layer(r, shape, units, None if logits else r.one(["sigmoid", "sigmoid", "sigmoid", "hard_sigmoid"])),
        (*shape[:-1], units),
        {"kind": "bits", "dtype": r.one(["float32", "int32"])},
        r.one(losses),
        ["accuracy", _object("metrics.BinaryAccuracy", threshold=0.0)] if logits else list(BINARY_METRICS),
        2 if units == 1 else 0,
    )
    if units == 1 and r.chance(0.3):
        head.target["flat"] = True  # shape (N,) against (N, 1)
        head.classes = 2 if len(shape) == 1 else 0
    return head


def hinges(r: Draw, shape: Shape) -> Head:
    units = r.integer(1, 3)
    loss = r.one(["hinge", "squared_hinge", _object("losses.Hinge"), _object("losses.SquaredHinge")])
    metrics: list[Any] = ["hinge", "mae", _object("metrics.SquaredHinge"), _object("metrics.Hinge")]
    target = {"kind": r.one(["signs", "signs", "bits"]), "dtype": "float32"}
    layer = _layer(r, shape, units, r.one(["tanh", None]))
    return Head(layer, (*shape[:-1], units), target, loss, metrics)


def _one_hot_metrics(classes: int, shape: Shape, logits: bool) -> list[Any]:
    metrics: list[Any] = [
        "accuracy",
        "acc",
        "categorical_accuracy",
        _object("metrics.CategoricalAccuracy", name="own"),
        _object("metrics.TopKCategoricalAccuracy", k=2),
        _object("metrics.CategoricalHinge"),
    ]
    if not logits:
        metrics += [
            "categorical_crossentropy",
            _object("metrics.KLDivergence"),
            _object("metrics.AUC", num_thresholds=30),
            _object("metrics.AUC", num_thresholds=30, multi_label=True, num_labels=classes),
            _object("metrics.Precision", class_id=1),
            _object("metrics.Recall", top_k=1),
            _object("metrics.OneHotIoU", num_classes=classes, target_class_ids=[0, 1]),
            _object("metrics.OneHotMeanIoU", num_classes=classes),
            _object("metrics.CategoricalCrossentropy", label_smoothing=0.1),
        ]
        if len(shape) == 1:
            metrics += [_object("metrics.F1Score", average="macro"), _object("metrics.FBetaScore", beta=2.0)]
    if len(shape) > 1:
        metrics = [m for m in metrics if not (isinstance(m, dict) and m.get("multi_label"))]
    return metrics


def one_hot(r: Draw, shape: Shape) -> Head:
    classes = r.integer(2, 5)
    logits, smoothing = r.chance(0.25), r.one([0.0, 0.0, 0.1, 0.2])
    told: Options = {"from_logits": True} if logits else {}
    if smoothing:
        told["label_smoothing"] = smoothing
    losses: list[Any] = [
        _object("losses.CategoricalCrossentropy", **told),
        _object("losses.CategoricalFocalCrossentropy", **told, gamma=r.one([1.0, 2.0]), alpha=r.number(0.2, 0.6)),
        r.one(["categorical_hinge", _object("losses.CategoricalHinge")]),
    ]
    if not logits:
        losses += ["categorical_crossentropy", "categorical_focal_crossentropy", "mse"]
        losses += [r.one(["kld", "kullback_leibler_divergence", _object("losses.KLDivergence")])]
        losses += [{"$ref": "losses.categorical_crossentropy"}, "categorical_crossentropy"]
    return Head(
        _layer(r, shape, classes, None if logits else "softmax"),
        (*shape[:-1], classes),
        {"kind": "onehot", "classes": classes},
        r.one(losses),
        _one_hot_metrics(classes, shape, logits),
        classes,
    )


def sparse(r: Draw, shape: Shape) -> Head:
    classes, logits = r.integer(2, 5), r.chance(0.25)
    told: Options = {"from_logits": True} if logits else {}
    if r.chance(0.15):
        told["ignore_class"] = classes - 1
    losses: list[Any] = [_object("losses.SparseCategoricalCrossentropy", **told)]
    if not logits:
        losses += ["sparse_categorical_crossentropy", {"$ref": "losses.sparse_categorical_crossentropy"}]
    metrics: list[Any] = [
        "accuracy",
        "acc",
        "sparse_categorical_accuracy",
        _object("metrics.SparseCategoricalAccuracy"),
        _object("metrics.SparseTopKCategoricalAccuracy", k=2),
    ]
    if not logits:
        metrics += [
            "sparse_categorical_crossentropy",
            _object("metrics.MeanIoU", num_classes=classes, sparse_y_pred=False),
            _object("metrics.IoU", num_classes=classes, target_class_ids=[0], sparse_y_pred=False),
        ]
    target = {"kind": "classes", "classes": classes, "dtype": r.one(["int32", "int64", "float32", "uint8"])}
    if r.chance(0.3):
        target["column"] = True  # shape (N, 1), or (N, steps, 1)
    return Head(
        _layer(r, shape, classes, None if logits else "softmax"),
        (*shape[:-1], classes),
        target,
        r.one(losses),
        metrics,
        classes if len(shape) == 1 or "column" in target else 0,
    )


HEADS: list[tuple[float, Callable[[Draw, Shape], Head]]] = [
    (3, regression),
    (2.5, binary),
    (0.8, hinges),
    (2.5, one_hot),
    (2, sparse),
]


def head(r: Draw, shape: Shape) -> Head:
    """Draw a head for an output of a shape."""
    weights = [weight for weight, _ in HEADS]
    picked = int(r.random.choice(len(HEADS), p=[weight / sum(weights) for weight in weights]))
    drawn = HEADS[picked][1](r, shape)
    if isinstance(drawn.loss, dict) and drawn.loss.get("$") and r.chance(0.15):
        drawn.loss["reduction"] = r.one(["sum", "sum_over_batch_size"])
    return drawn
