"""Trainings that are cut and resumed: the models, data and callbacks of several tests, and a script of two processes.

`python -m tests.callbacks.resuming FOLDER cut` trains until it kills itself, `… resume` goes on in another process.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import torchkeras_compat as tk

L = tk.layers
EPOCHS, BATCH = 4, 8
X = np.random.RandomState(0).standard_normal((44, 5)).astype("float32")
Y = (X.sum(1, keepdims=True) + np.random.RandomState(1).standard_normal((44, 1))).astype("float32")
X_VALID, Y_VALID = X[36:], Y[36:]


def model(optimizer: Any = "adam", loss: Any = "mse", metrics: Any = ("mae",)) -> Any:
    """Make a model with random layers and with states that are no weights of a kernel."""
    net = tk.Sequential(
        [
            L.Dense(8, activation="relu", input_dim=5),
            L.Dropout(0.3),
            L.BatchNormalization(),
            L.GaussianNoise(0.1, seed=4),
            L.Dense(1),
        ]
    )
    net.compile(optimizer, loss, metrics=list(metrics))
    return net


class Shuffled(tk.utils.Sequence):
    """The data generator of many tutorials: it draws the order anew at the end of each epoch."""

    def __init__(self) -> None:
        self.indexes = np.arange(36)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-36 // BATCH)

    def __getitem__(self, index: int) -> Any:
        chosen = self.indexes[index * BATCH : (index + 1) * BATCH]
        return X[chosen] + np.random.standard_normal((len(chosen), 5)) * 0.01, Y[chosen]

    def on_epoch_end(self) -> None:
        np.random.shuffle(self.indexes)


def endless() -> Iterator[Any]:
    """Yield batches whose order is drawn for each round, and kept in the generator."""
    while True:
        order = np.random.permutation(36)
        for start in range(0, 36, BATCH):
            yield X[order[start : start + BATCH]], Y[order[start : start + BATCH]]


def counting() -> Iterator[Any]:
    """Yield batches in order, without end."""
    number = 0
    while True:
        rows = np.arange(number, number + BATCH) % 36
        number += 5
        yield X[rows], Y[rows]


def loader(own: bool) -> Any:
    """Make a DataLoader that shuffles, by a generator of its own perhaps."""
    data = torch.utils.data.TensorDataset(torch.from_numpy(X[:36]), torch.from_numpy(Y[:36]))
    generator = torch.Generator().manual_seed(5) if own else None
    return torch.utils.data.DataLoader(data, BATCH, shuffle=True, generator=generator)


def pictures(seed: int | None) -> Any:
    """Make batches of pictures that are changed at random."""
    images = np.random.RandomState(2).rand(20, 4, 4, 1)
    made = tk.preprocessing.image.ImageDataGenerator(horizontal_flip=True, width_shift_range=0.3)
    return made.flow(images, images.mean((1, 2)), batch_size=6, seed=seed)


ARRAYS = {"x": X[:36], "y": Y[:36], "batch_size": BATCH}
# Name → what `fit` is given; made anew for each training.
DATA: dict[str, Callable[[], dict[str, Any]]] = {
    "arrays": lambda: {**ARRAYS, "validation_data": (X_VALID, Y_VALID)},
    "no shuffling": lambda: {**ARRAYS, "shuffle": False},
    "batches shuffled": lambda: {**ARRAYS, "shuffle": "batch", "validation_split": 0.2},
    "arrays in steps": lambda: {**ARRAYS, "steps_per_epoch": 3},
    "sequence": lambda: {"x": Shuffled(), "validation_data": Shuffled()},
    "sequence in steps": lambda: {"x": Shuffled(), "steps_per_epoch": 3, "shuffle": False},
    "generator": lambda: {"x": endless(), "steps_per_epoch": 4},
    "generators": lambda: {"x": counting(), "steps_per_epoch": 4, "validation_data": counting(), "validation_steps": 2},
    "loader": lambda: {"x": loader(False), "validation_data": loader(False)},
    "loader with a generator": lambda: {"x": loader(True)},
    "list of batches": lambda: {"x": Listed()},
}


class Listed:
    """Batches that can be read again, and have no length."""

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, 36, BATCH):
            yield X[start : start + BATCH], Y[start : start + BATCH]


class Cut(tk.callbacks.Callback):
    """Ends a training after some batches: by an error, or by a kill."""

    # Sums of several batches at once round in another way than sums of each that somebody looks at.
    def _reads_logs(self, size: int) -> bool:
        return False

    def __init__(self, after: int, kill: bool = False) -> None:
        super().__init__()
        self.after, self.kill = after, kill

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.after -= 1
        if not self.after:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise InterruptedError


def train(
    folder: Path, data: str, net: Any, others: Any = (), seed: int = 3, cut: Cut | None = None, **options: Any
) -> tuple[Any, Any]:
    """Train one of `DATA` with backups in a folder; return the history and the weights."""
    backup = tk.callbacks.BackupAndRestore(folder, **options)
    np.random.seed(seed)
    told = DATA[data]()
    history = net.fit(**told, epochs=EPOCHS, verbose=0, callbacks=[backup, *others, *([] if cut is None else [cut])])
    return history, net.get_weights()


# --- two processes ---------------------------------------------------------------------------------------------------

CASES = [("arrays", 2, 7), ("sequence", "epoch", 12), ("generator", 3, 11), ("loader", 2, 6), ("arrays in steps", 2, 9)]


def main(folder: Path, part: str) -> None:
    """Run one part of the script."""
    results = {}
    for i, (data, often, after) in enumerate(CASES):
        np.random.seed(3 if part == "cut" else 77)  # the weights that it begins with are others
        net = model()
        place = folder / str(i)
        if part == "resume":
            history, weights = train(place, data, net, save_freq=often)
            results[str(i)] = np.concatenate([w.ravel() for w in weights])
            results[f"loss {i}"] = np.asarray(history.history["loss"])
            continue
        try:
            train(place, data, net, save_freq=often, cut=Cut(after, kill=i == len(CASES) - 1))
        except InterruptedError:
            continue
    np.savez(folder / "results.npz", **results)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
