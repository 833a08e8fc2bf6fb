"""What one training step crosses: calls into the package, distinct files, and changes of file between calls.

    python benchmarks/trace_step.py          the table
    python benchmarks/trace_step.py --list   each call in order, too

A step is `step.train(batch)` in the midst of a `fit`.  The model is a chain of two Dense layers with Adam and one
metric.  The gradients of the loss `mse` are written out by hand, those of `mae` found by autograd.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import torchkeras_compat as keras

PACKAGE = Path(keras.__file__).parent
GOALS = {"handwritten": (40, 9, 14), "autograd": (55, 12, 24)}
Calls = list[tuple[str, str]]  # the file and the name of the function


def compiled_model(way: str) -> Any:
    """Return a model that finds its gradients in this way.

    Args:
        way: `'handwritten'` or `'autograd'`.
    """
    loss, metric = ("mse", "mae") if way == "handwritten" else ("mae", "mse")
    model = keras.Sequential([keras.layers.Dense(16, activation="relu", input_shape=(8,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(), loss, metrics=[metric])
    return model


def calls_of_a_step(way: str, at: int = 5) -> Calls:
    """Return the calls of functions of the package that one step of a `fit` makes, in order.

    Args:
        way: How gradients are found.
        at: The number of the step.

    Raises:
        RuntimeError: The model finds its gradients in another way.
    """
    calls: Calls = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            calls.append((str(path.relative_to(PACKAGE)), frame.f_code.co_qualname))

    model = compiled_model(way)
    step = model.make_step("train")
    train, numbers = step.train, itertools.count(1)

    def traced(batch: Any) -> None:
        sys.setprofile(note if next(numbers) == at else None)
        try:
            train(batch)
        finally:
            sys.setprofile(None)

    step.train = traced
    x, y = np.random.rand(32 * (at + 1), 8), np.random.rand(32 * (at + 1), 1)
    model.fit(x, y, verbose=0)
    if (step.chain is None) == (way == "handwritten"):
        raise RuntimeError(f"the step does not find its gradients by {way}.")
    return calls


def counts(calls: Calls) -> tuple[int, int, int]:
    """Return the number of calls, of files, and of changes of file from one call to the next."""
    files = [file for file, _ in calls]
    return len(files), len(set(files)), sum(a != b for a, b in itertools.pairwise(files))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print each call in order")
    wanted = parser.parse_args().list
    print(f"{'':12s} {'calls':>12s} {'files':>12s} {'changes':>12s}")
    for way, goals in GOALS.items():
        calls = calls_of_a_step(way)
        cells = (f"{count} (≤ {goal})" for count, goal in zip(counts(calls), goals))
        print(f"{way:12s} " + " ".join(f"{cell:>12s}" for cell in cells))
        if wanted:
            before = ""
            for file, name in calls:
                print(f"    {'' if file == before else file:40s} {name}")
                before = file


if __name__ == "__main__":
    main()
