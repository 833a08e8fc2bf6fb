"""Settings of every class: arguments, and the kind of data (`run.py`) that they are measured on.

Of each class one line has the defaults; the others put every argument that Keras 2.15 has off its default.
"""

from __future__ import annotations

from typing import Any

Arguments = dict[str, Any]
Line = tuple[Arguments, str]

_NAME = {"name": "mine"}
_OTHER = {**_NAME, "dtype": "float64"}  # which some classes of Keras fail with
_COUNTS: list[Line] = [({}, "binary"), ({"thresholds": [0.9, 0.2, 0.5], **_OTHER}, "soft")]
_MEANS: list[Line] = [({}, "real"), (_OTHER, "real cube")]
_SHARES: list[Line] = [({}, "binary"), ({"thresholds": [0.2, 0.6], "top_k": 2, "class_id": 1, **_NAME}, "ties")]


def _at(argument: str) -> list[Line]:
    return [
        ({argument: 0.5}, "binary"),
        ({argument: 0.7, "num_thresholds": 7, "class_id": 1, **_OTHER}, "ties"),
        ({argument: 0.3, "num_thresholds": 1}, "binary column"),
    ]


METRICS: dict[str, list[Line]] = {
    "AUC": [
        ({}, "binary"),
        (
            {
                "num_thresholds": 9,
                "curve": "PR",
                "summation_method": "majoring",
                "multi_label": True,
                "num_labels": 3,
                "label_weights": [0.2, 0.5, 1.0],
                "from_logits": True,
                **_OTHER,
            },
            "logits",
        ),
        ({"thresholds": [0.75, 0.1, 0.3], "summation_method": "minoring"}, "binary column"),
        ({"thresholds": [0.5], "curve": "PR"}, "soft"),
        ({"label_weights": [0.0, 0.5, 1.0], "multi_label": True}, "binary"),
    ],
    "Accuracy": [({}, "classes"), (_OTHER, "classes cube")],
    "BinaryAccuracy": [({}, "binary"), ({"threshold": 0.3, **_OTHER}, "binary cube"), ({}, "binary vector")],
    "BinaryCrossentropy": [
        ({}, "binary"),
        ({"from_logits": True, "label_smoothing": 0.2, **_OTHER}, "logits cube"),
        ({"dtype": "float64"}, "certain"),
    ],
    "BinaryIoU": [({}, "binary"), ({"target_class_ids": [1], "threshold": 0.3, **_OTHER}, "binary cube")],
    "CategoricalAccuracy": [({}, "onehot"), (_OTHER, "onehot cube")],
    "CategoricalCrossentropy": [
        ({}, "onehot"),
        ({"from_logits": True, "label_smoothing": 0.2, "axis": 1, **_OTHER}, "onehot axis 1"),
    ],
    "CategoricalHinge": [({}, "onehot"), (_OTHER, "onehot cube")],
    "CosineSimilarity": [({}, "real"), ({"axis": 1, **_OTHER}, "real")],
    "F1Score": [
        ({}, "onehot"),
        ({"average": "weighted", "threshold": 0.4, **_NAME}, "binary"),
        ({"average": "macro"}, "onehot"),
    ],
    "FBetaScore": [
        ({}, "onehot"),
        ({"average": "micro", "beta": 2.0, "threshold": 0.4, **_NAME}, "binary"),
    ],
    "FalseNegatives": _COUNTS,
    "FalsePositives": _COUNTS,
    "Hinge": [({}, "sign"), (_OTHER, "binary cube")],
    "IoU": [
        ({"num_classes": 3, "target_class_ids": [0, 2]}, "classes"),
        (
            {
                "num_classes": 3,
                "target_class_ids": [1],
                "ignore_class": 2,
                "axis": 1,
                "sparse_y_true": False,
                "sparse_y_pred": False,
                **_OTHER,
            },
            "onehot axis 1",
        ),
    ],
    "KLDivergence": [({}, "onehot"), (_OTHER, "soft cube")],
    "LogCoshError": _MEANS,
    "Mean": [({}, "values"), (_OTHER, "values cube")],
    "MeanAbsoluteError": _MEANS,
    "MeanAbsolutePercentageError": _MEANS,
    "MeanIoU": [
        ({"num_classes": 3}, "classes"),
        (
            {
                "num_classes": 3,
                "ignore_class": 0,
                "axis": 1,
                "sparse_y_true": False,
                "sparse_y_pred": False,
                **_OTHER,
            },
            "onehot axis 1",
        ),
        ({"num_classes": 4, "sparse_y_pred": False}, "sparse cube"),
    ],
    "MeanMetricWrapper": [
        ({"fn": "mean_squared_error"}, "real"),
        ({"fn": "binary_accuracy", "threshold": 0.3, **_OTHER}, "binary cube"),
    ],
    "MeanRelativeError": [
        ({"normalizer": [1.0, 2.0, 0.5]}, "real"),
        ({"normalizer": [0.0, 1.0, 3.0], **_OTHER}, "real"),
    ],
    "MeanSquaredError": _MEANS,
    "MeanSquaredLogarithmicError": _MEANS,
    "MeanTensor": [({}, "values even"), ({"shape": [2, 3], **_OTHER}, "values even")],
    "OneHotIoU": [
        ({"num_classes": 3, "target_class_ids": [0]}, "onehot"),
        ({"num_classes": 3, "target_class_ids": [0, 2], "ignore_class": 1, "axis": 1, **_OTHER}, "onehot axis 1"),
        ({"num_classes": 3, "target_class_ids": [2], "sparse_y_pred": True}, "onehot to classes"),
    ],
    "OneHotMeanIoU": [
        ({"num_classes": 3}, "onehot"),
        ({"num_classes": 3, "ignore_class": 1, "axis": 1, **_OTHER}, "onehot axis 1"),
        ({"num_classes": 3, "sparse_y_pred": True}, "onehot to classes"),
    ],
    "Poisson": [({}, "soft"), (_OTHER, "soft cube")],
    "Precision": [*_SHARES, ({"class_id": 0, "thresholds": 0.3}, "binary"), ({"top_k": 1}, "ties")],
    "PrecisionAtRecall": _at("recall"),
    "R2Score": [
        ({}, "real"),
        ({"class_aggregation": "variance_weighted_average", "num_regressors": 2, **_NAME}, "real"),
        ({"class_aggregation": None}, "real"),
    ],
    "Recall": [*_SHARES, ({"class_id": 2, "thresholds": 0.3}, "binary"), ({"top_k": 1}, "ties")],
    "RecallAtPrecision": _at("precision"),
    "RootMeanSquaredError": _MEANS,
    "SensitivityAtSpecificity": _at("specificity"),
    "SparseCategoricalAccuracy": [({}, "sparse"), (_OTHER, "sparse cube")],
    "SparseCategoricalCrossentropy": [
        ({}, "sparse"),
        ({"from_logits": True, "ignore_class": 1, **_OTHER}, "sparse logits"),
        ({"axis": 1}, "sparse axis 1"),
        ({"ignore_class": 0}, "sparse cube"),
    ],
    "SparseTopKCategoricalAccuracy": [({}, "sparse"), ({"k": 2, **_NAME}, "sparse cube")],
    "SpecificityAtSensitivity": _at("sensitivity"),
    "SquaredHinge": [({}, "sign"), (_OTHER, "binary cube")],
    "Sum": [({}, "values"), (_OTHER, "values cube")],
    "TopKCategoricalAccuracy": [({}, "onehot"), ({"k": 2, **_NAME}, "ties")],
    "TrueNegatives": _COUNTS,
    "TruePositives": _COUNTS,
}

_LOSS: list[Line] = [({}, "real"), (_NAME, "real cube"), ({}, "real vector")]
_FOCAL = {"alpha": 0.4, "gamma": 1.2, "from_logits": True, "label_smoothing": 0.1, "axis": 1, **_NAME}

LOSSES: dict[str, list[Line]] = {
    "BinaryCrossentropy": [
        ({}, "binary"),
        ({"from_logits": True, "label_smoothing": 0.1, "axis": 1, **_NAME}, "logits cube"),
    ],
    "BinaryFocalCrossentropy": [
        ({}, "binary"),
        ({"apply_class_balancing": True, **_FOCAL}, "logits cube"),
        ({"apply_class_balancing": True, "gamma": 0.7}, "binary column"),
    ],
    "CategoricalCrossentropy": [
        ({}, "onehot"),
        ({"from_logits": True, "label_smoothing": 0.1, "axis": 1, **_NAME}, "onehot axis 1"),
    ],
    "CategoricalFocalCrossentropy": [({}, "onehot"), (_FOCAL, "onehot axis 1")],
    "CategoricalHinge": [({}, "onehot"), (_NAME, "onehot cube")],
    "CosineSimilarity": [({}, "real"), ({"axis": 1, **_NAME}, "real cube")],
    "Hinge": [({}, "sign"), (_NAME, "binary cube")],
    "Huber": [({}, "real"), ({"delta": 0.3, **_NAME}, "real cube")],
    "KLDivergence": [({}, "onehot"), (_NAME, "soft cube")],
    "LogCosh": _LOSS,
    "MeanAbsoluteError": _LOSS,
    "MeanAbsolutePercentageError": _LOSS,
    "MeanSquaredError": _LOSS,
    "MeanSquaredLogarithmicError": _LOSS,
    "Poisson": [({}, "soft"), (_NAME, "soft cube")],
    "SparseCategoricalCrossentropy": [
        ({}, "sparse"),
        ({"from_logits": True, "ignore_class": 1, **_NAME}, "sparse logits"),
    ],
    "SquaredHinge": [({}, "sign"), (_NAME, "binary cube")],
}

# What every newer optimizer takes beside its own arguments; of two clippings only the first one counts.
_EMA = {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}
_ALL = {"learning_rate": 0.03, "weight_decay": 0.05, "clipnorm": 0.3, "jit_compile": False, "name": "mine", **_EMA}
_ONE_BY_ONE: list[Arguments] = [{"clipvalue": 0.2}, {"global_clipnorm": 0.7, "use_ema": True, "ema_momentum": 0.5}]
_LEGACY_ALL = {"learning_rate": 0.03, "clipnorm": 0.3, "clipvalue": 0.2, "decay": 0.1, "name": "mine"}
_LEGACY_ONE: list[Arguments] = [{"global_clipnorm": 0.7}]

_OWN: dict[str, Arguments] = {
    "Adadelta": {"rho": 0.8, "epsilon": 1e-3},
    "Adagrad": {"initial_accumulator_value": 0.3, "epsilon": 0.01},
    "Adam": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01, "amsgrad": True},
    "Adamax": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01},
    "Ftrl": {
        "learning_rate_power": -0.3,
        "initial_accumulator_value": 0.5,
        "l1_regularization_strength": 0.05,
        "l2_regularization_strength": 0.02,
        "l2_shrinkage_regularization_strength": 0.03,
        "beta": 0.4,
    },
    "Nadam": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01},
    "RMSprop": {"rho": 0.7, "momentum": 0.5, "epsilon": 1e-3, "centered": True},
    "SGD": {"momentum": 0.7, "nesterov": True},
}
_NEWER: dict[str, Arguments] = {
    **_OWN,
    "Adafactor": {
        "beta_2_decay": -0.5,
        "epsilon_1": 1e-6,
        "epsilon_2": 0.01,
        "clip_threshold": 0.6,
        "relative_step": False,
    },
    "AdamW": _OWN["Adam"],
    "Lion": {"beta_1": 0.7, "beta_2": 0.8},
}
OPTIMIZERS: dict[str, list[Arguments]] = {
    name: [{}, own, {**own, **_ALL}, *_ONE_BY_ONE] for name, own in _NEWER.items()
}
LEGACY: dict[str, list[Arguments]] = {
    name: [{}, own, {**own, **_LEGACY_ALL, **({"decay": 0.004} if name == "Nadam" else {})}, *_LEGACY_ONE]
    for name, own in _OWN.items()
}
# Keras sets it to .004 whatever it is given; here another value is refused.
for _line in LEGACY["Nadam"]:
    _line.pop("decay", None)

SCHEDULES: dict[str, list[Arguments]] = {
    "CosineDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 7},
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 7,
            "alpha": 0.1,
            "name": "mine",
            "warmup_target": 0.5,
            "warmup_steps": 3,
        },
    ],
    "CosineDecayRestarts": [
        {"initial_learning_rate": 0.1, "first_decay_steps": 3},
        {
            "initial_learning_rate": 0.1,
            "first_decay_steps": 3,
            "t_mul": 1.5,
            "m_mul": 0.7,
            "alpha": 0.05,
            "name": "mine",
        },
    ],
    **{
        name: [
            {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.6},
            {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.6, "staircase": True, "name": "mine"},
        ]
        for name in ("ExponentialDecay", "InverseTimeDecay")
    },
    "PiecewiseConstantDecay": [
        {"boundaries": [2, 5], "values": [0.1, 0.2, 0.3]},
        {"boundaries": [2.5, 4.0], "values": [1.0, 0.5, 0.25], "name": "mine"},
    ],
    "PolynomialDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 4},
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 4,
            "end_learning_rate": 0.01,
            "power": 2.0,
            "cycle": True,
            "name": "mine",
        },
    ],
}

TABLES: dict[str, dict[str, list[Any]]] = {
    "metric": METRICS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "legacy optimizer": LEGACY,
    "schedule": SCHEDULES,
}
CASES = [(kind, name, i) for kind, table in TABLES.items() for name, lines in table.items() for i in range(len(lines))]


def key(case: tuple[str, str, int]) -> str:
    """Return the name of a case."""
    return " ".join(map(str, case))
