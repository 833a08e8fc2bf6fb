"""Layers that only networks of ImageNet have."""

from __future__ import annotations

from typing import Any

from ...applications._inception_resnet import CustomScaleLayer
from ...applications._scaling import LayerScale
from ..emission import Emission, Value, text, writes
from .merging import _joint_mask


@writes(LayerScale)
def layer_scale(emission: Emission, layer: Any, x: Value) -> Value:
    """A learned factor for each channel."""
    x = emission.as_keras(x)
    return emission.compute(f"{{0}} * {emission.weight(layer, 'gamma')}", x, x.shape, layer=layer)


@writes(CustomScaleLayer, several=True)
def scaled_sum(emission: Emission, layer: Any, inputs: list[Value]) -> Value:
    """A tensor and a share of another one."""
    mask = _joint_mask(emission, inputs)
    shape = layer.compute_output_shape([x.shape for x in inputs])
    values = [emission.as_keras(x) for x in inputs]
    value = emission.compute(f"{{0}} + {text(layer.scale)} * {{1}}", values, shape, layer=layer)
    value.mask = mask
    return value
