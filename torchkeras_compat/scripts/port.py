"""`port`: a script in today's words, with the imports of this package; nothing is run.

The text is edited where the syntax tree says, so that layout and comments stay. What a name is today is asked of the
facades, and what an argument is today of the tables that translate it when a script runs.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO

import numpy as np

from .._core import dialects
from .._core.ownership import PACKAGE
from ..compat import facades
from ..compat.names import MODULES, ROOTS
from ..compat.numpy_names import REMOVED, REWRITTEN
from .calls import calls
from .check import Findings, check
from .edits import Edits
from .eras import by_imports
from .names import Binding, Meaning, Names, Use
from .port_calls import CallPort, Line
from .source import NoScript, Script

PATHS = {f"{root}.{part}" for root in ROOTS for part in MODULES}


@dataclass
class Ported:
    """A script in today's words.

    Attributes:
        text: Its text.
        kept: What stays in old words, for it depends on values: line of the old text, and why.
        findings: What `check` says of the old text.
    """

    text: str
    kept: list[Line]
    findings: Findings


def port(script: Script, dialect: str | None = None) -> Ported:
    """Write a script in today's words.

    Args:
        script: The script.
        dialect: The dialect that it runs under; that of its imports if `None`.

    Raises:
        NoScript: It is no Python, or has parts of two dialects.
        RuntimeError: Another Keras is imported already.
    """
    facades.install(dialect)
    try:
        names = Names.of(script)
    except SyntaxError as error:
        raise NoScript(f"{script.path}:{error.lineno}: this is not Python 3: {error.msg}.") from None
    eras = [dialect] if dialect is not None else by_imports(names)
    if len(eras) > 1:
        raise NoScript(
            f"{script.path} imports both keras and tensorflow.keras, whose defaults differ; say which are meant, "
            f"--dialect {eras[0]} or --dialect {eras[1]}."
        )
    porting = _Port(names, Edits(script.text), eras[0])
    return Ported(porting.run(), sorted(set(porting.kept)), check(script, dialect))


@dataclass
class _Port:
    """The rewriting of one script.

    Attributes:
        names: What its text says.
        edits: The changes.
        dialect: The one that it runs under.
        kept: What stays as it is.
        locals: What a binding is called in the new text.
        extra: Imports that the new text needs besides.
        written: Whole imports that the new text has.
    """

    names: Names
    edits: Edits
    dialect: str
    kept: list[Line] = field(default_factory=list)
    locals: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    written: set[str] = field(default_factory=set)

    def run(self) -> str:
        """Return the new text."""
        self.names_in_use = self._bound_names()
        self.kept_imports = self._kept_imports()
        self.misplaced = {use.root.id for use in self.names.uses if not self.edits.stands(use.root)}
        for name in self.names.bindings:
            self.locals[name] = self._local(name)
        for use in self.names.uses:
            self._rewrite_use(use)
        for statement in dict.fromkeys(binding.statement for binding in self.names.imports):
            self._rewrite_import(statement)
        call_port = CallPort(self.edits, self.names.tree, dialects.named(self.dialect))
        for call in calls(self.names):
            self.kept += call_port.rewrite(call)
        self._rewrite_numpy()
        self._insert_header()
        return self.edits.result()

    # --- names ------------------------------------------------------------------------------------------------------

    def _bound_names(self) -> set[str]:
        """Return the names that the text has, whatever they are."""
        nodes = list(ast.walk(self.names.tree))
        aliases = [alias for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names]
        imported = {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        return imported | self.names.stored | {node.id for node in nodes if isinstance(node, ast.Name)}

    def _kept_imports(self) -> set[ast.stmt]:
        """Return the imports of tensorflow itself that something besides keras is taken from."""
        without = [use.binding.statement for use in self.names.uses if use.meaning.place is None]
        return {statement for statement in without if isinstance(statement, ast.Import)}

    def _stays(self, binding: Binding) -> bool:
        """Tell whether an import stays: of TensorFlow, or of something that is missing."""
        return binding.statement in self.kept_imports or self._target(binding) is None

    def _target(self, binding: Binding) -> str | None:
        """Return what an import is today, `'torchkeras_compat.layers:Conv2D'`."""
        if binding.meaning.error:
            return None
        return PACKAGE if binding.path == "tensorflow" else binding.bound.place  # of tensorflow keras alone is used

    def _local(self, name: str) -> str:
        """Return what a name is called in the new text: today's, where that is free."""
        binding = self.names.bindings[name][0]
        target = self._target(binding)
        if target is None or self._stays(binding) or len(self.names.bindings[name]) > 1:
            return name
        if binding.path == "tensorflow":
            return "keras" if "keras" not in self.names_in_use or self._is_keras("keras") else "torchkeras_compat"
        new = target.replace(":", ".").rpartition(".")[2]
        its_own_word = ":" not in target and binding.path not in PATHS
        if not target.startswith(f"{PACKAGE}.") or its_own_word:  # such as np, or K
            return name
        if binding.alias.asname is not None or new == name or name in self.names.stored | self.misplaced:
            return name
        same = new in self.names.bindings and self._target(self.names.bindings[new][0]) == target
        if new in self.names_in_use and not same:
            return name
        self.names_in_use.add(new)
        return new

    def _is_keras(self, name: str) -> bool:
        return all(self._target(b) == PACKAGE for b in self.names.bindings.get(name, ())) and (
            name not in self.names.stored
        )

    def _rewrite_use(self, use: Use) -> None:
        new = self._written(use)
        if new is None or self.edits.source(use.node) == new:
            return
        if self.edits.stands(use.node):
            self.edits.replace_node(use.node, new)
        elif new != ast.unparse(use.node):
            self.kept.append((use.node.lineno, f"{ast.unparse(use.node)} in an f-string is {new} today"))

    def _written(self, use: Use) -> str | None:
        """Return what a use is in the new text, `None` where it stays."""
        local = self.locals[use.root.id]
        if use.meaning.error or use.meaning.today is None:
            return None
        if use.node is use.root:
            return local
        if self._stays(use.binding):
            root = f"{local}.keras" if use.binding.path == "tensorflow" else local
            return root + use.meaning.today.removeprefix(PACKAGE) if use.meaning.today.startswith(PACKAGE) else None
        base = str(self._target(use.binding)).replace(":", ".")
        today = use.meaning.today
        if f"{today}.".startswith(f"{base}.") and ".compat." not in today:
            return local + today.removeprefix(base)
        return self._imported(use.meaning, use.node.lineno)

    def _imported(self, its: Meaning, line: int) -> str | None:
        """Return the name of what is elsewhere today, and import it."""
        statement, name = _statement(str(its.place), None)
        if statement in self.extra:
            return name
        if name in self.names_in_use:
            self.kept.append((line, f"{its.today} has a name that is used otherwise"))
            return None
        self.names_in_use.add(name)
        self.extra.append(statement)
        return name

    def _rewrite_numpy(self) -> None:
        """Write numpy's removed names as what they were."""
        for node in ast.walk(self.names.tree):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            name = node.value.id
            if name not in ("np", "numpy") or node.attr in vars(np):
                continue
            if node.attr in REMOVED:
                self.edits.replace_node(node, REMOVED[node.attr].replace("np.", f"{name}."))
            elif node.attr in REWRITTEN:
                self.kept.append((node.lineno, f"numpy has no {node.attr} any more; write {REWRITTEN[node.attr][1]}"))

    # --- imports ----------------------------------------------------------------------------------------------------

    def _rewrite_import(self, statement: ast.Import | ast.ImportFrom) -> None:
        bindings = [binding for binding in self.names.imports if binding.statement is statement]
        if isinstance(statement, ast.Import):
            texts = {b.alias: self._alias_of_module(b) for b in bindings if not self._stays(b)}
            if len(statement.names) > 1 or not self._is_there(statement, f"import {next(iter(texts.values()), '')}"):
                for alias, text in texts.items():
                    self.edits.replace_node(alias, text)
            return
        parts = [self._part(binding) for binding in bindings]
        if len(parts) == 1 and not parts[0][0] and self._is_there(statement, parts[0][1]):
            return
        modules = {module for module, _ in parts}
        if len(modules) == 1 and "" not in modules:
            (module,) = modules
            start = self.edits.span(statement)[0]
            start += self.edits.data[start:].index(str(statement.module).encode())
            self.edits.replace(start, start + len(str(statement.module).encode()), module)
            for binding, (_, text) in zip(bindings, parts):
                self.edits.replace_node(binding.alias, text)
        else:
            self._split(statement, parts)
        self._add_star(bindings)

    def _is_there(self, statement: ast.stmt, text: str) -> bool:
        """Take an import out where the new text has the same one above it, and tell whether it did."""
        if statement not in self.names.tree.body or not self.edits.stands_alone(statement):
            return False
        if text in self.written:
            self.edits.remove_lines(statement)
            return True
        self.written.add(text)
        return False

    def _alias_of_module(self, binding: Binding) -> str:
        """Return `torchkeras_compat.layers as L`."""
        module = str(self._target(binding)).replace(":", ".")
        local = self.locals[binding.alias.asname or binding.alias.name.partition(".")[0]]
        if binding.alias.asname is not None and binding.path != "tensorflow":
            module = str(binding.meaning.place)
        return module if local == module else f"{module} as {local}"

    def _part(self, binding: Binding) -> tuple[str, str]:
        """Return the module and the rest of `from module import rest`; the module is `''` for a whole `import`."""
        name = binding.alias.name
        if binding.is_star:
            return str(binding.meaning.place), name
        if self._stays(binding):
            return binding.path.removesuffix(f".{name}"), self.edits.source(binding.alias)
        local = self.locals[binding.alias.asname or name]
        statement, _ = _statement(str(self._target(binding)), local)
        if statement.startswith("import "):
            return "", statement
        module, _, rest = statement.removeprefix("from ").partition(" import ")
        return module, rest

    def _split(self, statement: ast.ImportFrom, parts: list[tuple[str, str]]) -> None:
        """Write one import as several; comments inside it go above."""
        groups: dict[str, list[str]] = {}
        for module, text in parts:
            groups.setdefault(module, []).append(text)
        lines = []
        for module, texts in groups.items():
            lines += texts if not module else [f"from {module} import {', '.join(dict.fromkeys(texts))}"]
        alone = self.edits.stands_alone(statement)
        separator = f"\n{' ' * statement.col_offset}" if alone else "; "
        comments = list(_comments(self.edits.source(statement))) if alone else []
        self.edits.replace_node(statement, separator.join((*comments, *lines)))

    def _add_star(self, bindings: list[Binding]) -> None:
        """Import what a star of the facade gave, and no star of today's modules gives."""
        stars = [binding.meaning for binding in self.names.imports if binding.is_star]
        by_stars = {f"{its.place}:{name}" for its in stars for name in getattr(its.value, "__all__", ())}
        for name, (binding, *_) in self.names.bindings.items():
            place = binding.meaning.place
            if binding.alias in [one.alias for one in bindings if one.is_star] and place is not None:
                statement = _statement(place, self.locals[name])[0]
                if place not in by_stars and statement not in self.extra:
                    self.extra.append(statement)

    def _insert_header(self) -> None:
        """Set the dialect where it is not the default, and install where tensorflow stays, before the first import."""
        lines = [f'{PACKAGE}.set_dialect("{self.dialect}")'] if self.dialect != dialects.DEFAULT else []
        faced = [binding for binding in self.names.imports if not binding.meaning.error]
        if any(self._stays(binding) for binding in faced):
            lines.append(f"{PACKAGE}.compat.install()")
        if not faced or not (lines or self.extra):
            return
        if lines:
            lines = [f"import {PACKAGE}", "", *lines, ""]
        statements = {binding.statement for binding in faced}
        first = next(part for part in self.names.tree.body if statements & set(ast.walk(part)))
        decorators = getattr(first, "decorator_list", [])
        at = self.edits.lines[min(node.lineno for node in (first, *decorators)) - 1]
        self.edits.replace(at, at, "".join(f"{line}\n" for line in (*lines, *self.extra)))


def _statement(place: str, local: str | None) -> tuple[str, str]:
    """Return the import of a place, and the name that it gives."""
    module, _, name = place.partition(":")
    if not name and "." in module:
        module, _, name = module.rpartition(".")
    if not name:
        local = local or module
        return (f"import {module}" if local == module else f"import {module} as {local}"), local
    local = local or name
    return f"from {module} import {name}" + (f" as {local}" if local != name else ""), local


def _comments(source: str) -> Iterator[str]:
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    yield from (token.string for token in tokens if token.type == tokenize.COMMENT)
