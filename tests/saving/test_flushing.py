"""Files that go to the disk while they are written."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat.saving import flushing


def large_model() -> keras.Sequential:
    return keras.Sequential([keras.layers.Dense(300, input_dim=300), keras.layers.Dense(300)])


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "STEP", 100_000)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_a_thread_flushes_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    threads, flush = [], flushing._flush

    def flush_noted(descriptor: int) -> None:
        threads.append(threading.current_thread())
        flush(descriptor)

    monkeypatch.setattr(flushing, "_flush", flush_noted)
    model, path = large_model(), tmp_path / f"model{suffix}"
    (model.save_weights if "weights" in suffix else model.save)(path)
    assert threads
    assert not any(thread.is_alive() or thread is threading.main_thread() for thread in threads)
    other = large_model()
    other.load_weights(path)
    for one, two in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(one, two)


def test_small_files_need_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flush(descriptor: int) -> None:
        raise AssertionError("small files are flushed once, in the end")

    monkeypatch.setattr(flushing, "_flush", flush)
    large_model().save(tmp_path / "model.keras")


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_a_disk_that_fails_in_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    model, path = large_model(), tmp_path / f"model{suffix}"
    save = model.save_weights if "weights" in suffix else model.save
    save(path)
    before = path.read_bytes()

    def flush(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(flushing, "_flush", flush)
    with pytest.raises(OSError, match="what was there before is as it was"):
        save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_closing_twice_and_descriptors(tmp_path: Path) -> None:
    file = flushing.flushed(str(tmp_path / "file"))
    file.write(b"123")
    file.close()
    file.close()
    assert file.closed
    with pytest.raises(FileNotFoundError):
        flushing.flushed(str(tmp_path / "missing" / "file"))
