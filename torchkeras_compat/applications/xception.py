"""Xception, and pictures as it expects them."""

from __future__ import annotations

import functools

from ._functions import network_function
from ._xception import XceptionNetwork
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

preprocess_input = scale_to_one
Xception = network_function(
    "Xception",
    "Xception",
    "xception",
    functools.partial(XceptionNetwork, "xception"),
)
