"""The house: imports go downwards only, and rooms of one level do not import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = "torchkeras_compat"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE

# Room → level. A room is a file or a folder directly in the package.
LEVELS = {
    "_core": 0,
    "activations": 1,
    "initializers": 1,
    "regularizers": 1,
    "constraints": 1,
    "backend": 1,
    "optimizers": 2,
    "losses": 2,
    "metrics": 2,
    "mixed_precision": 2,
    "datasets": 2,
    "preprocessing": 2,
    "utils": 2,
    "layers": 3,
    "callbacks": 3,
    "saving": 3,
    "training": 4,
    "models": 5,
    "wrappers": 6,
    "distribute": 6,
    "export": 6,
}

# Who may import a room of its own level, by name, and why.
NEIGHBOURS = {
    ("backend", "activations"): "K.relu, K.softmax and their like are the activations themselves",
    ("metrics", "losses"): "every loss is a metric too",
    ("datasets", "utils"): "get_file keeps what is downloaded",
    ("preprocessing", "utils"): "Sequence, pad_sequences and the reading of pictures are utils in Keras",
}

# Beside the levels: `compat` may know every room, and only these may know `compat`.
BESIDE = {"compat"}
KNOWS_COMPAT = {"__init__", "__main__", "compat"}
TOP = {"__init__", "__main__"}


def room(path: Path) -> str:
    """Return the room a file stands in."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """Return the full names of the package's modules that a file imports, inside functions and `if`s too."""
    package = (PACKAGE, *path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module) if part)
            found |= {f"{name}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == PACKAGE}


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms that a file imports; the package itself counts as `__init__`."""
    rooms = set()
    for name in imported_modules(path):
        first = (name.split(".") + ["__init__"])[1]
        known = first in LEVELS or first in BESIDE or (ROOT / first).exists() or (ROOT / f"{first}.py").exists()
        rooms.add(first if known else "__init__")
    return rooms - {room(path)}


FILES = sorted(p for p in ROOT.rglob("*.py"))


def wrong(path: Path) -> list[str]:
    """Return what a file imports against the rules."""
    here, found = room(path), []
    for there in sorted(imported_rooms(path)):
        if there in BESIDE:
            if here not in KNOWS_COMPAT:
                found.append(f"{there}: only {sorted(KNOWS_COMPAT)} may import it")
        elif here in TOP or here in BESIDE:
            continue
        elif there in TOP:
            found.append(f"{there}: a room imports rooms, not the package's front door")
        elif LEVELS[there] > LEVELS[here]:
            found.append(f"{there}: level {LEVELS[there]} is above level {LEVELS[here]}")
        elif LEVELS[there] == LEVELS[here] > 0 and (here, there) not in NEIGHBOURS:
            found.append(f"{there}: a room of the same level {LEVELS[here]}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    assert wrong(path) == []


def test_every_room_has_a_level() -> None:
    rooms = {room(path) for path in FILES} - TOP - BESIDE
    assert rooms <= set(LEVELS), f"give these rooms a level: {sorted(rooms - set(LEVELS))}"


def test_no_exception_outlives_its_use() -> None:
    used = {(room(path), there) for path in FILES for there in imported_rooms(path)}
    assert set(NEIGHBOURS) <= used, f"no longer needed: {sorted(set(NEIGHBOURS) - used)}"


def test_a_violation_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / PACKAGE
    (root / "losses").mkdir(parents=True)
    bad = root / "losses" / "bad.py"
    bad.write_text(
        "def f():\n    from ..training import step\n    from .. import compat, optimizers\n"
        f"    import {PACKAGE}\n    from .._core import errors\n    from . import other\n"
    )
    monkeypatch.setitem(globals(), "ROOT", root)
    assert [line.split(":")[0] for line in wrong(bad)] == ["__init__", "compat", "optimizers", "training"]
