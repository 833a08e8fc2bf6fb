"""Targets and sample weights as the losses want them: looked at on the host, in their shape and type."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from ... import losses
from ..._core import devices, settings
from ..._core.shapes import Shape, compatible
from ..._core.tree import Tree, map_tree
from .convert import to_numpy, to_tensor
from .inputs import LazyLeaf
from .signature import ModelOutput, Signature
from .stored import StoredRows

Array = np.ndarray[Any, Any]


def target_tensors(y: Tree, signature: Signature, read_device: bool = False) -> Tree:
    """Return checked targets as tensors, and tell the model their shapes.

    Args:
        y: The targets.
        signature: What is known of the model.
        read_device: Whether targets that are on a device already may be read, which waits for it: once a call. Of
            others the shapes are looked at; a class that does not exist gives the loss NaN there.
    """
    outputs, model = signature.outputs(), signature.model
    if outputs is None:
        return map_tree(lambda array: None if array is None else _any_target(array), y)
    if len(outputs) == 1:
        target = _target(y, outputs[0], read_device)
        model._resolve_metrics((tuple(target.shape),))
        return target
    several = [None if array is None else _target(array, output, read_device) for array, output in zip(y, outputs)]
    model._resolve_metrics([None if target is None else tuple(target.shape) for target in several])
    return several


def _target(y: Any, output: ModelOutput, read_device: bool) -> Any:
    if not isinstance(y, StoredRows):
        return _typed(_checked(y, output, read_device), output)

    def convert(rows: Array) -> Tensor:
        return _typed(_expected(rows, output), output)

    return LazyLeaf(y, convert, convert(y[:1].dense()))


def _any_target(y: Any) -> Any:
    """Return targets of outputs that are not known."""
    if not isinstance(y, StoredRows):
        return _as_float(to_tensor(y))

    def convert(rows: Array) -> Tensor:
        return _as_float(to_tensor(rows))

    return LazyLeaf(y, convert, convert(y[:1].dense()))


def _checked(y: Any, output: ModelOutput, read_device: bool) -> Any:
    """Return targets in the shape that the loss takes: on the host as an array, on a device where they are."""
    if isinstance(y, Tensor) and not devices.on_host(y):
        seen = to_numpy(y) if read_device else _without_values(y)
        return y.detach().reshape(_expected(seen, output).shape)
    return _expected(to_numpy(y) if isinstance(y, Tensor) else np.asarray(y), output)


def _expected(host: Array, output: ModelOutput) -> Array:
    if output.loss is None or output.shape is None:
        return host
    return losses.checks.check_targets(output.loss, host, output.shape, output.name)


def _without_values(y: Tensor) -> Array:
    """Return an array of the shape and kind of a tensor on a device, in the memory of one zero."""
    return np.broadcast_to(np.zeros((), "float32" if y.is_floating_point() else "int64"), tuple(y.shape))


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
