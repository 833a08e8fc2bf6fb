"""Time one implementation on one workload, in a process of its own; prints one JSON line.

    python one.py IMPL WORKLOAD [--device cpu] [--repeat 3]

IMPL: ours | keras3 (set KERAS_BACKEND) | keras2 | torch | torch-compile | torch-graph (the loop as a CUDA graph)
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import statistics
import sys
import time
import types
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

PACKAGES = {"ours": "torchkeras_compat", "keras2": "keras", "keras3": "keras"}


def clock() -> float:
    """Return the time once the device has done what it was asked for."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def imported(impl: str, device: str) -> Any:
    """Import the implementation and set its device; None for the torch loops."""
    if impl.startswith("torch"):
        import torch  # noqa: F401

        return None
    package = importlib.import_module(PACKAGES[impl])
    for part in ("models", "layers", "optimizers"):
        importlib.import_module(f"{package.__name__}.{part}")
    if impl == "ours":
        package.set_device(device)
    return package


def built(impl: str, package: Any, workload: Any, device: str, compile_args: dict[str, Any]) -> Any:
    """Return the compiled model of a workload."""
    if package is None:
        from torch_loops import GraphedTorchModel, TorchModel

        if impl == "torch-graph":
            return GraphedTorchModel(workload.name, device=device)
        return TorchModel(workload.name, device=device, compiled=impl == "torch-compile")

    def sequential(layers: list[Any]) -> Any:
        model = package.models.Sequential(layers)
        plain = model.compile
        model.compile = lambda *args, **kwargs: plain(*args, **{**kwargs, **compile_args})
        return model

    models = types.SimpleNamespace(Sequential=sequential) if compile_args else package.models
    return workload.build(models, package.layers, package.optimizers)


def timed(call: Callable[[], Any], steps: int, repeat: int) -> list[float]:
    """Return milliseconds per step of `repeat` calls."""
    times = []
    for _ in range(repeat):
        start = clock()
        call()
        times.append((clock() - start) / steps * 1e3)
    return times


def main() -> None:
    """Time it and print the line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("impl")
    parser.add_argument("workload")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile-args", default="{}", help="JSON: extra arguments for compile")
    a = parser.parse_args()

    start = time.perf_counter()
    package = imported(a.impl, a.device)
    import_s = time.perf_counter() - start

    import numpy as np
    from workloads import WORKLOADS

    w = WORKLOADS[a.workload]
    x, y = w.data(np.random.default_rng(0))
    start = time.perf_counter()
    model = built(a.impl, package, w, a.device, json.loads(a.compile_args))
    options = {"batch_size": w.batch_size, "verbose": 0}
    model.fit(x, y, epochs=1, shuffle=w.shuffle, **options)
    first_epoch_s = clock() - start

    model.evaluate(x, y, **options)
    model.predict(x, **options)
    steps = -(-len(x) // w.batch_size)
    fits = timed(lambda: model.fit(x, y, epochs=w.epochs, shuffle=w.shuffle, **options), steps * w.epochs, a.repeat)
    evaluates = timed(lambda: model.evaluate(x, y, **options), steps, a.repeat)
    predicts = timed(lambda: model.predict(x, **options), steps, a.repeat)
    row = {
        "impl": a.impl,
        "workload": w.name,
        "fit_ms": statistics.median(fits),
        "evaluate_ms": statistics.median(evaluates),
        "predict_ms": statistics.median(predicts),
        "fit_ms_min": min(fits),
        "fit_ms_max": max(fits),
        "import_s": import_s,
        "first_epoch_s": first_epoch_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
