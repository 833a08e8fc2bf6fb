"""Normalisation by batch, by sample, by group and by given statistics."""

from __future__ import annotations

from typing import Any

import torch

from ... import layers
from ..emission import Emission, NotExportable, Value, arguments, text, weight, weight_if, writes

MODULES = {2: "nn.BatchNorm1d", 3: "nn.BatchNorm1d", 4: "nn.BatchNorm2d", 5: "nn.BatchNorm3d"}
BIASED = "torch moves its variance by n / (n - 1) times what Keras does"


def _affine(layer: Any) -> dict[str, bool]:
    """Return the argument of a module with gamma and beta, as far as it is not torch's default."""
    return {} if layer.scale or layer.center else {"affine": False}


def _scale_and_offset(layer: Any, *shape: int) -> dict[str, torch.Tensor | None]:
    """Return gamma and beta for a module; torch has both or none, so one alone stands beside a fixed one."""
    gamma, beta = weight_if(layer, "gamma"), weight_if(layer, "beta")
    if gamma is None and beta is not None:
        gamma = torch.ones(shape, dtype=beta.dtype)
    elif beta is None and gamma is not None:
        beta = torch.zeros(shape, dtype=gamma.dtype)
    return {"weight": gamma, "bias": beta}


def _channels_on_axis_1(emission: Emission, layer: Any, x: Value, axis: int) -> Value:
    """Return a value whose axis of channels lies on axis 1."""
    if axis % x.rank == x.rank - 1:
        return emission.turned(x, True)
    x = emission.as_keras(x)
    if axis % x.rank != 1:
        raise NotExportable(f"{layer}: axis={axis} is neither the last nor that behind the batch.")
    return x


@writes(layers.BatchNormalization, modes=True)
def batch_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Normalisation by the statistics of the batch, and by moving ones."""
    if layer._is_varied or len(layer._axes) != 1 or layer.statistics != "moving" or x.rank not in MODULES:
        told = f"axis={layer.axis}, statistics={layer.statistics!r}, renorm={layer.renorm}"
        raise NotExportable(f"{layer}: {told}, parts of a batch or an adjustment have no form in plain torch.")
    options = _affine(layer)
    x = _channels_on_axis_1(emission, layer, x, layer._axes[0])
    channels = x.shape[layer._axes[0]]
    state = {
        **_scale_and_offset(layer, channels),
        "running_mean": weight(layer, "moving_mean"),
        "running_var": weight(layer, "moving_variance"),
    }
    if emission.infers or (not layer.trainable and layer._rules.frozen_statistics_infer):
        constructor = f"FrozenBatchNorm({arguments(channels, eps=layer.epsilon, **options)})"
        note = ""
    else:
        if not layer.trainable:
            raise NotExportable(f"{layer}: a frozen BatchNormalization that takes the batch's statistics has no form.")
        state["num_batches_tracked"] = torch.tensor(0)
        momentum = round(1 - layer.momentum, 12)
        constructor = f"{MODULES[x.rank]}({arguments(channels, eps=layer.epsilon, momentum=momentum, **options)})"
        rule = layer._rules.moving_variance
        note = "" if rule == "corrected" or (rule == "images" and layer.fused) else BIASED
    name = emission.module(layer, constructor, state, note=note)
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.LayerNormalization)
def layer_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Normalisation of each sample over its last axes."""
    axes = layer._axes_of(x.rank)
    if axes != tuple(sorted(axes)) or 0 in axes:
        raise NotExportable(f"{layer}: axis={layer.axis} is not in order, or the axis of the samples.")
    shape = tuple(x.shape[axis] for axis in axes)
    state = {"weight": weight_if(layer, "gamma"), "bias": weight_if(layer, "beta")}
    if layer.center and not layer.scale:  # an offset alone; a scale alone is something that torch has
        state = _scale_and_offset(layer, *shape)
    order = [*(axis for axis in range(x.rank) if axis not in axes), *axes]
    turned, back = _in_order(emission, x, order)
    y = _scaled(emission, layer, turned, shape[0] if len(shape) == 1 else shape, state)
    return y if back is None else emission.compute(f"{{0}}.permute({back})", y, x.shape, layer=layer)


def _in_order(emission: Emission, x: Value, order: list[int]) -> tuple[Value, str | None]:
    """Return a value with its axes in an order, and what turns them back where Keras has them in another."""
    if order == [0, x.rank - 1, *range(1, x.rank - 1)] and x.rank > 2:  # the channels in front
        return emission.turned(x, True), None
    x = emission.as_keras(x)
    if order == list(range(x.rank)):
        return x, None
    there, back = (arguments(*numbers) for numbers in (order, sorted(range(x.rank), key=order.__getitem__)))
    return emission.compute(f"{{0}}.permute({there})", x, tuple(x.shape[n] for n in order)), back


def _scaled(emission: Emission, layer: Any, x: Value, shape: Any, state: dict[str, Any]) -> Value:
    scale, center = layer.scale, layer.center
    options = {} if scale or center else {"elementwise_affine": False}
    options |= {"bias": False} if scale and not center else {}
    constructor = f"nn.LayerNorm({arguments(shape, eps=layer.epsilon, **options)})"
    return emission.apply(emission.module(layer, constructor, state), x, x.shape, x.channels_first, layer)


@writes(layers.GroupNormalization)
def group_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Normalisation of each sample over groups of channels."""
    options, axis = _affine(layer), layer._axes_of(x.rank)[0]
    x = _channels_on_axis_1(emission, layer, x, axis)
    numbers = arguments(layer.groups, x.shape[axis], eps=layer.epsilon, **options)
    state = _scale_and_offset(layer, x.shape[axis])
    if x.rank > 3:  # torch's kernel for channels that lie last is inexact, and may crash in its backward pass
        x = emission.compute("{0}.contiguous()", x, x.shape, ["Contiguous()"], x.channels_first)
    name = emission.module(layer, f"nn.GroupNorm({numbers})", state)
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.UnitNormalization)
def unit_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """Division by the norm over an axis."""
    axes = layer._axes_of(x.rank)
    dims = [x.axis(axis) for axis in axes]
    dim = text(dims[0] if len(dims) == 1 else tuple(dims))
    return emission.compute(f"F.normalize({{0}}, dim={dim}, eps=1e-6)", x, x.shape, (), x.channels_first, layer)
