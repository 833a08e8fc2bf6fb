"""Where progress and messages go: to the screen, or, when that is turned off, to the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras


@pytest.fixture(autouse=True)
def _speaking_again() -> Iterator[None]:
    yield
    keras.utils.enable_interactive_logging()


def run(**options: Any) -> None:
    x, y = np.ones((8, 2)), np.ones((8, 1))
    model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1, verbose=1)
    model.fit(x, y, epochs=2, callbacks=[rate], **options)
    model.evaluate(x, y, **options)
    model.summary()
    bar = keras.utils.Progbar(3)
    bar.update(3)


def test_everything_goes_to_the_log(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    keras.utils.disable_interactive_logging()
    assert not keras.utils.is_interactive_logging_enabled()
    with caplog.at_level(logging.INFO, "torchkeras_compat"):
        run(verbose="auto")
    assert capsys.readouterr() == ("", "")
    lines = [record.getMessage() for record in caplog.records]
    assert sum(line.startswith("1/1 - 0s - loss: ") for line in lines) == 3  # as with verbose=2: two epochs, one test
    for text in ("Epoch 1: LearningRateScheduler setting learning rate to 0.1.", "Total params: 3 (12.00 Byte)"):
        assert text in lines
    assert any(line.startswith("3/3 [====") for line in lines)


def test_a_log_that_nobody_reads_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    keras.utils.disable_interactive_logging()
    run()
    assert capsys.readouterr() == ("", "")


def test_the_screen_again(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    keras.utils.disable_interactive_logging()
    keras.utils.enable_interactive_logging()
    assert keras.utils.is_interactive_logging_enabled()
    run(verbose="auto")
    shown = capsys.readouterr().out
    assert "1/1 [==============================]" in shown
    assert "Total params: 3 (12.00 Byte)" in shown
    assert caplog.records == []
