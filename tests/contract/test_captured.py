"""Steps and predictions of every layer in each executor: those of eager ones, or one line says what forbids it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core.tree import flatten, is_shape, map_shapes, map_tree

from .specs import ELSEWHERE, LAYERS, LayerSpec

ROWS, STEPS = 6, 3

# How a step that is asked to be compiled runs, by the fixture that has it run so: as a graph that torch's kernels run,
# as CUDA graphs are on the CPU (a trace that is replayed, the code run again as while a stream records it), compiled.
EXECUTORS = ["uncompiled", "replayed", "rerun", pytest.param("compiled", marks=pytest.mark.slow)]


def _draw(spec: LayerSpec, seed: int) -> Any:
    rng = np.random.default_rng(seed)

    def one(shape: tuple[int, ...]) -> Any:
        if spec.indices:
            return rng.integers(0, spec.indices, (ROWS, *shape))
        return rng.normal(size=(ROWS, *shape)).astype("float32")

    return map_shapes(one, spec.shape)


def model_of(spec: LayerSpec, jit_compile: bool) -> Any:
    """Return a model of a layer and two numbers: a chain where it takes and gives one tensor, else a graph."""
    np.random.seed(4)
    torch.manual_seed(4)
    kind = "int64" if spec.indices else "float32"
    after = L.LSTM(3) if spec.mask == "makes" else L.Flatten()
    model: Any
    if spec.takes_one and is_shape(spec.output):
        first = L.InputLayer(batch_input_shape=(ROWS, *spec.shape), dtype=kind)
        model = keras.Sequential([first, spec.make(), after, L.Dense(2)])
    else:
        x = map_shapes(lambda shape: L.Input(batch_shape=(ROWS, *shape), dtype=kind), spec.shape)
        parts = [L.Flatten()(part) for part in flatten(spec.make()(x))]
        model = keras.Model(x, L.Dense(2)(L.Concatenate()(parts) if len(parts) > 1 else parts[0]))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.5), "mse", jit_compile=jit_compile)
    return model


def trained(model: Any, x: Any) -> tuple[list[float], list[Any]]:
    """Return the losses of a few steps, and the weights after them."""
    y = np.random.default_rng(8).normal(size=(ROWS, 2))
    torch.manual_seed(3)
    losses = [float(model.train_on_batch(x, y)) for _ in range(STEPS)]
    return losses, model.get_weights()


WALKED = ("ConvLSTM", "ConvRNN")  # what a trace cannot hold; a stream records the steps one by one


@functools.cache
def eagerly(line: int) -> tuple[list[float], list[Any]]:
    """Return what eager steps give for a line of the table."""
    return trained(model_of(LAYERS[line], False), _draw(LAYERS[line], 9))


def refusal(spec: LayerSpec, executor: str) -> str | None:
    """Return why the steps of a layer stay eager, if they do."""
    if spec.arguments.get("seed") is not None:
        return "draws from a generator of its own"
    one_by_one = spec.arguments.get("recurrent_dropout") or spec.cls.startswith(WALKED)
    if one_by_one and executor != "rerun":  # a stream records them one by one
        return "its steps run one by one in Python"
    return None


def expect_equal(got: tuple[list[float], list[Any]], wanted: tuple[list[float], list[Any]]) -> None:
    """Hold losses and weights to those of eager steps."""
    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-4)
    for one, other in zip(got[1], wanted[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def in_an_executor(model: Any, executor: str, x: Any, request: pytest.FixtureRequest) -> tuple[Any, list[str]]:
    """Return what steps in an executor give, and what was said; the graphs stand where nothing was."""
    if executor != "compiled":
        request.getfixturevalue(executor)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        results = trained(model, x)
    graphs = model._steps["train"].compiled._graphs
    assert graphs
    assert all((graph is None) == bool(said) for graph in graphs.values())
    return results, [str(warning.message) for warning in said]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("line", range(len(LAYERS)), ids=lambda line: str(LAYERS[line]))
def test_each_executor_does_what_eager_steps_do(line: int, executor: str, request: pytest.FixtureRequest) -> None:
    spec = LAYERS[line]
    expected = refusal(spec, executor)
    results, said = in_an_executor(model_of(spec, True), executor, _draw(spec, 9), request)
    assert len(said) == (expected is not None)
    assert all(expected is not None and expected in text and spec.cls in text for text in said)
    expect_equal(results, eagerly(line))


@pytest.mark.usefixtures("replayed_forward")
@pytest.mark.parametrize("spec", LAYERS, ids=str)
def test_predictions_are_replayed(spec: LayerSpec) -> None:
    model, recorded = model_of(spec, False), not spec.cls.startswith(WALKED)
    with nullcontext() if recorded else pytest.warns(UserWarning, match="its steps run one by one in Python"):
        for seed in range(3):  # eagerly, recorded and replayed, replayed
            x = _draw(spec, seed)
            expected = model(map_tree(torch.tensor, x), training=False).detach().numpy()
            np.testing.assert_allclose(model.predict_on_batch(x), expected, rtol=1e-4, atol=1e-5)
    (graph,) = model._forward_step.graphs._graphs.values()
    assert (graph is not None) == recorded


# --- what has no line ------------------------------------------------------------------------------------------------

_CELLS = "they take states: those of the lines of RNN"
_STRINGS = "they take strings or run in Python alone, before a model"
NO_STEP = {
    **dict.fromkeys(("SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"), _CELLS),
    **dict.fromkeys(("StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing"), _STRINGS),
    "ConvLSTM2DCell": _CELLS,
    **dict.fromkeys(("RandomHeight", "RandomWidth"), "the size of the output is drawn, and differs from step to step"),
    "InputLayer": "it computes nothing, and stands in each model here",
}


def _functional() -> Any:
    x = L.Input((4,))
    return keras.Model(x, L.add([L.Dense(3, activation="tanh")(x), L.Dense(3)(x)]))


INSIDE: dict[str, Callable[[], Any]] = {
    "TorchModuleWrapper": lambda: L.TorchModuleWrapper(nn.Sequential(nn.Linear(4, 3), nn.Tanh())),
    "Model": _functional,
    "Sequential": lambda: keras.Sequential([L.Dense(3, activation="relu", input_shape=(4,)), L.BatchNormalization()]),
}


def test_each_layer_without_a_line_is_here() -> None:
    assert set(NO_STEP) | set(INSIDE) == set(ELSEWHERE)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", INSIDE)
def test_models_and_modules_as_layers(name: str, executor: str, request: pytest.FixtureRequest) -> None:
    x = np.random.default_rng(9).normal(size=(ROWS, 4)).astype("float32")

    def model(jit_compile: bool) -> Any:
        np.random.seed(4)
        torch.manual_seed(4)
        outer = keras.Sequential([L.InputLayer((4,)), INSIDE[name](), L.Dense(2)])
        outer.compile(keras.optimizers.SGD(0.01, momentum=0.5), "mse", jit_compile=jit_compile)
        return outer

    wanted = trained(model(False), x)
    results, said = in_an_executor(model(True), executor, x, request)
    assert said == []
    expect_equal(results, wanted)
