"""Layers by themselves: a forward pass, and a forward with a backward pass, beside torch and two releases of Keras.

    python benchmarks/layers.py [--keras PY] [--keras3 PY] [--rounds 3] [--seconds 1] [--json FILE] [LAYER ...]

PY is the interpreter of an environment with Keras 2.15, or with Keras 3 on torch; without them there are fewer sides.
Each side runs in a process of its own, layer by layer, and the sides alternate. Where `torch.nn` has the layer, it is
the yardstick; for the others it is what a careful user of torch writes: of a recurrent layer the products of the inputs
for all steps at once, and a loop over the steps. Torch's convolutions get channels first, the others channels last.
Keras 2.15 runs inside `tf.function`. The backward pass goes to the weights and to the input, as in the midst of a
network. Milliseconds are medians over the rounds; a ratio divides by torch's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from layer_cases import CASES, Case, Row

METRICS = ("forward_ms", "step_ms")


def milliseconds(run: Callable[[], Any], seconds: float) -> float:
    """Return the median time of a run, once it is warm."""
    for _ in range(3):
        run()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 5:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


# --- the sides -------------------------------------------------------------------------------------------------------


def through_torch(layer: Any, batch: list[Any], seconds: float, **options: Any) -> Row:
    """Time a module of torch: a pass without gradients, and one with them to weights and inputs."""
    import torch

    y = layer(*batch, **options)  # which builds it
    ahead = torch.randn_like(y)  # in the midst of a network the gradient that arrives has its own memory
    wanted = [*(p for p in layer.parameters() if p.requires_grad), *(x.requires_grad_() for x in batch)]

    @torch.no_grad()
    def forward() -> Any:
        return layer(*batch, **options)

    def step() -> Any:
        y, penalties = layer(*batch, **options), list(getattr(layer, "losses", ()))
        ends, gradients = ([y, sum(penalties)], [ahead, torch.ones(())]) if penalties else ([y], [ahead])
        return torch.autograd.grad(ends, wanted, gradients, allow_unused=True)

    return {"forward_ms": milliseconds(forward, seconds), "step_ms": milliseconds(step, seconds)}


def torch_side(case: Case, size: str, seconds: float) -> Row:
    """Time what a user of torch has."""
    import torch
    from layer_loops import LOOPS

    shape, options = case.sizes[size]
    module = LOOPS[case.torch](shape, {**case.arguments, **options})
    batch = [torch.from_numpy(x) for x in case.batch(size)]
    prepared = getattr(module, "prepared", None)
    return through_torch(module, [prepared(x) for x in batch] if prepared else batch, seconds)


def our_side(case: Case, size: str, seconds: float) -> Row:
    """Time this package, under the defaults of Keras 2.15, with memory kept as every `fit` keeps it."""
    import torch

    import torchkeras_compat
    from torchkeras_compat._core.allocator import keep_freed_memory

    keep_freed_memory()
    torchkeras_compat.set_dialect("tf.keras")
    return _keras_on_torch(torchkeras_compat, torch, case, size, seconds)


def keras3_side(case: Case, size: str, seconds: float) -> Row:
    """Time Keras 3 on torch."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch

    return _keras_on_torch(keras, torch, case, size, seconds)


def _keras_on_torch(keras: Any, torch: Any, case: Case, size: str, seconds: float) -> Row:
    layer, batch = case.make(keras, size), [torch.from_numpy(x) for x in case.batch(size)]
    if case.inputs > 1 and case.cls != "MultiHeadAttention":
        return through_torch(_OfList(layer), batch, seconds, training=True)
    return through_torch(layer, batch, seconds, training=True)


class _OfList:
    """A layer that takes a list, called with its tensors one by one."""

    def __init__(self, layer: Any) -> None:
        self.layer, self.parameters = layer, layer.parameters

    def __call__(self, *batch: Any, **options: Any) -> Any:
        return self.layer(list(batch), **options)


def keras_side(case: Case, size: str, seconds: float) -> Row:
    """Time Keras 2.15 on TensorFlow, traced once."""
    import keras
    import tensorflow as tf

    made, batch = case.make(keras, size), [tf.constant(x) for x in case.batch(size)]
    listed = case.inputs > 1 and case.cls != "MultiHeadAttention"

    def layer() -> Any:
        return made(batch, training=True) if listed else made(*batch, training=True)

    ahead = tf.random.normal(tf.shape(layer()))

    @tf.function
    def forward() -> Any:
        return layer()

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(batch)
            y = layer()
            penalties = tf.add_n(made.losses) if made.losses else None
        ends = [y] if penalties is None else [y, penalties]
        gradients = [ahead] if penalties is None else [ahead, tf.ones(())]
        # With the output, which a step of training needs: a graph that does not return it leaves out the forward pass
        # of every layer whose gradient can do without.
        return ends, tape.gradient(ends, [*made.trainable_weights, *batch], output_gradients=gradients)

    return {
        "forward_ms": milliseconds(lambda: forward().numpy(), seconds),
        "step_ms": milliseconds(lambda: [g.numpy() for g in step()[1] if g is not None], seconds),
    }


SIDES: dict[str, Callable[[Case, str, float], Row]] = {
    "torch": torch_side,
    "ours": our_side,
    "keras": keras_side,
    "keras3": keras3_side,
}


# --- all of them -----------------------------------------------------------------------------------------------------


def apart(python: str, side: str, name: str, seconds: float) -> list[Row]:
    """Return the times of one side in all sizes out of a process of its own, or its error."""
    command = [python, os.path.abspath(__file__), name, "--one", side, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    if done.returncode:
        error = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        return [{"layer": name, "side": side, "size": size, "error": error} for size in CASES[name].sizes]
    rows: list[Row] = json.loads(done.stdout.strip().splitlines()[-1])
    return rows


def measured(side: str, name: str, seconds: float) -> list[Row]:
    """Return the times of one side, in this process."""
    case = CASES[name]
    return [{"layer": name, "side": side, "size": size, **SIDES[side](case, size, seconds)} for size in case.sizes]


def line(rows: list[Row], sides: list[str], metric: str) -> str:
    """Return the medians of one metric, those beside torch's as ratios too."""
    medians: dict[str, float] = {}
    for side in sides:
        times = [row[metric] for row in rows if row["side"] == side and metric in row]
        if times:
            medians[side] = statistics.median(times)
    texts = []
    for side in sides:
        ratio = f" {medians[side] / medians['torch']:5.2f}×" if {side, "torch"} <= medians.keys() else ""
        texts.append(f"{side} {medians[side]:8.3f} ms{ratio}" if side in medians else f"{side} fails")
    return " | ".join(texts)


def report(name: str, rows: list[Row], sides: list[str]) -> None:
    """Print a line for each size and metric of a layer, and what failed."""
    for size in CASES[name].sizes:
        of_size = [row for row in rows if row["size"] == size]
        for metric in METRICS:
            print(f"{name:22s} {size:6s} {metric:10s} {line(of_size, sides, metric)}", flush=True)
    for error in sorted({f"{row['side']}: {row['error']}" for row in rows if "error" in row}):
        print(f"{name:22s} error      {error}", flush=True)


def main() -> None:
    """Measure what was asked for, and print a line for each layer, size and metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", metavar="LAYER", help=", ".join(CASES))
    parser.add_argument("--keras", help="the interpreter of an environment with Keras 2.15")
    parser.add_argument("--keras3", help="the interpreter of an environment with Keras 3 and torch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each time is measured")
    parser.add_argument("--json", help="where the rows go, too")
    parser.add_argument("--one", metavar="SIDE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = sorted(set(options.layers) - set(CASES))
    if unknown:
        parser.error(f"no such layer: {', '.join(unknown)}; there are {', '.join(CASES)}")
    if options.one:
        print(json.dumps(measured(options.one, options.layers[0], options.seconds)))
        return
    others = {side: python for side in ("keras", "keras3") if (python := getattr(options, side))}
    pythons = {"torch": sys.executable, "ours": sys.executable, **others}
    every: list[Row] = []
    for name in options.layers or CASES:
        rows = [
            row
            for _ in range(options.rounds)
            for side, python in pythons.items()
            for row in apart(python, side, name, options.seconds)
        ]
        report(name, rows, list(pythons))
        every += rows
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(every, file, indent=1)


if __name__ == "__main__":
    main()
