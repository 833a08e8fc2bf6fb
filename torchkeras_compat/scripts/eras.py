"""Which dialect a script runs under, and what speaks for another one."""

from __future__ import annotations

from collections.abc import Iterator

from .._core import dialects, registry
from ..compat.names import ROOTS
from .calls import old_arguments
from .names import Names

BY_ROOT = {"keras": ROOTS["keras"] or dialects.DEFAULT, "tensorflow": ROOTS["tensorflow.keras"]}


def by_imports(names: Names | None) -> list[str]:
    """Return the dialects of what a script imports.

    Args:
        names: What its text says; `None` where it is no Python.
    """
    roots = sorted(names.roots()) if names is not None else []
    return [str(BY_ROOT[root]) for root in roots] or [dialects.DEFAULT]


def dialect_of(names: Names | None, dialect: str | None) -> str:
    """Return the dialect of most of what a script makes.

    Args:
        names: What its text says.
        dialect: The one that was asked for.
    """
    return dialect or by_imports(names)[0]


def chosen(names: Names | None, dialect: str | None) -> str:
    """Return which dialect it is and why, for a message.

    Args:
        names: What the script's text says.
        dialect: The one that was asked for.
    """
    if dialect is not None:
        return f"dialect {dialect}, as told"
    why = "by its imports" if names is not None and names.roots() else "the default"
    return f"dialect {' and '.join(by_imports(names))}, {why}"


def hints(names: Names | None, dialect: str | None) -> Iterator[str]:
    """Yield what speaks for another dialect.

    Args:
        names: What the script's text says.
        dialect: The one that was asked for.
    """
    if names is None or dialect is not None or names.roots() != {"keras"}:
        return
    callbacks = registry.KINDS["callback"].entries  # whose old arguments are those of Keras 2
    if any(not old.spelling.quiet and old.call.owner not in callbacks for old in old_arguments(names)):
        yield "its arguments are those of Keras 1; --dialect keras-1 gives the defaults of that time, too."
