"""Recorded forward passes of `predict` give what eager ones give, as the model stands at each call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.training.executors.choose_executor import choose_executor, choose_forward
from torchkeras_compat.training.executors.cuda_graph import GraphStep
from torchkeras_compat.training.executors.inductor import CompiledStep

X = np.random.RandomState(2).rand(40, 6).astype("float32")


def perceptron() -> Any:
    model = keras.Sequential([L.Dense(5, activation="relu", input_dim=6), L.Dropout(0.5), L.Dense(3)])
    model.compile("sgd", "mse")
    return model


def recorded(model: Any) -> list[Any]:
    return [graph for graph in model._forward_step.graphs._graphs.values() if graph is not None]


def expected(model: Any, x: Any) -> Any:
    first, _, last = (layer.get_weights() for layer in model.layers)
    return np.maximum(x @ first[0] + first[1], 0) @ last[0] + last[1]


@pytest.mark.usefixtures("replayed_forward")
def test_each_call_gives_the_predictions_for_its_batch() -> None:
    model = perceptron()
    for _ in range(2):
        for i in range(6):
            np.testing.assert_allclose(
                model.predict(X[i : i + 1], verbose=0), expected(model, X[i : i + 1]), 1e-5, 1e-6
            )
    assert len(recorded(model)) == 1
    first, second = model.predict_on_batch(X[:1]), model.predict_on_batch(X[1:2])
    np.testing.assert_allclose(np.concatenate([first, second]), expected(model, X[:2]), 1e-5, 1e-6)
    np.testing.assert_allclose(model.predict(X, batch_size=10, verbose=0), expected(model, X), 1e-5, 1e-6)


@pytest.mark.usefixtures("replayed_forward")
def test_weights_and_attributes_count_as_they_are() -> None:
    model = perceptron()
    model.predict(X[:1], verbose=0)
    model.predict(X[:1], verbose=0)
    model.fit(X, X[:, :3], verbose=0)
    np.testing.assert_allclose(model.predict(X[:1], verbose=0), expected(model, X[:1]), 1e-5, 1e-6)
    model.set_weights([value * 2 for value in model.get_weights()])
    np.testing.assert_allclose(model.predict(X[:1], verbose=0), expected(model, X[:1]), 1e-5, 1e-6)
    before = model.predict(X[:1], verbose=0)
    model.layers[0].activation = keras.activations.linear
    for _ in range(3):
        assert not np.allclose(model.predict(X[:1], verbose=0), before)
    model.add(L.Dense(2))
    assert model.predict(X[:1], verbose=0).shape == (1, 2)


@pytest.mark.usefixtures("replayed_forward")
def test_several_outputs_hooks_and_copies() -> None:
    x = keras.Input((6,))
    model = keras.Model(x, {"a": L.Dense(2, name="a")(x), "b": L.Dense(1, name="b")(x)})
    once = model.predict(X[:2], verbose=0)
    for _ in range(3):
        again = model.predict(X[:2], verbose=0)
        assert list(again) == ["a", "b"]
        for name in again:
            np.testing.assert_allclose(again[name], once[name], rtol=1e-6)
    assert recorded(model)
    seen: list[int] = []
    handle = model.layers[1].register_forward_hook(lambda *_: seen.append(1))
    model.predict(X[:2], verbose=0)
    assert seen
    handle.remove()


@pytest.mark.usefixtures("replayed_forward")
def test_code_that_decides_by_values_runs_each_time() -> None:
    runs: list[float] = []

    class Reads(L.Layer):
        def call(self, inputs: Any) -> Any:
            runs.append(float(inputs.sum()))
            return inputs

    model = keras.Sequential([Reads(input_shape=(6,))])
    runs.clear()
    with pytest.warns(UserWarning, match="predict cannot run as a CUDA graph: Reads .* could not be recorded") as said:
        _ = [model.predict(X[i : i + 1], verbose=0) for i in range(4)]
    assert len(said) == 1
    np.testing.assert_allclose(runs, X[:4].sum(1), rtol=1e-5)


# --- which way a model runs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "device", "executor"),
    [
        ({}, "cuda", GraphStep),
        ({"jit_compile": True}, "cuda", GraphStep),
        ({"jit_compile": False}, "cuda", None),
        ({"run_eagerly": True}, "cuda", None),
        ({}, "cpu", None),
        ({"jit_compile": True}, "cpu", CompiledStep),
        ({"jit_compile": False}, "cpu", None),
    ],
)
def test_the_executor_follows_the_device_and_what_compile_was_told(told: Any, device: str, executor: Any) -> None:
    model = perceptron()
    model.compile("sgd", "mse", **told)
    chosen = choose_executor(model.make_step("train"), device)
    assert chosen is None if executor is None else isinstance(chosen, executor)


def test_a_step_that_a_user_writes_runs_eagerly_after_one_line() -> None:
    class Own(keras.Sequential):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    model = Own([L.Dense(1, input_dim=6)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="steps cannot run as CUDA graphs: steps that Own writes anew"):
        assert choose_executor(model.make_step("train"), "cuda") is None


def test_forward_passes_are_recorded_on_cuda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    model = perceptron()
    step = model._make_forward_step()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    graphs = choose_forward(step, model._compile_config)
    assert graphs is not None
    assert graphs.run(torch.ones(1, 6)) is None  # a batch on the CPU
    model.compile("sgd", "mse", jit_compile=False)
    assert choose_forward(step, model._compile_config) is None


@pytest.mark.usefixtures("replayed_forward")
def test_a_model_with_a_symbolic_loss_is_recorded_too() -> None:
    x = keras.Input((6,))
    y = L.Dense(2)(x)
    model = keras.Model(x, y)
    model.add_loss(keras.backend.mean(y))
    once = model.predict(X[:1], verbose=0)
    for _ in range(3):
        np.testing.assert_allclose(model.predict(X[:1], verbose=0), once, rtol=1e-6)
    assert recorded(model)
