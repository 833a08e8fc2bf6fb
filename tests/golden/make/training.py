"""Golden numbers of whole fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from cases import training as table
from cases import training_more as more_table

from .layers import draw
from .models import add_all, build, listed, randomise
from .runtime import Arrays, Spec, floats, resolve, rng_for


def fits() -> Iterator[tuple[Spec, Arrays]]:
    """Histories, final weights and the results of the calls that follow."""
    for spec in [*table.CASES, *more_table.CASES]:
        try:
            yield _one(spec)
        except ValueError as error:  # a loss string that 2.15 does not know
            if not (spec["name"].startswith("string_") and "Unknown loss" in str(error)):
                raise
            print(f"left out {spec['name']}: Keras refuses it")


def array(kind: str, shape: list[int], rng: np.random.RandomState) -> np.ndarray:
    """Draw an array of a case."""
    name, _, count = kind.partition(":")
    if name == "onehot":
        return np.eye(int(count), dtype="float32")[rng.randint(0, int(count), shape)]
    if name in ("labels", "float_labels"):
        labels = rng.randint(0, int(count), shape)
        return labels.astype("float32" if name == "float_labels" else "int64")
    if name == "weight":
        weight = rng.uniform(0, 2, shape).astype("float32")
        weight.reshape(-1)[::5] = 0.0
        return weight
    if name == "sign":
        return (rng.randint(0, 2, shape) * 2 - 1).astype("float32")
    if name == "positive":
        return np.abs(floats(rng, *shape))
    if name == "padded":
        return draw("padded_no_empty", tuple(shape), rng)
    return draw(kind, tuple(shape), rng)


def _one(spec: Spec) -> tuple[Spec, Arrays]:
    rng = rng_for(spec)
    arrays = {name: array(kind, shape, rng) for name, (kind, shape) in spec["arrays"].items()}
    model = build([], spec["dialect"])
    shape = spec.get("batch_shape") or [None, *arrays["x"].shape[1:]]
    model.add(keras.Input(batch_shape=tuple(shape), dtype=str(arrays["x"].dtype)))
    add_all(model, spec["stack"], spec["dialect"])
    start = randomise(model, rng, spec.get("scale", 0.4))
    model.compile(**resolve(spec["compile"], spec["dialect"]))
    found = dict(arrays) | listed("start", start)
    spec = {**spec, "weights": len(start)}
    if spec["fit"] is not None:
        spec, history = _fit(spec, model, arrays)
        found |= history
    found |= listed("end", model.get_weights())
    spec["then_keys"] = []
    for i, (method, kwargs) in enumerate(spec["then"]):
        result = _call(model, method, resolve(kwargs, spec["dialect"], arrays))
        spec["then_keys"].append(list(result) if isinstance(result, dict) else None)
        found[f"then{i}"] = np.array(list(result.values()) if isinstance(result, dict) else result, "float32")
    spec["metrics_names"] = model.metrics_names
    return spec, found


def _call(model: Any, method: str, kwargs: dict[str, Any]) -> Any:
    silent = {"verbose": 0} if method in ("evaluate", "predict") else {}
    return getattr(model, method)(**kwargs, **silent)


def _oracle_fit_arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Multiply class and sample weights beforehand: fit in 2.15.0 means to, and fails on a batch of unknown size."""
    if isinstance(kwargs.get("validation_freq"), tuple):
        kwargs["validation_freq"] = list(kwargs["validation_freq"])
    if "class_weight" not in kwargs or "sample_weight" not in kwargs:
        return kwargs
    table = kwargs.pop("class_weight")
    classes = kwargs["y"].argmax(-1)
    factors = np.array([table[c] for c in classes], "float32")
    return {**kwargs, "sample_weight": kwargs["sample_weight"] * factors}


def _fit(spec: Spec, model: Any, arrays: Arrays) -> tuple[Spec, Arrays]:
    kwargs = _oracle_fit_arguments(resolve(spec["fit"], spec["dialect"], arrays))
    history = model.fit(**kwargs, verbose=0)
    keys = list(history.history)
    found = {f"history_{key}": np.array(history.history[key], "float32") for key in keys}
    return {**spec, "keys": keys, "epochs": [int(e) for e in history.epoch]}, found
