"""Single calls of layers against Keras 2.15: several inputs, masks, first states, scores, and ten steps of SGD."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

import torchkeras_compat as tk

from .support import Golden, all_close, close, golden_cases, keras_gradients, resolve

MANY = 20  # more than a case has outputs or inputs


def _layer(golden: Golden) -> Any:
    """Return the layer, built by the shapes of its inputs, with the weights that Keras computed with."""
    tk.set_dialect(golden.dialect)
    layer = _unbuilt(golden)
    _call(golden, layer, _tensors(golden, torch.device("cpu")))
    layer.set_weights(golden.listed("w"))
    if getattr(layer, "stateful", False):
        layer.reset_states()
    return layer


def _unbuilt(golden: Golden) -> Any:
    cls, kwargs = golden.spec["call"]
    return getattr(tk.layers, cls)(**resolve(kwargs))


def _tensors(golden: Golden, device: torch.device) -> list[Tensor]:
    return [torch.tensor(x, device=device, requires_grad=True) for x in golden.listed("x", MANY)]


def _call(golden: Golden, layer: Any, tensors: list[Tensor]) -> list[Any]:
    """Call the layer as the oracle was, on tensors that carry their masks; return what it gives in a row."""
    spec, count = golden.spec, len(golden.spec["inputs"])
    inputs: list[Any] = [tensor.view_as(tensor) for tensor in tensors[:count]]
    for i, tensor in enumerate(inputs):
        if f"mask{i}" in golden:
            tensor._keras_mask = torch.tensor(golden[f"mask{i}"], device=tensor.device)
    options = {
        **spec["options"],
        **{name: torch.tensor(golden[name], device=tensors[0].device) for name in spec["arrays"]},
    }
    if tensors[count:]:
        options[spec["states_as"]] = tensors[count:]
    if spec["how"] == "apart":
        return tree_leaves(layer(*inputs, **options))
    return tree_leaves(layer(inputs[0] if spec["how"] == "one" else inputs, **options))


@golden_cases("layers_calls")
def test_outputs_masks_and_gradients(golden: Golden, device: torch.device) -> None:
    layer, tensors = _layer(golden).to(device), _tensors(golden, device)
    outputs = _call(golden, layer, tensors)
    all_close(outputs, golden.listed("y", MANY), "outputs")
    scores = golden.spec["options"].get("return_attention_scores")  # their mask is a deviation: DEVIATIONS.md
    for i, y in enumerate(outputs[:1] if scores else outputs):
        mask = getattr(y, "_keras_mask", None)
        assert (mask is not None) == (f"mask_of_y{i}" in golden), f"mask of output {i}"
        if mask is not None:
            np.testing.assert_array_equal(mask.cpu().numpy(), golden[f"mask_of_y{i}"])
    directions = [torch.tensor(d, device=device) for d in golden.listed("d", MANY)]
    sum((y * d).sum() for y, d in zip(outputs, directions)).backward()  # type: ignore[union-attr]
    found = [torch.zeros_like(t) if t.grad is None else t.grad for t in tensors]
    all_close(found, golden.listed("dx", MANY), "gradients of the inputs")
    all_close(keras_gradients(layer), golden.listed("dw"), "gradients of the weights")


@golden_cases("layers_calls", where=lambda g: g.spec["initial"])
def test_initial_weights(golden: Golden) -> None:
    tk.set_dialect(golden.dialect)
    layer = _unbuilt(golden)
    _call(golden, layer, _tensors(golden, torch.device("cpu")))
    all_close(layer.get_weights(), golden.listed("init"), "initial weights")


@golden_cases("layers_calls", where=lambda g: g.spec["call"][1].get("stateful"))
def test_states_go_on(golden: Golden, device: torch.device) -> None:
    layer, tensors = _layer(golden).to(device), _tensors(golden, device)
    _call(golden, layer, tensors)
    later = [y for _ in range(2) for y in _call(golden, layer, tensors)]
    all_close(later, golden.listed("later", MANY), "outputs of the second and the third call")


@golden_cases("layers_calls", where=lambda g: g.spec["steps"])
def test_ten_steps(golden: Golden, device: torch.device) -> None:
    layer, tensors = _layer(golden).to(device), _tensors(golden, device)
    targets = [torch.tensor(t, device=device) for t in golden.listed("t", MANY)]
    optimizer, losses = tk.optimizers.SGD(golden.spec["rate"]), []
    for _ in range(golden.spec["steps"]):
        outputs = _call(golden, layer, tensors)
        loss = sum([(y - t).square().mean() for y, t in zip(outputs, targets)], start=sum(layer.losses))
        if layer.trainable_weights:
            optimizer.minimize(loss, layer.trainable_weights)
        losses.append(loss.item())  # type: ignore[union-attr]
    close(np.array(losses, "float32"), golden["losses"], "losses")
    all_close(layer.get_weights(), golden.listed("end"), "weights afterwards")
