"""`docs/coverage.md` says what is there: every name and every argument of Keras 2.15, each with its word."""

from __future__ import annotations

import numpy as np
import pytest

import torchkeras_compat as keras

from .compare import SURFACE, Entry, entries
from .notes import LEFT_OUT, NOTES, REFUSALS, Note
from .page import PAGE, notes_of, place, text

ALL = entries()


@pytest.mark.parametrize("entry", ALL, ids=place)
def test_each_name_and_argument_is_there_or_noted(entry: Entry) -> None:
    if not entry.there:
        assert any(note in LEFT_OUT for note in notes_of(entry)), f"{place(entry)} is missing"
    for argument in entry.missing:
        assert any(note.code for note in notes_of(entry, argument)), f"{place(entry, argument)} is not taken"


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.pattern)
def test_each_note_is_about_something(note: Note) -> None:
    names = [(entry, argument) for entry in ALL for argument in ("", *(SURFACE[entry.section][entry.name] or []))]
    assert any(note in notes_of(entry, argument) for entry, argument in names)
    if note in LEFT_OUT:
        assert all(not entry.there for entry in ALL if note in notes_of(entry))


@pytest.mark.parametrize("note", REFUSALS, ids=lambda note: note.pattern)
def test_each_refusal_says_what_the_page_says(note: Note) -> None:
    with pytest.raises((ValueError, TypeError, NotImplementedError)) as error:
        exec(note.code, {"keras": keras, "x": np.ones((4, 3))})
    assert note.error in str(error.value)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "run python -m tests.coverage.page"
