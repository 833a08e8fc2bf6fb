"""`check`: what would not work in a script, and what trains differently elsewhere; nothing is run."""

from __future__ import annotations

import ast
import importlib.machinery
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from .._core import dialects
from .._core.config import arguments
from .._core.dialects import Dialect
from .._core.errors import did_you_mean
from ..compat import facades
from ..compat.companions import MISSING
from .calls import Call, calls
from .eras import chosen, dialect_of, hints
from .names import Names
from .python_2 import remarks
from .source import Script
from .told import shown
from .traps import Line, differences


@dataclass(frozen=True)
class Findings:
    """What a check has to say.

    Attributes:
        broken: What would not work: line of the text, and what to write.
        differs: What trains differently elsewhere.
        remarks: About the script as a whole.
    """

    broken: list[Line]
    differs: list[Line]
    remarks: list[str]


def check(script: Script, dialect: str | None = None) -> Findings:
    """Look a script through.

    Args:
        script: The script.
        dialect: The dialect that it is to run under; that of its imports if `None`.

    Raises:
        RuntimeError: Another Keras is imported already.
    """
    facades.install(dialect)
    try:
        names = Names.of(script)
    except SyntaxError as error:
        old = [
            (remark.line, f"{remark.old}: this is not Python 3; write {remark.new}") for remark in remarks(script.text)
        ]
        return Findings(old or [(error.lineno or 1, f"this is not Python 3: {error.msg}")], [], [])
    era = dialects.named(dialect_of(names, dialect))
    broken = [
        *_names(names),
        *_of_python_2(script),
        *_modules(names),
        *(line for call in calls(names) for line in _arguments(call, era)),
    ]
    about = [f"{chosen(names, dialect)}.", *hints(names, dialect)]
    return Findings(sorted(set(broken)), sorted(set(differences(names, era))), about)


def report(script: Script, findings: Findings) -> Iterator[str]:
    """Yield the lines that tell what was seen.

    Args:
        script: The script.
        findings: What was seen.
    """
    for kind, lines in (("would not work", findings.broken), ("trains differently elsewhere", findings.differs)):
        for line, text in lines:
            file, number = script.place(line)
            yield f"{shown(file)}:{number}: {kind}: {text.rstrip('.')}."
    yield from (f"{shown(script.cells[0].name.partition('[')[0])}: {remark}" for remark in findings.remarks)
    yield f"would not work: {len(findings.broken)}; trains differently elsewhere: {len(findings.differs)}."


def _names(names: Names) -> Iterator[Line]:
    """Yield names of Keras and TensorFlow that are missing here."""
    for binding in names.imports:
        if (error := binding.meaning.error) and not binding.guarded:
            yield binding.alias.lineno, error
    for use in names.uses:
        if use.meaning.error and not use.guarded:
            yield use.node.lineno, use.meaning.error


def _of_python_2(script: Script) -> Iterator[Line]:
    """Yield names that Python 3 has not; a script that asks for its version knows when it uses them."""
    if not re.search(r"version_info|\bPY[23]\b", script.text):
        yield from ((line, f"{old}: it is {new} in Python 3") for line, old, new in remarks(script.text))


def _modules(names: Names) -> Iterator[Line]:
    """Yield modules that are not installed."""
    folder = str(names.script.path.resolve().parent)
    for statement, path, guarded in names.modules:
        first = path.partition(".")[0]
        if guarded or first in sys.builtin_module_names or first == "__main__":
            continue
        if importlib.machinery.PathFinder.find_spec(first, [folder, *sys.path]) is None:
            yield statement.lineno, f"there is no module {first!r}; {MISSING.get(first, 'install it, or leave it out')}"


def _arguments(call: Call, dialect: Dialect) -> Iterator[Line]:
    """Yield arguments that nothing takes, or that are refused."""
    refused = dialect.refuses.get(call.owner, {})
    table = call.table
    for keyword in call.node.keywords:
        name, value = keyword.arg, keyword.value
        if name is None:
            continue
        constant = value.value if isinstance(value, ast.Constant) else None
        if (spelling := table.get(name)) is not None:
            is_harmful = spelling.harmless is not None and isinstance(value, ast.Constant)
            if spelling.refused or (is_harmful and constant not in (spelling.harmless or ())):
                yield keyword.lineno, f"{call.name}({name}={ast.unparse(value)}): {spelling.note}"
        elif name in refused and (constant or not isinstance(value, ast.Constant)):
            yield keyword.lineno, f"{call.name}({name}=…): {dialect.name} has no {name}; write {refused[name]}"
        elif name == "class_weight" and constant == "auto":
            yield keyword.lineno, f"{call.name}(class_weight='auto'): write a dictionary, or 'balanced'"
        elif not call.takes(name):
            known = [*arguments(call.cls), *table] if call.cls is not None else []
            yield keyword.lineno, f"{call.name}({name}=…): unknown argument; {did_you_mean(name, known)}"
