"""`RNN` over cells against Keras 2.15: outputs, states, gradients, batches in a row and steps of plain SGD."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

import torchkeras_compat as tk
from torchkeras_compat._core.tensor_shape import TensorShape

from .cases.user_cells import user_cells
from .support import Golden, all_close, close, golden_cases, keras_gradients

MANY = 20  # more than a case has outputs or inputs


def _layer(golden: Golden) -> Any:
    tk.set_dialect(golden.dialect)
    spec, known = golden.spec, user_cells(tk, TensorShape)
    made = [(known.get(cls) or getattr(tk.layers, cls))(**kwargs) for cls, kwargs in spec["cells"]]
    layer = tk.layers.RNN(made if len(made) > 1 else made[0], stateful=spec["stateful"], **spec["rnn"])
    layer._build_from((spec["batch"], *spec["shape"]) if spec["stateful"] else golden["x"].shape)
    layer.set_weights(golden.listed("w"))
    return layer


def _inputs(golden: Golden, device: torch.device) -> list[Tensor]:
    given = [golden["x"], *golden.listed("s", MANY), *golden.listed("k", MANY)]
    return [torch.tensor(value, device=device, requires_grad=True) for value in given]


def _call(golden: Golden, layer: Any, tensors: list[Tensor]) -> list[Tensor]:
    """Call the layer as the oracle was, and return output and states in a row."""
    spec, (x, *rest) = golden.spec, tensors
    count = len(rest) - int(spec["constants"])
    states, constants = rest[:count], {"constants": rest[count:]} if spec["constants"] else {}
    mask = torch.tensor(golden["mask"], device=x.device) if "mask" in golden else None
    options = {"mask": mask, "training": spec["training"], **constants}
    if spec["listed"]:
        return tree_leaves(layer([x, *states], **options))
    return tree_leaves(layer(x, initial_state=states or None, **options))


@golden_cases("layers_cells")
def test_output_states_and_gradients(golden: Golden, device: torch.device) -> None:
    layer, tensors = _layer(golden).to(device), _inputs(golden, device)
    outputs = _call(golden, layer, tensors)
    all_close(outputs, golden.listed("y", MANY), "output and states")
    directions = [torch.tensor(d, device=device) for d in golden.listed("d", MANY)]
    sum((y * d).sum() for y, d in zip(outputs, directions)).backward()  # type: ignore[union-attr]
    found = [torch.zeros_like(t) if t.grad is None else t.grad for t in tensors]
    all_close(found, golden.listed("dx", MANY), "gradients of the inputs")
    all_close(keras_gradients(layer), golden.listed("dw"), "gradients of the weights")


@golden_cases("layers_cells", where=lambda g: not g.spec["stateful"])
def test_shapes_are_those_of_the_outputs(golden: Golden) -> None:
    layer = _layer(golden)
    shapes = layer.compute_output_shape(golden["x"].shape)
    listed = shapes if golden.spec["rnn"].get("return_state") else [shapes]
    flat = tree_leaves(listed, is_leaf=lambda s: isinstance(s, tuple) and all(isinstance(n, int) for n in s))
    assert [tuple(shape) for shape in flat] == [y.shape for y in golden.listed("y", MANY)]


@golden_cases("layers_cells", where=lambda g: g.spec["stateful"])
def test_states_carry_over_batches(golden: Golden, device: torch.device) -> None:
    layer, tensors = _layer(golden).to(device), _inputs(golden, device)
    _call(golden, layer, tensors)
    later = [y for _ in range(2) for y in _call(golden, layer, tensors)]
    all_close(later, golden.listed("later", MANY), "output and states of the second and the third batch")
    layer.reset_states()
    assert all(not state.any() for state in tree_leaves(layer.states))


@golden_cases("layers_cells", where=lambda g: not g.spec["stateful"])
def test_steps_of_sgd(golden: Golden, device: torch.device) -> None:
    layer, tensors = _layer(golden).to(device), _inputs(golden, device)
    targets = [torch.tensor(t, device=device) for t in golden.listed("t", MANY)]
    optimizer, losses = torch.optim.SGD(layer.parameters(), golden.spec["rate"]), []
    for _ in range(golden.spec["steps"]):
        loss = sum((y - t).square().mean() for y, t in zip(_call(golden, layer, tensors), targets))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[union-attr]
        optimizer.step()
        losses.append(loss.item())  # type: ignore[union-attr]
    close(np.array(losses, "float32"), golden["losses"], "losses")
    all_close(layer.get_weights(), golden.listed("end"), "final weights")


@golden_cases("layers_cells", where=lambda g: not g.spec["constants"])
def test_config_round_trip(golden: Golden) -> None:
    layer = _layer(golden)
    config = layer.get_config()
    with tk.utils.custom_object_scope(user_cells(tk, TensorShape)):
        again = tk.layers.RNN.from_config(config)
    assert again.get_config() == config
    again._build_from((golden.spec["batch"], *golden.spec["shape"]) if layer.stateful else golden["x"].shape)
    assert [w.shape for w in again.get_weights()] == [w.shape for w in layer.get_weights()]
