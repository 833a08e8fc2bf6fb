"""ResNet-RS of seven depths, and pictures as they expect them."""

from __future__ import annotations

import functools

from ._functions import NetworkFunction, network_function
from ._resnet_rs import ResNetRS
from .imagenet_utils import decode_predictions, leave_as_is

__all__ = [
    "ResNetRS50",
    "ResNetRS101",
    "ResNetRS152",
    "ResNetRS200",
    "ResNetRS270",
    "ResNetRS350",
    "ResNetRS420",
    "decode_predictions",
    "preprocess_input",
]

_ARGUMENTS = "include_top weights classes input_shape input_tensor pooling classifier_activation include_preprocessing"
preprocess_input = leave_as_is


def _function(depth: int) -> NetworkFunction:
    make, what = functools.partial(ResNetRS, depth), f"ResNet-RS of {depth} layers"
    return network_function(f"ResNetRS{depth}", what, "resnet_rs", make, _ARGUMENTS)


ResNetRS50 = _function(50)
ResNetRS101 = _function(101)
ResNetRS152 = _function(152)
ResNetRS200 = _function(200)
ResNetRS270 = _function(270)
ResNetRS350 = _function(350)
ResNetRS420 = _function(420)
