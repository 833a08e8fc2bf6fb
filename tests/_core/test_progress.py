from __future__ import annotations

import io
import re
import sys
import timeit
from typing import Any
from unittest import mock

import pytest

from torchkeras_compat._core import progress
from torchkeras_compat._core.progress import EpochProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(file: io.StringIO, verbose: Any, total: int | None = 32, **options: Any) -> str:
    shown = EpochProgress(10, verbose, file=file, **options)
    shown.epoch_begin(2, total)
    for done in range(1, 33):
        shown.update(done, lambda: {"loss": 0.5})
    shown.epoch_end({"loss": 0.69314, "accuracy": 0.5, "val_loss": 0.000123})
    shown.close()
    return file.getvalue()


def test_log_file_gets_one_line_an_epoch_without_control_characters() -> None:
    text = run(io.StringIO(), 1)
    assert re.fullmatch(
        r"Epoch 3/10\n32/32 \[={30}\] - 0s \d+us/step - loss: 0.6931 - accuracy: 0.5000 - val_loss: 1.2300e-04\n", text
    )


def test_verbose_two_is_one_line_as_keras_prints_it() -> None:
    text = run(io.StringIO(), 2)
    assert re.fullmatch(
        r"Epoch 3/10\n32/32 - 0s - loss: 0.6931 - accuracy: 0.5000 - val_loss: 1.2300e-04"
        r" - \d+[mu]s/epoch - \d+us/step\n",
        text,
    )


def test_verbose_zero_prints_nothing() -> None:
    assert run(io.StringIO(), 0) == ""


@pytest.fixture
def long_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every batch take as long as it takes for the line to be drawn."""
    monkeypatch.setattr(progress, "INTERVAL", 0.0)


@pytest.mark.usefixtures("long_epochs")
def test_terminal_line_is_redrawn_and_ends_like_the_log() -> None:
    text = run(Terminal(), 1)
    # How long the rest will take is measured: on a busy machine it may be seconds
    assert re.search(r" 1/32 \[\.{30}\] - ETA: \d+s - loss: 0\.5000", text)
    assert text.count("\n") <= 3
    final = text.rstrip("\n").split("\r")[-1].split("\n")[-1]
    assert final.startswith("32/32 [==============================] - 0s")


@pytest.mark.usefixtures("long_epochs")
def test_unknown_total_is_counted_and_known_at_the_end() -> None:
    text = run(Terminal(), 1, total=None)
    assert "      1/Unknown - 0s" in text
    assert "32/32 [==============================]" in text


def test_an_epoch_of_a_moment_has_its_last_line_only() -> None:
    text = run(Terminal(), 1)
    assert "ETA" not in text
    assert text.endswith("- val_loss: 1.2300e-04\n")


@pytest.mark.usefixtures("long_epochs")
def test_braces_in_a_metric_name_are_text() -> None:
    file = Terminal()
    shown = EpochProgress(1, 1, file=file)
    shown.epoch_begin(0, 2)
    shown.update(1, lambda: {"f{x}": 1.0})
    shown.close()
    assert "f{x}: 1.0000" in file.getvalue()


def test_evaluation_has_no_header() -> None:
    assert run(io.StringIO(), 1, header=False).startswith("32/32 [")


def test_samples_are_counted_in_samples() -> None:
    assert "us/sample - loss" in run(io.StringIO(), 1, unit="sample")


@pytest.mark.usefixtures("long_epochs")
def test_interrupted_epoch_leaves_a_whole_line() -> None:
    file = Terminal()
    shown = EpochProgress(2, 1, file=file)
    shown.epoch_begin(0, 10)
    shown.update(3, lambda: {"loss": 1.0})
    shown.close()
    shown.close()
    assert file.getvalue().endswith("\r 3/10 [========>.....................]\n")


def test_values_are_wanted_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: now[0])
    shown = EpochProgress(1, 1, file=Terminal())
    shown.epoch_begin(0, 1000)
    values = mock.Mock(return_value={})
    for done in range(1, 1001):
        now[0] += 0.002
        shown.update(done, values)
    shown.close()
    assert 15 <= values.call_count <= 21


@pytest.mark.usefixtures("long_epochs")
@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_nobody_reads_the_device_for_a_log(verbose: int) -> None:
    shown = EpochProgress(1, verbose, file=io.StringIO())
    shown.epoch_begin(0, 10)
    values = mock.Mock(return_value={})
    shown.update(1, values)
    values.assert_not_called()


def test_an_update_that_shows_nothing_costs_about_a_microsecond() -> None:
    shown = EpochProgress(1, 0)
    shown.epoch_begin(0, 10)

    def step() -> None:
        shown.update(3, dict)

    best = min(timeit.repeat(step, number=10_000, repeat=7)) / 10_000
    assert best < 2e-6


def test_first_step_is_left_out_of_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: now[0])
    shown = EpochProgress(1, 1, file=(file := io.StringIO()))
    shown.epoch_begin(0, 3)
    for done, time in ((1, 10.0), (2, 10.005), (3, 10.01)):
        now[0] = time
        shown.update(done)
    shown.epoch_end({})
    assert "- 10s 5ms/step" in file.getvalue()


@pytest.mark.usefixtures("long_epochs")
def test_notebook_without_widgets_gets_a_redrawn_text_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    shown = EpochProgress(1, 1)
    shown.epoch_begin(0, 2)
    shown.update(1, lambda: {"loss": 1.0})
    shown.update(2)
    shown.epoch_end({"loss": 1.0})
    assert "\r1/2 [==============>...............] - ETA: 0s - loss: 1.0000" in file.getvalue()
    assert re.search(r"\r2/2 \[={30}\] - 0s .*/step - loss: 1.0000\n$", file.getvalue())


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.69314, "0.6931"), (-2.5, "-2.5000"), (0.0, "0.0000e+00"), (1e-3, "1.0000e-03"), (float("nan"), "nan")],
)
def test_numbers_have_keras_form(value: float, text: str) -> None:
    assert progress.number_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.7, "12s"), (60, "60s"), (125, "2:05"), (3600, "60:00"), (3725, "1:02:05")]
)
def test_remaining_time(seconds: float, text: str) -> None:
    assert progress.remaining_text(seconds) == text


def test_verbosity_is_checked() -> None:
    assert [progress.verbosity("fit", v) for v in ("auto", True, 0, 2)] == [1, 1, 0, 2]
    with pytest.raises(ValueError, match=r"fit\(verbose=3\): verbose must be 0, 1, 2 or 'auto'; got 3"):
        progress.verbosity("fit", 3)
