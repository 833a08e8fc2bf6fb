"""Golden numbers of `RNN` over cells: outputs, states, gradients, three batches in a row and a few steps of SGD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from cases.layers_cells import CELLS
from cases.user_cells import user_cells

from .models import differentiated, listed, randomise
from .runtime import Arrays, Spec, floats, rng_for

BATCH, STEPS = 4, 8


def cells() -> Iterator[tuple[Spec, Arrays]]:
    """Every case of the table."""
    for spec in CELLS:
        yield _one(spec)


def _one(spec: Spec) -> tuple[Spec, Arrays]:
    rng = rng_for(spec)
    layer = _layer(spec)
    shape = (BATCH, *spec["shape"])
    x, mask = floats(rng, *shape), mask_steps(spec["mask"], BATCH, spec["shape"][0])
    if spec["rnn"].get("time_major"):
        x, mask = x.swapaxes(0, 1), None if mask is None else mask.T
    beside = [floats(rng, BATCH, *size) for size in _sizes(layer)] if spec["states"] else []
    constants = [floats(rng, BATCH, 2)] if spec["constants"] else []
    layer.build(tf.TensorShape((BATCH, *spec["shape"]) if spec["stateful"] else x.shape))
    weights = randomise(layer, rng)
    arrays: Arrays = {"x": x} | listed("w", weights) | listed("s", beside) | listed("k", constants)
    if mask is not None:
        arrays["mask"] = mask
    tensors = [tf.constant(a) for a in (x, *beside, *constants)]
    outputs, numbers = differentiated(lambda: _call(spec, layer, tensors, mask), tensors, layer, rng)
    arrays |= numbers
    if spec["stateful"]:
        later = [_call(spec, layer, tensors, mask) for _ in range(2)]
        arrays |= listed("later", [y.numpy() for outputs in later for y in outputs])
    else:
        arrays |= _trained(spec, layer, tensors, mask, [floats(rng, *y.shape) for y in outputs])
    counts = {"weights": len(weights), "outputs": len(outputs), "inputs": len(tensors)}
    return {**spec, **counts, "batch": BATCH, "steps": STEPS}, arrays


def _layer(spec: Spec) -> Any:
    known = user_cells(keras, tf.TensorShape)
    made = [(known.get(cls) or getattr(keras.layers, cls))(**kwargs) for cls, kwargs in spec["cells"]]
    return keras.layers.RNN(made if len(made) > 1 else made[0], stateful=spec["stateful"], **spec["rnn"])


def _sizes(layer: Any) -> list[list[int]]:
    return [tf.TensorShape(size).as_list() for size in tf.nest.flatten(layer.cell.state_size)]


def mask_steps(kind: str | None, batch: int, steps: int) -> np.ndarray | None:
    """Mask one to three steps of each row, and all of a row where they are mixed."""
    if kind is None:
        return None
    mask = np.ones((batch, steps), bool)
    for row in range(batch):
        where = ("right", "left", "middle", "empty")[row % 4] if kind == "mixed" else kind
        count = 1 + row % 3
        spans = {"left": slice(0, count), "right": slice(steps - count, None), "middle": slice(2, 2 + count)}
        mask[row, spans.get(where, slice(None))] = False
    return mask


def _call(spec: Spec, layer: Any, tensors: list[Any], mask: np.ndarray | None) -> list[Any]:
    """Call the layer with states and constants as arguments, or all in a list; return output and states in a row."""
    x, *rest = tensors
    count = len(rest) - int(spec["constants"])
    states = tf.nest.pack_sequence_as(_as_list(layer.cell.state_size), rest[:count]) if spec["states"] else []
    constants = {"constants": rest[count:]} if spec["constants"] else {}
    options = {"mask": None if mask is None else tf.constant(mask), "training": spec["training"]}
    if spec["listed"]:
        result = layer([x, *states], **options, **constants)
    else:
        result = layer(x, initial_state=list(states) or None, **options, **constants)
    return tf.nest.flatten(result)


def _as_list(size: Any) -> list[Any]:
    return list(size) if isinstance(size, (list, tuple)) else [size]


def _trained(spec: Spec, layer: Any, tensors: list[Any], mask: Any, targets: list[np.ndarray]) -> Arrays:
    """Take steps of plain SGD on the mean squared error of all outputs."""
    losses = []
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            outputs = _call(spec, layer, tensors, mask)
            loss = tf.add_n([tf.reduce_mean(tf.square(y - t)) for y, t in zip(outputs, targets)])
        for weight, grad in zip(layer.trainable_weights, tape.gradient(loss, layer.trainable_weights)):
            if grad is not None:
                weight.assign_sub(spec["rate"] * grad)
        losses.append(float(loss))
    return {"losses": np.array(losses, "float32")} | listed("t", targets) | listed("end", layer.get_weights())
