"""Stateful metrics on seeded data: one table, run by the tests with the package and once with Keras 2.15.

`python tests/metrics/keras_cases.py` in Keras's environment (see tests/golden/make_golden.py) writes `keras_2_15.json`.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).resolve().parent / "keras_2_15.json"
Case = tuple[str, dict[str, Any], str]
Pair = tuple[np.ndarray, np.ndarray]

# On labels of any shape; the last ones put thresholds in disorder, evenly spread, and many.
_OVER_THRESHOLDS: list[tuple[str, dict[str, Any]]] = [
    ("AUC", {}),
    ("AUC", {"curve": "PR"}),
    ("AUC", {"num_thresholds": 5, "summation_method": "minoring"}),
    ("AUC", {"num_thresholds": 7, "curve": "PR", "summation_method": "majoring"}),
    ("AUC", {"thresholds": [0.1, 0.7, 0.3]}),
    ("AUC", {"thresholds": [round(0.02 + i * 0.03, 2) for i in range(32)]}),
    ("Precision", {}),
    ("Recall", {}),
    ("Precision", {"thresholds": [0.3, 0.8, 0.1]}),
    ("Precision", {"thresholds": [0.5, *(round(0.9 - i * 0.05, 2) for i in range(18))]}),
    ("Recall", {"thresholds": [0.0, 0.5, 1.0]}),
    ("TruePositives", {}),
    ("TrueNegatives", {"thresholds": [0.2, 0.9]}),
    ("FalsePositives", {}),
    ("FalseNegatives", {}),
    ("SensitivityAtSpecificity", {"specificity": 0.6}),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 1}),
    ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 10}),
    ("RecallAtPrecision", {"precision": 0.55}),
    ("RecallAtPrecision", {"precision": 1.0}),
]
CASES: list[Case] = [(*c, kind) for kind in ("labels", "column", "vector") for c in _OVER_THRESHOLDS] + [
    ("AUC", {"multi_label": True}, "labels"),
    ("AUC", {"multi_label": True, "curve": "PR", "num_labels": 3, "label_weights": [0.2, 0.5, 1.0]}, "labels"),
    ("AUC", {"label_weights": [0.2, 0.5, 1.0]}, "labels"),
    ("AUC", {"multi_label": True, "thresholds": [0.2, 0.6, 0.61]}, "labels"),
    ("AUC", {"from_logits": True}, "logits"),
    ("Precision", {"top_k": 2}, "onehot"),
    ("Recall", {"top_k": 2}, "onehot"),
    ("Precision", {"class_id": 1}, "onehot"),
    ("Recall", {"class_id": 2, "top_k": 3}, "onehot"),
    ("Precision", {"top_k": 2, "thresholds": 0.5}, "onehot"),
    ("SensitivityAtSpecificity", {"specificity": 0.6, "class_id": 0}, "onehot"),
    ("MeanIoU", {"num_classes": 3}, "classes"),
    ("MeanIoU", {"num_classes": 4}, "classes"),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1}, "image"),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, "image"),
    ("OneHotMeanIoU", {"num_classes": 4}, "onehot"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1]}, "onehot"),
    ("BinaryIoU", {"threshold": 0.4}, "vector"),
    ("F1Score", {}, "onehot"),
    ("F1Score", {"average": "micro"}, "onehot"),
    ("F1Score", {"average": "weighted", "threshold": 0.4}, "labels"),
    ("FBetaScore", {"average": "macro", "beta": 2.0}, "onehot"),
    ("R2Score", {}, "real"),
    ("R2Score", {"class_aggregation": None}, "real"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, "real"),
    ("RootMeanSquaredError", {}, "real"),
    ("MeanRelativeError", {"normalizer": [1.0, 0.0]}, "real"),
    ("CosineSimilarity", {}, "real"),
    ("LogCoshError", {}, "real"),
    ("KLDivergence", {}, "onehot"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "indices"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "ties"),
    ("Mean", {}, "values"),
    ("Sum", {}, "values"),
    ("MeanTensor", {}, "values"),
]
NAMES = [f"{i:03d}_{name}_{kind}" for i, (name, _, kind) in enumerate(CASES)]


def _pair(kind: str, rng: np.random.RandomState) -> Pair:
    """Draw targets and predictions; predictions are rounded, so that some meet a threshold or each other."""
    shape = {"column": (20, 1), "vector": (20,)}.get(kind, (20, 3))
    if kind in ("labels", "column", "vector"):
        return rng.randint(0, 2, shape), rng.rand(*shape).round(2)
    if kind == "logits":
        return rng.randint(0, 2, (20, 1)), rng.standard_normal((20, 1))
    if kind == "onehot":
        return np.eye(4)[rng.randint(0, 4, 20)], rng.rand(20, 4).round(1)
    if kind in ("classes", "image"):
        size = (20,) if kind == "classes" else (2, 4, 4)
        return rng.randint(0, 3, size), rng.randint(0, 3, size)
    if kind in ("indices", "ties"):
        scores = rng.dirichlet(np.ones(3), 20)
        return rng.randint(0, 3, 20), scores.round(1) if kind == "ties" else scores
    y = rng.standard_normal((20, 2))
    return y, y + rng.standard_normal((20, 2)) * 0.3


def run(metrics: Any, name: str, kwargs: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the results after one and two batches, without and with weights, and the configuration's keys."""
    found: dict[str, Any] = {}
    for key in ("plain", "weighted"):
        rng = np.random.RandomState(zlib.crc32(f"{name}{sorted(kwargs)}{kind}".encode()) & 0x7FFFFFFF)
        metric, results = getattr(metrics, name)(**kwargs), []
        for _ in range(2):
            y_true, y_pred = (a.astype("float32") for a in _pair(kind, rng))
            shape = y_true.shape if kind == "image" else y_true.shape[:1]
            weight = rng.rand(*shape).astype("float32") if key == "weighted" else None
            given = (y_pred,) if kind == "values" else (y_true, y_pred)
            metric.update_state(*given, sample_weight=weight)
            results.append(np.asarray(metric.result().numpy(), "float64").tolist())
        found[key] = results
    config = {key for key, value in metric.get_config().items() if value is not None}
    return {**found, "config": sorted(config - {"name"}), "name": metric.name.rstrip("_0123456789")}


if __name__ == "__main__":
    import keras

    table = {key: run(keras.metrics, *case) for key, case in zip(NAMES, CASES)}
    FILE.write_text(json.dumps(table, indent=0).replace("\n", "") + "\n", encoding="utf-8")
