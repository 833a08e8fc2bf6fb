"""Golden numbers of single calls: outputs, their masks, gradients, calls in a row, and ten steps of SGD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from cases.layers_calls import CALLS

from .cells import mask_steps
from .models import differentiated, listed, randomise
from .runtime import Arrays, Spec, floats, resolve, rng_for

BATCH = 4


def calls() -> Iterator[tuple[Spec, Arrays]]:
    """Every case of the table."""
    for spec in CALLS:
        yield _one(spec)


def _one(spec: Spec) -> tuple[Spec, Arrays]:
    rng = rng_for(spec)
    cls, kwargs = spec["call"]
    arrays = _drawn(spec, bool(kwargs.get("time_major")), rng)
    layer = getattr(keras.layers, cls)(**resolve(kwargs, spec["dialect"]))
    count = len(spec["inputs"]) + len(spec["states"])
    tensors = [tf.constant(arrays[f"x{i}"]) for i in range(count)]
    _call(spec, layer, tensors, arrays)  # builds it
    if spec["initial"]:
        arrays |= listed("init", layer.get_weights())
    weights = randomise(layer, rng)
    arrays |= listed("w", weights)
    _forget(layer)
    outputs, numbers = differentiated(lambda: _call(spec, layer, tensors, arrays), tensors, layer, rng)
    arrays |= numbers
    masks = [getattr(y, "_keras_mask", None) for y in outputs]
    arrays |= {f"mask_of_y{i}": m.numpy() for i, m in enumerate(masks) if m is not None}
    if kwargs.get("stateful"):
        later = [y.numpy() for _ in range(2) for y in _call(spec, layer, tensors, arrays)]
        arrays |= listed("later", later)
    if spec["steps"]:
        arrays |= _trained(spec, layer, tensors, arrays, [floats(rng, *y.shape) for y in outputs])
    return {**spec, "weights": len(weights), "outputs": len(outputs)}, arrays


def _drawn(spec: Spec, time_major: bool, rng: np.random.RandomState) -> Arrays:
    arrays: Arrays = {}
    for i, (shape, kind) in enumerate(zip(spec["inputs"], spec["masks"])):
        x, mask = floats(rng, BATCH, *shape), mask_steps(kind, BATCH, shape[0])
        arrays[f"x{i}"] = x.swapaxes(0, 1) if time_major else x
        if mask is not None:
            arrays[f"mask{i}"] = mask.T if time_major else mask
    for i, shape in enumerate(spec["states"], len(spec["inputs"])):
        arrays[f"x{i}"] = floats(rng, BATCH, *shape)
    for name, (_, shape) in spec["arrays"].items():
        bits = rng.randint(0, 2, (BATCH, *shape)).astype(bool)
        bits[..., 0] = True
        arrays[name] = bits
    return arrays


def _call(spec: Spec, layer: Any, tensors: list[Any], arrays: Arrays) -> list[Any]:
    """Call the layer as the case says, on tensors that carry their masks; return what it gives in a row."""
    count = len(spec["inputs"])
    inputs, states = [tf.identity(tensor) for tensor in tensors[:count]], tensors[count:]
    for i, tensor in enumerate(inputs):
        if f"mask{i}" in arrays:
            tensor._keras_mask = tf.constant(arrays[f"mask{i}"])
    options = {**spec["options"], **{name: tf.constant(arrays[name]) for name in spec["arrays"]}}
    if states:
        options[spec["states_as"]] = states
    if spec["how"] == "apart":
        return list(tf.nest.flatten(layer(*inputs, **options)))
    return list(tf.nest.flatten(layer(inputs[0] if spec["how"] == "one" else inputs, **options)))


def _forget(layer: Any) -> None:
    if getattr(layer, "stateful", False):
        layer.reset_states()


def _trained(spec: Spec, layer: Any, tensors: list[Any], arrays: Arrays, targets: list[np.ndarray]) -> Arrays:
    """Take steps of SGD on the mean squared error of all outputs and the penalties; constraints follow each."""
    optimizer, losses = keras.optimizers.legacy.SGD(spec["rate"]), []
    for _ in range(spec["steps"]):
        with tf.GradientTape() as tape:
            outputs = _call(spec, layer, tensors, arrays)
            loss = tf.add_n([*(tf.reduce_mean(tf.square(y - t)) for y, t in zip(outputs, targets)), *layer.losses])
        variables = layer.trainable_weights
        if variables:
            gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
            optimizer.apply_gradients(zip(gradients, variables))
        losses.append(float(loss))
    if not max(losses) < 1e3:
        raise ValueError(f"{spec['name']}: training diverges")
    return {"losses": np.array(losses, "float32")} | listed("t", targets) | listed("end", layer.get_weights())
