"""Writes keras_2_15.npz: the cases as Keras 2.15 computes them.

python -m venv oracle && oracle/bin/pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'
oracle/bin/python tests/layers/combined/make_golden.py              # all cases
oracle/bin/python tests/layers/combined/make_golden.py td_dense     # some of them, beside those that are there
"""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parent))
import cases

NAMESPACE = types.SimpleNamespace(
    K=keras.backend, layers=keras.layers, Input=keras.Input, Model=keras.Model, Sequential=keras.Sequential
)
STEPS = 3


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def plain(value: Any) -> Any:
    """Return a configuration without what only Keras 2.15's own files need."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("module", "registered_name", "build_config")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def forward(model: Any, x: Any, directions: list[Any]) -> dict[str, Any]:
    """Return outputs, masks and gradients, in a graph that does not know the batch size unless the model fixes it."""
    spec = tf.TensorSpec(model.inputs[0].shape, tf.float32)

    @tf.function(input_signature=[spec])
    def run(batch: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(batch)
            outputs = listed(model(batch, training=False))
            total = tf.add_n([tf.reduce_sum(y * d) for y, d in zip(outputs, directions)])
        weights = model.trainable_weights
        masks = [getattr(y, "_keras_mask", None) for y in outputs]
        found = tape.gradient(total, [batch, *weights])
        zero = [tf.zeros_like(v) if g is None else tf.convert_to_tensor(g) for g, v in zip(found, [batch, *weights])]
        return outputs, [() if m is None else tf.cast(m, tf.int32) for m in masks], zero

    outputs, masks, gradients = run(tf.constant(x))
    return {
        "y": [y.numpy() for y in outputs],
        "mask": [None if isinstance(m, tuple) else m.numpy() for m in masks],
        "gradient": [g.numpy() for g in gradients],
    }


def directions_of(shapes: list[Any]) -> list[Any]:
    random = np.random.RandomState(5)
    return [random.randn(cases.SAMPLES, *shape[1:]).astype("float32") for shape in shapes]


def one(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts and the arrays of a case."""
    keras.backend.clear_session()
    x, outputs, layer = cases.CASES[name](NAMESPACE)
    model = keras.Model(x, outputs)
    shapes = [tuple(y.shape) for y in listed(outputs)]
    names = [w.name for w in model.weights]
    model.set_weights(cases.fill(model.get_weights(), names))
    batch = cases.data(tuple(x.shape[1:]), name in ("td_words", "td_embedding"))
    found = forward(model, batch, directions_of(shapes))
    config = json.loads(json.dumps(plain(layer.get_config()))) if "user" not in name else None
    facts = {"shapes": shapes, "names": names, "config": config, "masks": [m is not None for m in found["mask"]]}
    arrays = {f"y{i}": y for i, y in enumerate(found["y"])}
    arrays |= {f"mask{i}": m for i, m in enumerate(found["mask"]) if m is not None}
    arrays |= {f"gradient{i}": g for i, g in enumerate(found["gradient"])}
    whole = cases.with_head(NAMESPACE, x, outputs)
    whole.set_weights(cases.fill(whole.get_weights(), [w.name for w in whole.weights]))
    whole.compile(keras.optimizers.legacy.SGD(0.05), "mse")
    size = cases.SAMPLES if x.shape[0] else 5
    history = whole.fit(batch, cases.targets(), batch_size=size, epochs=STEPS, shuffle=False, verbose=0).history
    arrays["loss"] = np.array(history["loss"], "float32")
    arrays["evaluation"] = np.float32(whole.evaluate(batch, cases.targets(), batch_size=size, verbose=0))
    arrays["prediction"] = whole.predict(batch, batch_size=size, verbose=0)
    return facts, arrays


def states(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts and the predictions of a stateful model."""
    keras.backend.clear_session()
    model = cases.STATEFUL[name](NAMESPACE)
    names = [w.name for w in model.weights]
    model.set_weights(cases.fill(model.get_weights(), names))
    return {"names": names}, {"states": cases.predictions(model)}


def main(names: list[str]) -> None:
    """Write the cases named into the file, or all of them."""
    path = Path(__file__).with_name("keras_2_15.npz")
    arrays: dict[str, Any] = {}
    if names:
        with np.load(path) as archive:
            arrays = dict(archive.items())
    facts: dict[str, Any] = json.loads(str(arrays.pop("facts", "{}")))
    for name in names or [*cases.CASES, *cases.STATEFUL]:
        facts[name], found = (one if name in cases.CASES else states)(name)
        arrays |= {f"{name}/{key}": value for key, value in found.items()}
        print(name, found.get("loss", ""), flush=True)
    np.savez_compressed(path, facts=json.dumps(facts), **arrays)


if __name__ == "__main__":
    main(sys.argv[1:])
