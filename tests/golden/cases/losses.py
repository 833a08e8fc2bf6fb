"""Every loss as a function and as a class, and the metrics of the first issue, on ordinary and on extreme data.

`data` names a pair of targets and predictions that `make.losses` draws; `function` names the function, if any.
"""

from __future__ import annotations

from typing import Any

from .common import Case, case

_LOSSES: list[tuple[str, str, str | None, list[tuple[str, dict[str, Any]]]]] = [
    ("mse", "MeanSquaredError", "mean_squared_error", [("real", {}), ("cube", {}), ("column", {})]),
    ("mae", "MeanAbsoluteError", "mean_absolute_error", [("real", {}), ("cube", {})]),
    ("mape", "MeanAbsolutePercentageError", "mean_absolute_percentage_error", [("real", {}), ("real_zeros", {})]),
    ("msle", "MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", [("positive", {}), ("real", {})]),
    (
        "bce",
        "BinaryCrossentropy",
        "binary_crossentropy",
        [
            ("binary", {}),
            ("binary_column", {}),
            ("binary_extreme", {}),
            ("binary", {"label_smoothing": 0.2}),
            ("binary_logits", {"from_logits": True}),
            ("binary_logits", {"from_logits": True, "label_smoothing": 0.1}),
            ("binary_cube", {"axis": 1}),
            ("binary_soft", {}),
            ("binary_cube", {}),
        ],
    ),
    (
        "focal",
        "BinaryFocalCrossentropy",
        "binary_focal_crossentropy",
        [
            ("binary", {}),
            ("binary_extreme", {}),
            ("binary", {"gamma": 3.0, "label_smoothing": 0.1}),
            ("binary", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}),
            ("binary_logits", {"from_logits": True, "apply_class_balancing": True}),
        ],
    ),
    (
        "cce",
        "CategoricalCrossentropy",
        "categorical_crossentropy",
        [
            ("onehot", {}),
            ("onehot_extreme", {}),
            ("onehot_unnormalised", {}),
            ("onehot", {"label_smoothing": 0.3}),
            ("onehot_logits", {"from_logits": True}),
            ("onehot_logits", {"from_logits": True, "label_smoothing": 0.1}),
            ("onehot_cube", {}),
            ("onehot_cube_axis1", {"axis": 1}),
            ("onehot_cube_axis1", {"axis": 1, "from_logits": True}),
        ],
    ),
    (
        "cfocal",
        "CategoricalFocalCrossentropy",
        "categorical_focal_crossentropy",
        [
            ("onehot", {}),
            ("onehot_extreme", {}),
            ("onehot_unnormalised", {"alpha": 0.4, "gamma": 1.5}),
            ("onehot", {"label_smoothing": 0.1}),
            ("onehot_logits", {"from_logits": True}),
        ],
    ),
    (
        "scce",
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        [
            ("sparse", {}),
            ("sparse_column", {}),
            ("sparse_extreme", {}),
            ("sparse_unnormalised", {}),
            ("sparse_logits", {"from_logits": True}),
            ("sparse_cube", {}),
            ("sparse", {"ignore_class": 1}),
            ("sparse_cube", {"ignore_class": 0}),
            ("sparse_logits", {"from_logits": True, "ignore_class": 2}),
        ],
    ),
    ("cosine", "CosineSimilarity", "cosine_similarity", [("real", {}), ("cube", {"axis": 1}), ("real_zeros", {})]),
    ("hinge", "Hinge", "hinge", [("sign", {}), ("sign01", {})]),
    ("hinge2", "SquaredHinge", "squared_hinge", [("sign", {}), ("sign01", {})]),
    ("chinge", "CategoricalHinge", "categorical_hinge", [("onehot", {}), ("onehot_logits", {})]),
    ("poisson", "Poisson", "poisson", [("positive", {}), ("binary_extreme", {})]),
    ("logcosh", "LogCosh", "log_cosh", [("real", {}), ("real_large", {})]),
    ("kld", "KLDivergence", "kl_divergence", [("distribution", {}), ("onehot_extreme", {})]),
    ("huber", "Huber", "huber", [("real", {}), ("real", {"delta": 0.5}), ("real_large", {"delta": 2.0})]),
]

LOSSES: list[Case] = [
    case(f"{short}_{i}_{data}", cls=cls, function=function, data=data, kwargs=kwargs)
    for short, cls, function, variants in _LOSSES
    for i, (data, kwargs) in enumerate(variants)
]

_METRICS: list[tuple[str, str | None, str, dict[str, Any]]] = [
    ("Accuracy", None, "equal", {}),
    ("BinaryAccuracy", "binary_accuracy", "binary", {}),
    ("BinaryAccuracy", "binary_accuracy", "binary_column", {}),
    ("BinaryAccuracy", "binary_accuracy", "binary", {"threshold": 0.3}),
    ("BinaryAccuracy", "binary_accuracy", "binary_cube", {}),
    ("BinaryAccuracy", "binary_accuracy", "binary_extreme", {}),
    ("CategoricalAccuracy", "categorical_accuracy", "onehot", {}),
    ("CategoricalAccuracy", "categorical_accuracy", "onehot_cube", {}),
    ("CategoricalAccuracy", "categorical_accuracy", "onehot_ties", {}),
    ("SparseCategoricalAccuracy", "sparse_categorical_accuracy", "sparse", {}),
    ("SparseCategoricalAccuracy", "sparse_categorical_accuracy", "sparse_column", {}),
    ("SparseCategoricalAccuracy", "sparse_categorical_accuracy", "sparse_cube", {}),
    ("SparseCategoricalAccuracy", "sparse_categorical_accuracy", "sparse_cube_column", {}),
    ("TopKCategoricalAccuracy", "top_k_categorical_accuracy", "onehot", {"k": 2}),
    ("TopKCategoricalAccuracy", "top_k_categorical_accuracy", "onehot_many", {}),
    ("TopKCategoricalAccuracy", "top_k_categorical_accuracy", "onehot_cube", {"k": 2}),
    ("TopKCategoricalAccuracy", "top_k_categorical_accuracy", "onehot_ties", {"k": 2}),
    ("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", "sparse", {"k": 2}),
    ("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", "sparse_many", {}),
    ("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", "sparse_column", {"k": 3}),
    ("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", "sparse_cube", {"k": 2}),
    ("BinaryCrossentropy", "binary_crossentropy", "binary", {}),
    ("BinaryCrossentropy", "binary_crossentropy", "binary_logits", {"from_logits": True, "label_smoothing": 0.2}),
    ("CategoricalCrossentropy", "categorical_crossentropy", "onehot", {}),
    (
        "CategoricalCrossentropy",
        "categorical_crossentropy",
        "onehot_logits",
        {"from_logits": True, "label_smoothing": 0.2},
    ),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", "sparse", {}),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", "sparse_logits", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", "sparse_cube", {}),
    ("CategoricalHinge", None, "onehot", {}),
    ("CosineSimilarity", None, "real", {}),
    ("CosineSimilarity", None, "cube", {"axis": 1}),
    ("Hinge", "hinge", "sign", {}),
    ("SquaredHinge", "squared_hinge", "sign01", {}),
    ("KLDivergence", "kl_divergence", "distribution", {}),
    ("LogCoshError", "logcosh", "real", {}),
    ("MeanAbsoluteError", "mean_absolute_error", "real", {}),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", "real", {}),
    ("MeanSquaredError", "mean_squared_error", "real", {}),
    ("MeanSquaredError", "mean_squared_error", "cube", {}),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", "positive", {}),
    ("Poisson", "poisson", "positive", {}),
]

METRICS: list[Case] = [
    case(f"{i:02d}_{cls}_{data}", cls=cls, function=function, data=data, kwargs=kwargs)
    for i, (cls, function, data, kwargs) in enumerate(_METRICS)
]
