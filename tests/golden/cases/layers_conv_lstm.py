"""ConvLSTM1D to ConvLSTM3D: at their defaults, with everything off them, with masks, stateful and in a stack."""

from __future__ import annotations

from typing import Any

from .common import Case, fn, make
from .layers_core import single, stacked

_L2 = {"class_name": "L2", "config": {"l2": 0.02}}
_FEW = {"filters": 2, "kernel_size": 2}
_SPACE = {1: [5], 2: [4, 3], 3: [3, 4, 3]}
_EVERYTHING: dict[str, Any] = {
    "padding": "same",
    "recurrent_activation": "sigmoid",
    "activation": "softsign",
    "unit_forget_bias": False,
    "go_backwards": True,
    "return_sequences": True,
    **{f"{weight}_regularizer": _L2 for weight in ("kernel", "recurrent", "bias", "activity")},
    "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.9}},
    "recurrent_constraint": "unit_norm",
    "bias_constraint": "non_neg",
}


def _of(rank: int) -> list[Case]:
    cls, space, ones = f"ConvLSTM{rank}D", _SPACE[rank], [1] * (rank - 1)
    low, last, first = cls.lower(), [3, *space, 2], [3, 2, *space]
    return [
        single(f"{low}_default", cls, last, **_FEW),
        single(f"{low}_everything", cls, last, **_FEW, **_EVERYTHING, strides=[2, *ones]),
        single(f"{low}_dilated", cls, last, **_FEW, dilation_rate=[2, *ones], use_bias=False),
        single(f"{low}_dilated_same", cls, last, **_FEW, dilation_rate=2, padding="same", return_sequences=True),
        single(f"{low}_first", cls, first, **{**_FEW, "kernel_size": 3}, padding="same", data_format="channels_first"),
        single(
            f"{low}_first_sequences",
            cls,
            first,
            **_FEW,
            data_format="channels_first",
            return_sequences=True,
            go_backwards=True,
        ),
    ]


# Features become the rows of an image; the mask of the steps goes on.
_IMAGES = [["Masking", {}], ["Lambda", {"function": fn("columns_of_pixels"), "mask": fn("same_mask")}]]
_TWO_D: dict[str, dict[str, Any]] = {
    "softmax": {"activation": "softmax", "padding": "same"},
    "one_by_one": {"kernel_size": 1},
    "wide": {"kernel_size": [1, 3], "padding": "same", "return_sequences": True},
    "linear": {"activation": None, "recurrent_activation": None, "kernel_size": 1},
    "regularized": {"recurrent_regularizer": _L2, "activity_regularizer": _L2},
}
_MASKED: dict[str, dict[str, Any]] = {
    "last": {},
    "sequences": {"return_sequences": True},
    "backwards": {"go_backwards": True},
    "backwards_sequences": {"go_backwards": True, "return_sequences": True},
}


def _masked(name: str, stateful: bool = False, **kwargs: Any) -> Case:
    stack = [*_IMAGES, ["ConvLSTM2D", {**_FEW, "kernel_size": [2, 1], **kwargs, "stateful": stateful}]]
    return stacked(f"convlstm2d_mask_{name}", stack, [6, 6], draw="padded", stateful=stateful)


CONV_LSTM: list[Case] = [
    *[case for rank in (1, 2, 3) for case in _of(rank)],
    *[single(f"convlstm2d_{name}", "ConvLSTM2D", [3, 4, 3, 2], **{**_FEW, **more}) for name, more in _TWO_D.items()],
    *[_masked(name, **more) for name, more in _MASKED.items()],
    _masked("stateful", stateful=True),
    *[
        single(
            f"convlstm2d_stateful{'_sequences' if whole else ''}",
            "ConvLSTM2D",
            [3, 4, 3, 2],
            **_FEW,
            stateful=True,
            return_sequences=whole,
            extra={"stateful": True},
        )
        for whole in (False, True)
    ],
    stacked(
        "convlstm2d_two",
        [["ConvLSTM2D", {**_FEW, "return_sequences": True}], ["ConvLSTM2D", {**_FEW, "padding": "same"}]],
        [3, 4, 3, 2],
    ),
    stacked(
        "convlstm2d_both_ways",
        [["Bidirectional", {"layer": make("layers.ConvLSTM2D", filters=2, kernel_size=2), "merge_mode": "sum"}]],
        [3, 4, 3, 2],
    ),
]
