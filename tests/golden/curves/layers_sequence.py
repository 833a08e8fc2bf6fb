"""Layers that walk over time, wrappers, and what else takes sequences."""

from __future__ import annotations

from .draws import Draw, Drawer, Drawn, Options, Shape, constraint, regularizer
from .layers_dense import DENSE, NESTED, nested, one_of, with_name
from .layers_space import SPATIAL, convolution, depthwise, separable

GATES = ["sigmoid", "hard_sigmoid"]


def _cell_options(r: Draw, kind: str) -> Options:
    """Draw what a recurrent layer and its cell have in common."""
    options: Options = {"units": r.integer(2, 5)}
    if r.chance(0.35):
        options["activation"] = r.one(["relu", "sigmoid", "softsign", "elu", "linear", "tanh"])
    if kind != "SimpleRNN" and r.chance(0.35):
        options["recurrent_activation"] = r.one(GATES)
    if r.chance(0.15):
        options["use_bias"] = False
    if kind == "GRU" and r.chance(0.4):
        options["reset_after"] = False
    if kind == "LSTM" and r.chance(0.2):
        options["unit_forget_bias"] = False
    for name in ("kernel", "recurrent"):
        if r.chance(0.1):
            options[f"{name}_regularizer"] = regularizer(r)
        if r.chance(0.1):
            options[f"{name}_constraint"] = constraint(r)
    if options.get("use_bias", True) and r.chance(0.08):
        options["bias_regularizer"] = regularizer(r)
    return options


def _walk_options(r: Draw) -> Options:
    """Draw how a recurrent layer walks."""
    options: Options = {"return_sequences": r.chance(0.5)}
    if r.chance(0.2):
        options["go_backwards"] = True
    if r.chance(0.1):
        options["unroll"] = True
    return options


def _recurrent(r: Draw) -> tuple[str, Options]:
    kind = r.one(["SimpleRNN", "LSTM", "LSTM", "GRU", "GRU"])
    options = {**_cell_options(r, kind), **_walk_options(r)}
    if r.chance(0.08):
        options["activity_regularizer"] = regularizer(r)
    if r.chance(0.05):
        options["dropout"] = 0.0
    if r.chance(0.1) and kind != "SimpleRNN":
        options["implementation"] = r.integer(1, 2)
    return kind, options


def _walked(options: Options, shape: Shape, units: int) -> Shape:
    return (*shape[:-1], units) if options["return_sequences"] else (*shape[:-2], units)


def recurrent(r: Draw, shape: Shape) -> Drawn:
    kind, options = _recurrent(r)
    return kind, options, _walked(options, shape, options["units"])


def cells(r: Draw, shape: Shape) -> Drawn:
    """Draw an RNN over a cell, several cells, or a list of them."""
    made: list[Options] = []
    for _ in range(r.integer(1, 2)):
        kind = r.one(["SimpleRNN", "LSTM", "GRU"])
        made.append({"$": f"layers.{kind}Cell", **_cell_options(r, kind)})
    stacked = r.one([made, {"$": "layers.StackedRNNCells", "cells": made}])
    options = {"cell": made[0] if len(made) == 1 else stacked, **_walk_options(r)}
    return "RNN", options, _walked(options, shape, made[-1]["units"])


def bidirectional(r: Draw, shape: Shape) -> Drawn:
    kind, inner = _recurrent(r)
    inner.pop("unroll", None)  # with a mask, what Keras zeroes then is in DEVIATIONS.md
    mode = r.one(["concat", "concat", "sum", "mul", "ave"])
    options: Options = {"layer": {"$": f"layers.{kind}", **inner}, "merge_mode": mode}
    if r.chance(0.2):
        other, walk = r.one(["SimpleRNN", "LSTM", "GRU"]), {"return_sequences": inner["return_sequences"]}
        back = {**_cell_options(r, other), "units": inner["units"], **walk}
        options["backward_layer"] = {
            "$": f"layers.{other}",
            **back,
            "go_backwards": not inner.get("go_backwards", False),
        }
    return "Bidirectional", options, _walked(inner, shape, inner["units"] * (2 if mode == "concat" else 1))


def time_distributed(r: Draw, shape: Shape) -> Drawn:
    """Draw a wrapper around a layer for vectors, and around one for sequences where the input has another axis."""
    if len(shape) == 2:
        inner = one_of(r, [*NESTED, (1, nested)], shape[1:])
    else:
        inner = one_of(r, [(2, convolution), (1, separable), (1, depthwise), (2, recurrent), *NESTED[:3]], shape[1:])
    return "TimeDistributed", {"layer": with_name(inner)}, (shape[0], *inner[2])


def reshape_steps(r: Draw, shape: Shape) -> Drawn:
    size = shape[0] * shape[1]
    steps = r.one([n for n in range(1, size + 1) if size % n == 0])
    return "Reshape", {"target_shape": [steps, size // steps]}, (steps, size // steps)


SEQUENCE: list[tuple[float, Drawer]] = [
    *DENSE,
    *SPATIAL,
    (7, recurrent),
    (1.5, cells),
    (3, bidirectional),
    (2.5, time_distributed),
    (1.5, separable),
    (1.5, depthwise),
    (0.6, reshape_steps),
]
# What takes a mask, and hands it on or uses it.
MASKED: list[tuple[float, Drawer]] = [
    *[line for line in DENSE if line[1].__name__ not in ("prelu", "group_normalization", "unit_normalization")],
    (7, recurrent),
    (1.5, cells),
    (3, bidirectional),
    (2, time_distributed),
]
