"""What `fit` costs from a generator, a Sequence, a DataLoader and a Dataset, beside the same arrays.

python benchmarks/feeding.py             # milliseconds a step of a network of MNIST's size, in batches of 128
python benchmarks/feeding.py --stream 4  # peak memory of a fit from a memory-mapped file of 4 GB
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat.utils.dataset import Dataset

ROWS, BATCH = 128 * 120, 128
X = np.random.RandomState(0).rand(ROWS, 784).astype("float32")
Y = np.random.RandomState(1).randint(0, 10, ROWS)
STEPS = ROWS // BATCH


class Batches(keras.utils.Sequence):
    """The arrays, batch by batch."""

    def __init__(self, x: Any, y: Any) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x) // BATCH

    def __getitem__(self, index: int) -> Any:
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return self.x[rows], self.y[rows]


def generator() -> Iterator[Any]:
    source = Batches(X, Y)
    while True:
        yield from (source[i] for i in range(STEPS))


class Slices(IterableDataset[Any]):
    """The arrays in batches; a loader that puts rows together takes several times what a step does."""

    def __iter__(self) -> Iterator[Any]:
        source = Batches(torch.from_numpy(X), torch.from_numpy(Y))
        return (source[i] for i in range(STEPS))


SOURCES: dict[str, Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "arrays": lambda: ((X, Y), {"batch_size": BATCH, "shuffle": False}),
    "generator": lambda: ((generator(),), {"steps_per_epoch": STEPS}),
    "Sequence": lambda: ((Batches(X, Y),), {"shuffle": False}),
    "Sequence, 2 workers": lambda: ((Batches(X, Y),), {"shuffle": False, "workers": 2}),
    "DataLoader": lambda: ((DataLoader(Slices(), batch_size=None),), {"steps_per_epoch": STEPS}),
    "Dataset": lambda: ((Dataset.from_tensor_slices((X, Y)).batch(BATCH),), {}),
}


def mlp() -> Any:
    model = keras.Sequential(
        [
            layers.Dense(512, "relu", input_shape=(784,)),
            layers.Dropout(0.2),
            layers.Dense(512, "relu"),
            layers.Dropout(0.2),
            layers.Dense(10, "softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def compare(rounds: int) -> None:
    """Print milliseconds a step, medians of interleaved epochs, and the ratio to the arrays of the same round."""
    model = mlp()
    times: dict[str, list[float]] = {name: [] for name in SOURCES}
    for number in range(rounds + 1):
        for name, make in SOURCES.items():
            data, options = make()
            start = time.perf_counter()
            model.fit(*data, epochs=1, verbose=0, **options)
            if number:  # the first round warms up
                times[name].append((time.perf_counter() - start) / STEPS * 1e3)
    for name, seconds in times.items():
        ratio = statistics.median(one / arrays for one, arrays in zip(seconds, times["arrays"]))
        print(f"{name:20} {statistics.median(seconds):6.3f} ms a step, {ratio:5.3f} of arrays")


def stream(gigabytes: float, as_array: bool = False) -> float:
    """Print, and return, the peak memory in MB of a fit from a sparse file that is mapped into memory.

    Args:
        gigabytes: The size of the file.
        as_array: Whether `fit` gets the mapped array, whose rows it shuffles, and no Sequence.
    """
    rows = int(gigabytes * 2**30 / (784 * 4)) // BATCH * BATCH
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.dat")
        with path.open("wb") as file:
            file.truncate(rows * 784 * 4)
        x = np.memmap(path, "float32", "r", shape=(rows, 784))
        start = time.perf_counter()
        model = keras.Sequential([layers.Dense(10, "softmax", input_shape=(784,))])
        model.compile("sgd", "sparse_categorical_crossentropy")
        y = np.zeros(rows, "int64")
        data = (x, y) if as_array else (Batches(x, y),)
        model.fit(*data, epochs=1, verbose=0, **({"batch_size": BATCH} if as_array else {}))
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{gigabytes:g} GB {'as an array' if as_array else 'by a Sequence'}: {seconds:.0f} s, peak {peak:.0f} MB")
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--stream", type=float, metavar="GB", help="measure memory instead")
    parser.add_argument("--as-array", action="store_true", help="stream the array itself")
    told = parser.parse_args()
    keras.set_device("cpu")
    if told.stream:
        stream(told.stream, told.as_array)
    else:
        compare(told.rounds)


if __name__ == "__main__":
    main()
