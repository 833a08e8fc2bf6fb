"""Arrays in memory-mapped files are read in place, and their pages do not count as memory of the process for long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat.training.data import mapped_files
from torchkeras_compat.training.data.convert import to_tensor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mapped(tmp_path: Path) -> Any:
    np.save(tmp_path / "x.npy", np.random.RandomState(0).rand(40, 3).astype("float32"))
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def trained(x: Any, **options: Any) -> Any:
    np.random.seed(3)
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    history = model.fit(x, np.asarray(x)[:, :1].copy(), batch_size=8, epochs=2, verbose=0, **options).history
    return history, model.predict(x, verbose=0)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("held", [2**26, 64])
def test_the_numbers_are_those_of_memory(
    mapped: Any, shuffle: bool, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_files, "HELD_BYTES", held)
    history, predicted = trained(mapped, shuffle=shuffle)
    expected, values = trained(np.array(mapped), shuffle=shuffle)
    assert history == expected
    np.testing.assert_array_equal(predicted, values)


def test_nothing_is_copied(mapped: Any) -> None:
    assert to_tensor(mapped).data_ptr() == mapped.ctypes.data
    assert torch.equal(to_tensor(mapped[::-1]), torch.from_numpy(np.array(mapped[::-1])))


def test_values_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.full((8, 3), np.nan, "float32"))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="x holds NaN"):
        model.fit(x, np.ones(8), verbose=0)


def test_writes_of_the_process_alone_are_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((4, 3), "float32"))
    x = np.load(tmp_path / "x.npy", mmap_mode="c")
    x[:] = 5
    assert mapped_files.mapping_of(x) is None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux tells it")
@pytest.mark.parametrize("how", [[], ["--as-array"]], ids=["Sequence", "array"])
def test_four_gigabytes_take_less_than_600_megabytes(how: list[str]) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "feeding.py"), "--stream", "4", *how]
    told = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT, check=True)
    peak = float(told.stdout.split("peak ")[1].split(" MB")[0])
    assert 100 < peak < 600
