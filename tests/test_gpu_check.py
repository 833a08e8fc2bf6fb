"""`make gpu-check`: what it says without a device, and the report it writes with one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "gpu_check.py"


@pytest.fixture
def gpu_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gpu_check", module)
    monkeypatch.setattr(sys, "argv", ["gpu_check.py"])
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "REPORTS", tmp_path / "gpu")
    return module


def test_without_a_device(
    gpu_check: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_check.main() == 0
    out = capsys.readouterr().out
    assert "no CUDA device" in out
    assert out.count("\n") == 1
    assert not gpu_check.REPORTS.exists()


def test_report(gpu_check: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def run(title: str, *command: str) -> object:
        asked.append(command)
        if "--markdown" in command:
            Path(command[command.index("--markdown") + 1]).write_text("| the table |\n")
        return gpu_check.Result(title, 3 if "pytest" in command else 0, f"output of {title}\n")

    monkeypatch.setattr(gpu_check, "device_name", lambda: "a device")
    monkeypatch.setattr(gpu_check, "described", lambda device: f"| device | {device} |")
    monkeypatch.setattr(gpu_check, "run", run)
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", "--guide", str(tmp_path), "dense100"])
    assert gpu_check.main() == 3
    (report,) = gpu_check.REPORTS.glob("report-*.md")
    text = report.read_text(encoding="utf-8")
    for piece in ("a device", "tests on CUDA: FAILED (exit 3)", "the Sequential guide: passed", "| the table |"):
        assert piece in text
    assert any("gpu" in command and "pytest" in command for command in asked)
    assert any("cuda" in command and "dense100" in command for command in asked)
    assert any(command[-1] == str(tmp_path / "run_guide.py") for command in asked)


def test_a_part_is_run_and_its_exit_status_kept(gpu_check: ModuleType, tmp_path: Path) -> None:
    result = gpu_check.run("a part", sys.executable, "-c", "print('seen'); raise SystemExit(4)", cwd=tmp_path)
    assert (result.code, result.output) == (4, "seen\n")
    assert "FAILED (exit 4)" in result.markdown()


def _add_plugin(site: Path) -> None:
    """Install a plugin of pytest's that ends every run."""
    (site / "foreign.py").write_text("def pytest_configure(config):\n    raise RuntimeError('foreign plugin')\n")
    info = site / "foreign-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nforeign = foreign\n")


@pytest.mark.parametrize("by", ["entry point", "PYTEST_PLUGINS", "PYTEST_ADDOPTS"])
def test_foreign_plugins_do_not_run(
    gpu_check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    _add_plugin(tmp_path)
    if by == "PYTEST_PLUGINS":
        monkeypatch.setenv(by, "foreign")
    elif by == "PYTEST_ADDOPTS":
        monkeypatch.setenv(by, "-p foreign")
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    result = gpu_check.run("tests", sys.executable, "-m", "pytest", "-q", cwd=tmp_path)
    assert result.code == 0
    assert "1 passed" in result.output


CUBLAS = "Attempting to run cuBLAS, but there was no current CUDA context! Attempting to set the primary context..."
HARMLESS = {
    "cublas": CUBLAS,
    "sparse": "Sparse invariant checks are implicitly disabled. Memory errors (e.g. SEGFAULT) will occur when …",
    "benchmark": "Benchmarks are automatically disabled because xdist plugin is active.",
}


@pytest.mark.parametrize("name", [*HARMLESS, "another"])
def test_only_warnings_that_say_nothing_of_the_tests_are_no_errors(
    gpu_check: ModuleType, tmp_path: Path, name: str
) -> None:
    (tmp_path / "pyproject.toml").write_bytes((SCRIPT.parent.parent / "pyproject.toml").read_bytes())
    text = HARMLESS.get(name, "a warning of another kind")
    (tmp_path / "test_it.py").write_text(f"import warnings\ndef test_it():\n    warnings.warn({text!r})\n")
    (tmp_path / "starts.py").write_text(f"import warnings\ndef pytest_configure():\n    warnings.warn({text!r})\n")
    pytest_of = (sys.executable, "-m", "pytest", "-q", "test_it.py")
    for options in ((), ("-p", "starts")):
        code = gpu_check.run("tests", *pytest_of, *options, cwd=tmp_path).code
        assert (code == 0) == (name in HARMLESS)
