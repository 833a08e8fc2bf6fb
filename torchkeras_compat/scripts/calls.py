"""The calls in a script whose arguments have tables of old spellings."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .._core import registry
from .._core.border import TABLES, Spelling
from .._core.config import Configurable, arguments, called_as
from ..models import Sequential
from .names import Meaning, Names, class_of
from .told import Old


@dataclass(frozen=True)
class Call:
    """A call of something that has tables.

    Attributes:
        node: The call.
        owner: Whose tables apply.
        function: What is called; a method is that of `Sequential`.
        cls: The class, where one is called.
        path: The dotted name that is called; `''` for a method.
    """

    node: ast.Call
    owner: str
    function: Callable[..., Any]
    cls: type[Configurable] | None = None
    path: str = ""

    @property
    def known(self) -> frozenset[str]:
        """The arguments that the function takes itself, which no table renames."""
        return _parameters(self.function)

    @property
    def table(self) -> dict[str, Spelling]:
        """The old spellings that apply."""
        table = TABLES.spellings.get(self.owner, {})
        return {old: s for old, s in table.items() if old not in self.known or s.new == old}

    @property
    def name(self) -> str:
        """What is called, without the module."""
        return self.owner.rpartition(".")[2]

    def takes(self, argument: str) -> bool:
        """Tell whether the class takes an argument, or one of its old spellings; of functions it is not asked.

        Args:
            argument: Its name.
        """
        if self.cls is None or self.cls._takes_anything:
            return True
        gathered = (name for group in TABLES.gathered.get(self.owner, ()) for name in group.old)
        return argument in (*arguments(self.cls), *self.table, *gathered)

    @property
    def values(self) -> dict[str, ast.expr]:
        """The values of named arguments, by today's names."""
        table = self.table
        return {(table[k.arg].new or k.arg if k.arg in table else k.arg): k.value for k in self.node.keywords if k.arg}


@dataclass(frozen=True)
class OldArgument:
    """A named argument in an old spelling.

    Attributes:
        call: The call.
        keyword: The argument.
        spelling: What it means.
    """

    call: Call
    keyword: ast.keyword
    spelling: Spelling


@functools.cache
def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return frozenset(p.name for p in inspect.signature(function).parameters.values() if p.kind not in kinds)


@functools.cache
def _methods() -> dict[str, str]:
    """Return the methods of models that have tables: name → owner."""
    bases = {base.__name__ for base in Sequential.__mro__}  # estimators and queues have methods of the same names
    owners = (owner.partition(".") for owner in TABLES.spellings)
    return {name: f"{cls}.{name}" for cls, _, name in owners if name and cls in bases}


def calls(names: Names) -> Iterator[Call]:
    """Yield the calls of classes, functions and methods of this package.

    A method is one by its name alone: what a variable holds is not known before the script runs.

    Args:
        names: What the script's text says.
    """
    paths = {use.node: use.path for use in names.uses}
    for node, its in names.calls():
        if its is None:
            if isinstance(node.func, ast.Attribute) and (owner := _methods().get(node.func.attr)):
                yield Call(node, owner, getattr(Sequential, node.func.attr))
        elif (cls := class_of(its)) is not None:
            kind: Any = cls
            yield Call(node, called_as(kind, cls.__init__), cls.__init__, cls, paths[node.func])
        elif callable(its.value) and not its.rest and (owner := _owner(its)):
            yield Call(node, owner, its.value, None, paths[node.func])


def _owner(its: Meaning) -> str:
    """Return whose tables apply to a function: a module and a name, or the name alone."""
    if its.today is None:
        return ""
    module, _, name = its.today.rpartition(".")
    module = module.rpartition(".")[2]
    owners = (f"K.{name}" if module == "backend" else f"{module}.{name}", name)
    return next((owner for owner in owners if owner in TABLES.spellings), "")


def old_arguments(names: Names) -> Iterator[OldArgument]:
    """Yield the named arguments in old spellings.

    Args:
        names: What the script's text says.
    """
    for call in calls(names):
        table = call.table
        for keyword in call.node.keywords:
            if keyword.arg in table:
                yield OldArgument(call, keyword, table[keyword.arg])


def word_today(argument: str, value: ast.expr) -> str | None:
    """Return what the name of an initializer, regularizer or constraint is today, `None` where it is none, or the same.

    Args:
        argument: Today's name of the argument, `'kernel_initializer'`, which says what kind of name it is.
        value: What is written there.
    """
    kind = argument.rpartition("_")[2]
    if kind not in registry.KINDS or not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return None
    return registry.canonical_of_old(kind, value.value)


def old_words(names: Names) -> list[Old]:
    """Return the names of initializers and their like that are others today.

    Args:
        names: What the script's text says.
    """
    written = [(argument, value) for call in calls(names) for argument, value in call.values.items()]
    return [
        Old(*names.script.place(value.lineno), ast.unparse(value), repr(today))
        for argument, value in written
        if (today := word_today(argument, value))
    ]
