"""Runs one setting under Keras 2.15 or under this package: the same text, with another module called `keras`."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from . import tables

Array = np.ndarray[Any, Any]
ROWS = (7, 3, 1)  # of the batches that a metric takes in
STEPS = 7  # of an optimizer
LOOKED_AT = (0, 2, 6)  # the first step, the one in which averages replace the weights, and the last one
SHAPES = [(4, 3), (3,), (), (2, 2, 1, 3), (5, 1)]
REDUCTIONS = ("auto", "none", "sum", "sum_over_batch_size")


_MADE_LATE = ("MeanTensor", "R2Score", "F1Score", "FBetaScore")  # whose state, and so a result, waits for a batch


def _rng(case: tuple[str, str, int]) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(tables.key(case).encode()) & 0x7FFFFFFF)


def draw(kind: str, rows: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Draw targets and predictions of a kind; some predictions are rounded, so that they meet a threshold."""
    what, _, form = kind.partition(" ")
    shape = {"cube": (rows, 4, 3), "column": (rows, 1), "vector": (rows,), "even": (2, 3)}.get(form, (rows, 3))
    classes = rng.randint(0, 3, shape[:-1])
    onehot = np.eye(3)[classes]
    if form == "axis 1":
        targets = rng.randint(0, 3, (rows, 4))
        onehot, scores = (
            np.moveaxis(np.eye(3)[targets], -1, 1),
            np.moveaxis(rng.dirichlet(np.ones(3), (rows, 4)), -1, 1),
        )
        return (targets if what == "sparse" else onehot), scores
    if form == "to classes":
        return onehot, rng.randint(0, 3, rows)
    probabilities = rng.dirichlet(np.ones(3), shape[:-1])
    real = rng.standard_normal(shape)
    pairs: dict[str, tuple[Array, Array]] = {
        "binary": (rng.randint(0, 2, shape), rng.rand(*shape).round(2)),
        "soft": (rng.rand(*shape), rng.rand(*shape) + 0.01),
        "logits": (rng.randint(0, 2, shape), real),
        "sign": (rng.randint(0, 2, shape) * 2 - 1, real),
        "onehot": (onehot, probabilities),
        "ties": (onehot, rng.rand(*shape).round(1)),
        "sparse": (classes, real if form == "logits" else probabilities),
        "classes": (rng.randint(0, 3, shape), rng.randint(0, 3, shape)),
        "real": (real, real + 0.4 * rng.standard_normal(shape)),
        "values": (real, real),
        "certain": (rng.randint(0, 2, shape), rng.randint(0, 2, shape)),
    }
    return pairs[what]


_BY_SAMPLE = ("F1Score", "FBetaScore", "R2Score")  # which take one weight for each sample


def _weights(name: str, kind: str, pair: tuple[Array, Array], rng: np.random.RandomState) -> dict[str, Array | None]:
    """Return no weights, one for each sample, and one for each value, as far as a metric takes them."""
    y_true, y_pred = pair
    if "IoU" in name:
        classes = y_true.argmax(1 if "axis 1" in kind else -1) if "onehot" in kind else y_true
        return {"none": None, "values": rng.rand(*classes.shape)}
    weights: dict[str, Array | None] = {"none": None, "samples": rng.rand(len(y_true))}
    if name not in _BY_SAMPLE and y_pred.ndim > 1:
        weights["values"] = rng.rand(*_value_shape(kind, y_pred))
        weights["column"] = rng.rand(len(y_true), *[1] * (weights["values"].ndim - 1))
    if name == "BinaryAccuracy":
        weights["labels"] = rng.rand(*y_pred.shape)
    return weights


def _value_shape(kind: str, y_pred: Array) -> tuple[int, ...]:
    return y_pred.max(1).shape if "axis 1" in kind else y_pred.shape[:-1]


def _floats(value: Any) -> Any:
    """Return a number or array as JSON has it."""
    array = value.numpy() if hasattr(value, "numpy") else value
    return _rounded(np.asarray(array, "float64").tolist())


def _rounded(value: Any) -> Any:
    """Return a number or lists of numbers with seven digits, which is what float32 has."""
    return [_rounded(item) for item in value] if isinstance(value, list) else float(f"{value:.7g}")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool)):
        return value
    return getattr(value, "__name__", None) or _floats(value)


def config_of(made: Any) -> dict[str, Any]:
    """Return a configuration without what depends on the machine, or is told in another format."""
    config = made.get_config()
    left_out = ("jit_compile", "is_legacy_optimizer", "fn", "shape")  # that of MeanTensor, which Keras forgets
    return {key: _plain(value) for key, value in sorted(config.items()) if key not in left_out}


def module(keras: Any, kind: str) -> Any:
    """Return the module that a kind of class stands in."""
    modules = {"metric": keras.metrics, "loss": keras.losses, "optimizer": keras.optimizers}
    modules |= {"legacy optimizer": keras.optimizers.legacy, "schedule": keras.optimizers.schedules}
    return modules[kind]


def make(keras: Any, case: tuple[str, str, int], **more: Any) -> Any:
    """Make the object of a case."""
    kind, name, index = case
    line = tables.TABLES[kind][name][index]
    told = {**(line if isinstance(line, dict) else line[0]), **more}
    if "fn" in told:
        told["fn"] = getattr(keras.metrics, told["fn"])
    return getattr(module(keras, kind), name)(**told)


def _metric(keras: Any, case: tuple[str, str, int]) -> dict[str, Any]:
    _, name, index = case
    arguments, kind = tables.METRICS[name][index]
    rng, measured = _rng(case), {"config": config_of(make(keras, case)) if "name" in arguments else None}
    if name not in _MADE_LATE and not arguments.get("multi_label"):
        measured["before"] = _floats(make(keras, case).result())
    pairs = [draw(kind, rows, rng) for rows in ROWS]
    weights = [_weights(name, kind, pair, rng) for pair in pairs]
    for which in weights[0]:
        whole, parts, results = make(keras, case), [], []
        for (y_true, y_pred), by_name in zip(pairs, weights):
            weight = by_name[which]
            given = (y_pred,) if kind.startswith("values") else (y_true, y_pred)
            as_given = [a.astype(arguments.get("dtype", "float32")) for a in given]
            part = make(keras, case)
            for metric in (whole, part):
                metric.update_state(*as_given, sample_weight=None if weight is None else weight.astype("float32"))
            parts.append(part)
            results.append(_floats(whole.result()))
        parts[0].merge_state(parts[1:])
        whole.reset_state()
        measured[which] = [*results, _floats(parts[0].result()), _floats(whole.result())]
    return measured


def _loss(keras: Any, case: tuple[str, str, int]) -> dict[str, Any]:
    _, name, index = case
    kind = tables.LOSSES[name][index][1]
    rng = _rng(case)
    y_true, y_pred = (a.astype("float32") for a in draw(kind, 5, rng))
    values = make(keras, case, reduction="none")(y_true, y_pred)
    shape = tuple(values.shape)
    weights = {"none": None, "samples": rng.rand(*shape[:1], *[1] * (len(shape) - 1)), "values": rng.rand(*shape)}
    measured: dict[str, Any] = {"config": config_of(make(keras, case, reduction="sum"))}
    for which, weight in weights.items():
        for reduction in REDUCTIONS:
            loss = make(keras, case, reduction=reduction)
            measured[f"{which} {reduction}"] = _floats(loss(y_true, y_pred, sample_weight=weight))
    return measured


def _optimizer(keras: Any, case: tuple[str, str, int]) -> dict[str, Any]:
    kind, optimizer = case[0], make(keras, case)
    rng, K = _rng(case), keras.backend
    weights = [K.variable(np.asarray(rng.standard_normal(shape)), name=f"w{i}") for i, shape in enumerate(SHAPES)]
    if kind == "optimizer":
        optimizer.exclude_from_weight_decay(var_list=[weights[1]])
    measured: dict[str, Any] = {"config": config_of(optimizer), "weights": []}
    for step in range(STEPS):
        gradients = [K.constant(np.asarray(rng.standard_normal(shape))) for shape in SHAPES]
        optimizer.apply_gradients(list(zip(gradients, weights)))
        if step in LOOKED_AT:
            measured["weights"].append([_floats(w) for w in weights])
    measured["iterations"] = int(optimizer.iterations.numpy())
    if kind == "optimizer":
        optimizer.finalize_variable_values(weights)
        measured["at the end"] = [_floats(w) for w in weights]
    else:
        measured["state"] = [_floats(value) for value in optimizer.get_weights()]
    return measured


def _schedule(keras: Any, case: tuple[str, str, int]) -> dict[str, Any]:
    schedule = make(keras, case)
    steps = [*range(12), 2.7, 5.5]
    return {"config": config_of(schedule), "values": [_floats(schedule(step)) for step in steps]}


_RUNS = {
    "metric": _metric,
    "loss": _loss,
    "optimizer": _optimizer,
    "legacy optimizer": _optimizer,
    "schedule": _schedule,
}


def run(keras: Any, case: tuple[str, str, int]) -> dict[str, Any]:
    """Return everything that a setting gives: results, states and its configuration.

    Args:
        keras: The module.
        case: The kind, the name of the class, and the number of its setting.
    """
    return _RUNS[case[0]](keras, case)
