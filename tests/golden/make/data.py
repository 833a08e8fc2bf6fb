"""Pairs of targets and predictions that losses and metrics are measured on, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]
Rng = np.random.RandomState

ROWS, STEPS, CLASSES = 6, 4, 5


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def _normal(rng: Rng, *shape: int, scale: float = 1.0) -> np.ndarray:
    return (rng.standard_normal(shape) * scale).astype("float32")


def _real(rng: Rng, name: str) -> Pair:
    shape = {"cube": (ROWS, STEPS, 3), "column": (ROWS, 1)}.get(name, (ROWS, 3))
    scale = 20.0 if name == "real_large" else 1.0
    y_true, y_pred = _normal(rng, *shape, scale=scale), _normal(rng, *shape, scale=scale)
    if name == "real_zeros":
        y_true[::2] = 0.0
    if name == "positive":
        y_true, y_pred = np.abs(y_true), np.abs(y_pred) + np.float32(0.05)
    return y_true, y_pred


def _equal(rng: Rng, name: str) -> Pair:
    shape = (ROWS, 3)
    return rng.randint(0, 3, shape).astype("float32"), rng.randint(0, 3, shape).astype("float32")


def _sign(rng: Rng, name: str) -> Pair:
    y_true = rng.randint(0, 2, (ROWS, 3)).astype("float32")
    return (y_true if name == "sign01" else y_true * 2 - 1), _normal(rng, ROWS, 3)


def _binary(rng: Rng, name: str) -> Pair:
    shape = {"binary_cube": (ROWS, STEPS, 3), "binary_column": (ROWS, 1)}.get(name, (ROWS, 3))
    y_true = rng.randint(0, 2, shape).astype("float32")
    logits = _normal(rng, *shape, scale=2.0)
    y_pred = (1 / (1 + np.exp(-logits))).astype("float32")
    if name == "binary_logits":
        y_pred = logits
        y_pred[0] = [-40.0, 0.0, 40.0]
    elif name == "binary_soft":
        y_true = rng.uniform(size=shape).astype("float32")
    elif name == "binary_extreme":  # certain and right, certain and wrong, and the threshold itself
        y_true = np.array([[0, 1, 0], [1, 0, 1], [1, 0, 1]] * 2, "float32")
        y_pred = np.array([[0, 1, 1], [0, 1e-9, 1 - 1e-7], [0.5, 0.5, 0.3]] * 2, "float32")
    return y_true, y_pred


def _classes(rng: Rng, name: str) -> Pair:
    many = name.endswith("many")
    classes, rows = (12, 10) if many else (CLASSES, ROWS)
    lead = (ROWS, STEPS) if "cube" in name else (rows,)
    labels = rng.randint(0, classes, lead)
    logits = _normal(rng, *lead, classes, scale=2.0)
    y_pred = _predictions(name, labels, logits)
    if name.startswith("sparse"):
        return (labels[..., None] if name.endswith("column") else labels).astype("int32"), y_pred
    y_true = np.eye(classes, dtype="float32")[labels]
    if name == "distribution":
        y_true = _softmax(_normal(rng, *lead, classes))
    if name.endswith("axis1"):
        y_true, y_pred = np.moveaxis(y_true, -1, 1).copy(), np.moveaxis(y_pred, -1, 1).copy()
    return y_true, y_pred


def _predictions(name: str, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    if "logits" in name:
        return logits
    y_pred = _softmax(logits)
    if name.endswith("unnormalised"):
        return np.abs(logits) + np.float32(0.01)
    if name.endswith("ties"):
        y_pred[0] = 0.2
        y_pred[1] = [0.3, 0.1, 0.3, 0.1, 0.2]
        y_pred[2] = [0.1, 0.2, 0.3, 0.2, 0.2]
    if name.endswith(
        "extreme"
    ):  # all the mass on the right class, on a wrong one, and next to nothing on the right one
        y_pred[0] = np.eye(CLASSES)[labels[0]]
        y_pred[1] = np.eye(CLASSES)[(labels[1] + 1) % CLASSES]
        y_pred[2] = (1 - 1e-9) / 4
        y_pred[2, labels[2]] = 1e-9
    return y_pred


_MAKERS: dict[str, Callable[[Rng, str], Pair]] = {
    "real": _real,
    "cube": _real,
    "column": _real,
    "positive": _real,
    "equal": _equal,
    "sign": _sign,
    "sign01": _sign,
    "binary": _binary,
    "onehot": _classes,
    "sparse": _classes,
    "distribution": _classes,
}


def pair(rng: Rng, name: str) -> Pair:
    """Draw targets and predictions of the named kind."""
    return _MAKERS[name.split("_")[0]](rng, name)
