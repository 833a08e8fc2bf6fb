"""Stateful metrics against the numbers of Keras 2.15, batch by batch, weighted and not."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pytest
import torch

from tests.metrics import keras_cases
from torchkeras_compat import metrics


@functools.cache
def _expected() -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(keras_cases.FILE.read_text(encoding="utf-8"))
    return measured


@pytest.mark.parametrize("index", range(len(keras_cases.CASES)), ids=keras_cases.NAMES)
def test_as_keras_2_15(index: int) -> None:
    ours, expected = keras_cases.run(metrics, *keras_cases.CASES[index]), _expected()[keras_cases.NAMES[index]]
    for key in ("plain", "weighted"):
        for got, want in zip(ours[key], expected[key]):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6, err_msg=key)
    assert set(expected["config"]) <= set(ours["config"])
    assert ours["name"] == expected["name"]


@pytest.mark.parametrize("index", range(len(keras_cases.CASES)), ids=keras_cases.NAMES)
def test_round_trip_reset_and_merge(index: int) -> None:
    name, kwargs, kind = keras_cases.CASES[index]
    metric = getattr(metrics, name)(**kwargs)
    config = metrics.serialize(metric)
    json.dumps(config)
    assert metrics.deserialize(config).get_config() == metric.get_config()
    rng = np.random.RandomState(0)
    batches = [tuple(a.astype("float32") for a in keras_cases._pair(kind, rng)) for _ in range(2)]
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


@pytest.mark.parametrize("index", range(len(keras_cases.CASES)), ids=keras_cases.NAMES)
def test_an_update_reads_nothing_from_the_device(index: int) -> None:
    # On the meta device reading a value fails, and so does a shape that depends on one.
    name, kwargs, kind = keras_cases.CASES[index]
    pair = [torch.from_numpy(a.astype("float32")).to("meta") for a in keras_cases._pair(kind, np.random.RandomState(0))]
    weight = torch.ones(pair[0].shape if kind == "image" else pair[0].shape[:1], device="meta")
    with torch.device("meta"):
        metric = getattr(metrics, name)(**kwargs)
        metric.update_state(*(pair[1:] if kind == "values" else pair), sample_weight=weight)
    assert all(state.device.type == "meta" for state in metric.variables)


ONE_HOT = np.eye(3)[[0, 1, 2, 1, 0]]
SCORES = np.random.RandomState(3).rand(5, 3).astype("float32")
KERAS_2_15_MATRIX = [[0, 1, 1], [0, 0, 2], [0, 1, 0]]  # of these labels and scores, by Keras 2.15.0


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("kind", [bool, "float32", "uint8"])
def test_one_hot_labels_of_any_type(kind: Any, axis: int) -> None:
    labels, scores = (ONE_HOT.astype(kind), SCORES) if axis == -1 else (ONE_HOT.T[None].astype(kind), SCORES.T[None])
    metric = metrics.OneHotMeanIoU(3, axis=axis)
    metric.update_state(labels, scores)
    np.testing.assert_array_equal(metric.get_weights()[0], KERAS_2_15_MATRIX)
    other = metrics.OneHotMeanIoU(3, axis=axis)
    other.update_state(labels, labels)
    np.testing.assert_array_equal(other.get_weights()[0], np.diag([2, 2, 1]))


@pytest.mark.parametrize("metric", [metrics.AUC(), metrics.PrecisionAtRecall(0.5)])
def test_counts_stand_in_the_order_of_keras(metric: Any) -> None:
    names = [state.name for state in metric.weights]  # Keras 2.15.0
    assert names == ["true_positives:0", "true_negatives:0", "false_positives:0", "false_negatives:0"]
