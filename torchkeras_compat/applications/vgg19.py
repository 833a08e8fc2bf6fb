"""VGG19, and pictures as it expects them."""

from __future__ import annotations

from ._functions import network_function
from ._vgg import VGG
from .imagenet_utils import decode_predictions, subtract_bgr_means

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

preprocess_input = subtract_bgr_means
VGG19 = network_function(
    "VGG19",
    "VGG19: sixteen convolutions and three wide layers",
    "vgg19",
    lambda options: VGG("vgg19", (2, 2, 4, 4, 4), options),
)
