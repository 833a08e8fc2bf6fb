"""What one call costs, and whether calls leak: small models called in loops, as in games, services and notebooks.

    python calls.py IMPL [--device cpu]       IMPL: ours | keras3 (set KERAS_BACKEND) | keras2 | torch

Prints one JSON line: median microseconds of predict, predict_on_batch and model(x) on one sample and of train_on_batch
on 32, and the growth of the process's memory in MB over 1,000 predicts and over 300 one-epoch fits.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from one import PACKAGES

Calls = dict[str, Callable[[], Any]]
X1 = np.random.random((1, 20)).astype("float32")
X32 = np.random.random((32, 20)).astype("float32")
Y32 = np.eye(10, dtype="float32")[np.random.randint(0, 10, 32)]


def rss_mb() -> float:
    """Return the resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def median_us(call: Callable[[], Any], n: int = 200) -> float:
    """Return the median time of a call that has run twice before."""
    call()
    call()
    times = []
    for _ in range(n):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return round(sorted(times)[n // 2] * 1e6, 1)


def torch_calls(device: str) -> tuple[Calls, Callable[[], Any]]:
    """Return the calls as a PyTorch user writes them by hand."""
    import torch
    from torch import nn

    layers = nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    model = nn.Sequential(*layers).to(device)
    optimizer, loss = torch.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss()

    def predict() -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(X1).to(device)).softmax(-1).cpu().numpy()

    def train() -> float:
        optimizer.zero_grad()
        value = loss(model(torch.from_numpy(X32).to(device)), torch.from_numpy(Y32).to(device))
        value.backward()
        optimizer.step()
        return float(value.item())

    def call() -> Any:
        return model(torch.from_numpy(X1).to(device))

    return {"predict": predict, "predict_on_batch": predict, "call": call, "train_on_batch": train}, train


def keras_calls(impl: str, device: str) -> tuple[Calls, Callable[[], Any]]:
    """Return the calls of an implementation of the Keras interface."""
    package = importlib.import_module(PACKAGES[impl])
    models = importlib.import_module(package.__name__ + ".models")
    layers = importlib.import_module(package.__name__ + ".layers")
    if impl == "ours":
        package.set_device(device)
    hidden = layers.Dense(64, activation="relu", input_shape=(20,)), layers.Dense(64, activation="relu")
    model = models.Sequential([*hidden, layers.Dense(10, activation="softmax")])
    model.compile(loss="categorical_crossentropy", optimizer="sgd")
    calls: Calls = {
        "predict": lambda: model.predict(X1, verbose=0),
        "predict_on_batch": lambda: model.predict_on_batch(X1),
        "call": lambda: model(X1),
        "train_on_batch": lambda: model.train_on_batch(X32, Y32),
    }
    return calls, lambda: model.fit(X32, Y32, epochs=1, verbose=0)


def main() -> None:
    """Time the calls and print the line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("impl")
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    calls, fit = torch_calls(a.device) if a.impl == "torch" else keras_calls(a.impl, a.device)
    row: dict[str, Any] = {"impl": a.impl}
    for name, call in calls.items():
        row[f"{name}_us"] = median_us(call)
    for name, call, n in (("predict", calls["predict"], 1000), ("fit", fit, 300)):
        for _ in range(50):
            call()
        before = rss_mb()
        for _ in range(n):
            call()
        row[f"{name}_growth_mb"] = round(rss_mb() - before, 1)
    print(json.dumps(row))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
