"""Write `docs/coverage.md`: `python -m tests.coverage.page`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from .compare import MEMBERS, SURFACE, Entry, entries
from .notes import LEFT_OUT, NOTES, Note

PAGE = Path(__file__).resolve().parents[2] / "docs" / "coverage.md"
HEAD = """# Every name and argument of Keras 2.15

Made by `python -m tests.coverage.page`, and held by `tests/coverage/test_coverage.py`: an argument stands under *works*
where the package takes it and nothing is noted about it; each refusal is tried out. Numbers are held by the golden
tests, the reasons of deviations stand in [DEVIATIONS.md](../DEVIATIONS.md).

"""


def place(entry: Entry, argument: str = "") -> str:
    """Return what patterns are matched with."""
    name = f"{entry.section.removesuffix(MEMBERS)}.{entry.name}"
    return f"{name}({argument})" if argument else name


def notes_of(entry: Entry, argument: str = "") -> list[Note]:
    """Return the notes about a name, or about one of its arguments."""
    return [note for note in NOTES if fnmatchcase(place(entry, argument), note.pattern)]


def text() -> str:
    """Return the page."""
    parts, counts = [], {"names": 0, "arguments": 0, "noted": 0, "refused": 0, "later": 0, "left out": 0}
    tables: dict[str, list[str]] = {section: [] for section in SURFACE}
    for entry in entries():
        arguments = SURFACE[entry.section][entry.name] or []
        noted = {argument: notes_of(entry, argument) for argument in arguments}
        remarks = [_remark("", note) for note in notes_of(entry)]
        remarks += [_remark(argument, note) for argument, notes in noted.items() for note in notes]
        if entry.later:
            remarks.append(entry.later)
        works = ", ".join(f"`{argument}`" for argument in arguments if not noted[argument])
        tables[entry.section].append(f"| `{entry.name}` | {works} | {'; '.join(remarks)} |")
        _count(counts, entry, noted)
    for section, lines in tables.items():
        parts += [f"## {section}\n", "| name | arguments that work | noted |", "|---|---|---|", *lines, ""]
    summary = ", ".join(f"{number} {what}" for what, number in counts.items())
    return HEAD + f"In all: {summary}.\n\n" + "\n".join(parts)


def _remark(argument: str, note: Note) -> str:
    about = f"`{argument}`: " if argument else ""
    if note.code:
        return f"{about}refused, «{note.error}»: {note.text}"
    return f"{about}{'left out: ' if note in LEFT_OUT else ''}{note.text}"


def _count(counts: dict[str, int], entry: Entry, noted: dict[str, list[Note]]) -> None:
    counts["names"] += 1
    counts["arguments"] += len(noted)
    counts["later"] += bool(entry.later)
    counts["left out"] += not entry.there
    for note in [*notes_of(entry), *(note for notes in noted.values() for note in notes)]:
        counts["refused" if note.code else "noted"] += note not in LEFT_OUT


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
