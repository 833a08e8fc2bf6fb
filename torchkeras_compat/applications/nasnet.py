"""NASNet, mobile and large, and pictures as they expect them."""

from __future__ import annotations

import functools

from ._functions import network_function
from ._nasnet import NASNet
from .imagenet_utils import decode_predictions, scale_to_one

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

_ARGUMENTS = "input_shape include_top weights input_tensor pooling classes classifier_activation"
preprocess_input = scale_to_one
NASNetMobile = network_function(
    "NASNetMobile", "the mobile NASNet", "nasnet", functools.partial(NASNet, "mobile"), _ARGUMENTS
)
NASNetLarge = network_function(
    "NASNetLarge", "the large NASNet", "nasnet", functools.partial(NASNet, "large"), _ARGUMENTS
)
