"""Batches that a user's step holds, in the trees that the user gave, as the model's own steps take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ..._core import settings
from ..._core.tree import Tree, flatten
from .batch import Batch
from .inputs import input_tensors, inputs_on_device
from .signature import FedModel, ModelOutput
from .standardize import inputs_in_order, items_by_output, one_array
from .targets import fitted_weight


def arranged(model: FedModel, x: Tree, y: Tree, weight: Tree) -> Batch:
    """Return a batch for the model's own step: inputs, targets and weights in the order of inputs and outputs.

    Args:
        model: The model.
        x: Inputs, tensors in a tree; `None` where nobody asks for them.
        y: Targets.
        weight: Sample weights.

    Raises:
        ValueError: Another number of tensors than the model has inputs or outputs, or an unknown name.
    """
    signature = model._signature()
    size = len(flatten(y if x is None else x)[0])
    inputs = x
    if x is not None and signature.inputs is not None:
        inputs = inputs_in_order(x, signature.inputs, model)
        inputs = inputs_on_device(input_tensors(inputs, signature), signature)
    outputs = model._model_outputs()
    if outputs is None:
        return Batch(inputs, y, weight, size, (x, y, weight))
    targets = None if y is None else [_target(item, o) for item, o in zip(_items(y, "y", outputs, model), outputs)]
    if targets is not None:
        model._resolve_metrics([None if target is None else tuple(target.shape) for target in targets])
    items = [None] * len(outputs) if weight is None else _items(weight, "sample_weight", outputs, model)
    weights = [None if item is None else fitted_weight(item, output) for item, output in zip(items, outputs)]
    if len(outputs) == 1:
        return Batch(inputs, None if targets is None else targets[0], weights[0], size, (x, y, weight))
    return Batch(inputs, targets, None if weight is None else weights, size, (x, y, weight))


def _items(value: Tree, argument: str, outputs: Sequence[ModelOutput], model: FedModel) -> list[Any]:
    """Return the tensor for each output."""
    if len(outputs) == 1:
        return [one_array(value, argument, outputs[0], model, None, None)]
    fewer = [output for output in outputs if output.loss is not None]
    return [item for _, item in items_by_output(value, argument, outputs, fewer, model)]


def _target(y: Tensor | None, output: ModelOutput) -> Tensor | None:
    """Return targets in the type that the loss takes; class indices without an axis of length 1."""
    if y is None or not output.keeps_integers:
        return None if y is None else y.to(settings.torch_dtype(None))
    column = output.shape is not None and 1 < y.dim() == len(output.shape) and y.shape[-1] == 1
    y = y.squeeze(-1) if column else y
    return y.to(settings.torch_dtype(None)) if y.is_floating_point() else y
