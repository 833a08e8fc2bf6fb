"""Golden numbers of activations, initializers, regularizers and constraints."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from cases import activations as activation_table
from cases import initializers as initializer_table
from cases import regularizers as regularizer_table

from .runtime import Arrays, Spec, floats, gradients, resolve, rng_for

QUANTILES = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])


def _activation_input(kind: str, rng: np.random.RandomState) -> np.ndarray:
    if kind == "line":  # zero is in it: padded inputs are full of zeros
        return np.linspace(-4, 4, 33).astype("float32")
    if kind == "wide":
        return np.array([-100, -30, -12.5, -7, -6.1, 0, 6.1, 7, 12.5, 30, 80], "float32")
    if kind == "matrix":
        return floats(rng, 4, 5)
    return floats(rng, 4, 5, scale=60.0) if kind == "matrix_large" else floats(rng, 3, 4, 5)


def activations() -> Iterator[tuple[Spec, Arrays]]:
    """Value and gradient of each activation."""
    for spec in activation_table.CASES:
        rng = rng_for(spec)
        x = _activation_input(spec["input"], rng)
        direction = floats(rng, *x.shape)
        source = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = getattr(keras.activations, spec["function"])(source, **spec["kwargs"])
        (dx,) = gradients(y, direction, tape, [source])
        yield spec, {"x": x, "y": y.numpy(), "direction": direction, "dx": dx}


def initializers() -> Iterator[tuple[Spec, Arrays]]:
    """Exact values, products for orthogonal ones, and statistics of the drawn ones."""
    for spec in initializer_table.CASES:
        seed = {} if spec["kind"] == "exact" else {"seed": 11}
        drawn = getattr(keras.initializers, spec["cls"])(**spec["kwargs"], **seed)(spec["shape"]).numpy()
        if spec["kind"] == "exact":
            yield spec, {"value": drawn}
        elif spec["kind"] == "orthogonal":
            flat = drawn.reshape(-1, drawn.shape[-1])
            gram = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
            yield spec, {"gram": gram}
        else:
            moments = np.array([drawn.mean(), drawn.std(), drawn.min(), drawn.max()])
            yield spec, {"moments": moments, "quantiles": np.quantile(drawn, QUANTILES), "levels": QUANTILES}


def regularizers() -> Iterator[tuple[Spec, Arrays]]:
    """Regularizers with value and gradient, constraints with their output."""
    for spec in regularizer_table.CASES:
        w = floats(rng_for(spec), *spec["shape"])
        kwargs = resolve(spec["kwargs"], spec["dialect"])
        if spec["kind"] == "constraint":
            kwargs = {k: list(v) if isinstance(v, tuple) else v for k, v in kwargs.items()}
            value = getattr(keras.constraints, spec["cls"])(**kwargs)(tf.constant(w))
            yield spec, {"w": w, "value": value.numpy()}
            continue
        source = tf.constant(w)
        with tf.GradientTape() as tape:
            tape.watch(source)
            value = getattr(keras.regularizers, spec["cls"])(**kwargs)(source)
        gradient = tape.gradient(value, source) if tf.is_tensor(value) else None
        gradient = np.zeros_like(w) if gradient is None else gradient.numpy()
        yield spec, {"w": w, "value": np.asarray(value), "gradient": gradient}
