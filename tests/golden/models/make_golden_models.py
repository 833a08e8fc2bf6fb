"""Write the golden files of models with Keras 2.15; see `../make_golden.py` for the environment.

    oracle/bin/python tests/golden/models/make_golden_models.py              # every family
    oracle/bin/python tests/golden/models/make_golden_models.py masks/add_two_masked facts  # some

The files go to `data/`, one a family of `cases/`; `facts.json` holds what is no number.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same numbers on every processor
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import tensorflow as tf
from make.runtime import pack
from models import make_tensorflow_steps as steps
from models.case import Case
from models.cases import FAMILIES
from models.facts import FACTS
from models.observe import ASPECTS, Observer

DATA = Path(__file__).resolve().parent / "data"
ZERO = 1e-5  # a gradient below is none


def observe(case: Case) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the spec and the arrays of a case."""
    observer = Observer(case, keras, steps)
    facts, arrays = {}, {}
    for aspect in ASPECTS:
        seen = getattr(observer, aspect)()
        facts[aspect] = seen.facts
        arrays |= {f"{aspect}/{name}": array for name, array in seen.arrays.items()}
    check(case, facts, arrays)
    spec = {"dialect": "keras-2.15", "facts": facts, "weights": observer.weights}
    if case.tolerance is not None:
        spec |= {"tolerance": case.tolerance, "reason": case.reason}
    return {**spec, "keras": keras.__version__, "tensorflow": tf.__version__}, arrays


def check(case: Case, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Refuse numbers that prove nothing: not finite, no gradient, a loss that does not change."""
    broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if broken:
        raise ValueError(f"{case.name}: not finite: {broken}")
    gradients = [array for name, array in arrays.items() if name.startswith("gradients/gradients/")]
    frozen = len(facts["names"]["weights"]) - facts["names"]["trained"]
    without = sum(bool(np.abs(gradient).max() < ZERO) for gradient in gradients)
    if not case.untrained <= without <= case.untrained + frozen:
        raise ValueError(f"{case.name}: {without} weights without a gradient, {case.untrained} told, {frozen} frozen")
    for optimizer in ("sgd", "adam"):
        keys = facts[optimizer]["keys"]
        losses = arrays[f"{optimizer}/history/{'loss' if 'loss' in keys else keys[0]}"]
        if not losses[-1] < losses[0]:
            raise ValueError(f"{case.name}: {optimizer} does not lower the loss: {losses[0]} to {losses[-1]}")


def save(family: str, only: set[str]) -> list[str]:
    """Write `data/<family>.npz`, `<case>/spec` as JSON and `<case>/data` its arrays end to end; list what failed.

    Args:
        family: Which table.
        only: Cases to be written anew beside those that the file holds; all of them where it is empty.
    """
    path = DATA / f"{family}.npz"
    packed: dict[str, Any] = {}
    if only and path.exists():
        with np.load(path) as archive:
            packed |= {key: archive[key] for key in archive.files}
    failed = []
    for case in FAMILIES[family]:
        if only and case.name not in only:
            continue
        started = time.perf_counter()
        try:
            spec, arrays = observe(case)
        except Exception as error:  # the other cases are written all the same
            failed.append(case.name)
            print(f"{case.name}: {type(error).__name__}: {str(error)[:600]}", flush=True)
            continue
        index, packed[f"{case.name}/data"] = pack(arrays)
        spec |= {"name": case.name, "arrays_index": index}
        packed[f"{case.name}/spec"] = np.array(json.dumps(spec, sort_keys=True))
        print(f"  {case.name}: {time.perf_counter() - started:.0f} s", flush=True)
        gc.collect()
    np.savez_compressed(path, **packed)
    return failed


def save_facts(only: set[str]) -> list[str]:
    """Write `data/facts.json`, all of it or the tables named."""
    path = DATA / "facts.json"
    facts: dict[str, dict[str, Any]] = json.loads(path.read_text()) if only else {}
    for table, functions in FACTS.items():
        if only and table not in only:
            continue
        tf.config.run_functions_eagerly(table != "errors")  # an error may depend on how a step runs; names do not
        facts[table] = {}
        for name, fact in functions.items():
            keras.backend.clear_session()
            facts[table][name] = fact(keras)
    tf.config.run_functions_eagerly(True)
    path.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
    return []


def main(names: list[str]) -> None:
    """Write the families named, or all of them; `masks/add_two_masked` is one case of a family."""
    known = [*FAMILIES, "facts"]
    wanted: dict[str, set[str]] = {}
    for name in names or known:
        family, _, case = name.partition("/")
        if family not in known:
            raise SystemExit(f"no such family: {family}; there are {', '.join(known)}")
        wanted.setdefault(family, set()).update({case} if case else set())
    tf.get_logger().setLevel("ERROR")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.run_functions_eagerly(True)  # to trace a graph takes longer than fifty steps of it
    DATA.mkdir(exist_ok=True)
    failed = []
    for family, only in wanted.items():
        failed += save_facts(only) if family == "facts" else save(family, only)
    if failed:
        raise SystemExit(f"not written: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
