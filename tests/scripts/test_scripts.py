"""Scripts in the spelling of their time run as they are, learn, and have what they were written for translated."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from torchkeras_compat import compat
from torchkeras_compat.compat.numpy_names import withdraw
from torchkeras_compat.scripts.command import main

from .cases import CASES

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
DATA = ROOT.parent / "shared" / "data" / "datasets"
ERAS = "keras_0_3 keras_1_0 keras_1_2 keras_2_0 keras_2_2 keras_2_3 tf_keras_1 tf_keras_2".split()
PACKAGES = ("sklearn", "matplotlib", "tensorboard", "scipy", "h5py")
ALONE = ("keras_0_3/two_branches", "keras_1_2/grid_search", "tf_keras_1/mnist_tf_python")  # in processes of their own
OF_KERAS_1 = ("keras_0_3/maxout", "keras_1_0/custom_layer", "keras_1_2/sequence_tagging")  # under that dialect, too


def _missing(need: str) -> str | None:
    """Return why a script cannot be run here."""
    if need in PACKAGES:
        return None if importlib.util.find_spec(need) else f"{need} is not installed"
    return None if list(DATA.glob(f"{need}.*")) else f"the small data set {need} is not beside the checkout"


def _cases(names: Iterator[str] | tuple[str, ...]) -> list[object]:
    reasons = {name: [why for need in CASES[name].needs.split() if (why := _missing(need))] for name in names}
    return [
        pytest.param(name, marks=pytest.mark.skipif(bool(whys), reason="; ".join(whys)), id=name)
        for name, whys in reasons.items()
    ]


@pytest.fixture(autouse=True)
def own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what a run changes in its process, which is meant to end with it."""
    monkeypatch.setenv("TORCHKERAS_COMPAT_DATASETS", str(DATA))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    for holder, name in ((sys, "argv"), (sys, "path")):
        monkeypatch.setattr(holder, name, list(getattr(holder, name)))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    withdraw()
    compat.uninstall()


def told(report: str) -> set[str]:
    """Return the old spellings that a run tells, without the blanks in them."""
    olds = (re.fullmatch(r"  (\S.*?) +→ .*", line) for line in report.splitlines())
    return {old[1].replace(" ", "") for old in olds if old}


def check(name: str, printed: str, report: str) -> None:
    """Hold what a script has printed, and what was told of it, to its case."""
    case = CASES[name]
    (*_, last) = re.findall(r"-?\d+\.\d+(?:e-?\d+)?|-?\b\d+\b", printed.strip().splitlines()[-1])
    assert case.least <= float(last) <= case.most, case.reason
    assert set(case.told.split()) <= told(report)


def test_every_script_has_a_case() -> None:
    scripts = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.py")}
    assert scripts == set(CASES)
    assert {name.partition("/")[0] for name in scripts} == set(ERAS)
    assert {*ALONE, *OF_KERAS_1} <= scripts


@pytest.mark.filterwarnings("ignore:.*trainable was changed after compile")  # of GANs, which mean it
@pytest.mark.parametrize("name", _cases(tuple(name for name in CASES if name not in ALONE)))
def test_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(FOLDER / f"{name}.py")]) == 0
    check(name, *capsys.readouterr())


@pytest.mark.parametrize("name", _cases(OF_KERAS_1))
def test_with_the_defaults_of_their_time(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--dialect", "keras-1", str(FOLDER / f"{name}.py")]) == 0
    check(name, *capsys.readouterr())


@pytest.mark.parametrize("name", _cases(ALONE))
def test_in_processes_of_their_own(name: str) -> None:
    line = [sys.executable, "-m", "torchkeras_compat", "run", str(FOLDER / f"{name}.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    check(name, done.stdout, done.stderr)
