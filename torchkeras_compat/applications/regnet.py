"""RegNet of two kinds and twelve sizes, and pictures as they expect them."""

from __future__ import annotations

import functools

from ._functions import NetworkFunction, network_function
from ._regnet import RegNet
from .imagenet_utils import decode_predictions, leave_as_is

__all__ = [
    "RegNetX002",
    "RegNetX004",
    "RegNetX006",
    "RegNetX008",
    "RegNetX016",
    "RegNetX032",
    "RegNetX040",
    "RegNetX064",
    "RegNetX080",
    "RegNetX120",
    "RegNetX160",
    "RegNetX320",
    "RegNetY002",
    "RegNetY004",
    "RegNetY006",
    "RegNetY008",
    "RegNetY016",
    "RegNetY032",
    "RegNetY040",
    "RegNetY064",
    "RegNetY080",
    "RegNetY120",
    "RegNetY160",
    "RegNetY320",
    "decode_predictions",
    "preprocess_input",
]

_ARGUMENTS = (
    "model_name include_top include_preprocessing weights input_tensor input_shape pooling classes "
    "classifier_activation"
)
preprocess_input = leave_as_is


def _function(name: str) -> NetworkFunction:
    kind = name.removeprefix("RegNet").lower()
    make, what = functools.partial(RegNet, kind), f"RegNet {kind.upper()}, whose head gives logits"
    return network_function(name, what, "regnet", make, _ARGUMENTS, model_name=name.lower())


RegNetX002 = _function("RegNetX002")
RegNetX004 = _function("RegNetX004")
RegNetX006 = _function("RegNetX006")
RegNetX008 = _function("RegNetX008")
RegNetX016 = _function("RegNetX016")
RegNetX032 = _function("RegNetX032")
RegNetX040 = _function("RegNetX040")
RegNetX064 = _function("RegNetX064")
RegNetX080 = _function("RegNetX080")
RegNetX120 = _function("RegNetX120")
RegNetX160 = _function("RegNetX160")
RegNetX320 = _function("RegNetX320")
RegNetY002 = _function("RegNetY002")
RegNetY004 = _function("RegNetY004")
RegNetY006 = _function("RegNetY006")
RegNetY008 = _function("RegNetY008")
RegNetY016 = _function("RegNetY016")
RegNetY032 = _function("RegNetY032")
RegNetY040 = _function("RegNetY040")
RegNetY064 = _function("RegNetY064")
RegNetY080 = _function("RegNetY080")
RegNetY120 = _function("RegNetY120")
RegNetY160 = _function("RegNetY160")
RegNetY320 = _function("RegNetY320")
