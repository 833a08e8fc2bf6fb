"""Recurrent layers by themselves: a forward pass, and a forward with a backward pass, beside torch and Keras 2.15.

    python benchmarks/layers.py [--keras PY] [--rounds 3] [--seconds 1] [--json FILE] [LAYER ...]

PY is the interpreter of an environment with Keras 2.15; without it there are two sides. Each measurement runs in a
process of its own, and the sides alternate. Where `torch.nn` has the layer (LSTM, GRU that resets behind the product,
SimpleRNN), it is the yardstick; for the others it is what a careful user of torch writes: the products of the inputs
for all steps at once, and a loop over the steps. Keras runs inside `tf.function`. Milliseconds are medians over the
rounds; a ratio divides by torch's.
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
from dataclasses import dataclass
from typing import Any

import numpy as np

METRICS = ("forward_ms", "step_ms")
Row = dict[str, Any]
Sizes = dict[str, tuple[int, ...]]

# Name → batch, steps, features, units.
SEQUENCES: Sizes = {"small": (32, 20, 16, 32), "medium": (32, 50, 64, 64), "large": (64, 100, 128, 128)}
# Name → batch, steps, rows and columns, channels, filters.
IMAGES: Sizes = {"small": (4, 5, 16, 1, 8), "medium": (8, 8, 24, 4, 16), "large": (8, 10, 40, 8, 32)}


@dataclass(frozen=True)
class Case:
    """A layer in one setting.

    Attributes:
        cls: The name of its class in Keras.
        arguments: Those beside the units.
        torch: The name of the function below that makes torch's.
        sizes: Three of them.
    """

    cls: str
    arguments: Row
    torch: str
    sizes: Sizes

    def make(self, layers: Any, size: tuple[int, ...]) -> Any:
        """Return the layer out of a module of layers."""
        return getattr(layers, self.cls)(size[-1], **{"return_sequences": True, **self.arguments})

    def inputs(self, size: tuple[int, ...]) -> Any:
        """Return a batch."""
        shape = size[:3] if self.sizes is SEQUENCES else (*size[:3], size[2], size[3])
        return np.random.default_rng(0).normal(size=shape).astype("float32")


HARD = {"recurrent_activation": "hard_sigmoid"}
CASES: dict[str, Case] = {
    "lstm": Case("LSTM", {}, "fused_lstm", SEQUENCES),
    "gru": Case("GRU", {"reset_after": True}, "fused_gru", SEQUENCES),
    "gru_reset_before": Case("GRU", {"reset_after": False}, "gru_loop", SEQUENCES),
    "simple_rnn": Case("SimpleRNN", {}, "fused_rnn", SEQUENCES),
    "lstm_hard_sigmoid": Case("LSTM", HARD, "hard_lstm_loop", SEQUENCES),
    "lstm_recurrent_dropout": Case("LSTM", {"recurrent_dropout": 0.2}, "dropping_lstm_loop", SEQUENCES),
    "conv_lstm_2d": Case("ConvLSTM2D", {"kernel_size": 3, "padding": "same"}, "conv_lstm_loop", IMAGES),
}


# --- torch's side ----------------------------------------------------------------------------------------------------


def torch_side(case: Case, size: tuple[int, ...]) -> Callable[[Any], Any]:
    """Return a module that does what the layer does; its own file, for Keras's environment has no torch."""
    from layer_loops import LOOPS

    made: Callable[[Any], Any] = LOOPS[case.torch](*size[-2:])
    return made


# --- one measurement -------------------------------------------------------------------------------------------------


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


def through_torch(layer: Any, x: Any, seconds: float, **options: Any) -> Row:
    """Time a module of torch: a pass without gradients, and one with them to the weights."""
    import torch

    batch = torch.from_numpy(x)
    layer(batch, **options)  # which builds it
    weights = [p for p in layer.parameters() if p.requires_grad]

    @torch.no_grad()
    def forward() -> Any:
        return layer(batch, **options)

    def step() -> Any:
        return torch.autograd.grad(layer(batch, **options).sum(), weights)

    return {"forward_ms": milliseconds(forward, seconds), "step_ms": milliseconds(step, seconds)}


def through_keras(case: Case, size: tuple[int, ...], seconds: float) -> Row:
    """Time Keras's layer on TensorFlow, traced once."""
    import keras
    import tensorflow as tf

    layer, batch = case.make(keras.layers, size), tf.constant(case.inputs(size))
    layer(batch)

    @tf.function
    def forward() -> Any:
        return layer(batch, training=True)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(batch, training=True))
        return tape.gradient(total, layer.trainable_weights)

    return {
        "forward_ms": milliseconds(lambda: forward().numpy(), seconds),
        "step_ms": milliseconds(lambda: [g.numpy() for g in step()], seconds),
    }


def measured(side: str, name: str, size: str, seconds: float) -> Row:
    """Return the times of one side, in this process."""
    case = CASES[name]
    sizes = case.sizes[size]
    if side == "keras":
        return through_keras(case, sizes, seconds)
    if side == "torch":
        return through_torch(torch_side(case, sizes), case.inputs(sizes), seconds)
    import torchkeras_compat

    torchkeras_compat.set_dialect("tf.keras")  # the defaults of Keras 2.15
    layer = case.make(torchkeras_compat.layers, sizes)
    return through_torch(layer, case.inputs(sizes), seconds, training=True)


# --- all of them -----------------------------------------------------------------------------------------------------


def apart(python: str, side: str, name: str, size: str, seconds: float) -> Row:
    """Return the times of one side out of a process of its own, or its error."""
    command = [python, os.path.abspath(__file__), name, "--one", side, size, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    times: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return times


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


def main() -> None:
    """Measure what was asked for, and print a line for each layer, size and metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", metavar="LAYER", help=", ".join(CASES))
    parser.add_argument("--keras", help="the interpreter of an environment with Keras 2.15")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each time is measured")
    parser.add_argument("--json", help="where the rows go, too")
    parser.add_argument("--one", nargs=2, metavar=("SIDE", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = sorted(set(options.layers) - set(CASES))
    if unknown:
        parser.error(f"no such layer: {', '.join(unknown)}; there are {', '.join(CASES)}")
    if options.one:
        print(json.dumps(measured(options.one[0], options.layers[0], options.one[1], options.seconds)))
        return
    pythons = {"torch": sys.executable, "ours": sys.executable} | ({"keras": options.keras} if options.keras else {})
    every: list[Row] = []
    for name in options.layers or CASES:
        for size in CASES[name].sizes:
            rows = [
                {"layer": name, "size": size, "side": side, **apart(python, side, name, size, options.seconds)}
                for _ in range(options.rounds)
                for side, python in pythons.items()
            ]
            for metric in METRICS:
                print(f"{name:22s} {size:6s} {metric:10s} {line(rows, list(pythons), metric)}", flush=True)
            for error in sorted({f"{row['side']}: {row['error']}" for row in rows if "error" in row}):
                print(f"{name:22s} {size:6s} error      {error}", flush=True)
            every += rows
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(every, file, indent=1)


if __name__ == "__main__":
    main()
