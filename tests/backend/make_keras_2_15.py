"""Writes keras_2_15.npz, keras_2_15_gradients.npz and keras_2_15.json: the cases by Keras 2.15.

python -m venv oracle && oracle/bin/pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'
oracle/bin/python tests/backend/make_keras_2_15.py
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from cases import CASES
from cases.common import Case, as_array, flat, weights_like
from cases.failures import FAILURES
from keras import backend as K

HERE = Path(__file__).resolve().parent


def tried(compute: Callable[[], Any]) -> Any:
    """Return a result, or the name of the error."""
    try:
        return compute()
    except Exception as error:
        return type(error).__name__


def symbols(case: Case) -> list[Any]:
    return [K.placeholder((None, *a.shape[1:]), dtype=a.dtype.name) for a in case.inputs]


def in_a_graph(case: Case) -> tuple[list[Any], list[Any]]:
    """Return what is known of the symbolic results, and their values by way of a model."""
    inputs = symbols(case)
    outputs = flat(case.compute(K, *inputs))
    known = [[list(x.shape), x.dtype.name] for x in outputs]
    model = keras.Model(inputs, outputs)
    return known, [as_array(v) for v in flat(model(list(map(tf.constant, case.inputs))))]


def in_a_lambda(case: Case) -> list[Any]:
    inputs = symbols(case)
    layer = keras.layers.Lambda(lambda x: case.compute(K, *(x if isinstance(x, list) else [x])))
    model = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    return [as_array(v) for v in flat(model(list(map(tf.constant, case.inputs))))]


def by_function(case: Case) -> list[Any]:
    inputs = symbols(case)
    outputs = flat(case.compute(K, *inputs))
    values = K.function(inputs, outputs)(list(case.inputs))
    # numbers come as Python's own
    return [np.asarray(v, x.dtype.name if isinstance(v, (int, float, bool)) else None) for v, x in zip(values, outputs)]


def gradients(case: Case) -> dict[int, np.ndarray]:
    """Return the gradients of a weighted sum of the results by each input of floats that has one."""
    inputs = list(map(tf.constant, case.inputs))
    with tf.GradientTape() as tape:
        tape.watch([x for x in inputs if x.dtype.is_floating])
        results = [y for y in flat(case.compute(K, *inputs)) if tf.is_tensor(y) and y.dtype.is_floating]
        parts = [tf.reduce_sum(y * tf.cast(weights_like(y.shape), y.dtype)) for y in results]
        total = tf.add_n([tf.cast(part, "float64") for part in parts]) if parts else None
    if total is None:
        return {}
    try:
        gradients = tape.gradient(total, inputs)
    except LookupError:  # some of TensorFlow's operations have none
        return {}
    return {i: tf.convert_to_tensor(g).numpy() for i, g in enumerate(gradients) if g is not None}


def same(case: Case, one: list[Any], other: Any) -> bool:
    if isinstance(other, str) or len(one) != len(other):
        return False
    pairs = list(zip(one, other))
    if any(a.shape != b.shape or a.dtype != b.dtype for a, b in pairs):
        return False
    return case.drawn or all(
        np.allclose(a, b, 1e-4, 1e-5, equal_nan=True) if a.dtype.kind in "biuf" else bool((a == b).all())
        for a, b in pairs
    )


def expect_failures() -> None:
    """Raise where Keras takes what the table says it refuses."""
    accepted = [name for name, call in FAILURES.items() if not isinstance(tried(lambda call=call: call(K)), str)]
    if accepted:
        raise AssertionError(f"Keras takes {accepted}")


def main() -> None:
    expect_failures()
    arrays: dict[str, np.ndarray] = {}
    slopes: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    for name, case in CASES.items():
        values = [as_array(v) for v in flat(case.compute(K, *map(tf.constant, case.inputs)))]
        fact: dict[str, Any] = {}
        for i, value in enumerate(values):
            arrays[f"{name}/{i}"] = value[:0] if case.drawn and value.ndim else value
            if case.drawn:
                fact.setdefault("drawn", []).append([list(value.shape), value.dtype.name])
        raw = tried(lambda case=case: [as_array(v) for v in flat(case.compute(K, *case.inputs))])
        fact["raw"] = same(case, values, raw)
        if case.can_be_symbolic:
            graph = tried(lambda case=case: in_a_graph(case))
            if isinstance(graph, str):
                fact["graph"] = graph
            elif same(case, values, graph[1]):
                fact["graph"] = graph[0]
            else:
                print("GRAPH DIFFERS", name, [a.shape for a in values], [a.shape for a in graph[1]])
                fact["graph"] = "differs"
            got = tried(lambda case=case: by_function(case))
            fact["function"] = got if isinstance(got, str) else same(case, values, got)
            layered = tried(lambda case=case: in_a_lambda(case))
            # a layer computes in float32
            fact["lambda"] = layered if isinstance(layered, str) else [a.dtype.name for a in layered]
        if case.can_be_symbolic and not case.drawn and case.inputs[0].dtype == np.float32:
            slopes |= {f"{name}/{i}": g for i, g in gradients(case).items()}
        facts[name] = fact
    names = sorted({n for n in dir(K) if not n.startswith("_") and callable(getattr(K, n))})
    signatures = {n: str(inspect.signature(getattr(K, n))) for n in names}
    np.savez_compressed(HERE / "keras_2_15.npz", **arrays)
    np.savez_compressed(HERE / "keras_2_15_gradients.npz", **slopes)
    (HERE / "keras_2_15.json").write_text(json.dumps({"signatures": signatures, "cases": facts}) + "\n")


if __name__ == "__main__":
    main()
