"""The notebooks are stored executed, and their cells run again from top to bottom."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))


def cells(path: Path) -> list[dict[str, Any]]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_there_is_one() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_stored_executed_in_order(path: Path) -> None:
    counts = [cell["execution_count"] for cell in cells(path)]
    assert counts == list(range(1, len(counts) + 1))
    outputs = [output for cell in cells(path) for output in cell["outputs"]]
    assert outputs
    assert not [output for output in outputs if output["output_type"] == "error"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(path.parent)
    saved = dict(sys.modules)
    session: dict[str, Any] = {"__name__": "__main__"}
    for i, cell in enumerate(cells(path), 1):
        source = "".join(line for line in cell["source"] if not line.startswith("%"))
        exec(compile(source, f"<{path.name} cell {i}>", "exec"), session)
    for name in set(sys.modules) - set(saved):
        if name.split(".")[0] in ("keras", "tensorflow"):
            del sys.modules[name]
    assert capsys.readouterr().out
