"""Scripts as files, and the command line in a process of its own or, where nothing is run, in this one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from torchkeras_compat import compat
from torchkeras_compat.scripts.command import main

ROOT = Path(__file__).resolve().parents[2]
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file into the test's folder."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Done]:
    """Run `python -m torchkeras_compat …` in the test's folder, without a screen."""

    def run_command(*arguments: str, **variables: str) -> Done:
        hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables}
        line = [sys.executable, "-m", "torchkeras_compat", *arguments]
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    return run_command


@pytest.fixture
def command_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Done]]:
    """Do what `command` does in this process; it is for what runs no script."""
    monkeypatch.chdir(tmp_path)

    def do_command(*arguments: str) -> Done:
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as error:
            status = int(error.code or 0)
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    yield do_command
    compat.uninstall()
