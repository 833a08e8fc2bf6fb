"""What every family shares: resolving the tables with Keras, random arrays, and writing a file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from cases import functions

DATA = Path(__file__).resolve().parent.parent / "data"

Arrays = dict[str, np.ndarray]
Spec = dict[str, Any]


def rng_for(spec: Spec) -> np.random.RandomState:
    """Give each case its own repeatable stream, from its name."""
    return np.random.RandomState(zlib.crc32(spec["name"].encode()) & 0x7FFFFFFF)


def floats(rng: np.random.RandomState, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Draw normal float32 numbers."""
    return (rng.standard_normal(shape) * scale).astype("float32")


def lookup(path: str, dialect: str) -> Any:
    """Find `losses.Huber` and its like under Keras; optimizers are the legacy ones in the tf.keras dialect."""
    parts = path.split(".")
    if parts[0] == "optimizers" and len(parts) == 2 and dialect == "tf.keras":
        parts.insert(1, "legacy")
    found: Any = keras
    for part in parts:
        found = getattr(found, part)
    return found


def resolve(value: Any, dialect: str, arrays: Arrays | None = None) -> Any:
    """Turn a table's value into what Keras takes; lists become tuples except where they hold objects."""
    if isinstance(value, dict):
        return _resolve_dict(value, dialect, arrays)
    if isinstance(value, (list, tuple)):
        items = [resolve(item, dialect, arrays) for item in value]
        return tuple(items) if all(isinstance(i, (int, float, tuple, np.ndarray)) for i in items) else items
    if isinstance(value, str) and value.startswith("@") and arrays is not None:
        return arrays[value[1:]]
    return value


def _resolve_dict(value: dict[str, Any], dialect: str, arrays: Arrays | None) -> Any:
    if "$fn" in value:
        return getattr(functions, value["$fn"])
    if "$ref" in value:
        return lookup(value["$ref"], dialect)
    resolved = {key: resolve(item, dialect, arrays) for key, item in value.items() if key != "$"}
    if "$" in value:
        return lookup(value["$"], dialect)(**resolved)
    return {int(k) if isinstance(k, str) and k.isdigit() else k: v for k, v in resolved.items()}


def gradients(output: tf.Tensor, direction: np.ndarray, tape: tf.GradientTape, sources: Any) -> list[np.ndarray]:
    """Gradients of sum(output * direction), dense ones also for embeddings."""
    found = tape.gradient(output, sources, output_gradients=tf.constant(direction))
    return [
        np.zeros(s.shape, "float32") if g is None else tf.convert_to_tensor(g).numpy() for g, s in zip(found, sources)
    ]


def save(family: str, items: Iterable[tuple[Spec, Arrays]]) -> Path:
    """Write one family to `data/<family>.npz`: `<case>/spec` is JSON, `<case>/data` its arrays end to end."""
    DATA.mkdir(exist_ok=True)
    packed: Arrays = {}
    for spec, arrays in _versioned(items):
        name = spec["name"]
        if f"{name}/spec" in packed:
            raise ValueError(f"two cases of {family} are named {name}")
        if not spec.get("may_be_nan") and not all(np.isfinite(value).all() for value in arrays.values()):
            raise ValueError(f"{name}: numbers that are not finite prove nothing")
        index, packed[f"{name}/data"] = pack(arrays)
        packed[f"{name}/spec"] = np.array(json.dumps({**spec, "arrays_index": index}, sort_keys=True))
    path = DATA / f"{family}.npz"
    np.savez_compressed(path, **packed)  # type: ignore[arg-type]
    return path


def pack(arrays: Arrays) -> tuple[dict[str, Any], np.ndarray]:
    """Lay arrays end to end, for a zip entry each would cost more than most of them hold; say where each lies."""
    index: dict[str, Any] = {}
    parts, offset = [], 0
    for key, value in arrays.items():
        array = np.asarray(value)
        flat = array.astype("float32").reshape(-1)
        if array.dtype.kind != "f" and not np.array_equal(flat.astype(array.dtype), array.reshape(-1)):
            raise ValueError(f"{key}: float32 does not hold these integers")
        index[key] = [offset, list(array.shape), "float32" if array.dtype.kind == "f" else array.dtype.name]
        parts.append(flat)
        offset += flat.size
    return index, np.concatenate(parts)


def _versioned(items: Iterable[tuple[Spec, Arrays]]) -> Iterator[tuple[Spec, Arrays]]:
    for spec, arrays in items:
        keras.backend.clear_session()
        yield {**spec, "keras": keras.__version__, "tensorflow": tf.__version__}, arrays
