"""Models that torch records: the graph holds for every number of rows, whichever it was recorded with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from torchkeras_compat import layers as L
from torchkeras_compat.models import Sequential

IMAGES, STEPS, INDICES = (8, 9, 3), (5, 3), (6,)
MODELS: dict[str, tuple[tuple[int, ...], Callable[[], list[Any]]]] = {
    "softmax": ((3,), lambda: [L.Dense(2, activation="softmax", input_dim=3)]),
    "softmax layer": ((3,), lambda: [L.Dense(12, input_dim=3), L.Softmax()]),
    "sequences": (STEPS, lambda: [L.Dense(3, activation="softmax", input_shape=STEPS)]),
    "normalized": ((3,), lambda: [L.Dense(4, input_dim=3), L.BatchNormalization(), L.PReLU(), L.Dropout(0.5)]),
    "images": (
        IMAGES,
        lambda: [
            L.Conv2D(4, 3, strides=2, padding="same", activation="relu", input_shape=IMAGES),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.Flatten(),
        ],
    ),
    "causal": (STEPS, lambda: [L.Conv1D(4, 3, padding="causal", input_shape=STEPS), L.GlobalAveragePooling1D()]),
    "lstm": (STEPS, lambda: [L.LSTM(4, return_sequences=True, input_shape=STEPS), L.LSTM(4, go_backwards=True)]),
    "lstm by hand": (STEPS, lambda: [L.LSTM(4, activation="relu", input_shape=STEPS)]),
    "gru": (STEPS, lambda: [L.GRU(4, reset_after=True, recurrent_activation="sigmoid", input_shape=STEPS)]),
    "rnn": (STEPS, lambda: [L.SimpleRNN(4, input_shape=STEPS)]),
    "masking": (STEPS, lambda: [L.Masking(0.0, input_shape=STEPS), L.LSTM(4, dropout=0.2)]),
    "embedding": (INDICES, lambda: [L.Embedding(10, 4, mask_zero=True, input_length=6), L.GRU(4)]),
    "nested": ((3,), lambda: [Sequential([L.Dense(4, input_dim=3)]), torch.nn.GELU(), L.RepeatVector(2), L.Flatten()]),
}
SIZES = (2, 63, 64, 200)


def inputs(name: str, rows: int) -> torch.Tensor:
    shape = (rows, *MODELS[name][0])
    return torch.randint(0, 10, shape) if name == "embedding" else torch.rand(shape)


def made(name: str) -> Sequential:
    return Sequential([*MODELS[name][1](), L.Dense(3, activation="softmax", name="classes")])


def check(name: str, model: Sequential, graph: Callable[..., Any]) -> None:
    for rows in SIZES:
        x = inputs(name, rows)
        with torch.no_grad():
            torch.testing.assert_close(graph(x), model(x), rtol=1e-4, atol=1e-5)


def exported(model: Sequential, x: torch.Tensor, strict: bool = False) -> Any:
    rows = torch.export.Dim("rows", min=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own about itself
        return torch.export.export(model, (x,), dynamic_shapes=({0: rows},), strict=strict).module()


@pytest.mark.parametrize("rows", [7, 100])
@pytest.mark.parametrize("name", MODELS)
def test_export(name: str, rows: int) -> None:
    model = made(name)
    check(name, model, exported(model, inputs(name, rows)))


@pytest.mark.parametrize("name", ["softmax", "lstm", "images"])
def test_strict_export(name: str) -> None:
    model = made(name)
    check(name, model, exported(model, inputs(name, 100), strict=True))


@pytest.mark.parametrize("rows", [7, 100])
@pytest.mark.parametrize("name", ["softmax", "images", "embedding"])
def test_symbolic_sizes(name: str, rows: int) -> None:
    model = made(name)
    check(name, model, make_fx(model, tracing_mode="symbolic", _allow_non_fake_inputs=True)(inputs(name, rows)))


@pytest.mark.parametrize("rows", [7, 100])
@pytest.mark.parametrize("name", ["softmax", "images", "lstm", "rnn", "embedding"])
def test_jit_trace(name: str, rows: int) -> None:
    model = made(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and sizes are checked by value
        graph = torch.jit.trace(model, (inputs(name, rows),))  # type: ignore[no-untyped-call]
    check(name, model, graph)


@pytest.mark.parametrize("name", ["softmax", "images", "lstm"])
def test_torch_compile(name: str) -> None:
    torch._dynamo.reset()
    model = made(name)
    check(name, model, torch.compile(model, backend="eager", dynamic=True))
