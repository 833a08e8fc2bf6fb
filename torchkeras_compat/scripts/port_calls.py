"""Arguments of calls in today's words, by the tables that translate them when a script runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .._core.border import TABLES, Gathered, Positional, Spelling, converted
from .._core.dialects import Dialect
from ..compat.names import ALIASES
from .calls import Call, word_today
from .edits import Edits

Line = tuple[int, str]
COMMA_BEFORE, COMMA_BEHIND = re.compile(rb",\s*\Z"), re.compile(rb"\s*,\s*")


class CallPort:
    """Rewrites the arguments of calls.

    Args:
        edits: Where the changes go.
        tree: The script.
        dialect: The one that it runs under.
    """

    def __init__(self, edits: Edits, tree: ast.Module, dialect: Dialect) -> None:
        self.edits, self.dialect = edits, dialect
        self.integers = set(_integers(tree))

    def rewrite(self, call: Call) -> Iterator[Line]:
        """Rewrite a call, and yield what has to stay as it is: it is translated when the script runs.

        Args:
            call: The call.
        """
        if form := TABLES.positional.get(call.owner):
            yield from self._name_numbers(call, form)
        for group in TABLES.gathered.get(call.owner, ()):
            yield from self._gather(call, group)
        table, front = call.table, not call.node.args
        for keyword in call.node.keywords:
            spelling = table.get(str(keyword.arg))
            if spelling is not None and spelling.has_no_effect:
                self._remove(keyword, front)
                continue
            front = False
            if spelling is not None and spelling.during is not None:
                yield keyword.lineno, f"{call.name}({keyword.arg}=…) stays as it is: {spelling.note}"
            elif spelling is not None and not self._respell(keyword, spelling):
                yield keyword.lineno, f"{call.name}({keyword.arg}=…) depends on values, and stays as it is"
            argument = keyword.arg if spelling is None else spelling.new
            if today := self._today(str(argument), keyword.value):
                self.edits.replace_node(keyword.value, today)

    def _respell(self, keyword: ast.keyword, spelling: Spelling) -> bool:
        """Rewrite an argument; tell whether it could be done."""
        value = keyword.value
        if spelling.refused or spelling.new is None:
            return True
        if spelling.values is not None or spelling.convert is not None:
            try:
                before = ast.literal_eval(value)
            except ValueError:
                return False
            after = converted(spelling, before)
            if not _is_literal(after):
                return False
            if after != before:
                self.edits.replace_node(value, repr(after))
        start = self.edits.span(keyword)[0]
        self.edits.replace(start, start + len(str(keyword.arg).encode()), spelling.new)
        for name in spelling.also:
            end = self.edits.span(keyword)[1]
            self.edits.replace(end, end, f", {name}={self._today(name, value) or self.edits.source(value)}")
        return True

    def _remove(self, keyword: ast.keyword, front: bool) -> None:
        """Take an argument out, with the comma before it, or behind it where it is the first one."""
        start, end = self.edits.span(keyword)
        before = COMMA_BEFORE.search(self.edits.data, 0, start)
        behind = COMMA_BEHIND.match(self.edits.data, end)
        if front:
            self.edits.replace(start, behind.end() if behind else end, "")
        else:
            self.edits.replace(before.start() if before else start, end, "")

    def _name_numbers(self, call: Call, form: Positional) -> Iterator[Line]:
        """Write `Conv2D(32, 3, 3)` as `Conv2D(32, (3, 3))`."""
        arguments, end = call.node.args, form.first + form.count
        numbers = arguments[form.first : end]
        if len(numbers) < form.count or not getattr(self.dialect.rules, form.rule):
            return
        was_keras_1 = call.path.rpartition(".")[2] in ALIASES["layer"]
        whole = all(self._is_integer(number) for number in numbers)
        if any(isinstance(number, (ast.Tuple, ast.List)) for number in numbers):
            return
        if (not whole and not was_keras_1) or len(arguments) > end + len(form.behind):
            yield (
                call.node.lineno,
                f"{call.name}(…): whether the numbers are one kernel depends on values, and they stay",
            )
            return
        start, last = self.edits.span(numbers[0])[0], self.edits.span(numbers[-1])[1]
        self.edits.replace(start, start, "(")
        self.edits.replace(last, last, ")")
        for old, argument in zip(form.behind, arguments[end:]):
            spelling, at = call.table.get(old), self.edits.span(argument)[0]
            self.edits.replace(at, at, f"{spelling.new if spelling is not None else old}=")

    def _gather(self, call: Call, group: Gathered) -> Iterator[Line]:
        """Write `nb_row=3, nb_col=5` as `kernel_size=(3, 5)`."""
        keywords = call.node.keywords
        names = tuple(keyword.arg for keyword in keywords)
        if not set(group.old) <= set(names):
            return
        first = names.index(group.old[0])
        several = keywords[first : first + len(group.old)]
        if tuple(keyword.arg for keyword in several) != group.old:
            yield call.node.lineno, f"{call.name}({', '.join(group.old)}): they stand apart, and stay as they are"
            return
        for keyword in several:
            start = self.edits.span(keyword)[0]
            opening = f"{group.new}=(" if keyword is several[0] else ""
            self.edits.replace(start, self.edits.span(keyword.value)[0], opening)
        end = self.edits.span(several[-1])[1]
        self.edits.replace(end, end, ")")

    def _today(self, argument: str, value: ast.expr) -> str | None:
        """Return the text of an old name of an initializer or its like in today's words, in the script's quotes."""
        today, written = word_today(argument, value), self.edits.source(value)
        return None if today is None or ast.unparse(value)[1:-1] != written[1:-1] else written[0] + today + written[0]

    def _is_integer(self, node: ast.expr) -> bool:
        return _is_whole(node) or (isinstance(node, ast.Name) and node.id in self.integers)


def _is_whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _is_literal(value: object) -> bool:
    """Tell whether a value can be written down."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False


def _integers(tree: ast.Module) -> Iterator[str]:
    """Yield the names that only integers are assigned to."""
    values: dict[ast.Name, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    values[target] = node.value
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts)
                    values.update((name, value) for name, value in pairs if isinstance(name, ast.Name))
    others = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    whole: set[str] = set()
    for node in ast.walk(tree):  # what a loop, a `with` or a function binds may be anything
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            (whole if node in values and _is_whole(values[node]) else others).add(node.id)
    yield from whole - others
