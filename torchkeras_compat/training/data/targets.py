"""Targets and sample weights as the losses want them: looked at on the host, in their shape and type."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from ... import losses
from ..._core import settings
from ..._core.shapes import Shape, compatible
from ..._core.tree import Tree, map_tree
from .convert import to_numpy, to_tensor
from .signature import ModelOutput, Signature


def target_tensors(y: Tree, signature: Signature) -> Tree:
    """Return checked targets as tensors, and tell the model their shapes."""
    outputs, model = signature.outputs(), signature.model
    if outputs is None:
        return map_tree(lambda array: None if array is None else _as_float(to_tensor(array)), y)
    if len(outputs) == 1:
        (output,) = outputs
        host = _checked(y, output)
        model._resolve_metrics((host.shape,))
        return _typed(host, output)
    hosts = [None if array is None else _checked(array, output) for array, output in zip(y, outputs)]
    model._resolve_metrics([None if host is None else host.shape for host in hosts])
    return [None if host is None else _typed(host, output) for host, output in zip(hosts, outputs)]


def _checked(y: Any, output: ModelOutput) -> Any:
    host = to_numpy(y) if isinstance(y, Tensor) else np.asarray(y)
    if output.loss is None or output.shape is None:
        return host
    return losses.checks.check_targets(output.loss, host, output.shape, output.name)


def _typed(y: Any, output: ModelOutput) -> Tensor:
    tensor = to_tensor(y)
    if output.keeps_integers and not tensor.is_floating_point():
        return tensor
    return tensor.to(settings.torch_dtype(None))


def _as_float(tensor: Tensor) -> Tensor:
    """Return floats in the type of the settings; the loss takes or casts integers."""
    return tensor.to(settings.torch_dtype(None)) if tensor.is_floating_point() else tensor


def weight_tensors(weight: Tree, signature: Signature) -> Tree:
    """Return sample weights as tensors that fit the outputs."""
    outputs, dtype = signature.outputs(), signature.dtype
    if outputs is None:
        return map_tree(lambda array: None if array is None else to_tensor(array, dtype), weight)
    if len(outputs) == 1:
        return fitted_weight(to_tensor(weight, dtype), outputs[0])
    return [
        None if array is None else fitted_weight(to_tensor(array, dtype), output)
        for array, output in zip(weight, outputs)
    ]


def fitted_weight(weight: Tensor, output: ModelOutput) -> Tensor:
    """Return sample weights without superfluous axes, or raise when they do not fit the model's output.

    Args:
        weight: One for each sample, or for each sample and time step.
        output: The output.
    """
    shape: Shape | None = output.shape
    fitted = weight
    while fitted.dim() > 1 and fitted.shape[-1] == 1:
        fitted = fitted.squeeze(-1)
    if shape is None:
        return fitted
    most = len(shape) if output.weighs_elements else max(len(shape) - 1, 1)
    if fitted.dim() > most or not compatible((None, *shape[1 : fitted.dim()]), fitted.shape):
        raise ValueError(
            f"sample_weight of shape {tuple(weight.shape)} does not fit the output {output.name!r} of shape {shape}; "
            f"give one weight per sample, or one per sample and time step."
        )
    return fitted
