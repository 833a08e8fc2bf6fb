"""MobileNet, and pictures as it expects them."""

from __future__ import annotations

from ._functions import network_function
from ._mobile import FirstVersion
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

preprocess_input = scale_to_one
MobileNet = network_function(
    "MobileNet",
    "MobileNet",
    "mobilenet",
    FirstVersion,
    "input_shape alpha depth_multiplier dropout include_top weights input_tensor pooling classes classifier_activation",
)
