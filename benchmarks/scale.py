"""How the time of a training step grows: ours beside the hand-written PyTorch loop, in one process, interleaved.

    python scale.py [--axis width …] [--most SIZE] [--repeats 5] [--seconds .25] [--json FILE] [--png FILE]

Axes: width of Dense layers, depth in layers, rows in a batch, rows of an embedding (SGD, Adagrad, RMSprop), rows of
data.
A figure is the median milliseconds per step of `fit`; the picture has the step times above and their ratio below.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import itertools
import json
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from compare import processor
from torch import nn
from torch_loops import TorchModel

import torchkeras_compat as keras

RESULTS = Path(__file__).resolve().parent / "results"
LIMIT = 1.05  # the greatest ratio to the torch loop that is allowed
CLASSES = 10
DIM, LENGTH = 8, 16  # of an embedding and of the sequences that it takes
STYLES = {"torch": "C1o-", "torch, sparse": "C2^:", "ours": "C0s-"}
TRIAL = 50  # batches that tell how long an epoch will last
LONG_MS = 1500  # an epoch that lasts longer is timed three times


@dataclass(frozen=True)
class Case:
    """One point of one curve.

    Attributes:
        axis: Which curve: its axis.
        size: The value on that axis.
        optimizer: By name.
        width: Units of a hidden layer.
        depth: Number of hidden layers.
        batch: Rows in a batch.
        rows: Rows of the embedding; 0 for a net of Dense layers.
        data: Rows of the data.
        features: Numbers in a row.
    """

    axis: str
    size: int
    optimizer: str = "rmsprop"
    width: int = 64
    depth: int = 2
    batch: int = 32
    rows: int = 0
    data: int = 1024
    features: int = 20

    @property
    def curve(self) -> str:
        """The title of the picture that the point belongs to."""
        return f"{self.axis}, {self.optimizer}" if self.rows else self.axis

    def arrays(self) -> tuple[Any, Any]:
        """Return inputs and targets."""
        rng = np.random.default_rng(0)
        if self.rows:
            x = rng.integers(0, self.rows, (self.data, LENGTH)).astype("int32")
            return x, rng.integers(0, 2, (self.data, 1)).astype("float32")
        x = rng.random((self.data, self.features), dtype="float32")
        return x, np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, self.data)]


def _cases() -> list[Case]:
    cases = [
        Case("width", n, width=n, data=256 if n > 1024 else 1024) for n in (16, 64, 128, 256, 512, 1024, 2048, 4096)
    ]
    cases += [Case("depth", n, depth=n, width=32) for n in (1, 2, 4, 8, 16, 32, 64)]
    cases += [Case("batch", n, batch=n, data=max(64, 4 * n)) for n in (1, 4, 16, 64, 256, 1024, 4096, 8192)]
    for optimizer in ("sgd", "adagrad", "rmsprop"):
        # The same data for each size, so that an epoch's own time weighs the same; few: a step of torch can take .6 s.
        cases += [Case("embedding rows", 10**k, optimizer, rows=10**k, data=512) for k in range(3, 8)]
    cases += [Case("data rows", 10**k, batch=2048, data=10**k, features=4, width=16, depth=1) for k in range(3, 8)]
    return cases


def ours(case: Case) -> Any:
    """Return the model of a case in Keras's interface."""
    L = keras.layers
    if case.rows:
        layers = [L.Embedding(case.rows, DIM, input_length=LENGTH), L.Flatten(), L.Dense(1, activation="sigmoid")]
    else:
        first = {"input_shape": (case.features,)}
        hidden = [L.Dense(case.width, activation="relu", **(first if i == 0 else {})) for i in range(case.depth)]
        layers = [*hidden, L.Dense(CLASSES, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile(case.optimizer, "binary_crossentropy" if case.rows else "categorical_crossentropy", ["accuracy"])
    return model


class Loop(TorchModel):
    """The same in PyTorch, with the loop of `torch_loops.py`.

    Args:
        case: The case.
        sparse: Whether the embedding gives sparse gradients, which torch's SGD and Adagrad take.
    """

    def __init__(self, case: Case, sparse: bool = False) -> None:
        self.name, self.device, self.binary = "scale", "cpu", bool(case.rows)
        if case.rows:
            parts: list[nn.Module] = [nn.Embedding(case.rows, DIM, sparse=sparse), nn.Flatten()]
            parts.append(nn.Linear(DIM * LENGTH, 1))
        else:
            sizes = [case.features, *[case.width] * case.depth]
            parts = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
            parts.append(nn.Linear(sizes[-1], CLASSES))
        self.net = self.forward = nn.Sequential(*parts)
        self.opt = OPTIMIZERS[case.optimizer](self.net.parameters())


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda params: torch.optim.SGD(params, lr=0.01),
    "adagrad": lambda params: torch.optim.Adagrad(params, lr=0.01, eps=1e-7),
    "rmsprop": lambda params: torch.optim.RMSprop(params, lr=0.001, alpha=0.9, eps=1e-7),
}


def implementations(case: Case) -> dict[str, Any]:
    """Return what runs a case."""
    found = {"ours": ours(case), "torch": Loop(case)}
    if case.rows and case.optimizer != "rmsprop":  # torch's RMSprop takes no sparse gradients
        found["torch, sparse"] = Loop(case, sparse=True)
    return found


def fitted(model: Any, x: Any, y: Any, batch: int, epochs: int) -> float:
    """Return the milliseconds per step of one `fit`."""
    start = time.perf_counter()
    model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)
    return (time.perf_counter() - start) * 1e3 / (epochs * -(-len(x) // batch))


def measured(case: Case, repeats: int, seconds: float) -> dict[str, float]:
    """Return the median milliseconds per step of each implementation.

    Args:
        case: The case.
        repeats: How many times each is timed, in turns.
        seconds: About how long one timed `fit` lasts, where an epoch is not longer.
    """
    x, y = case.arrays()
    models = implementations(case)
    steps = -(-case.data // case.batch)
    some = min(case.data, TRIAL * case.batch)
    epochs: dict[str, int] = {}
    epoch_ms = 0.0
    for name, model in models.items():
        fitted(model, x[: case.batch], y[: case.batch], case.batch, 1)
        ms = steps * fitted(model, x[:some], y[:some], case.batch, 1)
        epochs[name] = int(min(200, max(1, seconds * 1e3 / ms)))
        epoch_ms = max(epoch_ms, ms)
    times: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(min(repeats, 3) if epoch_ms > LONG_MS else repeats):
        for name in list(models)[:: 1 if turn % 2 == 0 else -1]:
            times[name].append(fitted(models[name], x, y, case.batch, epochs[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def drawn(rows: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Draw the step times of each curve, and their ratios below."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    curves = list(dict.fromkeys(row["curve"] for row in rows))
    figure, axes = plt.subplots(
        2, len(curves), figsize=(3.1 * len(curves), 5.4), squeeze=False, sharex="col", height_ratios=(2, 1)
    )
    for column, curve in enumerate(curves):
        mine = [row for row in rows if row["curve"] == curve]
        sizes = [row["size"] for row in mine]
        above, below = axes[0][column], axes[1][column]
        for name, style in STYLES.items():
            if all(name in row["ms"] for row in mine):
                above.plot(sizes, [row["ms"][name] for row in mine], style, label=name, markersize=4)
        below.plot(sizes, [row["ratio"] for row in mine], STYLES["ours"], markersize=4)
        below.axhline(LIMIT, color="gray", linewidth=0.8, linestyle="--")
        above.set(xscale="log", yscale="log", title=curve)
        below.set(xlabel=mine[0]["axis"], ylim=(0, max(1.2, 1.1 * max(row["ratio"] for row in mine))))
    axes[0][0].set_ylabel("ms per step")
    axes[1][0].set_ylabel("ours / torch")
    for above in axes[0]:
        above.legend(fontsize="small")
    figure.suptitle(title, fontsize="small")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def line(row: dict[str, Any]) -> str:
    """Return a row as one line of text."""
    times = "  ".join(f"{name} {ms:9.3f}" for name, ms in row["ms"].items())
    return f"{row['curve']:26s} {row['size']:>9d}  {times}  ratio {row['ratio']:.2f}"


def options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("--axis", action="append", choices=sorted({case.axis for case in _cases()}))
    parser.add_argument("--most", type=int, default=10**9, help="leave out greater sizes")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.25)
    parser.add_argument("--json", type=Path, default=RESULTS / "scale.json")
    parser.add_argument("--png", type=Path, default=RESULTS / "scale.png")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write, draw."""
    a = options()
    warnings.filterwarnings("ignore", "Sparse invariant checks")  # torch's Adagrad with sparse gradients
    rows: list[dict[str, Any]] = []
    start = time.perf_counter()
    for case in _cases():
        if (a.axis and case.axis not in a.axis) or case.size > a.most:
            continue
        ms = measured(case, a.repeats, a.seconds)
        rows.append({**asdict(case), "curve": case.curve, "ms": ms, "ratio": ms["ours"] / ms["torch"]})
        print(line(rows[-1]), flush=True)
        gc.collect()
    where = f"{datetime.date.today()}, {processor()}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    a.json.parent.mkdir(parents=True, exist_ok=True)
    a.json.write_text(json.dumps({"measured": where, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    drawn(rows, f"step time of fit; {where}", a.png)
    over = [row for row in rows if row["ratio"] > LIMIT]
    print(
        f"{len(rows)} points in {time.perf_counter() - start:.0f} s; {len(over)} above {LIMIT}: see {a.json}, {a.png}"
    )


if __name__ == "__main__":
    main()
