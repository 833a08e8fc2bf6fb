"""What a model computes with drawn weights, under any Keras."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SAMPLES = 3


def answer(model: Any, kinds: list[str] | None = None, order: list[int] | None = None) -> dict[str, Any]:
    """Return weights' names and shapes, and outputs for drawn inputs with drawn weights.

    Args:
        model: The model; its weights are set.
        kinds: The last part of each weight's name, where the model was read; its own where `None`.
        order: Which weight of the file each weight of the model is, where they stand in another order.
    """
    names = [getattr(weight, "path", weight.name) for weight in model.weights]
    kinds = kinds or [name.rpartition("/")[2].partition(":")[0] for name in names]
    values = [np.asarray(value) for value in model.get_weights()]
    order = list(range(len(values))) if order is None else order
    drawn = drawn_weights(kinds, [values[order.index(i)] for i in range(len(values))])
    model.set_weights([drawn[i] for i in order])
    outputs = [np.asarray(output) for output in _leaves(model.predict(feed(model), verbose=0))]
    return {
        "names": names,
        "kinds": kinds,
        "weights": [list(value.shape) for value in values],
        "shapes": [list(output.shape) for output in outputs],
        "outputs": [np.round(output.astype("float64"), 6).ravel()[:40].tolist() for output in outputs],
    }


def like(told: dict[str, Any], model: Any) -> tuple[list[str], list[int]]:
    """Return the kinds and the order of weights by which `answer` gives a model the weights of another one.

    Args:
        told: What `answer` returned for the other one.
        model: The model.
    """
    here = [getattr(weight, "path", weight.name) for weight in model.weights]
    shapes = [list(np.shape(value)) for value in model.get_weights()]
    return told["kinds"], placed(told["names"], told["weights"], here, shapes)


def placed(names: list[str], shapes: list[Any], here: list[str], own: list[Any]) -> list[int]:
    """Return which of some weights each weight here is: by layer and name, else by name and shape, else by place.

    Args:
        names: Their paths.
        shapes: Their shapes.
        here: The paths of the model's weights.
        own: Their shapes.
    """
    for parts, with_shapes in ((2, False), (1, True)):
        theirs, ours = (
            [
                (*path.partition(":")[0].split("/")[-parts:], *(shape if with_shapes else ()))
                for path, shape in zip(*all_)
            ]
            for all_ in ((names, shapes), (here, own))
        )
        if len(set(theirs)) == len(theirs) and sorted(map(str, theirs)) == sorted(map(str, ours)):
            return [theirs.index(name) for name in ours]
    return list(range(len(here)))


def drawn_weights(kinds: list[str], values: list[np.ndarray]) -> list[np.ndarray]:
    """Return weights that are not trivial; variances and gammas stay positive, whole numbers as they are."""
    rng, drawn = np.random.RandomState(9), []
    for kind, value in zip(kinds, values):
        count = math.prod(value.shape)
        positive = "variance" in kind or "gamma" in kind
        numbers = rng.uniform(0.5, 1.5, count) if positive else rng.uniform(-0.7, 0.7, count)
        drawn.append(numbers.reshape(value.shape).astype(value.dtype) if value.dtype.kind == "f" else value)
    return drawn


def feed(model: Any) -> Any:
    """Return whole numbers below 4 for each input, by name where the model takes a dictionary."""
    rng = np.random.RandomState(5)
    inputs = sorted(model.inputs, key=lambda tensor: tuple(n or 3 for n in tensor.shape[1:]))
    arrays = {}
    for tensor in inputs:
        shape = (tensor.shape[0] or SAMPLES, *(n or 3 for n in tensor.shape[1:]))
        dtype = str(getattr(tensor.dtype, "name", tensor.dtype))
        arrays[id(tensor)] = rng.randint(0, 4, shape).astype("float32" if "float" not in dtype else dtype)
    listed = [arrays[id(tensor)] for tensor in model.inputs]
    if isinstance(getattr(model, "input", None), dict):
        return {key: arrays[id(tensor)] for key, tensor in model.input.items()}
    return listed if len(listed) > 1 else listed[0]


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in _leaves(tree[key])]
    return [leaf for branch in tree for leaf in _leaves(branch)] if isinstance(tree, (list, tuple)) else [tree]
