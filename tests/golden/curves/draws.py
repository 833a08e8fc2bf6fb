"""Random choices, and the options that many layers share, as plain data.

An object is `{"$": "regularizers.L2", "l2": 0.01}`, a function of `build.FUNCTIONS` is `{"$fn": "square"}`, a list of
numbers stands for a tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

Options = dict[str, Any]
Shape = tuple[int, ...]
# What draws a layer for inputs of a shape: class, arguments and the shape of its output; None where it does not fit.
Drawn = tuple[str, Options, Shape] | None
Drawer = Callable[["Draw", Shape], Drawn]
T = TypeVar("T")

SMOOTH = ["tanh", "sigmoid", "softplus", "elu", "swish", "gelu", "selu", "softsign", "mish"]
KINKED = ["relu", "hard_sigmoid", "linear", "exponential", "softmax"]


class Draw:
    """A stream of random choices that belongs to a seed."""

    def __init__(self, *seed: int) -> None:
        self.random = np.random.RandomState(list(seed))

    def integer(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both included."""
        return int(self.random.randint(low, high + 1))

    def number(self, low: float, high: float, digits: int = 3) -> float:
        """Return a number of few digits."""
        return round(float(self.random.uniform(low, high)), digits)

    def chance(self, probability: float) -> bool:
        """Return true with a probability."""
        return bool(self.random.uniform() < probability)

    def one(self, choices: Sequence[T]) -> T:
        """Return one of a list."""
        return choices[self.integer(0, len(choices) - 1)]

    def some(self, choices: Sequence[T], most: int) -> list[T]:
        """Return up to `most` of a list, each at most once, at least one."""
        picked = self.random.permutation(len(choices))[: self.integer(1, most)]
        return [choices[int(i)] for i in picked]


def activation(r: Draw) -> str | Options:
    """Draw an activation: a name or a function."""
    kind = r.random.uniform()
    if kind < 0.6:
        return r.one(SMOOTH)
    if kind < 0.95:
        return r.one(["relu", "relu", "relu", *KINKED])
    return {"$ref": f"activations.{r.one(['tanh', 'relu', 'elu', 'softsign'])}"}


def regularizer(r: Draw) -> str | Options:
    """Draw a regularizer: a name or an object."""
    rate = r.number(0.001, 0.02)
    return r.one(
        [
            {"$": "regularizers.L2", "l2": rate},
            {"$": "regularizers.l2", "l2": rate},
            {"$": "regularizers.L1", "l1": rate},
            {"$": "regularizers.l1", "l1": rate},
            {"$": "regularizers.L1L2", "l1": rate, "l2": rate},
            {"$": "regularizers.l1_l2", "l1": rate, "l2": rate},
            "l2",
            "l1",
            "l1_l2",
        ]
    )


def constraint(r: Draw, rank: int = 2) -> str | Options:
    """Draw a constraint on a weight of a rank: a name or an object."""
    axis: int | list[int] = list(range(rank - 1)) if rank > 2 and r.chance(0.6) else 0
    return r.one(
        [
            {"$": "constraints.MaxNorm", "max_value": r.number(0.5, 2), "axis": axis},
            {"$": "constraints.max_norm", "max_value": r.number(0.5, 2)},
            {"$": "constraints.UnitNorm", "axis": axis},
            {"$": "constraints.MinMaxNorm", "min_value": 0.3, "max_value": 1.2, "rate": r.number(0.3, 1), "axis": axis},
            {"$": "constraints.NonNeg"},
            "non_neg",
            "unit_norm",
            "max_norm",
        ]
    )


INITIALIZERS: list[Any] = [
    "he_normal",
    "lecun_uniform",
    "zeros",
    "ones",
    {"$": "initializers.RandomNormal", "stddev": 0.1, "seed": 1},
    {"$": "initializers.VarianceScaling", "scale": 2.0, "mode": "fan_avg", "distribution": "uniform"},
    {"$": "initializers.Constant", "value": 0.1},
    {"$": "initializers.TruncatedNormal", "stddev": 0.2},
]


def weight_options(r: Draw, kernel: str = "kernel", rank: int = 2, bias: bool = True, activity: bool = True) -> Options:
    """Draw what may be said of a layer's weights: initializers, penalties, constraints, no bias, no training."""
    options: Options = {}
    if bias and r.chance(0.2):
        options["use_bias"] = False
    if r.chance(0.2):
        options[f"{kernel}_initializer"] = r.one(INITIALIZERS)
    if r.chance(0.15):
        options[f"{kernel}_regularizer"] = regularizer(r)
    if r.chance(0.12):
        options[f"{kernel}_constraint"] = constraint(r, rank)
    if bias and options.get("use_bias", True):
        if r.chance(0.08):
            options["bias_regularizer"] = regularizer(r)
        if r.chance(0.06):
            options["bias_constraint"] = r.one(["non_neg", {"$": "constraints.MaxNorm", "max_value": 0.5}])
    if activity and r.chance(0.08):
        options["activity_regularizer"] = regularizer(r)
    if r.chance(0.04):
        options["trainable"] = False
    return options


def maybe_activation(r: Draw, probability: float = 0.7) -> Options:
    """Draw the argument `activation`, or none."""
    return {"activation": activation(r)} if r.chance(probability) else {}
