"""ConvNeXt of five sizes, and pictures as they expect them."""

from __future__ import annotations

import functools

from ._convnext import ConvNeXt
from ._functions import NetworkFunction, network_function
from ._scaling import LayerScale
from .imagenet_utils import decode_predictions, leave_as_is

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "LayerScale",
    "decode_predictions",
    "preprocess_input",
]

_ARGUMENTS = (
    "model_name include_top include_preprocessing weights input_tensor input_shape pooling classes "
    "classifier_activation"
)
preprocess_input = leave_as_is


def _function(name: str) -> NetworkFunction:
    size = name.removeprefix("ConvNeXt").lower()
    make, what = functools.partial(ConvNeXt, size), f"the {size} ConvNeXt"
    return network_function(name, what, "convnext", make, _ARGUMENTS, model_name=f"convnext_{size}")


ConvNeXtTiny = _function("ConvNeXtTiny")
ConvNeXtSmall = _function("ConvNeXtSmall")
ConvNeXtBase = _function("ConvNeXtBase")
ConvNeXtLarge = _function("ConvNeXtLarge")
ConvNeXtXLarge = _function("ConvNeXtXLarge")
