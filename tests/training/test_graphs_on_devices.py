"""What a graph is given where the model is not on the CPU, shown on the meta device, and what a failed run leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core.graph_capture import CannotCapture
from torchkeras_compat.training.data.batch import Batch
from torchkeras_compat.training.executors import inductor, update_numbers
from torchkeras_compat.training.executors.capture import Graph, capture
from torchkeras_compat.training.executors.update_numbers import NumbersTensor

META = torch.device("meta")
RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 6)).astype("float32")
Y = RNG.normal(size=(24, 3)).astype("float32")
OPTIMIZERS = ["sgd", "rmsprop", "adam", "adagrad", "adadelta", "adamax", "nadam", "ftrl", "legacy.ftrl", "constants"]


def optimizer_of(name: str) -> Any:
    if name == "legacy.ftrl":
        return keras.optimizers.legacy.Ftrl(0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.1)
    return "sgd" if name == "constants" else name


def layers_of(name: str) -> list[Any]:
    middle = L.Lambda(lambda x: x * torch.tensor(2.0)) if name == "constants" else L.BatchNormalization(scale=False)
    return [L.Dense(4, activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm"), middle, L.Dense(3)]


class InputsOfGraphs:
    """Stands in for the compiler, and notes which tensors a graph gets."""

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []

    def __call__(self, graph: Graph, example: Sequence[Tensor]) -> Callable[..., Any]:
        self.inputs += [*graph.held, *example]
        return graph.module


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_graph_is_given_tensors_of_the_models_device_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = InputsOfGraphs()
    monkeypatch.setattr(inductor, "compile_graph", compiler)
    monkeypatch.setattr(inductor, "restored_on_error", contextlib.nullcontext)  # there are no numbers to keep
    keras.set_device(META)
    model = keras.Sequential([L.InputLayer(batch_input_shape=(4, 6)), *layers_of(name)])
    model.compile(optimizer_of(name), "mse", jit_compile=True)
    step = model.make_step("train")
    step.prepare()
    batch = Batch(torch.zeros(4, 6, device=META), torch.zeros(4, 3, device=META), None, 4)
    for _ in range(2):
        step.train(batch)
    assert len(compiler.inputs) > 4
    assert {tensor.device for tensor in compiler.inputs} == {META}


def test_a_tensor_that_stays_on_another_device_is_no_graph() -> None:
    elsewhere = torch.ones(3)
    with pytest.raises(CannotCapture, match="a tensor that is not on meta"):
        capture(lambda x: [x * 2, elsewhere * 2], [torch.ones(3, device=META)], META)


def test_the_numbers_of_an_update_travel_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[float]] = []
    send = update_numbers.send
    monkeypatch.setattr(update_numbers, "send", lambda values, place: sent.append(values) or send(values, place))
    numbers = NumbersTensor({"lr": 0.5, "momentum": 0.9}, META)
    assert numbers.tensor.device == META
    for rate in (0.5, 0.5, 0.25, 0.25):
        numbers.write({"lr": rate, "momentum": 0.9})
    assert sent == [[0.25, 0.9]]


def test_the_numbers_of_an_update_on_the_cpu() -> None:
    numbers = NumbersTensor({"lr": 0.5, "momentum": 0.9}, torch.device("cpu"))
    numbers.write({"lr": 0.1, "momentum": 0.9})
    assert numbers.tensor.tolist() == [0.1, 0.9]
    assert numbers.names == ["lr", "momentum"]


# --- graphs that fail where they run -------------------------------------------------------------------------------


def failing_at(call: int, spoils: bool) -> Callable[[Graph, Sequence[Tensor]], Callable[..., Any]]:
    """Return a compiler whose graphs fail at one of their calls, perhaps with half of the work done."""

    def compile_graph(graph: Graph, example: Sequence[Tensor]) -> Callable[..., Any]:
        calls = 0

        def run(*tensors: Tensor) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                if spoils:
                    torch.rand(3)
                    for tensor in graph.held:
                        tensor.fill_(77)
                raise RuntimeError("CUDA driver error: invalid argument\nand more")
            return graph.module(*tensors)

        return run

    return compile_graph


def trained(jit_compile: bool) -> tuple[list[float], Any]:
    np.random.seed(5)
    body = [L.Dense(4, activation="relu", input_dim=6), L.BatchNormalization(), L.Dropout(0.3), L.Dense(3)]
    model = keras.Sequential(body)
    model.compile("adam", "mse", jit_compile=jit_compile)
    return model.fit(X, Y, batch_size=8, epochs=3, verbose=0).history["loss"], model


@pytest.mark.parametrize(("call", "spoils"), [(1, True), (1, False), (3, False)])
def test_a_graph_that_fails_where_it_runs_is_one_line_and_eager(
    call: int, spoils: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, eager = trained(False)
    monkeypatch.setattr(inductor, "has_compiler", lambda: True)
    monkeypatch.setattr(inductor, "compile_graph", failing_at(call, spoils))
    said = r"the compiled step failed \(RuntimeError: CUDA driver error: invalid argument\); the model runs eagerly\.$"
    with pytest.warns(UserWarning, match=said) as warned:
        losses, model = trained(True)
    assert len(warned) == 1
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for got, want in zip(model.get_weights(), eager.get_weights()):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
    assert model.optimizer.iterations == eager.optimizer.iterations == 9


@pytest.mark.usefixtures("uncompiled")
def test_a_model_without_weights_ends_nothing() -> None:
    model = keras.Sequential([L.ActivityRegularization(l2=0.1, input_shape=(3,))])
    model.compile("sgd", "mse", jit_compile=True)
    eager = keras.models.clone_model(model)
    eager.compile("sgd", "mse")
    losses = [m.fit(Y, Y, epochs=2, verbose=0).history["loss"] for m in (model, eager)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
