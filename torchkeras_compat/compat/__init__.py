"""The border with Keras's past: tables of old spellings, and `install()` for scripts that `import keras`."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from .. import backend
from .._core import border, planned, registry, stored_configs
from .._core.errors import did_you_mean
from .._core.ownership import PACKAGE
from .configs_in_files import TABLES
from .facades import install, uninstall
from .later import PLANNED
from .names import ALIASES, BACKEND_FUNCTIONS, MODULES, PLANNED_ALONE
from .spellings import ATTRIBUTES, BACKEND, GATHERED, INPUT_FIRST, POSITIONAL, REREAD, SPELLINGS, SWAPPED

__all__ = ["install", "install_tables", "uninstall"]


def install_tables() -> None:
    """Hand the border and the registry their tables of old spellings, and the modules those of planned names."""
    planned.install(PLANNED)
    for part in PLANNED:
        if part and f"{PACKAGE}.{part}" in sys.modules:
            planned.attend(sys.modules[f"{PACKAGE}.{part}"], part)
    border.install(SPELLINGS, GATHERED, POSITIONAL, REREAD, SWAPPED, BACKEND_FUNCTIONS, ATTRIBUTES, INPUT_FIRST)
    stored_configs.install(TABLES)
    for owner in (*(f"K.{name}" for name in BACKEND), *SWAPPED):  # layers call the functions behind these
        name = owner.partition(".")[2]
        setattr(backend, name, border.translated(owner)(getattr(backend, name)))
    for kind, names in ALIASES.items():
        for old, canonical in names.items():
            registry.alias(kind, old, canonical)


def attribute_of_package(name: str) -> Any:
    """Return what the package has beside its imports: modules that load when they are asked for, and planned names.

    Args:
        name: The name, such as `'datasets'`.
    """
    if name in MODULES and name not in PLANNED_ALONE:
        return importlib.import_module(f"{PACKAGE}.{MODULES[name]}")
    stand_in = planned.find("", name)
    if stand_in is not None:
        return stand_in
    raise planned.missing()(f"module {PACKAGE!r} has no attribute {name!r}{_hint_for(name)}")


def _hint_for(name: str) -> str:
    """Return what to write in place of a name that the package has not."""
    if name in __all__:
        return f"; write {PACKAGE}.compat.{name}"
    public = (known for known in names_of_package() if not known.startswith("_"))
    return "" if name.startswith("_") else f"; {did_you_mean(name, public)}"


def names_of_package() -> list[str]:
    """Return what the package has."""
    here = vars(sys.modules[PACKAGE])
    return sorted({*here, *(part for part in MODULES if "." not in part), *planned.names("")})
