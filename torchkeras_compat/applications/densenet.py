"""DenseNet of 121, 169 and 201 layers, and pictures as they expect them."""

from __future__ import annotations

from ._densenet import DenseNet
from ._functions import network_function
from .imagenet_utils import decode_predictions, standardize_colours

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

preprocess_input = standardize_colours
DenseNet121 = network_function(
    "DenseNet121",
    "DenseNet of 121 layers",
    "densenet",
    lambda options: DenseNet("densenet121", (6, 12, 24, 16), options),
)
DenseNet169 = network_function(
    "DenseNet169",
    "DenseNet of 169 layers",
    "densenet",
    lambda options: DenseNet("densenet169", (6, 12, 32, 32), options),
)
DenseNet201 = network_function(
    "DenseNet201",
    "DenseNet of 201 layers",
    "densenet",
    lambda options: DenseNet("densenet201", (6, 12, 48, 32), options),
)
