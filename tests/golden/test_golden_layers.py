"""Layers against Keras 2.15: outputs, masks, gradients, states, moving statistics and fifty training steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from .support import (
    Golden,
    all_close,
    close,
    compile_model,
    golden_cases,
    keras_gradients,
    marks_of,
    output_mask,
    sequential,
    train,
)

TRAINED_IN_EACH_WAY = (
    "layers_core",
    "layers_conv",
    "layers_transposed",
    "layers_separable",
    "layers_local",
    "layers_norm",
    "layers_recurrent",
    "layers_cudnn",
    "layers_conv_lstm",
    "layers_scaling",
)
# In the other ways of running a step their classes train in tests/contract/test_captured.py.
TRAINED_EAGERLY = ("layers_options", "layers_spatial", "layers_pointwise")
FAMILIES = (*TRAINED_IN_EACH_WAY, *TRAINED_EAGERLY)
# Optimizers in a graph have tests of their own: a graph of a layer's step needs one of them.
RUNS = [("sgd", "default"), ("adam", "default"), ("adam", "captured"), ("sgd", "replayed"), ("sgd", "compiled")]


def _model(golden: Golden, *, head: bool = False) -> Any:
    tk.set_dialect(golden.dialect)
    spec = golden.spec
    x = golden["x"]
    batch = spec["batch"] if spec["stateful"] else None
    stack = [*spec["stack"], *spec["head"]] if head else spec["stack"]
    return sequential(stack, (batch, *x.shape[1:]), str(x.dtype))


def _weighted(golden: Golden) -> tuple[Any, np.ndarray]:
    model = _model(golden)
    model.set_weights(golden.listed("w"))
    return model, golden["x"]


@golden_cases(*FAMILIES)
def test_weights_are_those_of_keras(golden: Golden) -> None:
    model = _model(golden)
    assert [w.shape for w in model.get_weights()] == [w.shape for w in golden.listed("w")]
    assert tuple(model.output_shape[1:]) == tuple(golden.spec["output_shape"])


@golden_cases(*FAMILIES, where=lambda g: g.spec.get("initial"))
def test_initial_weights(golden: Golden) -> None:
    all_close(_model(golden).get_weights(), golden.listed("init"), "initial weights")


@golden_cases(*FAMILIES)
def test_output_and_gradients(golden: Golden, device: torch.device) -> None:
    model, x = _weighted(golden)
    batch = torch.tensor(x[: golden.spec["batch"]], device=device, requires_grad=x.dtype == np.float32)
    y = model(batch)
    close(y, golden["y"], "output")
    if not y.requires_grad:
        return
    y.backward(torch.tensor(golden["direction"], device=device))
    if "dx" in golden:
        close(torch.zeros_like(batch) if batch.grad is None else batch.grad, golden["dx"], "gradient of the input")
    names = golden.spec["names"]
    learned = [i for i, name in enumerate(names) if not name.startswith(("moving_", "renorm_", "vector_u"))]
    gradients = keras_gradients(model)
    all_close([gradients[i] for i in learned], golden.listed("dw"), "gradients of the weights")


@golden_cases(*FAMILIES)
def test_mask(golden: Golden) -> None:
    model, x = _weighted(golden)
    mask = output_mask(model, torch.tensor(x[: golden.spec["batch"]]))
    assert (mask is None) == ("mask" not in golden)
    if mask is not None:
        np.testing.assert_array_equal(mask.cpu().numpy(), golden["mask"])


@golden_cases(*FAMILIES, where=lambda g: g.spec["stateful"])
def test_states_carry_over_batches(golden: Golden, device: torch.device) -> None:
    model, x = _weighted(golden)
    n = golden.spec["batch"]
    outputs = [model.predict_on_batch(x[i * n : (i + 1) * n]) for i in range(3)]
    model.reset_states()
    outputs.append(model.predict_on_batch(x[:n]))
    close(np.stack([np.asarray(y) for y in outputs]), golden["states"], "outputs of three batches and of a fresh start")


@golden_cases(*FAMILIES, where=lambda g: g.spec["train_forward"])
def test_training_mode(golden: Golden, device: torch.device) -> None:
    model, x = _weighted(golden)
    n = golden.spec["batch"]
    tensor = torch.tensor(x, device=device)
    outputs = [model(tensor[i * n : (i + 1) * n], training=True) for i in range(3)]
    close(torch.stack(outputs), golden["train_y"], "outputs in training mode")
    all_close(model.get_weights(), golden.listed("after_w"), "weights and moving statistics afterwards")
    close(model(tensor[:n], training=False), golden["after_y"], "inference afterwards")


@pytest.mark.parametrize(
    ("optimizer", "way"), [pytest.param(*run, marks=marks_of(run[1])) for run in RUNS], indirect=["way"]
)
@golden_cases(*TRAINED_IN_EACH_WAY, where=lambda g: g.spec["steps"])
def test_fifty_steps(golden: Golden, optimizer: str, device: torch.device, way: str) -> None:
    model = _model(golden, head=True)
    model.set_weights(golden.listed("start", 99))
    compile_model(model, golden, way, optimizer=golden.spec["optimizers"][optimizer], loss="mse")
    curve = train(model, golden["x"], golden["target"], golden.spec["batch"], golden.spec["steps"])
    close(curve, golden[f"{optimizer}_curve"], "losses")
    all_close(model.get_weights(), golden.listed(f"{optimizer}_end", 99), "final weights")


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@golden_cases(*TRAINED_EAGERLY, where=lambda g: g.spec["steps"])
def test_ten_steps(golden: Golden, optimizer: str, device: torch.device) -> None:
    test_fifty_steps(golden, optimizer, device, "default")


def _has_a_way_of_cuda(golden: Golden) -> bool:
    classes = {cls for cls, _ in golden.spec["stack"]}
    return not classes.isdisjoint({"AveragePooling1D", "AveragePooling2D", "BatchNormalization", "Embedding"})


@pytest.mark.usefixtures("ways_of_cuda")
@golden_cases(*FAMILIES, where=_has_a_way_of_cuda)
def test_the_ways_of_cuda(golden: Golden) -> None:
    cpu = torch.device("cpu")
    test_output_and_gradients(golden, cpu)
    if golden.spec["train_forward"]:
        test_training_mode(golden, cpu)
    if golden.spec["steps"]:
        test_fifty_steps(golden, "sgd", cpu, "default")
