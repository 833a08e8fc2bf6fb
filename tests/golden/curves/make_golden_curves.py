"""Write the golden file of random models with Keras 2.15; see `../make_golden.py` for the environment.

    oracle/bin/python tests/golden/curves/make_golden_curves.py                       # all, into data/
    oracle/bin/python tests/golden/curves/make_golden_curves.py tf.keras 1000 1200 FILE  # seeds of one's own

For each dialect the first seeds that Keras gives usable numbers for are taken: it builds and trains the model, the
numbers are finite, the loss moves, and they are Keras's own to 1e-3 when the first weights move by 1e-7 of their size.
What was passed over is kept in the file with its reason. Numbers of descriptions that have not changed are kept.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same numbers on every processor
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import tensorflow as tf
from curves.build import Builder, observe, stream
from curves.describe import COUNTS, Description, describe, digest
from curves.directed import DIRECTED
from make.runtime import pack

DATA = Path(__file__).resolve().parent / "data"
NOISE, SELF_TOLERANCE = 1e-7, 1e-3
MOVED = 1e-3  # how much a loss has to change in forty steps, of itself


def builder(dialect: str) -> Builder:
    """Return what builds under Keras: `tf.keras` has the legacy optimizers."""
    return Builder(keras, keras.optimizers.legacy if dialect == "tf.keras" else None)


def run(description: Description, change: Callable[[Any], None] | None = None) -> dict[str, np.ndarray]:
    """Train the model of a description eagerly: to trace a graph takes longer than forty steps of it.

    Groups of a convolution are the exception: on the CPU, TensorFlow has their gradients in a compiled function alone.
    """
    text = json.dumps(description["nodes"])
    grouped = "Conv" in text and '"groups"' in text
    tf.config.run_functions_eagerly(not grouped)
    return observe(builder(description["dialect"]), description, change, run_eagerly=True)


def shaken(description: Description) -> Any:
    """Return what moves the weights of a model by a ten-millionth of their size."""

    def change(model: Any) -> None:
        rng = stream(description, "noise")
        model.set_weights([w * (1 + NOISE * rng.choice([-1, 1], w.shape)).astype(w.dtype) for w in model.get_weights()])

    return change


def usable(description: Description) -> tuple[dict[str, np.ndarray], str]:
    """Return what Keras sees of a description, and why it is of no use, if so."""
    try:
        seen = run(description)
    except Exception as error:  # Keras refuses the model; which ones is written into the file
        return {}, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if not all(np.isfinite(array).all() for array in seen.values()):
        return seen, "not finite"
    losses = next(array for name, array in seen.items() if name.partition("/")[0] in ("steps", "history")).reshape(-1)
    losses = seen["steps"][:, 0] if "steps" in seen else losses
    if np.ptp(losses) < MOVED * max(1.0, abs(losses).max()):
        return seen, "the loss does not move"
    again = run(description, shaken(description))
    far = [n for n, a in seen.items() if not np.allclose(a, again[n], rtol=SELF_TOLERANCE, atol=SELF_TOLERANCE)]
    return seen, f"rounding grows: {', '.join(far)}" if far else ""


class Archive:
    """A golden file; what it holds of an unchanged description is kept.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.old: dict[str, Any] = {}
        if path.exists():
            with np.load(path) as stored:
                self.old |= {key: stored[key] for key in stored.files}
        self.passed_over: dict[str, list[str]] = json.loads(str(self.old.pop("passed_over", "{}")))
        self.new: dict[str, Any] = {}
        self.now_passed_over: dict[str, list[str]] = {}

    def add(self, name: str, description: Description) -> bool:
        """Add the numbers of a description, or why there are none; tell whether there are."""
        mark = digest(description)
        if f"{name}/spec" in self.old and json.loads(str(self.old[f"{name}/spec"]))["digest"] == mark:
            self.new |= {f"{name}/{part}": self.old[f"{name}/{part}"] for part in ("data", "spec")}
            return True
        known = self.passed_over.get(name, ["", ""])
        started = time.perf_counter()
        seen, reason = ({}, known[1]) if known[0] == mark else usable(description)
        print(f"{name}: {time.perf_counter() - started:.1f} s {reason or 'taken'}", flush=True)
        if reason:
            self.now_passed_over[name] = [mark, reason]
            return False
        index, self.new[f"{name}/data"] = pack(seen)
        spec = {"arrays_index": index, "digest": mark, "keras": keras.__version__, "tensorflow": tf.__version__}
        self.new[f"{name}/spec"] = np.array(json.dumps(spec))  # in the order in which Keras names them
        return True

    def save(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(exist_ok=True)
        self.new["passed_over"] = np.array(json.dumps(self.now_passed_over))
        np.savez_compressed(self.path, **self.new)


def write(dialect: str, seeds: range, count: int | None, path: Path) -> None:
    """Write the numbers of some seeds to a file, until there are `count` of them."""
    archive, taken = Archive(path), 0
    for seed in seeds:
        taken += archive.add(str(seed), describe(seed, dialect))
        if taken == count:
            break
    archive.save()


def write_directed() -> None:
    """Write the numbers of the models that were written by hand."""
    archive = Archive(DATA / "directed.npz")
    refused = [name for name, description in DIRECTED.items() if not archive.add(name, description)]
    archive.save()
    if refused:
        raise ValueError(f"of no use: {refused}")


def main(arguments: list[str]) -> None:
    """Write the files of the tests, or one of seeds that were asked for."""
    tf.get_logger().setLevel("ERROR")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if arguments:
        dialect, first, last, path = arguments
        write(dialect, range(int(first), int(last)), None, Path(path))
        return
    write_directed()
    for dialect, count in COUNTS.items():
        write(dialect, range(10 * count), count, DATA / f"{dialect}.npz")


if __name__ == "__main__":
    main(sys.argv[1:])
