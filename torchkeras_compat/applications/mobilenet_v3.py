"""MobileNetV3, small and large, and pictures as they expect them."""

from __future__ import annotations

import functools

from ._functions import network_function
from ._mobile_v3 import ThirdVersion
from .imagenet_utils import decode_predictions, leave_as_is

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

_ARGUMENTS = (
    "input_shape alpha minimalistic include_top weights input_tensor classes pooling dropout_rate "
    "classifier_activation include_preprocessing"
)
preprocess_input = leave_as_is
MobileNetV3Small = network_function(
    "MobileNetV3Small",
    "the small MobileNetV3",
    "mobilenet_v3",
    functools.partial(ThirdVersion, "small"),
    _ARGUMENTS,
)
MobileNetV3Large = network_function(
    "MobileNetV3Large",
    "the large MobileNetV3",
    "mobilenet_v3",
    functools.partial(ThirdVersion, "large"),
    _ARGUMENTS,
)
