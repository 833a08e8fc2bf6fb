"""Normalisation by batch, by sample, by group and by given statistics."""

from __future__ import annotations

from typing import Any

import torch

from ... import layers
from ..emission import Emission, NotExportable, Value, arguments, text, weight, weight_if, writes

MODULES = {2: "nn.BatchNorm1d", 3: "nn.BatchNorm1d", 4: "nn.BatchNorm2d", 5: "nn.BatchNorm3d"}
BIASED = "torch moves its variance by n / (n - 1) times what Keras does"


def _affine(layer: Any) -> dict[str, bool]:
    """Return the argument of a module with gamma and beta, as far as it is not torch's default.

    Raises:
        NotExportable: The layer has only one of them.
    """
    if bool(layer.scale) != bool(layer.center):
        raise NotExportable(f"{layer}: torch has gamma and beta together or none of them; got scale={layer.scale}.")
    return {} if layer.scale else {"affine": False}


def _channels_on_axis_1(emission: Emission, layer: Any, x: Value, axis: int) -> Value:
    """Return a value whose axis of channels lies on axis 1."""
    if axis % x.rank == x.rank - 1:
        return emission.turned(x, True)
    x = emission.as_keras(x)
    if axis % x.rank != 1:
        raise NotExportable(f"{layer}: axis={axis} is neither the last nor that behind the batch.")
    return x


@writes(layers.BatchNormalization)
def batch_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Normalisation by the statistics of the batch, and by moving ones."""
    if len(layer._axes) != 1 or layer.statistics != "moving" or x.rank not in MODULES:
        raise NotExportable(f"{layer}: axis={layer.axis}, statistics={layer.statistics!r} have no form in plain torch.")
    options = _affine(layer)
    x = _channels_on_axis_1(emission, layer, x, layer._axes[0])
    state = {
        "weight": weight_if(layer, "gamma"),
        "bias": weight_if(layer, "beta"),
        "running_mean": weight(layer, "moving_mean"),
        "running_var": weight(layer, "moving_variance"),
    }
    channels = x.shape[layer._axes[0]]
    if not layer.trainable and layer._rules.frozen_statistics_infer:
        constructor = f"FrozenBatchNorm({arguments(channels, eps=layer.epsilon, **options)})"
        note = ""
    else:
        if not layer.trainable:
            raise NotExportable(f"{layer}: a frozen BatchNormalization that takes the batch's statistics has no form.")
        state["num_batches_tracked"] = torch.tensor(0)
        momentum = round(1 - layer.momentum, 12)
        constructor = f"{MODULES[x.rank]}({arguments(channels, eps=layer.epsilon, momentum=momentum, **options)})"
        rule = layer._rules.moving_variance
        note = "" if rule == "corrected" or (rule == "images" and x.rank > 3) else BIASED
    name = emission.module(layer, constructor, state, note=note)
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.LayerNormalization)
def layer_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Normalisation of each sample over its last axes."""
    x = emission.as_keras(x)
    axes = layer._axes_of(x.rank)
    if axes != tuple(range(x.rank - len(axes), x.rank)):
        raise NotExportable(f"{layer}: axis={layer.axis} is not that of the last axes, over which torch normalises.")
    shape = tuple(x.shape[axis] for axis in axes)
    state = {"weight": weight_if(layer, "gamma"), "bias": weight_if(layer, "beta")}
    return _scaled(emission, layer, x, shape[0] if len(shape) == 1 else shape, state)


def _scaled(emission: Emission, layer: Any, x: Value, shape: Any, state: dict[str, Any]) -> Value:
    scale, center = layer.scale, layer.center
    if center and not scale:
        raise NotExportable(f"{layer}: torch has no offset without a scale; got scale=False.")
    options = {} if scale else {"elementwise_affine": False}
    options |= {"bias": False} if scale and not center else {}
    constructor = f"nn.LayerNorm({arguments(shape, eps=layer.epsilon, **options)})"
    return emission.apply(emission.module(layer, constructor, state), x, x.shape, layer=layer)


@writes(layers.GroupNormalization)
def group_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Normalisation of each sample over groups of channels."""
    options, axis = _affine(layer), layer._axes_of(x.rank)[0]
    x = _channels_on_axis_1(emission, layer, x, axis)
    numbers = arguments(layer.groups, x.shape[axis], eps=layer.epsilon, **options)
    state = {"weight": weight_if(layer, "gamma"), "bias": weight_if(layer, "beta")}
    name = emission.module(layer, f"nn.GroupNorm({numbers})", state)
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.UnitNormalization)
def unit_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Division by the norm over an axis."""
    axes = layer._axes_of(x.rank)
    dims = [x.axis(axis) for axis in axes]
    dim = text(dims[0] if len(dims) == 1 else tuple(dims))
    return emission.compute(f"F.normalize({{0}}, dim={dim}, eps=1e-6)", x, x.shape, (), x.channels_first, layer)
