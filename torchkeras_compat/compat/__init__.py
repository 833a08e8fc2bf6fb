"""The border with Keras's past: tables of old spellings, and `install()` for scripts that `import keras`."""

from __future__ import annotations

from .._core import border, registry
from .facades import install, uninstall
from .names import ALIASES
from .spellings import GATHERED, POSITIONAL, REREAD, SPELLINGS

__all__ = ["install", "install_tables", "uninstall"]


def install_tables() -> None:
    """Hand the border and the registry their tables of old spellings."""
    border.install(SPELLINGS, GATHERED, POSITIONAL, REREAD)
    for kind, names in ALIASES.items():
        for old, canonical in names.items():
            registry.alias(kind, old, canonical)
