"""Tutorials with scikit-learn as they were written, on data made for them."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torchkeras_compat._core.border import KerasSpellingWarning

SCRIPTS = Path(__file__).with_name("tutorials")
Run = Callable[[str], str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a tutorial where its data lie, and returns what it prints."""
    monkeypatch.chdir(tmp_path)

    def run_script(name: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        return printed.getvalue()

    return run_script


def diabetes() -> None:
    draw = np.random.RandomState(1)
    x = draw.randn(240, 8)
    y = x[:, 0] + x[:, 1] * x[:, 2] > 0
    np.savetxt("pima-indians-diabetes.csv", np.column_stack([x, y]), delimiter=",", fmt="%.4f")


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text)]


def test_diabetes_in_keras_1(run: Run) -> None:
    diabetes()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        printed = run("diabetes_keras_1.py")
    assert {warning.category for warning in told} == {KerasSpellingWarning}
    assert [str(warning.message) for warning in told if "nb_epoch" in str(warning.message)] == [
        "fit(nb_epoch=…): is now epochs=30."
    ]
    assert numbers(printed)[0] > 0.7  # after a single epoch it is .5


def test_diabetes_by_grid(run: Run) -> None:
    diabetes()
    best, *others = run("diabetes_grid.py").splitlines()
    assert "'epochs': np.int64(30)" in best or "'epochs': 30" in best
    assert len(others) == 16
    assert numbers(best)[0] == max(numbers(line)[0] for line in others) > 0.7


def test_housing(run: Run) -> None:
    draw = np.random.RandomState(2)
    x = draw.randn(200, 13)
    np.savetxt("housing.csv", np.column_stack([5 * x, 2 + x[:, 0] + x[:, 1] ** 2]), fmt="%.4f")
    mean, _ = numbers(run("housing.py"))
    assert -2.5 < mean < -0.05  # minus the error; that of the mean price is 3


def test_iris(run: Run) -> None:
    pd = pytest.importorskip("pandas")
    draw = np.random.RandomState(3)
    kinds = np.arange(90) % 3
    frame = pd.DataFrame(draw.randn(90, 4) + 3 * np.eye(3, 4)[kinds])
    frame[4] = np.array(["setosa", "versicolor", "virginica"])[kinds]
    frame.to_csv("iris.csv", header=False, index=False)
    mean, _ = numbers(run("iris.py"))
    assert mean > 85


def test_churn_in_two_processes(tmp_path: Path) -> None:
    """Models, classes and modules of tf.keras reach workers that never called `install`."""
    pd = pytest.importorskip("pandas")
    draw = np.random.RandomState(4)
    age, active = draw.randint(18, 80, 300), draw.randint(0, 2, 300)
    columns: dict[str, Any] = {
        "RowNumber": np.arange(300),
        "CustomerId": np.arange(300) + 1,
        "Surname": "Smith",
        "CreditScore": draw.randint(300, 800, 300),
        "Geography": draw.choice(["France", "Spain", "Germany"], 300),
        "Gender": draw.choice(["Male", "Female"], 300),
        "Age": age,
        "IsActiveMember": active,
        "Exited": (age - 20 * active > 40).astype(int),
    }
    pd.DataFrame(columns).to_csv(tmp_path / "Churn_Modelling.csv", index=False)
    start = "import runpy, sys; from torchkeras_compat import compat; compat.install(); "
    code = f"{start}runpy.run_path({str(SCRIPTS / 'churn.py')!r}, run_name='__main__')"
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folds, (epochs, best), held_out = map(str.split, done.stdout.splitlines())
    assert float(folds[0]) > 0.8
    assert float(best) > 0.75
    assert epochs == "30"
    assert held_out == ["60"]
