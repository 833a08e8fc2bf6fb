"""Layers that prepare data against Keras 2.15: what a call gives after `adapt`, and what was learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import torchkeras_compat as tk

from .support import Golden, close, golden_cases


def _layer(golden: Golden) -> Any:
    tk.set_dialect(golden.dialect)
    cls, kwargs = golden.spec["layer"]
    return getattr(tk.layers, cls)(**{name: _argument(value) for name, value in kwargs.items()})


def _argument(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(value["$tuple"]) if "$tuple" in value else np.array(value["$array"])
    return value


def _given(golden: Golden, name: str) -> Any:
    """Return an input of the case."""
    value = golden.spec[name]
    key = "x" if name == "input" else name
    if key in golden:
        return golden[key]
    if isinstance(value, dict):
        return tuple(np.array(part) for part in value["list"])
    return np.array(value, golden.spec.get("type"))


def _adapted(golden: Golden) -> Any:
    layer = _layer(golden)
    if "adapt" in golden.spec:
        layer.adapt(_given(golden, "adapt"), batch_size=golden.spec.get("batch_size"))
        assert layer.is_adapted
    return layer


def _called(golden: Golden, layer: Any) -> Any:
    options = {"training": golden.spec["training"]} if "training" in golden.spec else {}
    if "weights" in golden.spec:
        options["count_weights"] = np.array(golden.spec["weights"], "float32")
    return layer(_given(golden, "input"), **options)


def _expect(golden: Golden, y: Any) -> None:
    if "strings" in golden.spec:
        assert y.numpy().astype(str).tolist() == golden.spec["strings"]  # bytes, as TensorFlow gives them
        return
    assert isinstance(y, torch.Tensor)
    assert str(y.dtype).removeprefix("torch.") == golden.spec["output_type"]
    close(y, golden["y"], "output")


@golden_cases("preparing")
def test_a_call(golden: Golden) -> None:
    layer = _adapted(golden)
    _expect(golden, _called(golden, layer))
    for name, expected in golden.spec["learnt"].items():
        close(np.asarray(getattr(layer, name), "float64"), expected, name)
    if "vocabulary" in golden.spec:
        assert layer.get_vocabulary() == golden.spec["vocabulary"]


@golden_cases("preparing", where=lambda g: "adapt" not in g.spec)
def test_a_call_after_a_configuration(golden: Golden) -> None:
    layer = _layer(golden)
    _expect(golden, _called(golden, type(layer).from_config(layer.get_config())))
