"""How long models take to get to the disk and back, beside `torch.save` and `torch.load`, and with how much memory.

    python benchmarks/model_files.py [MEGABYTES]

Each line is the least of some runs in a process of its own; memory is what became resident at the most.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

UNITS = 5000
RUNS = 5


def model(layers: int) -> Any:
    """Return a chain of layers of 100 MB each."""
    import torchkeras_compat as keras

    net = keras.Sequential([keras.layers.Dense(UNITS, use_bias=False, input_dim=UNITS)])
    for _ in range(layers - 1):
        net.add(keras.layers.Dense(UNITS, use_bias=False))
    return net


def actions(layers: int, folder: str) -> dict[str, Any]:
    """Return what is measured by name; the model is made here, where one is written."""
    import torch

    path = os.path.join(folder, "model")
    kind = sys.argv[1]
    if kind == "load torch":  # as in a program that has torch alone
        return {kind: lambda: torch.load(f"{path}.pt")}
    import torchkeras_compat as keras

    net = model(layers) if kind.startswith("save") else None
    return {
        "save torch": lambda: torch.save(net.state_dict(), f"{path}.pt"),
        "save .keras": lambda: net.save(f"{path}.keras"),
        "save .h5": lambda: net.save(f"{path}.h5"),
        "load .keras": lambda: keras.models.load_model(f"{path}.keras", compile=False),
        "load .h5": lambda: keras.models.load_model(f"{path}.h5", compile=False),
    }


def measure(kind: str, layers: int, folder: str) -> None:
    """Print the seconds and the megabytes of one action."""
    action = actions(layers, folder)[kind]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best, highest = float("inf"), 0
    for run in range(RUNS):
        start = time.perf_counter()
        result = action()
        best = min(best, time.perf_counter() - start)
        if run == 0:
            highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        del result
    print(best, (highest - before) / 1024)


def main() -> None:
    if len(sys.argv) == 4:
        measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])
        return
    layers = max(int(sys.argv[1]) // 100, 1) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        for what in ("save", "load"):
            seconds: dict[str, float] = {}
            for form in ("torch", ".keras", ".h5"):
                command = [sys.executable, __file__, f"{what} {form}", str(layers), folder]
                best, memory = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
                seconds[form] = float(best)
                ratio = seconds[form] / seconds["torch"]
                print(
                    f"{what} {form:7} {seconds[form]:6.3f} s  {ratio:5.2f} of torch  {float(memory):6.0f} MB more",
                    flush=True,
                )


if __name__ == "__main__":
    main()
