"""The second version of EfficientNet, and pictures as it expects them."""

from __future__ import annotations

import functools

from ._efficientnet_v2 import EfficientNetV2
from ._functions import USUAL, NetworkFunction, network_function
from .imagenet_utils import decode_predictions, leave_as_is

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = leave_as_is


def _function(name: str) -> NetworkFunction:
    size = name.removeprefix("EfficientNetV2")
    make = functools.partial(EfficientNetV2, f"efficientnetv2-{size.lower()}")
    what = f"EfficientNet {size} of the second version"
    return network_function(name, what, "efficientnet_v2", make, f"{USUAL} include_preprocessing")


EfficientNetV2B0 = _function("EfficientNetV2B0")
EfficientNetV2B1 = _function("EfficientNetV2B1")
EfficientNetV2B2 = _function("EfficientNetV2B2")
EfficientNetV2B3 = _function("EfficientNetV2B3")
EfficientNetV2S = _function("EfficientNetV2S")
EfficientNetV2M = _function("EfficientNetV2M")
EfficientNetV2L = _function("EfficientNetV2L")
