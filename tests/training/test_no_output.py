"""Python without an output (`pythonw`, a service): `sys.stdout` is `None`, and everything runs as `print` does."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import callbacks, layers
from torchkeras_compat._core import progress

X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")


def model_of() -> Any:
    model = keras.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
def test_without_output(verbose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of()
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    watching = [
        callbacks.ProgbarLogger(),
        callbacks.EarlyStopping("loss", patience=0, verbose=1),
        callbacks.LearningRateScheduler(lambda epoch: 0.1, verbose=1),
    ]
    history = model.fit(X, Y, verbose=verbose, epochs=2, validation_data=(X, Y), callbacks=watching)
    assert len(history.epoch) == 2
    assert model.evaluate(X, Y, verbose=verbose) == history.history["val_loss"][-1]
    assert model.predict(X, verbose=verbose).shape == (8, 1)
    model.fit(((X, Y) for _ in range(2)), verbose=verbose)
    model.summary()


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_bar_without_output(verbose: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    for target in (2, None):
        bar = keras.utils.Progbar(target, verbose=verbose)
        bar.add(1, [("loss", 1.0)])
        bar.update(2, finalize=True)


def test_output_that_goes_away_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    first, later = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", first)
    shown = progress.EpochProgress(2, 1)
    shown.epoch_begin(0, 2)
    monkeypatch.setattr(sys, "stdout", None)
    shown.update(1)
    shown.update(2)
    shown.epoch_end({"loss": 1.0})
    monkeypatch.setattr(sys, "stdout", later)
    shown.epoch_begin(1, 2)
    shown.update(2)
    shown.epoch_end({"loss": 1.0})
    assert first.getvalue() == "Epoch 1/2\n"
    assert "loss: 1.0000" in later.getvalue()


def test_a_closed_output_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed, model = io.StringIO(), model_of()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(ValueError, match="closed file"):
        model.fit(X, Y)
