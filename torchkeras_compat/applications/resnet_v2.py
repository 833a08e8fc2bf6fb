"""The second version of ResNet, of 50, 101 and 152 layers, and pictures as they expect them."""

from __future__ import annotations

from ._functions import network_function
from ._residual import ResNetV2
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

preprocess_input = scale_to_one
ResNet50V2 = network_function(
    "ResNet50V2",
    "the second version of ResNet, of 50 layers",
    "resnet_v2",
    lambda options: ResNetV2("resnet50v2", (3, 4, 6, 3), options),
)
ResNet101V2 = network_function(
    "ResNet101V2",
    "the second version of ResNet, of 101 layers",
    "resnet_v2",
    lambda options: ResNetV2("resnet101v2", (3, 4, 23, 3), options),
)
ResNet152V2 = network_function(
    "ResNet152V2",
    "the second version of ResNet, of 152 layers",
    "resnet_v2",
    lambda options: ResNetV2("resnet152v2", (3, 8, 36, 3), options),
)
