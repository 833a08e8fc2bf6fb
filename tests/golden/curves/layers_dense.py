"""Layers that take inputs of any rank, and those of vectors."""

from __future__ import annotations

from typing import Any

from .draws import Draw, Drawer, Drawn, Options, Shape, activation, maybe_activation, regularizer, weight_options


def dense(r: Draw, shape: Shape) -> Drawn:
    units = r.integer(2, 7)
    options: Options = {"units": units, **maybe_activation(r), **weight_options(r)}
    if r.chance(0.08):
        options["weights"] = [{"$array": [r.integer(0, 99), shape[-1], units]}]
        options["weights"] += [{"$array": [1, units]}] if options.get("use_bias", True) else []
    return "Dense", options, (*shape[:-1], units)


def activated(r: Draw, shape: Shape) -> Drawn:
    return "Activation", {"activation": activation(r)}, shape


def advanced_activation(r: Draw, shape: Shape) -> Drawn:
    choices: list[tuple[str, Options]] = [
        ("LeakyReLU", {"alpha": r.number(0.05, 0.4)}),
        ("LeakyReLU", {}),
        ("ELU", {"alpha": r.number(0.3, 1.5)}),
        ("ReLU", {"max_value": r.number(1, 3), "negative_slope": r.number(0, 0.3), "threshold": r.number(0, 0.3)}),
        ("ReLU", {"negative_slope": 0.2}),
        ("Softmax", {"axis": -r.integer(1, len(shape))}),
        ("ThresholdedReLU", {"theta": r.number(0.1, 0.8)}),
    ]
    name, options = r.one(choices)
    return name, options, shape


def prelu(r: Draw, shape: Shape) -> Drawn:
    options: Options = {}
    if len(shape) > 1 and r.chance(0.7):
        options["shared_axes"] = list(range(1, len(shape) if r.chance(0.6) else 2))
    if r.chance(0.2):
        options["alpha_regularizer"] = regularizer(r)
    if r.chance(0.2):
        options["alpha_constraint"] = "non_neg"
    return "PReLU", options, shape


def batch_normalization(r: Draw, shape: Shape) -> Drawn:
    options: Options = {"momentum": r.number(0.6, 0.99), "epsilon": r.one([0.001, 0.01, 0.1])}
    if r.chance(0.3):
        options[r.one(["center", "scale"])] = False
    if len(shape) > 1 and r.chance(0.2):
        options["axis"] = r.integer(1, len(shape))
    if r.chance(0.15):
        options["gamma_regularizer"] = regularizer(r)
    if r.chance(0.1):
        options["beta_constraint"] = "non_neg"
    if r.chance(0.1):
        options["trainable"] = False
    return "BatchNormalization", options, shape


def layer_normalization(r: Draw, shape: Shape) -> Drawn:
    options: Options = {"epsilon": r.one([0.001, 0.01, 0.1])}
    if len(shape) > 1 and r.chance(0.3):
        options["axis"] = r.one([[-1, -2], [1], 1])
    if r.chance(0.3):
        options[r.one(["center", "scale"])] = False
    if r.chance(0.15):
        options["beta_regularizer"] = regularizer(r)
    if r.chance(0.1):
        options["gamma_constraint"] = "non_neg"
    return "LayerNormalization", options, shape


def group_normalization(r: Draw, shape: Shape) -> Drawn:
    groups = [n for n in range(1, shape[-1] + 1) if shape[-1] % n == 0 and shape != (n,)]
    if not groups:
        return None
    return "GroupNormalization", {"groups": r.one(groups), "epsilon": r.one([0.001, 0.01])}, shape


def unit_normalization(r: Draw, shape: Shape) -> Drawn:
    axis = r.one([-1, 1, [-1]]) if len(shape) == 1 else r.one([-1, 1, [1, 2]])
    return "UnitNormalization", {"axis": axis}, shape


def spectral_normalization(r: Draw, shape: Shape) -> Drawn:
    units = r.integer(2, 5)
    inner = {"$": "layers.Dense", "units": units, **maybe_activation(r)}
    return "SpectralNormalization", {"layer": inner, "power_iterations": r.integer(1, 3)}, (*shape[:-1], units)


def activity_regularization(r: Draw, shape: Shape) -> Drawn:
    return "ActivityRegularization", {"l1": r.number(0, 0.02), "l2": r.number(0, 0.02)}, shape


def nothing_dropped(r: Draw, shape: Shape) -> Drawn:
    spatial = [f"SpatialDropout{len(shape) - 1}D"] if len(shape) > 1 else ["AlphaDropout"]
    name = r.one(["Dropout", "GaussianDropout", "GaussianNoise", *spatial])
    return name, {"stddev" if name == "GaussianNoise" else "rate": 0.0}, shape


def rescaling(r: Draw, shape: Shape) -> Drawn:
    return "Rescaling", {"scale": r.number(0.5, 2), "offset": r.number(-0.5, 0.5)}, shape


SAME_SHAPE = [
    "square",
    "cube",
    "soft_abs",
    "l2_normalize",
    "scaled_tanh",
    "clip",
    "centre",
    "log_exp",
    "where_positive",
]


def function(r: Draw, shape: Shape) -> Drawn:
    kind = r.integer(0, 3)
    if kind == 0 and shape[-1] >= 2:
        return "Lambda", {"function": {"$fn": "without_first"}}, (*shape[:-1], shape[-1] - 1)
    if kind == 1:
        return "Lambda", {"function": {"$fn": "doubled"}}, (*shape[:-1], 2 * shape[-1])
    if kind == 2:
        return (
            "Lambda",
            {"function": {"$fn": "affine"}, "arguments": {"scale": r.number(0.5, 1.5), "shift": 0.1}},
            shape,
        )
    return "Lambda", {"function": {"$fn": r.one(SAME_SHAPE)}}, shape


def nested(r: Draw, shape: Shape) -> Drawn:
    """Draw a Sequential that stands as a layer."""
    layers: list[Options] = []
    for _ in range(r.integer(1, 3)):
        name, options, shape = one_of(r, NESTED, shape)
        layers.append({"$": f"layers.{name}", **options})
    return "Sequential", {"layers": layers}, shape


def repeat(r: Draw, shape: Shape) -> Drawn:
    n = r.integer(2, 4)
    return "RepeatVector", {"n": n}, (n, *shape)


def reshape_vector(r: Draw, shape: Shape) -> Drawn:
    (size,) = shape
    splits = [n for n in range(1, size + 1) if size % n == 0]
    steps = r.one(splits)
    target = r.one([[steps, -1], [steps, size // steps], [-1, size // steps]])
    return "Reshape", {"target_shape": target}, (steps, size // steps)


def one_of(r: Draw, table: list[tuple[float, Drawer]], shape: Shape) -> tuple[str, Options, Shape]:
    """Draw a layer of a table that fits a shape, by the weights of its lines."""
    weights = [weight for weight, _ in table]
    chances = [weight / sum(weights) for weight in weights]
    while True:
        drawn = table[int(r.random.choice(len(table), p=chances))][1](r, shape)
        if drawn is not None:
            return drawn


DENSE: list[tuple[float, Drawer]] = [
    (3, dense),
    (1.5, activated),
    (1.5, advanced_activation),
    (0.8, prelu),
    (1.5, batch_normalization),
    (1.2, layer_normalization),
    (0.8, group_normalization),
    (0.7, unit_normalization),
    (0.7, spectral_normalization),
    (0.6, activity_regularization),
    (0.7, nothing_dropped),
    (0.4, rescaling),
    (1.2, function),
]
NESTED = [*DENSE[:5], DENSE[9]]
VECTOR: list[tuple[float, Drawer]] = [*DENSE, (4, dense), (0.8, nested), (0.6, repeat), (0.6, reshape_vector)]


def with_name(layer: tuple[str, Options, Shape]) -> dict[str, Any]:
    """Return a drawn layer as an object of a description."""
    name, options, _ = layer
    return {"$": f"layers.{name}", **options}
