"""A short run of what `make fuzz` does, the worst finds so far, and that the run sees what it looks for."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from torchkeras_compat.saving import hdf5

from .formats import FORMATS, Files, Targets, mutant, read
from .libhdf5 import CORPUS
from .mutations import SCALARS, mutate_json

SHORT = 60
"""Files of each format; `make fuzz` reads some hundred times as many."""
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def targets() -> Targets:
    return Targets()


@pytest.mark.parametrize("name", FORMATS)
def test_mutated_files_are_read_or_refused(name: str, targets: Targets, tmp_path: Path) -> None:
    files = FORMATS[name].files(tmp_path)
    for number in range(SHORT):
        path = tmp_path / "mutated"
        path.write_bytes(mutant(name, files, number))
        assert read(targets, name, path) == "read", f"python -m tests.fuzz --formats {name} --only {number}"


def _corpus() -> Files:
    with zipfile.ZipFile(CORPUS) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", _corpus())
def test_what_libhdf5_hangs_or_dies_on_is_refused(name: str, targets: Targets, tmp_path: Path) -> None:
    path = tmp_path / "damaged.h5"
    path.write_bytes(_corpus()[name])
    started = time.monotonic()
    with pytest.raises(hdf5.FileError, match="load_weights"):
        targets.model.load_weights(path)
    assert time.monotonic() - started < 2
    assert read(targets, "hdf5", path) == "read"


def test_numbers_give_the_same_files_each_time(tmp_path: Path) -> None:
    files = FORMATS["hdf5"].files(tmp_path)
    assert [mutant("hdf5", files, i) for i in range(20)] == [mutant("hdf5", files, i) for i in range(20)]
    assert len({mutant("hdf5", files, i) for i in range(200)}) > 180


def test_no_mutation_changes_what_later_ones_put_in() -> None:
    before = json.dumps(SCALARS)
    for i in range(3000):
        mutate_json(b'{"a": [1, {"b": 2}]}', random.Random(i))
    assert json.dumps(SCALARS) == before


FAULTS = """
import sys, time, ctypes
import numpy as np
import tests.fuzz.__main__ as run
from tests.fuzz.formats import FORMATS, Format, Targets
run.SECONDS, run.PORTION = 6, 4  # on a busy machine 160 MB take seconds
kept = []
def faulty(self, path):
    number = int(path.read_bytes())
    if number == 3: time.sleep(60)
    if number == 5: ctypes.string_at(0)
    if number == 7: kept.append(np.ones(20_000_000))
    if number == 8: raise KeyError("x")
Targets.faulty = faulty
FORMATS["faulty"] = Format(lambda folder: {"a": b"0"}, lambda content, rng: content, "faulty")
run.mutant = lambda name, files, number: str(number).encode()
report, end = run.fuzz("faulty", 0, 10, time.monotonic() + 60)
print(report.done, end, sorted(report.finds))
for number, told in sorted(report.finds.items()): print(number, told.splitlines()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the run measures memory in Linux's own way")
def test_the_run_sees_hangs_crashes_memory_and_errors() -> None:
    told = _run("-c", FAULTS)
    assert "10 10 [3, 5, 7, 8]" in told
    for line in ("3 it hangs", "5 it ends the process: SIGSEGV", "7 it took 15", "8 KeyError: 'x'"):
        assert line in told, told


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the run measures memory in Linux's own way")
def test_a_run_from_the_command_line() -> None:
    told = _run("-m", "tests.fuzz", "--formats", "npz", "--count", "30", "--first", "0")
    assert "npz              30 files, 0 finds" in told


def _run(*arguments: str) -> str:
    command: list[Any] = [sys.executable, "-W", "ignore", *arguments]
    done = subprocess.run(command, cwd=HERE.parent.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
