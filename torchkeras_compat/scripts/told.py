"""What a run translates and where, and the table that tells it."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from .._core.ownership import PACKAGE

SHOWN = 4  # places of one spelling
_OWN = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
INSTALLED = ("site-packages", "dist-packages", sysconfig.get_path("stdlib"), _OWN, "<frozen ")
CALL_BACK = "torch importlib functools contextlib numpy sklearn joblib".split()  # what calls the package for a user


class Old(NamedTuple):
    """One old spelling at one place."""

    file: str
    line: int
    old: str
    new: str


class Recorder:
    """Counts what the border tells, by the user's line that it came from."""

    def __init__(self) -> None:
        self.counts: Counter[Old] = Counter()

    def __call__(self, old: str, new: str) -> None:
        """Take down one translation.

        Args:
            old: As it was written.
            new: What it is today.
        """
        frame = sys._getframe(1)
        while frame.f_back is not None and _is_ours(str(frame.f_globals.get("__name__", ""))):
            frame = frame.f_back
        self.counts[Old(frame.f_code.co_filename, frame.f_lineno, old, new)] += 1


def _is_ours(name: str) -> bool:
    """Tell whether a module is no user's: this package's, or one that calls back for it."""
    return name.partition(".")[0] in (PACKAGE, *CALL_BACK)


def is_installed(file: str) -> bool:
    """Tell whether a file is Python's own, this package's or one that was installed, and no user's."""
    return any(part in file for part in INSTALLED)


def shown(file: str) -> str:
    """Return a path as a reader of this folder would write it."""
    inside = os.path.relpath(file)
    return file if inside.startswith(os.pardir) else inside


def table(counts: Counter[Old], names: Iterable[Old]) -> list[str]:
    """Return the lines that tell what was written in old words.

    Args:
        counts: What the border has told.
        names: Old names that stand in the text.
    """
    places: dict[tuple[str, str], Counter[tuple[str, int]]] = {}
    for entry, count in sorted((Counter(names) + counts).items()):
        places.setdefault((entry.old, entry.new), Counter())[entry.file, entry.line] += count
    if not places:
        return []
    wide = [max(len(pair[i]) for pair in places) for i in (0, 1)]
    return [f"  {old:{wide[0]}} → {new:{wide[1]}}  {_listed(lines)}".rstrip() for (old, new), lines in places.items()]


def _listed(lines: Counter[tuple[str, int]]) -> str:
    """Return `script.py:3, 7, 12 (5 times)`."""
    texts, before = [], ""
    for file, line in list(lines)[:SHOWN]:
        texts.append(str(line) if file == before else f"{shown(file)}:{line}")
        before = file
    more = ", …" if len(lines) > SHOWN else ""
    total = sum(lines.values())
    return ", ".join(texts) + more + (f" ({total} times)" if total > len(lines) or more else "")
