"""What compiling costs, cold and with the cache of an earlier process, beside `torch.compile` of the plain net.

    python benchmarks/compile_cost.py [--rounds 3] [WORKLOAD ...]

From `import torch` (or ours) to the end of the first step. Ours is forward, loss, backward and update as one graph;
torch's is forward and backward of `torch.compile(net)`. Each runs in a process of its own, cold with an empty cache.
`torch.compile` leaves `nn.LSTM` alone, so that its figures there are those of no compiling.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def first_step(impl: str, name: str) -> float:
    """Return the seconds of the first step, in this process."""
    import numpy as np
    from workloads import WORKLOADS

    workload = WORKLOADS[name]
    x, y = workload.data(np.random.default_rng(0))
    x, y = x[: workload.batch_size], y[: workload.batch_size]
    if impl == "torch":
        from torch_loops import TorchModel

        start = time.perf_counter()
        loop = TorchModel(name, compiled=True)
        xb, yb = loop.prepare(x, y)
        loop.loss(loop.forward(xb), yb).backward()
        return time.perf_counter() - start
    import torchkeras_compat as keras

    start = time.perf_counter()
    model = workload.build(keras.models, keras.layers, keras.optimizers)
    model.compile(model.optimizer, model.loss, metrics=model._compile_config.metrics, jit_compile=True)
    model.train_on_batch(x, y)
    return time.perf_counter() - start


def in_process(impl: str, name: str, cache: str) -> float:
    """Return the seconds of the first step, in a new process with this cache folder."""
    env = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache}
    command = [sys.executable, os.path.abspath(__file__), "--one", impl, name]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def measure(name: str, rounds: int) -> dict[tuple[str, str], float]:
    """Return (implementation, cold or warm) → median seconds."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for impl in ("ours", "torch"):
            with tempfile.TemporaryDirectory() as cache:
                for state in ("cold", "warm"):
                    found.setdefault((impl, state), []).append(in_process(impl, name, cache))
    return {key: statistics.median(values) for key, values in found.items()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("IMPL", "WORKLOAD"), help=argparse.SUPPRESS)
    parser.add_argument("workloads", nargs="*")
    given: Any = parser.parse_args()
    if given.one:
        print(json.dumps(first_step(*given.one)))
        return
    from workloads import WORKLOADS

    print("| seconds | cold: ours | torch.compile | ratio | warm: ours | torch.compile | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name in given.workloads or WORKLOADS:
        s = measure(name, given.rounds)
        cells = []
        for state in ("cold", "warm"):
            ours, torch = s["ours", state], s["torch", state]
            cells += [f"{ours:.1f}", f"{torch:.1f}", f"{ours / torch:.2f}"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
