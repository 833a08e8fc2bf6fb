"""The optimizers of classic Keras in numpy (keras/optimizers.py of 2.0.8, 2.2.4 and 2.3.1, get_updates of each class).

One formula each for all releases; the defaults are those of 2.3.1. Every weight moves at every step, embedding rows
that a batch does not touch included: the formulas see dense gradients only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
State = dict[str, Any]
Rule = Callable[[Array, Array, State, int, dict[str, Any]], Array]

DEFAULTS: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7},
    "Adagrad": {"learning_rate": 0.01, "epsilon": 1e-7},
    "Adadelta": {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-7},
    "Adam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False},
    "Adamax": {"learning_rate": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    "Nadam": {"learning_rate": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "schedule_decay": 0.004},
}
OLD_EPSILON = 1e-8  # the default of every class but SGD in 2.0.8 and before


def _rate(t: int, o: dict[str, Any]) -> float:
    return float(o["learning_rate"] / (1 + o.get("decay", 0.0) * t))


def _sgd(w: Array, g: Array, s: State, t: int, o: dict[str, Any]) -> Array:
    lr = _rate(t, o)
    v = s["v"] = o["momentum"] * s.get("v", 0.0) - lr * g
    return w + o["momentum"] * v - lr * g if o["nesterov"] else w + v


def _rmsprop(w: Array, g: Array, s: State, t: int, o: dict[str, Any]) -> Array:
    a = s["a"] = o["rho"] * s.get("a", 0.0) + (1 - o["rho"]) * g**2
    return w - _rate(t, o) * g / (np.sqrt(a) + o["epsilon"])


def _adagrad(w: Array, g: Array, s: State, t: int, o: dict[str, Any]) -> Array:
    a = s["a"] = s.get("a", 0.0) + g**2
    return w - _rate(t, o) * g / (np.sqrt(a) + o["epsilon"])


def _adadelta(w: Array, g: Array, s: State, t: int, o: dict[str, Any]) -> Array:
    rho, eps, d = o["rho"], o["epsilon"], s.get("d", 0.0)
    a = s["a"] = rho * s.get("a", 0.0) + (1 - rho) * g**2
    update = g * np.sqrt(d + eps) / np.sqrt(a + eps)
    s["d"] = rho * d + (1 - rho) * update**2
    return w - _rate(t, o) * update


def _adam(w: Array, g: Array, s: State, t: int, o: dict[str, Any]) -> Array:
    b1, b2 = o["beta_1"], o["beta_2"]
    m = s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
    v = s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g**2
    if o["amsgrad"]:
        v = s["top"] = np.maximum(s.get("top", 0.0), v)
    lr = _rate(t, o) * np.sqrt(1 - b2 ** (t + 1)) / (1 - b1 ** (t + 1))
    return w - lr * m / (np.sqrt(v) + o["epsilon"])


def _adamax(w: Array, g: Array, s: State, t: int, o: dict[str, Any]) -> Array:
    m = s["m"] = o["beta_1"] * s.get("m", 0.0) + (1 - o["beta_1"]) * g
    u = s["u"] = np.maximum(o["beta_2"] * s.get("u", 0.0), np.abs(g))
    return w - _rate(t, o) / (1 - o["beta_1"] ** (t + 1)) * m / (u + o["epsilon"])


def _nadam(w: Array, g: Array, s: State, t: int, o: dict[str, Any]) -> Array:
    b1, b2 = o["beta_1"], o["beta_2"]
    now, after = (b1 * (1 - 0.5 * 0.96 ** (k * o["schedule_decay"])) for k in (t + 1, t + 2))
    product = s["product"] = s.get("product", 1.0) * now
    m = s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
    v = s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g**2
    ahead = (1 - now) * g / (1 - product) + after * m / (1 - product * after)
    return w - o["learning_rate"] * ahead / (np.sqrt(v / (1 - b2 ** (t + 1))) + o["epsilon"])


_RULES: dict[str, Rule] = {
    "SGD": _sgd,
    "RMSprop": _rmsprop,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
    "Adam": _adam,
    "Adamax": _adamax,
    "Nadam": _nadam,
}


class Optimizer:
    """A classic optimizer over a list of arrays."""

    def __init__(self, name: str, **options: Any) -> None:
        """Take the options of 2.3.1; `lr` is `learning_rate`, and an epsilon of None is K.epsilon()."""
        if "lr" in options:
            options["learning_rate"] = options.pop("lr")
        self.options = {**DEFAULTS[name], **options}
        if self.options.get("epsilon", 0) is None:
            self.options["epsilon"] = 1e-7
        self.rule = _RULES[name]
        self.states: dict[int, State] = {}
        self.iterations = 0

    def step(self, weights: list[Array], gradients: list[Array]) -> list[Array]:
        """Clip by the norm over all gradients together, then by value, and move every weight."""
        limit = self.options.get("clipnorm", 0)
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        if limit and norm >= limit:
            gradients = [g * limit / norm for g in gradients]
        bound = self.options.get("clipvalue", 0)
        if bound:
            gradients = [np.clip(g, -bound, bound) for g in gradients]
        moved = [
            self.rule(w, g, self.states.setdefault(i, {}), self.iterations, self.options)
            for i, (w, g) in enumerate(zip(weights, gradients))
        ]
        self.iterations += 1
        return moved
