"""Golden numbers of losses and metrics."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from cases import losses as table

from .data import pair
from .runtime import Arrays, Spec, floats, gradients, resolve, rng_for

REDUCTIONS = {"auto": "auto", "none": "none", "sum": "sum", "mean": "sum_over_batch_size"}


def losses() -> Iterator[tuple[Spec, Arrays]]:
    """Per-sample values and gradients of the function; every reduction of the class, weighted and not."""
    for spec in table.LOSSES:
        rng = rng_for(spec)
        y_true, y_pred = pair(rng, spec["data"])
        arrays: Arrays = {"y_true": y_true, "y_pred": y_pred}
        arrays |= _function(spec, y_true, y_pred, rng)
        weight = rng.uniform(0, 2, arrays["value"].shape[:1]).astype("float32")
        weight[1] = 0.0
        fine = rng.uniform(0, 2, arrays["value"].shape).astype("float32")
        arrays |= {"weight": weight, "fine_weight": fine} | _class(spec, y_true, y_pred, weight, fine)
        yield spec, arrays


def _function(spec: Spec, y_true: np.ndarray, y_pred: np.ndarray, rng: np.random.RandomState) -> Arrays:
    kwargs = resolve(spec["kwargs"], spec["dialect"])
    source = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(source)
        value = getattr(keras.losses, spec["function"])(y_true, source, **kwargs)
    direction = floats(rng, *value.shape)
    (gradient,) = gradients(value, direction, tape, [source])
    return {"value": value.numpy(), "direction": direction, "gradient": gradient}


def _class(spec: Spec, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray, fine: np.ndarray) -> Arrays:
    found: Arrays = {}
    for name, reduction in REDUCTIONS.items():
        kwargs = resolve(spec["kwargs"], spec["dialect"])
        loss = getattr(keras.losses, spec["cls"])(reduction=reduction, **kwargs)
        found[f"class_{name}"] = loss(y_true, y_pred).numpy()
        found[f"class_{name}_fine"] = loss(y_true, y_pred, sample_weight=fine).numpy()
        if fine.ndim == 1:
            found[f"class_{name}_weighted"] = loss(y_true, y_pred, sample_weight=weight).numpy()
        else:
            column = weight.reshape(-1, *[1] * (fine.ndim - 1))
            found[f"class_{name}_weighted"] = loss(y_true, y_pred, sample_weight=column).numpy()
    return found


def metrics() -> Iterator[tuple[Spec, Arrays]]:
    """The function's values on one batch, and the streaming result after each of three batches, weighted and not."""
    for spec in table.METRICS:
        rng = rng_for(spec)
        batches = [pair(rng, spec["data"]) for _ in range(3)]
        arrays: Arrays = {}
        kwargs = resolve(spec["kwargs"], spec["dialect"])
        if spec["function"]:
            arrays["value"] = np.asarray(getattr(keras.metrics, spec["function"])(*batches[0], **kwargs))
        plain = getattr(keras.metrics, spec["cls"])(**kwargs)
        weighted = getattr(keras.metrics, spec["cls"])(**kwargs)
        results = []
        for i, (y_true, y_pred) in enumerate(batches):
            weight = rng.uniform(0, 2, len(y_true)).astype("float32")
            if y_pred.ndim == 3:
                weight = weight[:, None] * rng.randint(0, 2, y_pred.shape[:2]).astype("float32")
            if spec["cls"] == "CosineSimilarity" and "axis" in spec["kwargs"]:
                weight = np.ones((len(y_true), 1), "float32") * weight[:, :1]
            plain.update_state(y_true, y_pred)
            weighted.update_state(y_true, y_pred, sample_weight=weight)
            results.append([float(plain.result()), float(weighted.result())])
            arrays |= {f"y_true{i}": y_true, f"y_pred{i}": y_pred, f"weight{i}": weight}
        plain.reset_state()
        yield {**spec, "metric_name": plain.name}, arrays | {"results": np.array(results)}
