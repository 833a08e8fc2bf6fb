"""Golden numbers of layers that prepare data: what a call gives after `adapt`, and what was learnt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from cases.layers_preprocessing import PREPARING

from .runtime import Arrays, Spec, floats, rng_for


def preparing() -> Iterator[tuple[Spec, Arrays]]:
    """Every case of the table."""
    for spec in PREPARING:
        yield _one(spec)


def _one(spec: Spec) -> tuple[Spec, Arrays]:
    rng = rng_for(spec)
    cls, kwargs = spec["layer"]
    layer = getattr(keras.layers, cls)(**{name: _argument(value) for name, value in kwargs.items()})
    arrays: Arrays = {}
    if "adapt" in spec:
        data = _drawn(spec["adapt"], spec, rng)
        if isinstance(spec["adapt"], dict):
            arrays["adapt"] = data
        layer.adapt(data, batch_size=spec.get("batch_size"))
    x = _drawn(spec["input"], spec, rng)
    if isinstance(spec["input"], dict) and "draw" in spec["input"]:
        arrays["x"] = x
    options = {"training": spec["training"]} if "training" in spec else {}
    if "weights" in spec:
        options["count_weights"] = np.array(spec["weights"], "float32")
    y = layer(x, **options)
    learnt = {name: _learnt(layer, name) for name in ("mean", "variance", "bin_boundaries") if hasattr(layer, name)}
    spec = {**spec, "learnt": learnt, "output_type": y.dtype.name}
    if hasattr(layer, "get_vocabulary"):
        spec["vocabulary"] = [_plain(token) for token in layer.get_vocabulary()]
    values = y.numpy()
    if values.dtype == object:
        spec["strings"] = _plain(values.tolist())
        return spec, {**arrays, "y": np.zeros(values.shape, "float32")}
    return spec, {**arrays, "y": values}


def _argument(value: Any) -> Any:
    """Return an argument as Keras takes it."""
    if isinstance(value, dict):
        return tuple(value["$tuple"]) if "$tuple" in value else np.array(value["$array"])
    return value


def _drawn(value: Any, spec: Spec, rng: np.random.RandomState) -> Any:
    """Return an input: numbers drawn, several inputs, or values as they stand."""
    if isinstance(value, dict) and "draw" in value:
        x = floats(rng, *value["shape"])
        return np.abs(x) * 60 if value["draw"] == "bytes" else x
    if isinstance(value, dict):
        return tuple(np.array(part) for part in value["list"])
    return np.array(value, spec.get("type"))


def _learnt(layer: Any, name: str) -> Any:
    return np.asarray(getattr(layer, name), "float64").tolist()


def _plain(value: Any) -> Any:
    """Return bytes as text and numpy's integers as Python's, in lists too."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value
