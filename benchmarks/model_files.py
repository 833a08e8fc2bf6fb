"""How long models take to get to the disk and back, beside `torch.save` and `torch.load`, and with how much memory.

    python benchmarks/model_files.py [MEGABYTES]

Each line is the median of some runs in a process of its own, and the least; memory is what became resident at the
most. Files of this package are flushed to the disk, so that `torch.save` is measured with a flush as well; whether a
file stood there before changes much.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

UNITS = 5000
RUNS = 7


def model(layers: int) -> Any:
    """Return a chain of layers of 100 MB each."""
    import torchkeras_compat as keras

    net = keras.Sequential([keras.layers.Dense(UNITS, use_bias=False, input_dim=UNITS)])
    for _ in range(layers - 1):
        net.add(keras.layers.Dense(UNITS, use_bias=False))
    return net


def action(kind: str, layers: int, folder: str) -> tuple[Callable[[], Any], str]:
    """Return what is measured, and the file; the model is made here, where one is written."""
    import torch

    path = os.path.join(folder, "model")
    if kind == "load torch":  # as in a program that has torch alone
        return lambda: torch.load(f"{path}.pt"), f"{path}.pt"
    import torchkeras_compat as keras

    verb, form = kind.split()
    if verb == "load":
        return lambda: keras.models.load_model(f"{path}{form}", compile=False), f"{path}{form}"
    net = model(layers)
    if form.startswith("."):
        return lambda: net.save(f"{path}{form}"), f"{path}{form}"
    flushed = form == "flushed"
    return lambda: save_state(net.state_dict(), f"{path}.pt", flushed), f"{path}.pt"


def save_state(state: Any, path: str, flushed: bool) -> None:
    """Save with `torch.save`, and put the file on the disk where that is wished."""
    import torch

    torch.save(state, path)
    if flushed:
        with open(path, "rb+") as file:
            os.fsync(file.fileno())


def measure(kind: str, layers: int, folder: str, is_new: bool) -> None:
    """Print the seconds and the megabytes of one action."""
    act, path = action(kind, layers, folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times, highest = [], 0
    for run in range(RUNS):
        if is_new and os.path.exists(path):
            os.unlink(path)
            time.sleep(0.2)  # the system gives the place back behind the scenes
        start = time.perf_counter()
        result = act()
        times.append(time.perf_counter() - start)
        if run == 0:
            highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        del result
    print(statistics.median(times), min(times), (highest - before) / 1024)


def main() -> None:
    if len(sys.argv) == 5:
        measure(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] == "new")
        return
    layers = max(int(sys.argv[1]) // 100, 1) if len(sys.argv) > 1 else 5
    forms = {"save": ("torch", "flushed", ".keras", ".h5"), "load": ("torch", ".keras", ".h5")}
    with tempfile.TemporaryDirectory() as folder:
        for verb, place in (("save", "new"), ("save", "over"), ("load", "there")):
            before: list[float] = []
            for form in forms[verb]:
                command = [sys.executable, __file__, f"{verb} {form}", str(layers), folder, place]
                shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                median, least, memory = map(float, shown.split())
                before = before or [median, least]
                ratios = f"{median / before[0]:5.2f}, {least / before[1]:5.2f} of torch"
                print(
                    f"{verb} {place:5} {form:7} {median:6.3f} s, {least:6.3f} s  {ratios}  {memory:6.0f} MB more",
                    flush=True,
                )


if __name__ == "__main__":
    main()
