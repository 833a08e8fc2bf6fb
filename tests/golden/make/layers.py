"""Golden numbers of layers: outputs, masks, gradients, states, moving statistics and fifty training steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from cases import (
    layers_conv,
    layers_conv_lstm,
    layers_core,
    layers_cudnn,
    layers_local,
    layers_options,
    layers_pointwise,
    layers_preprocessing,
    layers_recurrent,
    layers_spatial,
)
from cases.common import Case

from . import cudnn
from .models import build, listed, randomise, train
from .runtime import Arrays, Spec, floats, gradients, resolve, rng_for

BATCH, BATCHES, STEPS, TARGETS = 4, 4, 50, 2
RATE = 0.05
SMALL_RATE = 0.001  # images have many features: a step of 0.05 diverges, and a diverging curve proves nothing


def _optimizers(rate: float) -> dict[str, Any]:
    # epsilon keeps Adam from blowing the rounding of a vanishing gradient up to a full step
    adam = {"$": "optimizers.Adam", "learning_rate": 0.01, "epsilon": 0.001}
    return {"sgd": {"$": "optimizers.SGD", "learning_rate": rate}, "adam": adam}


NO_CHANNELS_FIRST = (
    "Conv",
    "DepthwiseConv",
    "SeparableConv",
    "MaxPooling",
    "AveragePooling",
    "UpSampling",
    "Cropping1D",
    "ZeroPadding1D",
)  # on a CPU, in TensorFlow; Keras 2.15 has no such argument for padding, cropping and growing one axis, Keras 3 has


def core() -> Iterator[tuple[Spec, Arrays]]:
    """Dense, core, embedding, padding and up-sampling layers."""
    yield from _family([*layers_core.DENSE, *layers_core.CORE])


def convolutional() -> Iterator[tuple[Spec, Arrays]]:
    """Convolutions and poolings."""
    yield from _family(layers_conv.CONVOLUTIONAL, SMALL_RATE)


def transposed() -> Iterator[tuple[Spec, Arrays]]:
    """Transposed convolutions."""
    yield from _family([{"steps": 10, **case} for case in layers_conv.TRANSPOSED], SMALL_RATE)


def separable() -> Iterator[tuple[Spec, Arrays]]:
    """Depthwise and separable convolutions."""
    yield from _family([{"steps": 10, **case} for case in layers_conv.SEPARABLE], SMALL_RATE)


def local() -> Iterator[tuple[Spec, Arrays]]:
    """Locally connected layers, products along axes of one's own choice, and the identity."""
    cases = [*layers_local.LOCAL, *layers_local.EINSUM, *layers_local.IDENTITY]
    yield from _family([{"steps": 10, **case} for case in cases], SMALL_RATE)


def normalization() -> Iterator[tuple[Spec, Arrays]]:
    """Normalisation: of batches, of samples, of their groups."""
    yield from _family(layers_core.NORMALIZATION)


def recurrent() -> Iterator[tuple[Spec, Arrays]]:
    """Recurrent layers."""
    yield from _family(layers_recurrent.RECURRENT)


def scaling() -> Iterator[tuple[Spec, Arrays]]:
    """Numbers in another range, and pictures in another size."""
    yield from _family(layers_preprocessing.SCALING, SMALL_RATE)


def for_cudnn() -> Iterator[tuple[Spec, Arrays]]:
    """Recurrent layers with weights for cuDNN."""
    cudnn.install()
    yield from _family(layers_cudnn.CUDNN)


def convolutional_recurrent() -> Iterator[tuple[Spec, Arrays]]:
    """ConvLSTM1D to ConvLSTM3D."""
    yield from _family(layers_conv_lstm.CONV_LSTM, 0.02)


def options() -> Iterator[tuple[Spec, Arrays]]:
    """Layers with every initializer, regularizer and constraint off its default."""
    yield from _family([{"steps": 10, **case} for case in layers_options.OPTIONS], SMALL_RATE)


def spatial() -> Iterator[tuple[Spec, Arrays]]:
    """Volumes, and the axes of space in both data formats."""
    yield from _family([{"steps": 10, **case} for case in layers_spatial.SPATIAL], SMALL_RATE)


def pointwise() -> Iterator[tuple[Spec, Arrays]]:
    """Activations, noise in inference, and wrappers."""
    yield from _family([{"steps": 10, **case} for case in layers_pointwise.POINTWISE])


def _family(cases: list[Case], rate: float = RATE) -> Iterator[tuple[Spec, Arrays]]:
    for spec in cases:
        yield _one({"rate": rate, "batch": BATCH, "steps": STEPS, "stateful": False, "train_forward": False, **spec})


def _one(spec: Spec) -> tuple[Spec, Arrays]:
    rng = rng_for(spec)
    x = draw(spec["draw"], (spec["batch"] * BATCHES, *spec["shape"]), rng)
    model = _model(spec, spec["stack"])
    arrays: Arrays = {"x": x} | (listed("init", model.get_weights()) if spec.get("initial") else {})
    weights = randomise(model, rng)
    arrays |= listed("w", weights)
    arrays |= _forward(spec, model, x, rng)
    if spec["stateful"]:
        arrays |= _states(spec, model, x)
    if spec["train_forward"]:
        arrays |= _training_forward(spec, model, x)
    model.set_weights(weights)
    spec = {**spec, "weights": len(weights), "output_shape": list(model.output_shape[1:])}
    spec["names"] = [w.name.split("/")[-1].split(":")[0] for w in model.weights]
    if spec["steps"]:
        head = _head(model)
        spec |= {"head": head, "optimizers": _optimizers(spec["rate"])}
        arrays |= _trained(spec, head, x, rng)
    return spec, arrays


def _model(spec: Spec, stack: list[Any]) -> Any:
    """Build a stack on the case's input; channels_first goes between transpositions: a CPU has no such kernels."""
    batch = spec["batch"] if spec["stateful"] else None
    dtype = "int32" if spec["draw"].startswith("tokens") else "float32"
    model = build([], spec["dialect"])
    model.add(keras.Input(batch_shape=(batch, *spec["shape"]), dtype=dtype))
    for cls, kwargs in stack:
        rank = len(model.output_shape)
        first = kwargs.get("data_format") == "channels_first" and cls.startswith(NO_CHANNELS_FIRST)
        axis = 2 if cls.startswith("ConvLSTM") else 1
        if first:
            model.add(keras.layers.Permute((*(i for i in range(1, rank) if i != axis), axis)))
            kwargs = {name: value for name, value in kwargs.items() if name != "data_format"}
        model.add(getattr(keras.layers, cls)(**resolve(kwargs, spec["dialect"])))
        if first:
            last = len(model.output_shape) - 1
            axis -= rank - 1 - last  # without return_sequences the steps are gone
            model.add(keras.layers.Permute((*range(1, axis), last, *range(axis, last))))
    return model


def draw(kind: str, shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    """Draw an input; `padded` rows get steps of the mask value in several places."""
    if kind.startswith("tokens"):
        tokens = rng.randint(1, int(kind.split(":")[1]), shape)
        tokens[::2, -2:] = 0
        tokens[1::4, :1] = 0
        return tokens.astype("int32")
    x = floats(rng, *shape)
    if not kind.startswith("padded"):
        return x
    detail = kind.partition(":")[2]
    value = float(detail) if detail and detail[-1].isdigit() else 0.0
    for row in range(len(x)):
        where = detail if detail.isalpha() else ("right", "left", "middle", "empty")[row % 4]
        if kind == "padded_no_empty" and where == "empty":
            where = "none"
        count = 1 + row % 3
        steps = {"left": slice(0, count), "right": slice(shape[1] - count, None), "middle": slice(2, 2 + count)}
        x[row, steps.get(where, slice(0, None if where == "empty" else 0))] = value
    return x


def _forward(spec: Spec, model: Any, x: np.ndarray, rng: np.random.RandomState) -> Arrays:
    batch = tf.constant(x[: spec["batch"]])
    with tf.GradientTape() as tape:
        tape.watch(batch)
        y = model(batch, training=False)
    direction = floats(rng, *y.shape)
    is_float = batch.dtype == tf.float32
    found = gradients(y, direction, tape, [*model.trainable_weights, *([batch] if is_float else [])])
    arrays: Arrays = {"y": y.numpy(), "direction": direction}
    if is_float:
        arrays["dx"] = found.pop()
    arrays |= listed("dw", found)
    mask = getattr(y, "_keras_mask", None)
    return arrays if mask is None else arrays | {"mask": mask.numpy()}


def _states(spec: Spec, model: Any, x: np.ndarray) -> Arrays:
    model.reset_states()
    n = spec["batch"]
    outputs = [model.predict_on_batch(x[i * n : (i + 1) * n]) for i in range(3)]
    model.reset_states()
    return {"states": np.stack([*outputs, model.predict_on_batch(x[:n])])}


def _training_forward(spec: Spec, model: Any, x: np.ndarray) -> Arrays:
    n = spec["batch"]
    outputs = [model(x[i * n : (i + 1) * n], training=True).numpy() for i in range(3)]
    after = model(x[:n], training=False).numpy()
    return {"train_y": np.stack(outputs), "after_y": after} | listed("after_w", model.get_weights())


def _head(model: Any) -> list[Any]:
    flatten = [["Flatten", {}]] if len(model.output_shape) > 2 else []
    return [*flatten, ["Dense", {"units": TARGETS}]]


def _trained(spec: Spec, head: list[Any], x: np.ndarray, rng: np.random.RandomState) -> Arrays:
    y = floats(rng, len(x), TARGETS)
    arrays: Arrays = {"target": y}
    start: list[np.ndarray] | None = None
    for name, optimizer in spec["optimizers"].items():
        model = _model(spec, [*spec["stack"], *head])
        start = randomise(model, rng, 0.3) if start is None else start
        model.set_weights(start)
        eagerly = bool(spec.get("eagerly"))
        model.compile(optimizer=resolve(optimizer, spec["dialect"]), loss="mse", run_eagerly=eagerly)
        arrays[f"{name}_curve"] = train(model, x, y, spec["batch"], spec["steps"])
        arrays |= listed(f"{name}_end", model.get_weights())
        if not arrays[f"{name}_curve"].max() < 1e3:
            raise ValueError(f"{spec['name']}: training diverges with {name}")
    return arrays | listed("start", start or [])
