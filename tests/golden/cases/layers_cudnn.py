"""CuDNNLSTM and CuDNNGRU, at their defaults and with everything off them, stateful and in a stack."""

from __future__ import annotations

from typing import Any

from .common import Case
from .layers_core import single, stacked

_L2 = {"class_name": "L2", "config": {"l2": 0.02}}
_SHAPE = [6, 3]
_WEIGHTS = ("kernel", "recurrent", "bias")
_EVERYTHING: dict[str, Any] = {
    "go_backwards": True,
    "return_sequences": True,
    **{f"{weight}_regularizer": _L2 for weight in ("kernel", "recurrent", "bias", "activity")},
    "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.9}},
    "recurrent_constraint": "unit_norm",
    "bias_constraint": "non_neg",
    **{f"{weight}_initializer": {"class_name": "Constant", "config": {"value": 0.2}} for weight in _WEIGHTS},
}


def _cases(cls: str, **more: Any) -> list[Case]:
    low, units = cls.lower(), {"units": 4}
    stateful = {**units, "stateful": True, "extra": {"stateful": True}}
    return [
        single(f"{low}_default", cls, _SHAPE, **units),
        single(f"{low}_sequences", cls, _SHAPE, **units, return_sequences=True),
        single(f"{low}_everything", cls, _SHAPE, extra={"initial": True}, **units, **_EVERYTHING, **more),
        single(f"{low}_stateful", cls, _SHAPE, **stateful),
        stacked(f"{low}_two", [[cls, {**units, "return_sequences": True}], [cls, {"units": 3}]], _SHAPE),
    ]


CUDNN: list[Case] = [*_cases("CuDNNLSTM", unit_forget_bias=False), *_cases("CuDNNGRU")]
