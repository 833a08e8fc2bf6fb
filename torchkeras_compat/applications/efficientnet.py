"""EfficientNet from B0 to B7, and pictures as they expect them."""

from __future__ import annotations

import functools

from ._efficientnet import EfficientNet
from ._functions import USUAL, NetworkFunction, network_function
from .imagenet_utils import decode_predictions, leave_as_is

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

preprocess_input = leave_as_is


def _function(name: str) -> NetworkFunction:
    what = f"EfficientNet {name[-2:]}, which scales pictures from 0 to 255 itself"
    make = functools.partial(EfficientNet, name.lower())
    return network_function(name, what, "efficientnet", make, f"{USUAL} drop_connect_rate")


EfficientNetB0 = _function("EfficientNetB0")
EfficientNetB1 = _function("EfficientNetB1")
EfficientNetB2 = _function("EfficientNetB2")
EfficientNetB3 = _function("EfficientNetB3")
EfficientNetB4 = _function("EfficientNetB4")
EfficientNetB5 = _function("EfficientNetB5")
EfficientNetB6 = _function("EfficientNetB6")
EfficientNetB7 = _function("EfficientNetB7")
