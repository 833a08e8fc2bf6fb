"""`numpy.random.seed(7)` alone makes a run repeat, and so does `torch.manual_seed(7)`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

X = np.linspace(-1, 1, 240, dtype="float32").reshape(60, 4)
Y = X.sum(1, keepdims=True)
SEEDS: dict[str, Callable[[int], Any]] = {"numpy": np.random.seed, "torch": torch.manual_seed}


def run() -> list[float]:
    model = keras.Sequential(
        [layers.Dense(8, input_shape=(4,)), layers.Dropout(0.3), layers.GaussianNoise(0.1), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    history = model.fit(X, Y, epochs=3, batch_size=8, validation_split=0.2, verbose=0).history
    return [*history["loss"], *history["val_loss"], float(model.predict(X).sum())]


@pytest.mark.parametrize("which", SEEDS)
def test_one_seed_is_enough(which: str, device: torch.device) -> None:
    seed = SEEDS[which]
    seed(7)
    first = run()
    assert run() != first
    seed(8)
    assert run() != first
    seed(7)
    assert run() == first


@pytest.mark.parametrize(("before", "which"), [("torch", "numpy"), ("numpy", "torch")])
def test_after_the_other_had_been_used(before: str, which: str) -> None:
    outcomes = []
    for other in (1, 2):
        SEEDS[before](other)
        run()
        SEEDS[which](7)
        outcomes.append(run())
    assert outcomes[0] == outcomes[1]


def test_both_seeded_then_numpy_alone() -> None:
    np.random.seed(7)
    torch.manual_seed(1)
    run()
    np.random.seed(7)
    first = run()
    run()
    np.random.seed(7)
    assert run() == first


def test_data_drawn_between_seed_and_run() -> None:
    torch.manual_seed(3)
    run()
    outcomes = []
    for _ in range(2):
        np.random.seed(7)
        np.random.rand(1000)
        outcomes.append(run())
    assert outcomes[0] == outcomes[1]


def test_a_forked_generator_is_not_the_users_seed() -> None:
    def forked() -> list[float]:
        np.random.seed(7)
        with torch.random.fork_rng(devices=[]):
            run()
        return run()

    first = forked()
    torch.rand(3)
    assert forked() == first


SCRIPT = """
import sys
{seeding}
sys.path.insert(0, {folder!r})
import test_repeat
print(test_repeat.run())
"""


@pytest.mark.parametrize(
    "seeding",
    ["import numpy; numpy.random.seed(7)", "import torch; torch.manual_seed(7)"],
    ids=["numpy", "torch"],
)
def test_in_a_new_process(seeding: str) -> None:
    here = Path(__file__).parent
    script = SCRIPT.format(seeding=seeding, folder=str(here))
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=here.parents[1], timeout=120
        ).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1
    assert outputs.pop().startswith("[")


def test_layers_with_a_seed_repeat_whatever_was_drawn() -> None:
    def dropped() -> Any:
        return layers.Dropout(0.5, seed=3)(np.ones((2, 50)), training=True).tolist()

    first = dropped()
    torch.rand(5)
    assert dropped() == first


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_shuffling(shuffle: Any) -> None:
    seen: list[list[float]] = []
    model = keras.Sequential(
        [layers.Lambda(lambda x: (seen.append(x[:, 0].tolist()), x)[1], input_shape=(1,)), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    seen.clear()
    rows = np.arange(42.0)[:, None]
    model.fit(rows, rows, batch_size=4, epochs=2, shuffle=shuffle, verbose=0)
    epochs: list[list[float]] = [[row for batch in part for row in batch] for part in (seen[:11], seen[11:])]
    assert [sorted(e) for e in epochs] == [list(range(42))] * 2
    assert (epochs[0] == list(range(42))) is (shuffle is False)
    if shuffle == "batch":
        assert all(np.diff(batch).tolist() == [1.0] * (len(batch) - 1) for batch in seen)
        assert seen[10] == [40, 41]
    if shuffle is True:
        assert epochs[0] != epochs[1]


def test_another_bit_generator() -> None:
    before = np.random.get_bit_generator()  # type: ignore[attr-defined]
    try:
        outcomes = []
        for _ in range(2):
            np.random.set_bit_generator(np.random.PCG64(7))  # type: ignore[attr-defined]
            outcomes.append(run())
        assert outcomes[0] == outcomes[1]
    finally:
        np.random.set_bit_generator(before)  # type: ignore[attr-defined]
