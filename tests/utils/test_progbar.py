from __future__ import annotations

import re

import pytest

from torchkeras_compat._core import progress
from torchkeras_compat.utils import Progbar, Sequence


def test_values_are_averaged_but_for_stateful_ones(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(4, stateful_metrics=["auc"], interval=0)
    bar.update(1, [("loss", 1.0), ("auc", 0.1)])
    bar.add(3, [("loss", 2.0), ("auc", 0.9)])
    out = capsys.readouterr().out
    assert re.fullmatch(r"4/4 \[={30}\] - 0s \S+/step - loss: 1.7500 - auc: 0.9000\n", out)


def test_terminal_line_is_redrawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "redrawable", lambda file: True)
    bar = Progbar(2, width=10, interval=0, unit_name="sample")
    bar.update(1, {"loss": 1e-5})
    bar.update(2)
    out = capsys.readouterr().out
    assert out.startswith("\r1/2 [====>.....] - ETA: 0s - loss: 1.0000e-05\r2/2 [==========] - 0s ")
    assert out.endswith("/sample - loss: 1.0000e-05\n")


def test_unknown_target(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(None)
    bar.update(7)
    bar.update(8, finalize=True)
    assert re.fullmatch(r"      8/Unknown - 0s \S+/step\n", capsys.readouterr().out)


def test_verbose_two(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(10, verbose=2)
    for _ in range(10):
        bar.add(1, [("loss", 0.5)])
    assert re.fullmatch(r"10/10 - 0s - loss: 0.5000 - \S+/epoch - \S+/step\n", capsys.readouterr().out)


def test_verbose_zero(capsys: pytest.CaptureFixture[str]) -> None:
    Progbar(1, verbose=0).update(1)
    assert capsys.readouterr().out == ""


def test_sequence_must_be_filled_in() -> None:
    with pytest.raises(NotImplementedError, match=r"must define __len__"):
        len(Sequence())
    with pytest.raises(NotImplementedError, match=r"must define __getitem__"):
        Sequence()[0]
    assert Sequence().on_epoch_end() is None  # type: ignore[func-returns-value]
