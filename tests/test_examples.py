"""The examples run, learn what they claim, and leave the files they name."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

# What each network reaches under its seed, with some room; guessing gives a tenth, a half or a quarter.
ACCURACY = {
    "guide_mlp_softmax": 0.9,
    "guide_mlp_binary": 0.65,
    "guide_vgg": 0.9,
    "guide_lstm": 0.85,
    "guide_conv1d": 0.8,
    "guide_stacked_lstm": 0.6,
    "guide_stateful_lstm": 0.8,
}


DATA = EXAMPLES.parent.parent / "shared" / "data" / "datasets"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the small data sets are not beside the checkout")
# Script → the number in its last line, and what it says in its head that it comes to with --quick.
QUICK: dict[str, tuple[str, float, float]] = {
    "mnist_mlp": (r"test accuracy ([\d.]+)", 0.9, 1),
    "mnist_cnn": (r"test accuracy ([\d.]+)", 0.9, 1),
    "cifar10_cnn": (r"test accuracy ([\d.]+)", 0.4, 1),
    "imdb_lstm": (r"test accuracy ([\d.]+)", 0.7, 1),
    "imdb_cnn": (r"test accuracy ([\d.]+)", 0.7, 1),
    "reuters_mlp": (r"test accuracy ([\d.]+)", 0.75, 1),
    "transfer": (r"digits 5 to 9: test accuracy ([\d.]+)", 0.9, 1),
    "lstm_text_generation": (r"loss ([\d.]+)", 1, 2.5),
    "stateful_lstm_series": (r"ratio ([\d.]+)", 0, 0.5),
    "churn_grid": (r"test accuracy ([\d.]+)", 0.78, 1),
    "custom_layer": (r"error of products: ([\d.]+)", 0, 0.01),
    "gan": (r"mean ([\d.]+)", 3, 5),
}
MADE_HERE = ("stateful_lstm_series", "churn_grid", "custom_layer", "gan")  # which need no files


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*ACCURACY, *QUICK, "mnist_demo"}


@pytest.mark.filterwarnings("default::FutureWarning")
@pytest.mark.parametrize("name", [n if n in MADE_HERE else pytest.param(n, marks=needs_data) for n in QUICK])
def test_quick_examples(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "churn_grid":
        pytest.importorskip("sklearn")
    monkeypatch.setenv("TORCHKERAS_COMPAT_DATASETS", str(DATA))
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--quick"])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    pattern, least, most = QUICK[name]
    told = re.search(pattern, capsys.readouterr().out.strip().splitlines()[-1])
    assert told is not None
    assert least <= float(told[1]) <= most


@pytest.mark.filterwarnings("default::FutureWarning")
@pytest.mark.parametrize("name", ACCURACY)
def test_guide_example_learns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    told = re.search(r"accuracy (?:over all pieces )?([\d.]+)", capsys.readouterr().out.splitlines()[-1])
    assert told is not None
    assert float(told.group(1).rstrip(".")) >= ACCURACY[name]


def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", ["mnist_demo.py", "--epochs", "1", "--output", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(EXAMPLES / "mnist_demo.py"), run_name="__main__")
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    for name in ("learning_curves.png", "mnist_mlp.weights.h5", "mnist_cnn.weights.h5"):
        assert str(tmp_path / name) in out
        assert (tmp_path / name).stat().st_size > 1000
    assert "Total params" in out
    assert "63/63" in out or "4000/4000" in out  # the progress bar, counting batches or samples by dialect
    assert (tmp_path / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    reached = [float(found) for found in re.findall(r"([\d.]+) of the test digits right", out)]
    assert len(reached) == 2
    assert min(reached) > 0.8


def test_digits_are_the_ones_described() -> None:
    with np.load(EXAMPLES / "data" / "mnist.npz") as data:
        assert data["x_train"].shape == (4000, 28, 28)
        assert data["x_test"].shape == (1000, 28, 28)
        assert sorted(set(data["y_test"].tolist())) == list(range(10))


@pytest.mark.parametrize(("reached", "status"), [({"mlp": 0.95, "cnn": 0.96}, 0), ({"mlp": 0.9, "cnn": 0.96}, 1)])
def test_demo_says_what_it_missed(
    reached: dict[str, float],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("matplotlib")
    demo = runpy.run_path(str(EXAMPLES / "mnist_demo.py"))

    class Trained:
        """Stands for a network that reaches this accuracy."""

        def __init__(self, name: str) -> None:
            self.name = name

        def summary(self) -> None:
            pass

        def fit(self, *args: object, **options: object) -> Trained:
            values = [reached[self.name]]
            self.history = dict.fromkeys(("loss", "val_loss", "accuracy", "val_accuracy"), values)
            return self

        def evaluate(self, *args: object, **options: object) -> tuple[float, float]:
            return 0.1, reached[self.name]

        def save_weights(self, path: str) -> None:
            Path(path).touch()

    main = demo["main"]
    main.__globals__.update(mlp=lambda: Trained("mlp"), cnn=lambda: Trained("cnn"))
    monkeypatch.setattr(sys, "argv", ["mnist_demo.py", "--output", str(tmp_path)])
    assert main() == status
    told = capsys.readouterr().err
    assert told == ("mlp: 0.900 misses the 0.92 that is expected.\n" if status else "")
