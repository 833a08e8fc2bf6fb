"""What Keras's manners cost a user's loss: microseconds of a training step, with them and without.

    python benchmarks/user_loss.py

Without them the same function gets torch's own tensors, as if this package had written it. Both models are timed in
turns in one process; each line is the median of pairs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat.losses import resolution
from torchkeras_compat.training.step import objective

ROWS, BATCH, PAIRS = 6400, 32, 25


def squared(y_true: Any, y_pred: Any) -> Any:
    return (y_pred - y_true).square().mean(-1)


def squared_by_k(y_true: Any, y_pred: Any) -> Any:
    return K.mean(K.square(y_pred - y_true), axis=-1)


def crossentropy(y_true: Any, y_pred: Any) -> Any:
    y_pred = K.clip(y_pred, K.epsilon(), 1 - K.epsilon())
    return -K.mean(y_true * K.log(y_pred) + (1 - y_true) * K.log(1 - y_pred), axis=-1)


def focal(y_true: Any, y_pred: Any) -> Any:
    p = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    return -K.mean((1 - p) ** 2 * K.log(p + K.epsilon()), axis=-1)


LOSSES: tuple[Callable[..., Any], ...] = (squared, squared_by_k, crossentropy, focal)


@contextmanager
def without_manners() -> Iterator[None]:
    """Let functions that are compiled in the block pass for the package's own."""
    kept = resolution.calling, objective.is_users
    resolution.calling, objective.is_users = (lambda function: function), (lambda function: False)
    try:
        yield
    finally:
        resolution.calling, objective.is_users = kept


def model_of(loss: Any) -> Any:
    dense = keras.layers.Dense
    model = keras.Sequential([dense(16, activation="relu", input_dim=20), dense(1, activation="sigmoid")])
    model.compile("sgd", loss)
    return model


def microseconds(model: Any, x: Any, y: Any) -> float:
    start = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, verbose=0)
    return (time.perf_counter() - start) * BATCH / ROWS * 1e6


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    x, y = random.random((ROWS, 20), "float32"), random.integers(0, 2, (ROWS, 1)).astype("float32")
    print("| loss | with manners | without | difference |\n|---|---|---|---|")
    for loss in LOSSES:
        with_them = model_of(loss)
        with_them.fit(x, y, batch_size=BATCH, verbose=0)
        with without_manners():
            without = model_of(loss)
            without.fit(x, y, batch_size=BATCH, verbose=0)
        pairs = [(microseconds(with_them, x, y), microseconds(without, x, y)) for _ in range(PAIRS)]
        a, b = (statistics.median(column) for column in zip(*pairs))
        print(f"| {loss.__name__} | {a:.0f} µs | {b:.0f} µs | {statistics.median(p - q for p, q in pairs):.0f} µs |")


if __name__ == "__main__":
    main()
