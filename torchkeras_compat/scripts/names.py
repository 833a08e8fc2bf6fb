"""What the names in a script stand for, read from its text: imports, attributes and calls, found through the facades.

Nothing is run. The facades say what a name is, as they do while a script runs; they have to be installed.
"""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core.config import Configurable
from .._core.ownership import PACKAGE, origin
from .._core.planned import Planned
from ..compat.companions import SIX, StandIn
from ..compat.facades import Facade, TensorFlow
from ..compat.names import BESIDE, MODULES, PACKAGES, ROOTS
from .source import Script
from .told import Old

# First parts of the modules that this package stands in for.
FACED = {path.partition(".")[0] for path in (*ROOTS, *PACKAGES, *BESIDE, *SIX)}
Module = Facade | TensorFlow | StandIn


@dataclass(frozen=True)
class Meaning:
    """What a dotted name stands for.

    Attributes:
        value: The object; a module where the name ends in one.
        place: Where it is today, `'torchkeras_compat.layers:Conv2D'`, a module without a colon; `None` where only the
            facade has it.
        rest: Attributes behind it.
        error: Why there is nothing of that name.
    """

    value: Any = None
    place: str | None = None
    rest: tuple[str, ...] = ()
    error: str = ""

    @property
    def today(self) -> str | None:
        """The place as a dotted name."""
        return None if self.place is None else self.place.replace(":", ".")


def meaning(path: str, called: bool = False) -> Meaning:
    """Return what a dotted name of a facade stands for.

    Args:
        path: `'keras.layers.core.Dense.get_config'`.
        called: Whether it is called: `keras.layers.merge` is a module, and was a function once.
    """
    first, *names = path.split(".")
    try:
        value: Any = importlib.import_module(first)
    except ImportError as error:
        return Meaning(error=str(error))
    place = _place_of(value)
    for i, name in enumerate(names):
        if not isinstance(value, Module):
            return Meaning(value, place, tuple(names[i:]))
        holder = value
        try:
            value = getattr(holder, name)
        except (AttributeError, ImportError) as error:
            return Meaning(error=str(error))
        if isinstance(value, Planned):
            return Meaning(error=value._text)
        place = _place_of(value) if isinstance(value, Module) else _place_in(holder, name)
    if called and isinstance(value, Facade) and names:
        return Meaning(value, f"{_place_of(holder)}:{names[-1]}")
    return Meaning(value, place)


def _place_of(module: Any) -> str | None:
    """Return the module of the package that one of a facade stands for."""
    if not isinstance(module, Facade):
        return None
    part = MODULES.get(module.part, module.part)
    return f"{PACKAGE}.{part}".rstrip(".")


def _place_in(holder: Module, name: str) -> str | None:
    """Return where a name of a module is today."""
    if isinstance(holder, TensorFlow):
        return None
    place = holder.place(name)
    if place is None or place.partition(".")[0] not in FACED:
        return place
    path = place.replace(":", ".")
    if path == f"{holder.__name__}.{name}":  # its own: in Keras 1 `keras.layers.merge` was a function
        return f"{_place_of(holder)}:{name}"
    return meaning(path).place  # what one module of a facade has of another


@dataclass
class Binding:
    """A name that an import gives.

    Attributes:
        statement: The import.
        alias: Its part that gives the name.
        path: What it stands for, in full.
        guarded: Whether an `except` catches that it is missing.
        called: Whether the name is called somewhere.
    """

    statement: ast.Import | ast.ImportFrom
    alias: ast.alias
    path: str
    guarded: bool
    called: bool = False

    @property
    def is_star(self) -> bool:
        """Whether it is a star import."""
        return self.alias.name == "*"

    @property
    def meaning(self) -> Meaning:
        """What is imported; of a star, the module."""
        path = self.alias.name if isinstance(self.statement, ast.Import) else self.path.removesuffix(".*")
        return meaning(path, self.called)

    @property
    def bound(self) -> Meaning:
        """What the name stands for: after `import keras.layers` that is `keras`."""
        is_package = isinstance(self.statement, ast.Import) and self.alias.asname is None
        return meaning(self.path) if is_package else self.meaning


@dataclass(frozen=True)
class Use:
    """A place in the text that names something of a facade.

    Attributes:
        node: The name, with the attributes behind it that are looked up.
        root: Its first part.
        binding: The import that gives it.
        path: The dotted name in full.
        meaning: What it stands for.
        guarded: Whether an `except` catches that it is missing, or `hasattr` asks before.
    """

    node: ast.expr
    root: ast.Name
    binding: Binding
    path: str
    meaning: Meaning
    guarded: bool = False


@dataclass
class Names:
    """The names of a script.

    Attributes:
        script: The script.
        tree: Its syntax tree.
        bindings: Names that imports of a facade give, by name.
        imports: All of these imports, star imports included.
        modules: Modules that are imported and are none of a facade's, with the statement and whether it is guarded.
        uses: Names and attributes of facades that the text has outside of imports.
        stored: Names that are assigned somewhere.
        parents: The node around each node.
    """

    script: Script
    tree: ast.Module
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    imports: list[Binding] = field(default_factory=list)
    modules: list[tuple[ast.stmt, str, bool]] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    @classmethod
    def of(cls, script: Script) -> Names:
        """Read a script.

        Args:
            script: The script.

        Raises:
            SyntaxError: It is not Python.
        """
        names = cls(script, ast.parse(script.text, str(script.path)))
        names.parents = {child: node for node in ast.walk(names.tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(names.tree):
            if isinstance(node, ast.Import):
                names._read_import(node)
            elif isinstance(node, ast.ImportFrom):
                names._read_from(node)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                names.stored.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.stored.add(node.name)
            elif isinstance(node, ast.arg):
                names.stored.add(node.arg)
        names._read_stars()
        _Chains(names).visit(names.tree)
        return names

    def _read_import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            if first not in FACED:
                self.modules.append((node, alias.name, self._guarded(node)))
                continue
            path, bound = (alias.name, alias.asname) if alias.asname else (first, first)
            self._bind(bound, Binding(node, alias, path, self._guarded(node)))

    def _read_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or module.partition(".")[0] not in FACED:
            if not node.level and module != "__future__":
                self.modules.append((node, module, self._guarded(node)))
            return
        for alias in node.names:
            binding = Binding(node, alias, f"{module}.{alias.name}", self._guarded(node))
            if alias.name == "*":
                self.imports.append(binding)
            else:
                self._bind(alias.asname or alias.name, binding)

    def _bind(self, name: str, binding: Binding) -> None:
        self.bindings.setdefault(name, []).append(binding)
        self.imports.append(binding)

    def _read_stars(self) -> None:
        """Bind what star imports give, where the text uses it and nothing else gives it."""
        used = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        used -= self.stored | set(dir(builtins))
        for star in [b for b in self.imports if b.is_star]:
            holder = meaning(star.path.removesuffix(".*")).value
            for name in sorted(used & set(getattr(holder, "__all__", ()))):
                if name not in self.bindings:
                    path = f"{star.path.removesuffix('*')}{name}"
                    self.bindings[name] = [Binding(star.statement, star.alias, path, star.guarded)]

    def _guarded(self, node: ast.AST, attributes: Sequence[str] = ()) -> bool:
        """Tell whether a `try` around a node catches what is raised where something is missing, or `hasattr` asks."""
        child = node
        while (around := self.parents.get(child)) is not None:
            if isinstance(around, ast.Try) and child in around.body:
                return True
            if not set(attributes).isdisjoint(_asked_for(around, child)):
                return True
            child = around
        return False

    def calls(self) -> Iterator[tuple[ast.Call, Meaning | None]]:
        """Yield each call, and what is called where a facade has it."""
        known = {use.node: use.meaning for use in self.uses}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, known.get(node.func)

    def roots(self) -> set[str]:
        """Return which of `'keras'` and `'tensorflow'` the text uses; of imports in a `try` the first that works."""
        first = [next((b for b in several if not b.meaning.error), several[0]) for several in self.bindings.values()]
        paths = [binding.path for binding in first] + [use.path for use in self.uses]
        within = [path for path in paths if path.partition(".")[0] == "keras" or ".keras" in path]
        return {path.partition(".")[0] for path in within}

    def old_names(self) -> list[Old]:
        """Return the names that are others today: modules where they are written, and classes where they are used."""
        froms = [b for b in self.imports if isinstance(b.statement, ast.ImportFrom) or b.alias.asname]
        placed = [(b.statement.lineno, _renamed(b.path, meaning(b.path, b.called))[:1]) for b in froms]
        olds = [(line, old, new) for line, renamed in placed for old, new in renamed]
        for use in self.uses:
            renamed = _renamed(use.path, use.meaning)
            olds += [(use.node.lineno, old, new) for old, new in renamed[isinstance(use.node, ast.Name) :]]
        return [Old(*self.script.place(line), old, new) for line, old, new in olds if old != new]


def _renamed(path: str, its: Meaning) -> list[tuple[str, str]]:
    """Return the module that a name is imported from and where it is today, and the name and today's."""
    if its.today is None or not f"{its.today}.".startswith(f"{PACKAGE}."):
        return []
    written = path.removesuffix("".join(f".{name}" for name in its.rest))
    roots = sorted((*ROOTS, *BESIDE), key=len, reverse=True)
    root = next((root for root in roots if f"{written}.".startswith(f"{root}.")), None)
    if root is None:  # `tf.losses` is no other spelling: TensorFlow itself has the module twice
        return []
    today = (root if root in ROOTS else "keras") + its.today.removeprefix(PACKAGE)
    if ":" not in str(its.place):  # a module
        return [(written, today)]
    (module, _, name), (new_module, _, new_name) = written.rpartition("."), today.rpartition(".")
    return [(module, new_module), (name, new_name)]


def _asked_for(around: ast.AST, child: ast.AST) -> Iterator[str]:
    """Yield the attributes that `hasattr` has found where a part of a condition runs."""
    if isinstance(around, (ast.If, ast.IfExp)):
        negated = isinstance(around.test, ast.UnaryOp) and isinstance(around.test.op, ast.Not)
        branch = around.orelse if negated else around.body
        tests = [around.test] if child in (branch if isinstance(branch, list) else [branch]) else []
    elif isinstance(around, ast.BoolOp) and isinstance(around.op, ast.And) and child in around.values:
        tests = around.values[: around.values.index(child)]
    else:
        return
    for call in (node for test in tests for node in ast.walk(test) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id == "hasattr" and len(call.args) == 2:
            yield from (str(name.value) for name in call.args[1:] if isinstance(name, ast.Constant))


class _Chains(ast.NodeVisitor):
    """Finds the dotted names whose first part an import has bound, and no function has hidden."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.hidden: list[set[str]] = [_assigned(names.tree.body)]

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Take the longest dotted name."""
        parts: list[str] = []
        inner: ast.expr = node
        chain: list[ast.expr] = []
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            chain.append(inner)
            inner = inner.value
        if isinstance(inner, ast.Name) and self._is_bound(inner.id):
            self._use([inner, *reversed(chain)], inner, parts[::-1])
        else:
            self.visit(inner)

    def visit_Name(self, node: ast.Name) -> None:
        """Take a name without attributes."""
        if isinstance(node.ctx, ast.Load) and self._is_bound(node.id):
            self._use([node], node, [])

    def _is_bound(self, name: str) -> bool:
        return name in self.names.bindings and not any(name in hidden for hidden in self.hidden)

    def _use(self, chain: list[ast.expr], root: ast.Name, attributes: list[str]) -> None:
        """Enter a use; of several imports of one name, such as those of a `try`, the first that works counts."""
        names, around = self.names, self.names.parents[chain[-1]]
        called = isinstance(around, ast.Call) and around.func is chain[-1]
        readings = []
        for binding in names.bindings[root.id]:
            binding.called |= called and not attributes
            path = ".".join((binding.path, *attributes))
            readings.append((binding, path, meaning(path, called)))
        binding, path, its = next((reading for reading in readings if not reading[2].error), readings[0])
        node = chain[len(chain) - len(its.rest) - 1]
        names.uses.append(Use(node, root, binding, path, its, binding.guarded or names._guarded(root, attributes)))

    def _inside(self, node: Any) -> None:
        arguments = node.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        parameters = {argument.arg for argument in every if argument is not None}
        for outside in (*arguments.defaults, *arguments.kw_defaults, *getattr(node, "decorator_list", ())):
            if outside is not None:
                self.visit(outside)
        body = node.body if isinstance(node.body, list) else [node.body]
        self.hidden.append(parameters | _assigned(body))
        for statement in body:
            self.visit(statement)
        self.hidden.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _inside


def _assigned(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that are assigned in a scope: in the functions inside it, others are."""
    names: set[str] = set()
    todo = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif not isinstance(node, ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return names


def class_of(its: Meaning | None) -> type[Configurable] | None:
    """Return the class of this package that is called, if it is one."""
    value = its.value if its is not None and not its.rest else None
    return origin(value) if isinstance(value, type) and issubclass(value, Configurable) else None
