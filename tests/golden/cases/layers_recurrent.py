"""SimpleRNN, LSTM and GRU with each argument, with masks of every shape, and stateful over several batches."""

from __future__ import annotations

from typing import Any

from .common import Case
from .layers_core import single, stacked

_L2 = {"class_name": "L2", "config": {"l2": 0.02}}
_SHAPE = [6, 3]
_UNITS = 4

_COMMON: list[tuple[str, dict[str, Any]]] = [
    ("default", {}),
    ("sequences", {"return_sequences": True}),
    ("backwards", {"go_backwards": True}),
    ("backwards_sequences", {"go_backwards": True, "return_sequences": True}),
    ("no_bias", {"use_bias": False}),
    ("relu", {"activation": "relu"}),
    ("linear_sequences", {"activation": "linear", "return_sequences": True}),
    ("unroll", {"unroll": True}),
    (
        "regularized",
        {"kernel_regularizer": _L2, "recurrent_regularizer": _L2, "bias_regularizer": _L2, "activity_regularizer": _L2},
    ),
    (
        "constrained",
        {
            "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.6}},
            "recurrent_constraint": "non_neg",
        },
    ),
]
_GATED: list[tuple[str, dict[str, Any]]] = [
    ("hard_sigmoid", {"recurrent_activation": "hard_sigmoid"}),
    ("hard_sigmoid_sequences", {"recurrent_activation": "hard_sigmoid", "return_sequences": True}),
    ("softsign_gate", {"activation": "softsign", "recurrent_activation": "tanh"}),
    ("implementation1", {"implementation": 1}),
    ("implementation2", {"implementation": 2}),
]
_OWN: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "SimpleRNN": [],
    "LSTM": [("no_unit_forget", {"unit_forget_bias": False}), *_GATED],
    "GRU": [
        ("reset_before", {"reset_after": False}),
        ("reset_before_sequences", {"reset_after": False, "return_sequences": True}),
        ("reset_before_backwards", {"reset_after": False, "go_backwards": True}),
        ("reset_before_no_bias", {"reset_after": False, "use_bias": False}),
        ("reset_before_hard_sigmoid", {"reset_after": False, "recurrent_activation": "hard_sigmoid"}),
        ("reset_before_implementation1", {"reset_after": False, "implementation": 1}),
        *_GATED,
    ],
}
_MASKS = ["padded:left", "padded:right", "padded:middle", "padded"]
_MASKED: list[tuple[str, dict[str, Any]]] = [
    ("last", {}),
    ("sequences", {"return_sequences": True}),
    ("backwards", {"go_backwards": True}),
    ("backwards_sequences", {"go_backwards": True, "return_sequences": True}),
]


def _cases(cls: str) -> list[Case]:
    low = cls.lower()
    cases = [single(f"{low}_{name}", cls, _SHAPE, units=_UNITS, **kwargs) for name, kwargs in [*_COMMON, *_OWN[cls]]]
    for draw in _MASKS:
        for name, kwargs in _MASKED:
            tag = f"{low}_mask_{draw.replace('padded', '').strip(':') or 'mixed'}_{name}"
            cases.append(_masked(tag, cls, draw, kwargs))
    if cls == "GRU":
        cases += [
            _masked(
                "gru_reset_before_mask_mixed_sequences", cls, "padded", {"reset_after": False, "return_sequences": True}
            )
        ]
        cases += [_masked("gru_reset_before_mask_left_last", cls, "padded:left", {"reset_after": False})]
    if cls != "SimpleRNN":
        cases += [
            _masked(
                f"{low}_hard_sigmoid_mask_mixed",
                cls,
                "padded",
                {"recurrent_activation": "hard_sigmoid", "return_sequences": True},
            )
        ]
    return cases + _stateful(cls) + _stacks(cls)


def _masked(name: str, cls: str, draw: str, kwargs: dict[str, Any]) -> Case:
    return stacked(name, [["Masking", {}], [cls, {"units": _UNITS, **kwargs}]], _SHAPE, draw=draw)


def _stateful(cls: str) -> list[Case]:
    low = cls.lower()
    return [
        single(f"{low}_stateful", cls, _SHAPE, units=_UNITS, stateful=True, extra={"stateful": True}),
        single(
            f"{low}_stateful_sequences",
            cls,
            _SHAPE,
            units=_UNITS,
            stateful=True,
            return_sequences=True,
            extra={"stateful": True},
        ),
        stacked(
            f"{low}_stateful_masked",
            [["Masking", {}], [cls, {"units": _UNITS, "stateful": True}]],
            _SHAPE,
            draw="padded",
            stateful=True,
        ),
        single(
            f"{low}_stateful_backwards",
            cls,
            _SHAPE,
            units=_UNITS,
            stateful=True,
            go_backwards=True,
            extra={"stateful": True},
        ),
    ]


def _stacks(cls: str) -> list[Case]:
    low = cls.lower()
    inner = {"units": _UNITS, "return_sequences": True}
    embedding = ["Embedding", {"input_dim": 9, "output_dim": 3, "mask_zero": True}]
    return [
        stacked(f"{low}_two", [[cls, inner], [cls, {"units": 3}]], _SHAPE),
        stacked(f"{low}_two_masked", [["Masking", {}], [cls, inner], [cls, {"units": 3}]], _SHAPE, draw="padded"),
        stacked(f"{low}_embedding", [embedding, [cls, {"units": _UNITS}]], [6], draw="tokens:9"),
        stacked(
            f"{low}_embedding_dense",
            [embedding, [cls, inner], ["Dense", {"units": 3, "activation": "tanh"}]],
            [6],
            draw="tokens:9",
        ),
    ]


RECURRENT: list[Case] = [case for cls in ("SimpleRNN", "LSTM", "GRU") for case in _cases(cls)]
