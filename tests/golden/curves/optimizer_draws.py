"""Optimizers with settings of their own: the legacy ones for `tf.keras`, the newer ones for `keras-2.15`."""

from __future__ import annotations

from typing import Any

from .draws import Draw, Options

# Numbers for which an epsilon matters stay away from rounding: a gradient that is none but for rounding (that of a bias
# before a BatchNormalization) must not become a step.
RANGES: dict[str, tuple[float, float]] = {
    "SGD": (0.01, 0.1),
    "RMSprop": (0.002, 0.02),
    "Adagrad": (0.01, 0.1),
    "Adadelta": (0.2, 1.0),
    "Adam": (0.002, 0.03),
    "AdamW": (0.002, 0.03),
    "Adamax": (0.002, 0.03),
    "Nadam": (0.002, 0.03),
    "Ftrl": (0.01, 0.1),
    "Adafactor": (0.01, 0.05),
    "Lion": (0.0005, 0.003),
}
LEGACY = ["SGD", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adam", "Adamax", "Nadam", "Ftrl"]


def _moments(r: Draw) -> Options:
    return {"beta_1": r.number(0.7, 0.95), "beta_2": r.number(0.9, 0.999), "epsilon": r.one([1e-3, 1e-4, 1e-5])}


def _settings(r: Draw, name: str) -> Options:
    """Draw the arguments that are an optimizer's own."""
    if name == "SGD":
        momentum = r.one([0.0, 0.5, 0.9])
        return {"momentum": momentum, "nesterov": bool(momentum) and r.chance(0.5)}
    if name == "RMSprop":
        told = {"rho": r.number(0.8, 0.95), "epsilon": r.one([1e-2, 1e-3]), "centered": r.chance(0.4)}
        return {**told, "momentum": r.one([0.0, 0.0, 0.5, 0.9])}
    if name in ("Adam", "AdamW"):
        return {**_moments(r), "amsgrad": r.chance(0.35)}
    if name in ("Adamax", "Nadam"):
        return _moments(r)
    if name == "Adagrad":
        return {"initial_accumulator_value": r.number(0.05, 0.5), "epsilon": r.one([1e-3, 1e-7])}
    if name == "Adadelta":
        return {"rho": r.number(0.8, 0.95), "epsilon": r.one([1e-2, 1e-3])}
    if name == "Ftrl":
        return {
            "learning_rate_power": r.one([-0.5, -0.5, -0.3, 0.0]),
            "initial_accumulator_value": r.number(0.05, 0.3),
            "l1_regularization_strength": r.one([0.0, 0.0, 0.001]),
            "l2_regularization_strength": r.one([0.0, 0.01]),
            "l2_shrinkage_regularization_strength": r.one([0.0, 0.0, 0.01]),
            "beta": r.one([0.0, 0.1]),
        }
    if name == "Adafactor":
        told = {"beta_2_decay": r.number(-0.9, -0.6), "epsilon_1": 1e-6, "epsilon_2": r.one([1e-3, 1e-2])}
        return {**told, "clip_threshold": r.number(0.8, 2), "relative_step": r.chance(0.5)}
    return {"beta_1": r.number(0.7, 0.95), "beta_2": r.number(0.9, 0.99)}


def schedule(r: Draw, rate: float, warm: bool) -> Options:
    """Draw a schedule that begins at a rate, or at none where it may be `warm`."""
    start: Options = {"initial_learning_rate": rate}
    steps = r.integer(5, 30)
    made: list[tuple[str, Options]] = [
        ("ExponentialDecay", {**start, "decay_steps": steps, "decay_rate": 0.7, "staircase": r.chance(0.5)}),
        ("InverseTimeDecay", {**start, "decay_steps": steps, "decay_rate": 0.5, "staircase": r.chance(0.5)}),
        ("PolynomialDecay", {**start, "decay_steps": steps, "power": r.one([1.0, 2.0]), "cycle": r.chance(0.4)}),
        ("PiecewiseConstantDecay", {"boundaries": [8, 20], "values": [rate, rate / 2, rate / 5]}),
        ("CosineDecay", {**start, "decay_steps": steps, "alpha": 0.1}),
        ("CosineDecay", {**start, "decay_steps": steps, "warmup_target": 2 * rate, "warmup_steps": 5}),
        ("CosineDecayRestarts", {**start, "first_decay_steps": steps, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.05}),
    ]
    if not warm:
        made.pop(5)
    name, options = r.one(made)
    return {"$": f"optimizers.schedules.{name}", **options}


def _clipping(r: Draw) -> Options:
    kind = r.random.uniform()
    if kind < 0.12:
        return {"clipnorm": r.number(0.1, 1)}
    if kind < 0.22:
        return {"clipvalue": r.number(0.02, 0.3)}
    return {"global_clipnorm": r.number(0.2, 1.5)} if kind < 0.32 else {}


def optimizer(r: Draw, dialect: str) -> Options:
    """Draw an optimizer of a dialect."""
    legacy = dialect == "tf.keras"
    name = r.one(LEGACY if legacy else [*LEGACY, "AdamW", "AdamW", "Adafactor", "Lion", "Lion"])
    rate = r.number(*RANGES[name], 4)
    told: Options = {"$": f"optimizers.{name}", **_settings(r, name)}
    # Keras's Ftrl passes over lr, and its Nadam over decay.
    key: str = "lr" if legacy and name != "Ftrl" and r.chance(0.1) else "learning_rate"
    value: Any = rate
    if r.chance(0.25) and not (legacy and name == "Nadam"):
        key, value = "learning_rate", schedule(r, rate, name != "Ftrl")
    told |= {key: value, **_clipping(r)}
    if legacy:
        if r.chance(0.2) and name != "Nadam" and not isinstance(value, dict):
            told["decay"] = r.number(0.005, 0.1)
        return told
    if r.chance(0.25) or name == "AdamW":
        told["weight_decay"] = r.number(0.001, 0.1)
    if r.chance(0.25):
        told |= {"use_ema": True, "ema_momentum": r.number(0.8, 0.99)}
        told["ema_overwrite_frequency"] = r.one([None, 7, 10])
    return told
