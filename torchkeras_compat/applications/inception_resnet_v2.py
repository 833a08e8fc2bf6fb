"""The second version of Inception with shortcuts, and pictures as it expects them."""

from __future__ import annotations

from ._functions import network_function
from ._inception_resnet import CustomScaleLayer, InceptionResNet
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["CustomScaleLayer", "InceptionResNetV2", "decode_predictions", "preprocess_input"]

preprocess_input = scale_to_one
InceptionResNetV2 = network_function(
    "InceptionResNetV2",
    "the second version of Inception with shortcuts",
    "inception_resnet_v2",
    InceptionResNet,
)
