"""The text of a script, a module or a notebook."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import json
import os
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Lines of a cell that are IPython's: a magic or a command of the shell, over several lines and given to a name perhaps,
# and a question about a name.
MAGIC = re.compile(r"^([ \t]*)((?:[\w, ]+=[ \t]*)?[%!](?:.*\\\n)*.*|\?.*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)
TIMED = re.compile(r"%time[ \t]+")  # the rest of the line is Python
TAKES_PYTHON = ("%%time", "%%capture", "%%prun")  # cells that run, and whose names later cells have


class NoScript(Exception):
    """What is named is no script; the text says why."""


@dataclass(frozen=True)
class Cell:
    """A piece of source: a script is one, and a notebook has several.

    Attributes:
        name: What tracebacks call it: the whole path, or `'book.ipynb[3]'` behind the folder.
        text: The source.
        left_out: Lines of a notebook that are no Python.
    """

    name: str
    text: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """A script as it lies on disk.

    Attributes:
        path: The file, as it was named.
        cells: Its source.
        spec: How the module was found, where a module was asked for.
        encoding: How the file's text is encoded.
    """

    path: Path
    cells: tuple[Cell, ...]
    spec: importlib.machinery.ModuleSpec | None = None
    encoding: str = "utf-8"

    @property
    def is_notebook(self) -> bool:
        """Whether it has cells, which are in no file that a traceback could show."""
        return self.path.suffix == ".ipynb"

    @property
    def text(self) -> str:
        """All of its source; cells stand one after the other."""
        return "\n".join(cell.text for cell in self.cells)

    def place(self, line: int) -> tuple[str, int]:
        """Return which cell a line of `text` is in, and its number there.

        Args:
            line: Its number in the text.
        """
        for cell in self.cells:
            length = cell.text.count("\n") + 1
            if line <= length:
                break
            line -= length
        return cell.name, line


def read(path: Path, spec: importlib.machinery.ModuleSpec | None = None) -> Script:
    """Read a script or a notebook.

    Args:
        path: The file.
        spec: How it was found, if it is a module.

    Raises:
        NoScript: There is no such file, or it is no text.
    """
    if path.is_dir():
        raise NoScript(f"{path} is a folder; name a script in it, or write -m {path.name} for a package.")
    try:
        if path.suffix == ".ipynb":
            return Script(path, _cells(path))
        with open(path, "rb") as file:
            encoding = tokenize.detect_encoding(file.readline)[0]
        with open(path, encoding=encoding, newline="") as text:
            return Script(path, (Cell(os.path.abspath(path), text.read()),), spec, encoding)
    except FileNotFoundError:
        raise NoScript(f"{path}: there is no such file.") from None
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise NoScript(f"{path}: {error}.") from None


def module(name: str) -> Script:
    """Read a module, or the `__main__` of a package, as `python -m` finds it.

    Args:
        name: Its dotted name.

    Raises:
        NoScript: There is none of that name, or it has no source.
    """
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError:
        spec = None
    if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader) or spec.origin is None:
        raise NoScript(f"-m {name}: there is no module of that name that can be run.")
    return read(Path(spec.origin), spec)


def _cells(path: Path) -> tuple[Cell, ...]:
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        codes = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise NoScript(f"{path} is no notebook: it has no list of cells.") from None
    name = os.path.abspath(path)
    return tuple(_python_of(f"{name}[{number}]", code) for number, code in enumerate(codes, 1)) or (Cell(name, ""),)


def _python_of(name: str, code: str) -> Cell:
    """Return a cell without the lines that IPython alone understands."""
    left_out: list[str] = []
    if code.lstrip().startswith("%%"):
        magic, _, rest = code.lstrip().partition("\n")
        left_out.append(magic)
        if magic.split()[0] not in TAKES_PYTHON:
            return Cell(name, "", tuple(left_out))
        code = "\n" * (code.count("\n") - rest.count("\n")) + rest  # lines keep their numbers
    try:
        ast.parse(code)
    except SyntaxError:
        code = MAGIC.sub(lambda match: _without_magic(match, left_out), code)
    return Cell(name, code, tuple(left_out))


def _without_magic(line: re.Match[str], left_out: list[str]) -> str:
    """Return what is left of a line of IPython's, on as many lines, and note what is not."""
    indent, text = line.groups()
    timed = TIMED.match(text)
    if timed is not None:
        left_out.append("%time")
        return f"{indent}{text[timed.end() :]}"
    left_out.append(text)
    return f"{indent}pass" + "\n" * text.count("\n")
