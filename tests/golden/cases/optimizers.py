"""Every optimizer, legacy and newer, with its defaults and each argument; the learning-rate schedules.

`model` is `dense` (two Dense layers) or `embedding` (rows that some batches do not touch); `via` is `train_on_batch`,
or `fit` where the end of a fit matters (an exponential moving average is written back there).
"""

from __future__ import annotations

from typing import Any

from .common import KERAS_215, TF_KERAS, Case, case, make

_CLIPS: list[dict[str, Any]] = [
    {"learning_rate": 0.05, "clipnorm": 0.2},
    {"learning_rate": 0.05, "clipvalue": 0.05},
    {"learning_rate": 0.05, "global_clipnorm": 0.2},
]
_EMA: list[dict[str, Any]] = [{"use_ema": True, "ema_momentum": 0.9}, {"use_ema": True, "ema_overwrite_frequency": 7}]

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [10, 25], "values": [0.1, 0.03, 0.01]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "end_learning_rate": 0.01, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "alpha": 0.2}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 30, "warmup_target": 0.1, "warmup_steps": 10}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 8}),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 8, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1},
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 8, "t_mul": 1.0}),
]

_LEGACY: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"learning_rate": 0.05},
        {"lr": 0.05, "decay": 0.02},
        {"learning_rate": 0.05, "momentum": 0.9},
        {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
        {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "decay": 0.01},
        {"learning_rate": 0.05, "momentum": 0.5, "clipnorm": 0.2},
        *_CLIPS,
    ],
    "RMSprop": [
        {},
        {"learning_rate": 0.01, "rho": 0.8},
        {"learning_rate": 0.01, "momentum": 0.7},
        {"learning_rate": 0.01, "centered": True},
        {"learning_rate": 0.01, "centered": True, "momentum": 0.5},
        {"learning_rate": 0.01, "epsilon": 0.01},
        {"learning_rate": 0.01, "epsilon": 0.01, "momentum": 0.7},
        {"learning_rate": 0.01, "epsilon": 0.01, "centered": True},
        {"lr": 0.01, "decay": 0.05},
        *_CLIPS,
    ],
    "Adagrad": [
        {},
        {"learning_rate": 0.05},
        {"learning_rate": 0.05, "initial_accumulator_value": 0.0},
        {"learning_rate": 0.05, "epsilon": 0.1},
        {"learning_rate": 0.05, "decay": 0.05},
        *_CLIPS,
    ],
    "Adadelta": [
        {},
        {"learning_rate": 1.0},
        {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3},
        {"learning_rate": 1.0, "decay": 0.05},
        *_CLIPS,
    ],
    "Adam": [
        {},
        {"learning_rate": 0.02},
        {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9},
        {"learning_rate": 0.02, "epsilon": 0.01},
        {"learning_rate": 0.02, "amsgrad": True},
        {"learning_rate": 0.02, "amsgrad": True, "beta_2": 0.5, "epsilon": 0.01},
        {"lr": 0.02, "decay": 0.05},
        *_CLIPS,
    ],
    "Adamax": [
        {},
        {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01},
        {"learning_rate": 0.02, "decay": 0.05},
        *_CLIPS,
    ],
    "Nadam": [
        {},
        {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01},
        {"learning_rate": 0.02, "schedule_decay": 0.01},
        *_CLIPS,
    ],
    "Ftrl": [
        {},
        {"learning_rate": 0.1},
        {"learning_rate": 0.1, "learning_rate_power": -0.3, "initial_accumulator_value": 0.5},
        {"learning_rate": 0.1, "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02},
        {"learning_rate": 0.1, "l2_shrinkage_regularization_strength": 0.05},
        {"learning_rate": 0.1, "beta": 0.5},
    ],
}

_NEWER: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"learning_rate": 0.05, "momentum": 0.9},
        {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
        {"learning_rate": 0.05, "weight_decay": 0.02},
        {"learning_rate": 0.05, **_EMA[0]},
        {"learning_rate": 0.05, **_EMA[1]},
        *_CLIPS,
    ],
    "RMSprop": [
        {},
        {"learning_rate": 0.01, "rho": 0.8, "epsilon": 0.01},
        {"learning_rate": 0.01, "momentum": 0.7},
        {"learning_rate": 0.01, "centered": True, "epsilon": 0.01},
        {"learning_rate": 0.01, "centered": True, "momentum": 0.5},
        {"learning_rate": 0.01, "weight_decay": 0.02},
    ],
    "Adagrad": [
        {},
        {"learning_rate": 0.05, "initial_accumulator_value": 0.0},
        {"learning_rate": 0.05, "epsilon": 0.1},
        {"learning_rate": 0.05, "weight_decay": 0.02},
    ],
    "Adadelta": [
        {},
        {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3},
        {"learning_rate": 1.0, "weight_decay": 0.002},
    ],
    "Adam": [
        {},
        {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01},
        {"learning_rate": 0.02, "amsgrad": True, "beta_2": 0.5},
        {"learning_rate": 0.02, "weight_decay": 0.02},
        {"learning_rate": 0.02, **_EMA[0]},
        {"learning_rate": 0.02, **_EMA[1]},
        *_CLIPS,
    ],
    "AdamW": [
        {},
        {"learning_rate": 0.02, "weight_decay": 0.1},
        {"learning_rate": 0.02, "amsgrad": True, "beta_2": 0.5},
    ],
    "Adamax": [{}, {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01, "weight_decay": 0.02}],
    "Nadam": [{}, {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 0.01, "weight_decay": 0.02}],
    "Ftrl": [
        {},
        {"learning_rate": 0.1, "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02},
        {"learning_rate": 0.1, "learning_rate_power": -0.3, "beta": 0.5, "initial_accumulator_value": 0.5},
        {"learning_rate": 0.1, "l2_shrinkage_regularization_strength": 0.05},
    ],
    "Lion": [{}, {"learning_rate": 0.01, "beta_1": 0.7, "beta_2": 0.9, "weight_decay": 0.02}],
    "Adafactor": [
        {},
        {"learning_rate": 0.02, "beta_2_decay": -0.6, "clip_threshold": 0.7},
        {"learning_rate": 0.02, "relative_step": False, "weight_decay": 0.02},
    ],
}

_SPARSE_LEGACY: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 0.1}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.1}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.02}),
    ("SGD", {"learning_rate": 0.1, "decay": 0.05}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.7}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adam", {"learning_rate": 0.02}),
    ("Adam", {"learning_rate": 0.02, "amsgrad": True}),
    ("Adamax", {"learning_rate": 0.02}),
    ("Nadam", {"learning_rate": 0.02}),
    ("Ftrl", {"learning_rate": 0.1}),
]
_SPARSE_NEWER: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.7}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adam", {"learning_rate": 0.02}),
    ("AdamW", {"learning_rate": 0.02, "weight_decay": 0.1}),
    ("Adamax", {"learning_rate": 0.02}),
    ("Nadam", {"learning_rate": 0.02}),
    ("Ftrl", {"learning_rate": 0.1}),
    ("Lion", {"learning_rate": 0.01}),
    ("Adafactor", {"learning_rate": 0.02}),
]


def _case(tag: str, i: int, cls: str, kwargs: dict[str, Any], dialect: str, model: str = "dense") -> Case:
    via = "fit" if "use_ema" in kwargs else "train_on_batch"
    spelled = "_".join(k if v is True else f"{k}={v}" for k, v in kwargs.items() if not isinstance(v, dict))
    name = f"{tag}_{cls}_{i:02d}" + (f"_{spelled}" if spelled else "")
    return case(name, dialect=dialect, optimizer=make(f"optimizers.{cls}", **kwargs), model=model, via=via)


CASES: list[Case] = [_case("legacy", i, c, k, TF_KERAS) for c, vs in _LEGACY.items() for i, k in enumerate(vs)]
CASES += [_case("newer", i, c, k, KERAS_215) for c, vs in _NEWER.items() for i, k in enumerate(vs)]
CASES += [_case("legacy_rows", i, c, k, TF_KERAS, "embedding") for i, (c, k) in enumerate(_SPARSE_LEGACY)]
CASES += [_case("newer_rows", i, c, k, KERAS_215, "embedding") for i, (c, k) in enumerate(_SPARSE_NEWER)]
CASES += [
    _case(f"{tag}_{cls}_schedule", i, opt, {"learning_rate": make(f"optimizers.schedules.{cls}", **kwargs)}, dialect)
    for i, (cls, kwargs) in enumerate(SCHEDULES)
    for tag, opt, dialect in (("legacy", "SGD", TF_KERAS), ("newer", "Adam", KERAS_215))
]

SCHEDULE_CASES: list[Case] = [
    case(f"{i:02d}_{cls}", schedule=make(f"optimizers.schedules.{cls}", **kwargs))
    for i, (cls, kwargs) in enumerate(SCHEDULES)
]
