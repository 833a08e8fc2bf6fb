"""ResNet of 50, 101 and 152 layers, and pictures as they expect them."""

from __future__ import annotations

from ._functions import network_function
from ._residual import ResNet
from .imagenet_utils import decode_predictions, subtract_bgr_means

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

preprocess_input = subtract_bgr_means
ResNet50 = network_function(
    "ResNet50", "ResNet of 50 layers", "resnet", lambda options: ResNet("resnet50", (3, 4, 6, 3), options)
)
ResNet101 = network_function(
    "ResNet101", "ResNet of 101 layers", "resnet", lambda options: ResNet("resnet101", (3, 4, 23, 3), options)
)
ResNet152 = network_function(
    "ResNet152", "ResNet of 152 layers", "resnet", lambda options: ResNet("resnet152", (3, 8, 36, 3), options)
)
