"""What this package writes is what both Keras have read: the same texts, groups, shapes and types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import torchkeras_compat as keras
from tests.saving.zoo.models import cases
from tests.saving.zoo.written import FORMATS, fingerprint, write

NOTES = json.loads((Path(__file__).resolve().parent / "data" / "read_by_keras.json").read_text(encoding="utf-8"))
READ: dict[str, str] = {name: mark for notes in NOTES.values() for name, mark in notes["read"].items()}


NAMES = [
    pytest.param(name, marks=[pytest.mark.slow] if i % 4 else [])
    for i, name in enumerate(sorted({file.rpartition(".")[0] for file in READ}))
]


@pytest.mark.parametrize("name", NAMES)
def test_files_are_those_that_keras_has_read(name: str, tmp_path: Path) -> None:
    write(name, cases()[name], keras, tmp_path)
    written = {f"{name}{ending}": fingerprint(tmp_path / f"{name}{ending}") for ending in FORMATS}
    assert {file: mark for file, mark in written.items() if file in READ} == {
        file: READ[file] for file in written if file in READ
    }


@pytest.mark.parametrize("keras_version", sorted(NOTES))
def test_enough_of_them_are_read(keras_version: str) -> None:
    notes: dict[str, Any] = NOTES[keras_version]
    assert len(notes["read"]) >= 150
