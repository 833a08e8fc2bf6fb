"""MobileNetV2, and pictures as it expects them."""

from __future__ import annotations

from ._functions import network_function
from ._mobile import SecondVersion
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = scale_to_one
MobileNetV2 = network_function(
    "MobileNetV2",
    "MobileNetV2",
    "mobilenet_v2",
    SecondVersion,
    "input_shape alpha include_top weights input_tensor pooling classes classifier_activation",
)
