"""Stateful metrics against the numbers of Keras 2.15, batch by batch, weighted and not."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import metrics


@functools.cache
def _module() -> ModuleType:
    path = Path(__file__).resolve().parent / "keras_cases.py"
    spec = importlib.util.spec_from_file_location("keras_cases", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def _expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_module().FILE.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("index", range(len(_module().CASES)), ids=_module().NAMES)
def test_as_keras_2_15(index: int) -> None:
    module = _module()
    found, expected = module.run(metrics, *module.CASES[index]), _expected()[module.NAMES[index]]
    for key in ("plain", "weighted"):
        for got, want in zip(found[key], expected[key]):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6, err_msg=key)
    assert set(expected["config"]) <= set(found["config"])
    assert found["name"] == expected["name"]


@pytest.mark.parametrize("index", range(len(_module().CASES)), ids=_module().NAMES)
def test_round_trip_reset_and_merge(index: int) -> None:
    module = _module()
    name, kwargs, kind = module.CASES[index]
    metric = getattr(metrics, name)(**kwargs)
    config = metrics.serialize(metric)
    json.dumps(config)
    assert metrics.deserialize(config).get_config() == metric.get_config()
    rng = np.random.RandomState(0)
    batches = [tuple(a.astype("float32") for a in module._pair(kind, rng)) for _ in range(2)]
    if kind == "values":
        batches = [(p,) for _, p in batches]
    parts = [metrics.deserialize(config) for _ in batches]
    for part, batch in zip(parts, batches):
        part.update_state(*batch)
        metric.update_state(*batch)
    whole = metric.result()
    parts[0].merge_state(parts[1:])
    torch.testing.assert_close(parts[0].result(), whole)
    metric.reset_state()
    assert all(float(state.abs().sum()) == 0 for state in metric.variables)
    for batch in batches:
        metric.update_state(*batch)
    torch.testing.assert_close(metric.result(), whole)


@pytest.mark.parametrize("index", range(len(_module().CASES)), ids=_module().NAMES)
def test_an_update_reads_nothing_from_the_device(index: int) -> None:
    # On the meta device reading a value fails, and so does a shape that depends on one.
    module = _module()
    name, kwargs, kind = module.CASES[index]
    pair = [torch.from_numpy(a.astype("float32")).to("meta") for a in module._pair(kind, np.random.RandomState(0))]
    weight = torch.ones(pair[0].shape if kind == "image" else pair[0].shape[:1], device="meta")
    with torch.device("meta"):
        metric = getattr(metrics, name)(**kwargs)
        metric.update_state(*(pair[1:] if kind == "values" else pair), sample_weight=weight)
    assert all(state.device.type == "meta" for state in metric.variables)
