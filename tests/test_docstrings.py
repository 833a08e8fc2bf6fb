"""What `help(…)` shows: every public class has a sentence and an example, and explains no argument that it lacks."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import torchkeras_compat
from torchkeras_compat._core import config, registry

PACKAGE = Path(torchkeras_compat.__file__).parent
KINDS = ("layer", "loss", "metric", "optimizer", "schedule", "callback", "initializer", "regularizer", "constraint")


def public_classes(*kinds: str) -> list[Any]:
    """Return the registered classes of this package, each once."""
    found = {entry for kind in kinds for entry in registry.KINDS[kind].entries.values() if inspect.isclass(entry)}
    ours = (cls for cls in found if config.is_ours(cls) and not cls.__name__.startswith("_"))
    return sorted(ours, key=lambda cls: (cls.__module__, cls.__name__))


def section(text: str, title: str) -> list[str] | None:
    """Return the lines of a section of a docstring, without their indent; `None` where there is no such section."""
    found = re.search(rf"^{title}:\n((?:(?:    .*)?\n?)*)", inspect.cleandoc(text) + "\n", re.MULTILINE)
    return None if found is None else [line[4:] for line in found[1].splitlines() if line.strip()]


def listed(text: str, title: str = "Args") -> set[str]:
    """Return the names that a section explains: `a, b: …` explains two."""
    heads = (re.match(r"([\w*`][\w*, `/]*): ", line) for line in section(text, title) or ())
    return {name.strip("*` ") for head in heads if head for name in re.split(r"[,/]", head[1])}


@pytest.mark.parametrize("cls", public_classes(*KINDS), ids=lambda cls: cls.__name__)
def test_class_has_one_sentence_and_an_example(cls: Any) -> None:
    text = cls.__doc__ or ""
    assert re.search(r"[.:]$", text.split("\n")[0]), text.split("\n")[0]
    assert any(line.startswith(">>>") for line in section(text, "Example") or ()), f"{cls.__name__} has no Example"


@pytest.mark.parametrize("cls", public_classes(*KINDS), ids=lambda cls: cls.__name__)
def test_class_explains_its_arguments(cls: Any) -> None:
    """Each argument has a word: here, in a base, or as one of the `kwargs` that a base explains."""
    own = {name for name in inspect.signature(cls.__init__).parameters if not name.startswith("_")}
    explained = {name for base in cls.__mro__ for name in listed(base.__dict__.get("__doc__") or "")}
    assert own - explained - {"self", "args", "kwargs"} == set()


@pytest.mark.parametrize("cls", public_classes("layer"), ids=lambda cls: cls.__name__)
def test_layer_says_its_shapes(cls: Any) -> None:
    if cls.__name__ != "Sequential":  # those of its layers
        assert section(cls.__doc__, "Shape")


def documented() -> Iterator[tuple[str, str, set[str]]]:
    """Yield (where, docstring, parameters) of each function and each class with a constructor."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            made = node
            if isinstance(node, ast.ClassDef):
                made = next((n for n in node.body if getattr(n, "name", "") == "__init__"), None)
            if isinstance(made, ast.FunctionDef) and (text := ast.get_docstring(node)):
                args = made.args
                extra = [a for a in (args.vararg, args.kwarg) if a]
                names = {a.arg for a in [*args.posonlyargs, *args.args, *args.kwonlyargs, *extra]}
                yield f"{path.relative_to(PACKAGE)}:{node.name}", text, names


def test_no_docstring_explains_an_argument_that_is_not_there() -> None:
    wrong = {where: listed(text) - names for where, text, names in documented() if listed(text) - names}
    assert wrong == {}
