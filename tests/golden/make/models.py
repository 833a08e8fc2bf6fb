"""Building and training small Sequential models in the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .runtime import Arrays, floats, resolve


def build(stack: list[Any], dialect: str, arrays: Arrays | None = None) -> Any:
    """Make a Sequential from `[class, kwargs]` pairs; a pair `["Sequential", [...]]` nests one."""
    model = keras.Sequential()
    add_all(model, stack, dialect, arrays)
    return model


def add_all(model: Any, stack: list[Any], dialect: str, arrays: Arrays | None = None) -> None:
    """Add the layers of a stack to a Sequential."""
    for cls, kwargs in stack:
        if cls == "Sequential":
            model.add(build(kwargs, dialect, arrays))
        else:
            model.add(getattr(keras.layers, cls)(**resolve(kwargs, dialect, arrays)))


def randomise(model: Any, rng: np.random.RandomState, scale: float = 0.4) -> list[np.ndarray]:
    """Fill every weight with numbers that are not trivial; variances, deviations and gammas stay positive."""
    values = []
    for weight in model.weights:
        positive = any(name in weight.name for name in ("variance", "stddev", "gamma"))
        drawn = rng.uniform(0.5, 1.5, weight.shape) if positive else rng.standard_normal(weight.shape) * scale
        values.append(drawn.astype("float32"))
    model.set_weights(values)
    return values


def listed(name: str, values: list[np.ndarray]) -> Arrays:
    """Spread a list of arrays over numbered names."""
    return {f"{name}{i}": np.array(v) for i, v in enumerate(values)}


def differentiated(
    call: Callable[[], list[Any]], tensors: list[Any], layer: Any, rng: np.random.RandomState
) -> tuple[list[Any], Arrays]:
    """Return the outputs of a call, and arrays: them, weights drawn for a sum over them, and the gradients of that."""
    with tf.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        outputs = call()
        directions = [floats(rng, *y.shape) for y in outputs]
        total = tf.add_n([tf.reduce_sum(y * d) for y, d in zip(outputs, directions)])
    sources = [*tensors, *layer.trainable_weights]
    slopes = [g.numpy() for g in tape.gradient(total, sources, unconnected_gradients="zero")]
    arrays = listed("y", [y.numpy() for y in outputs]) | listed("d", directions)
    return outputs, arrays | listed("dx", slopes[: len(tensors)]) | listed("dw", slopes[len(tensors) :])


def train(model: Any, x: np.ndarray, y: np.ndarray, batch: int, steps: int) -> np.ndarray:
    """Take train_on_batch steps over the batches in turn and give the loss of each."""
    losses = []
    for step in range(steps):
        start = step * batch % len(x)
        losses.append(float(model.train_on_batch(x[start : start + batch], y[start : start + batch])))
    return np.array(losses, "float32")
