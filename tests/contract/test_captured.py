"""A training step of every layer as a graph: it does what the eager one does, or says which layer stands in its way."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core.tree import is_shape

from .specs import LAYERS, LayerSpec

ROWS = 6


def model_of(spec: LayerSpec, jit_compile: bool) -> Any:
    np.random.seed(4)
    kind = "int64" if spec.indices else "float32"
    first = L.InputLayer(batch_input_shape=(ROWS, *spec.shape), dtype=kind)
    after = L.LSTM(3) if spec.mask == "makes" else L.Flatten()
    model = keras.Sequential([first, spec.make(), after, L.Dense(2)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.5), "mse", jit_compile=jit_compile)
    return model


def trained(model: Any, spec: LayerSpec) -> tuple[list[float], list[Any]]:
    rng = np.random.default_rng(8)
    x = rng.integers(0, spec.indices, (ROWS, *spec.shape)) if spec.indices else rng.normal(size=(ROWS, *spec.shape))
    y = rng.normal(size=(ROWS, 2))
    torch.manual_seed(3)
    losses = [float(model.train_on_batch(x if spec.indices else x.astype("float32"), y)) for _ in range(3)]
    return losses, model.get_weights()


def refusals(spec: LayerSpec) -> str | None:
    """Return why a layer's step stays eager, if it does."""
    if spec.arguments.get("seed") is not None:
        return "draws from a generator of its own"
    if spec.arguments.get("recurrent_dropout") or spec.cls.startswith(("ConvLSTM", "ConvRNN")):
        return "its steps run one by one in Python"
    return None


@pytest.mark.parametrize("fixture", ["uncompiled", pytest.param(None, marks=pytest.mark.slow, id="compiled")])
@pytest.mark.parametrize("spec", [s for s in LAYERS if s.takes_one and is_shape(s.output)], ids=str)
def test_a_graph_does_what_an_eager_step_does(
    spec: LayerSpec, fixture: str | None, request: pytest.FixtureRequest
) -> None:
    if fixture is not None:
        request.getfixturevalue(fixture)
    eager, graph = model_of(spec, False), model_of(spec, True)
    losses, weights = trained(eager, spec)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        graph_losses, graph_weights = trained(graph, spec)
    expected = refusals(spec)
    assert [str(w.message) for w in said if expected is None or expected not in str(w.message)] == []
    assert len(said) == (expected is not None)
    assert all((runner is None) == bool(said) for runner in graph._steps["train"].compiled._graphs.values())
    if said:
        assert graph.layers[0].name in str(said[0].message)
    np.testing.assert_allclose(graph_losses, losses, rtol=1e-4)
    for got, want in zip(graph_weights, weights):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
