"""Histograms of what the layers of a model give for some data, and of the gradients there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import backend as K
from .._core.symbolic import SymbolicTensor, nodes_before
from .._core.tree import flatten
from .events import Array, EventWriter, tag_of, write_histogram


def write_histograms_by_batch(
    writer: EventWriter,
    model: Any,
    arrays: Sequence[Any],
    step: int,
    batch_size: int,
    with_outputs: bool,
    with_gradients: bool,
) -> None:
    """Write a histogram of each output, and of the gradient by each weight, for each batch of some arrays.

    Args:
        writer: Where to.
        model: A model that is made of layers.
        arrays: Inputs, targets and weights of samples, as callbacks have them as `validation_data`.
        step: The step.
        batch_size: How many samples run together.
        with_outputs: Whether the layers' outputs are written.
        with_gradients: Whether the gradients are written.
    """
    outputs = _outputs(model) if with_outputs else []
    weights = [weight for layer in model.layers for weight in layer.trainable_weights] if with_gradients else []
    tensors = [tensor for _, tensor in outputs] + ([_flat_gradient(model.total_loss, weights)] if weights else [])
    own = model._list_of_inputs
    inputs, values = _with_values(model, arrays) if weights else (own, arrays[: len(own)])
    if not tensors:
        return
    function = K.function(list(inputs), tensors)
    for start in range(0, len(values[0]), batch_size):
        results = function([array[start : start + batch_size] for array in values])
        for (tag, _), result in zip(outputs, results):
            write_histogram(writer, tag, result, step)
        for weight, part in zip(weights, _parted(results[-1], weights)):
            write_histogram(writer, f"{tag_of(weight)}_grad", part, step)


def _outputs(model: Any) -> list[tuple[str, SymbolicTensor]]:
    """Return what the layers of a model give, with tags; a layer that is called twice has none, as in Keras."""
    inputs = set(map(id, model._list_of_inputs))
    nodes = [node for node in nodes_before(model._list_of_outputs, inputs) if node.is_layer]
    calls = Counter(id(node.layer) for node in nodes)
    outputs: list[tuple[str, SymbolicTensor]] = []
    for node in nodes:
        parts = flatten(node.outputs) if calls[id(node.layer)] == 1 else []
        tags = (
            [f"{node.layer.name}_out"] if len(parts) == 1 else [f"{node.layer.name}_out_{i}" for i in range(len(parts))]
        )
        outputs += zip(tags, parts)
    return outputs


def _flat_gradient(loss: SymbolicTensor, weights: Sequence[Any]) -> SymbolicTensor:
    """Return the gradients by all weights, one behind the other: autograd finds them in one pass."""

    def differentiate(value: Tensor) -> Tensor:
        parameters = [weight._sources() for weight in weights]
        flat = [p for group in parameters for p in group]
        parts = iter(torch.autograd.grad(value, flat, allow_unused=True, materialize_grads=True))
        gradients = [weight._gradient(*(next(parts) for _ in group)) for weight, group in zip(weights, parameters)]
        return torch.cat([gradient.reshape(-1) for gradient in gradients])

    sizes = sum(int(np.prod(weight.shape)) for weight in weights)
    return SymbolicTensor((sizes,), loss.dtype, differentiate, (loss,), name="gradients")


def _parted(flat: Array, weights: Sequence[Any]) -> list[Array]:
    if not weights:
        return []
    return np.split(flat, np.cumsum([int(np.prod(weight.shape)) for weight in weights])[:-1])


def _with_values(model: Any, arrays: Sequence[Any]) -> tuple[list[SymbolicTensor], list[Any]]:
    """Return the symbolic inputs, targets and weights of samples of a model, and their values."""
    inputs = len(model._list_of_inputs)
    outputs = (len(arrays) - inputs) // 2  # the learning phase may stand behind
    targets, weights = arrays[inputs : inputs + outputs], arrays[inputs + outputs : inputs + 2 * outputs]
    kept = [i for i, target in enumerate(targets) if target is not None]  # the outputs that have a loss
    values = [*arrays[:inputs], *(targets[i] for i in kept), *(weights[i] for i in kept)]
    return [*model._list_of_inputs, *model.targets, *model.sample_weights], values
