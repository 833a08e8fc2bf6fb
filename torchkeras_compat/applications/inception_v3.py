"""The third version of Inception, and pictures as it expects them."""

from __future__ import annotations

from ._functions import network_function
from ._inception import Inception
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

preprocess_input = scale_to_one
InceptionV3 = network_function(
    "InceptionV3", "the third version of Inception", "inception_v3", lambda options: Inception("inception_v3", options)
)
