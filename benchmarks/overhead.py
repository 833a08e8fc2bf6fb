"""What comes beside the step costs: the progress bar, class and sample weights, callbacks, validation data.

    python benchmarks/overhead.py [WORKLOAD ...]              in a terminal of its own making
    python benchmarks/overhead.py --notebook [WORKLOAD ...]   in a notebook's kernel (nbclient, ipykernel, ipywidgets)

Each line is the median ratio of pairs of `fit` calls that alternate with the plain one, `verbose=0` and nothing else.
For validation the plain one is followed by an `evaluate` of the same rows each epoch.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pty
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from workloads import WORKLOADS

import torchkeras_compat as keras

HERE = os.path.dirname(os.path.abspath(__file__))
PAIRS = 15


class Quiet(keras.callbacks.Callback):
    """Does something at each epoch, as most callbacks do."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.last = logs["loss"]


def ways(model: Any, x: Any, y: Any) -> dict[str, tuple[dict[str, Any], Callable[[], Any] | None]]:
    """Return name → (arguments of `fit`, what the plain `fit` does beside, once an epoch)."""
    classes = y.shape[-1] if y.shape[-1] > 1 else 2
    cut = (x[: len(x) // 4], y[: len(x) // 4])
    return {
        "progress bar": ({"verbose": 1}, None),
        "class_weight": ({"class_weight": dict.fromkeys(range(classes), 1.5)}, None),
        "sample_weight": ({"sample_weight": np.linspace(0.5, 1.5, len(x))}, None),
        "callbacks": ({"callbacks": [Quiet(), keras.callbacks.EarlyStopping("loss", patience=10**6)]}, None),
        "validation_data": ({"validation_data": cut}, lambda: model.evaluate(*cut, batch_size=128, verbose=0)),
    }


def measure(name: str) -> dict[str, float]:
    """Return way → median ratio to the plain `fit`."""
    workload = WORKLOADS[name]
    x, y = workload.data(np.random.default_rng(0))
    model = workload.build(keras.models, keras.layers, keras.optimizers)
    epochs = max(workload.epochs, 2)
    plain = {"batch_size": workload.batch_size, "shuffle": workload.shuffle, "epochs": epochs, "verbose": 0}

    def seconds(options: dict[str, Any]) -> float:
        start = time.perf_counter()
        model.fit(x, y, **{**plain, **options})
        return time.perf_counter() - start

    found = {}
    for way, (options, beside) in ways(model, x, y).items():
        if way == "validation_data":
            options = {**options, "validation_batch_size": 128}
        seconds({}), seconds(options)
        ratios = []
        for _ in range(PAIRS):
            base, start = seconds({}), time.perf_counter()
            for _ in range(epochs if beside else 0):
                beside()  # type: ignore[misc]
            base += time.perf_counter() - start
            ratios.append(seconds(options) / base)
        found[way] = statistics.median(ratios)
    return found


@contextlib.contextmanager
def terminal() -> Iterator[None]:
    """Let standard output be a terminal that somebody reads."""
    reader, writer = pty.openpty()
    before = sys.stdout
    # A process of its own reads, as a terminal is one: a thread would take turns with the training.
    with subprocess.Popen(["cat"], stdin=reader, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as watcher:
        try:
            with os.fdopen(writer, "w", buffering=1) as sys.stdout:
                yield
        finally:
            sys.stdout = before
            watcher.terminate()


def in_a_notebook(names: list[str]) -> dict[str, dict[str, float]]:
    """Run the measurement in a notebook's kernel."""
    import nbformat
    from nbclient import NotebookClient

    code = f"import sys, json\nsys.path.insert(0, {HERE!r})\nimport overhead\n"
    code += f"found = {{name: overhead.measure(name) for name in {names!r}}}\nprint('RESULT' + json.dumps(found))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=1800).execute()
    text = io.StringIO()
    for output in notebook.cells[0].outputs:
        text.write(output.get("text", ""))
    return json.loads(text.getvalue().rpartition("RESULT")[2].splitlines()[0])  # type: ignore[no-any-return]


def main() -> None:
    """Print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebook", action="store_true")
    parser.add_argument("workloads", nargs="*", default=["dense100", "mlp_softmax", "mnist_mlp", "conv1d"])
    given = parser.parse_args()
    if given.notebook:
        found = in_a_notebook(given.workloads)
    else:
        with terminal():
            found = {name: measure(name) for name in given.workloads}
    columns = list(next(iter(found.values())))
    print(f"| {'a notebook' if given.notebook else 'a terminal'} | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in found.items():
        print(f"| {name} | " + " | ".join(f"{row[way]:.2f}" for way in columns) + " |")


if __name__ == "__main__":
    main()
