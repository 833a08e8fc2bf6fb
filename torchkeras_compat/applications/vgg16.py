"""VGG16, and pictures as it expects them."""

from __future__ import annotations

from ._functions import network_function
from ._vgg import VGG
from .imagenet_utils import decode_predictions, subtract_bgr_means

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

preprocess_input = subtract_bgr_means
VGG16 = network_function(
    "VGG16",
    "VGG16: thirteen convolutions and three wide layers",
    "vgg16",
    lambda options: VGG("vgg16", (2, 2, 3, 3, 3), options),
)
