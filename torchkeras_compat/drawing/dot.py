"""The boxes of a model in the dot language, as an object that scripts use as pydot's."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .._core.border import user_stacklevel
from .._core.errors import argument_error, choice, number
from .graph import Box, Graph, Record
from .painting import FORMATS, paint

TEXTS = ("dot", "gv", "raw")  # what pydot calls the text itself
RANKDIRS = ("TB", "LR", "BT", "RL")


_IN_TEXT, _IN_RECORD = re.compile(r"(\\)"), re.compile(r"([\\{}|<>])")  # what dot would read as something else


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _escaped(text: str, special: re.Pattern[str]) -> str:
    return special.sub(r"\\\1", text)


def _label(record: Record) -> str:
    """Return the fields of a box as a record of dot's."""
    if isinstance(record, str):
        return _escaped(record, _IN_RECORD)
    return "|".join(_label(part) if isinstance(part, str) else f"{{{_label(part)}}}" for part in record)


def _statements(graph: Graph, numbers: Iterator[int]) -> Iterator[str]:
    for item in graph.items:
        if isinstance(item, Box):
            yield f"{item.key} [label={_quoted(_label(item.record))}];"
        else:
            yield from _frame(item, numbers)
    for source, target in graph.arrows:
        yield f"{source} -> {target};"


def _frame(graph: Graph, numbers: Iterator[int]) -> Iterator[str]:
    yield f"subgraph cluster_{next(numbers)} {{"
    yield f"style=dashed; label={_quoted(_escaped(graph.name, _IN_TEXT))}; labeljust=l;"
    yield from _statements(graph, numbers)
    yield "}"


class Cluster:
    """The boxes of a model as a part of a larger graph.

    Args:
        graph: The boxes.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def to_string(self) -> str:
        """Return the text in the dot language."""
        return "\n".join(_frame(self.graph, itertools.count())) + "\n"

    __str__ = to_string


class Dot(Cluster):
    """A picture of a model, as text in the dot language and drawn.

    Graphviz draws it where its program is installed, and matplotlib elsewhere.

    Args:
        graph: The boxes.
        rankdir: Where the arrows lead: `'TB'` (from top to bottom), `'LR'`, `'BT'` or `'RL'`.
        dpi: Dots per inch.

    Raises:
        ValueError: Another `rankdir`.
    """

    def __init__(self, graph: Graph, rankdir: str = "TB", dpi: float = 96) -> None:
        super().__init__(graph)
        if rankdir not in RANKDIRS:
            raise argument_error("plot_model", "rankdir", "'TB', 'LR', 'BT' or 'RL'", rankdir)
        self.rankdir, self.dpi = rankdir, number("plot_model", "dpi", dpi, 1)

    def to_string(self) -> str:
        """Return the text in the dot language."""
        begin = f"digraph G {{\nrankdir={self.rankdir};\nconcentrate=True;\ndpi={self.dpi:g};\nnode [shape=record];\n"
        return begin + "\n".join([*_statements(self.graph, itertools.count()), "}"]) + "\n"

    __str__ = to_string

    def create(self, prog: Any = None, format: str = "ps", encoding: str | None = None) -> bytes:
        """Return the picture as the bytes of a file.

        Args:
            prog: The program of Graphviz that draws it, with arguments in a list; `'dot'` when `None`, for which
                matplotlib stands in where it is not installed.
            format: The format: `'svg'`, `'png'`, `'pdf'`, `'ps'`, `'eps'`, `'jpg'`, or `'dot'` for the text.
            encoding: The encoding of the text; UTF-8 when `None`.

        Raises:
            ValueError: Another format, or another program that is not installed.
            ImportError: Neither Graphviz nor matplotlib is installed.
        """
        kind = choice("create", "format", format.lower(), (*FORMATS, *TEXTS))
        text = self.to_string().encode(encoding or "utf-8")
        if kind in TEXTS:
            return text
        program, *arguments = prog if isinstance(prog, (list, tuple)) else [prog or "dot"]
        if (path := shutil.which(program)) is not None:
            run = subprocess.run([path, *arguments, f"-T{kind}"], input=text, capture_output=True, check=False)
            if run.returncode == 0:
                return run.stdout
            reason = run.stderr.decode(errors="replace").strip()
            warnings.warn(
                f"{path} failed, and matplotlib draws: {reason}", RuntimeWarning, stacklevel=user_stacklevel()
            )
        elif program != "dot":
            raise ValueError(f"create(prog={program!r}): this program of Graphviz is not installed; write prog='dot'.")
        return paint(self.graph, self.rankdir, self.dpi, kind)

    def write(self, path: Any, prog: Any = None, format: str = "raw", encoding: str | None = None) -> bool:
        """Write the picture to a file, and return `True`.

        Args:
            path: The path of the file.
            prog: As in `create`.
            format: As in `create`; `'raw'` is the text in the dot language.
            encoding: As in `create`.
        """
        Path(os.fspath(path)).write_bytes(self.create(prog, format, encoding))
        return True

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return `create_svg`, `write_png` and so on."""
        method, _, kind = name.partition("_")
        if method in ("create", "write") and kind in (*FORMATS, *TEXTS):
            return partial(getattr(self, method), format=kind)
        raise AttributeError(
            f"a picture of a model has no attribute {name!r}; write pydot.graph_from_dot_data(dot.to_string())[0] for "
            f"what only pydot has."
        )
