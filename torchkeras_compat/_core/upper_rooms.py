"""Rooms that stand above a method that needs them; the package's front door says where they are."""

from __future__ import annotations

import importlib
from typing import Any

MODULES: dict[str, str] = {}  # the name of a room → its module, filled by `torchkeras_compat/__init__.py`


def upper_room(name: str) -> Any:
    """Return the module of a room, imported when a method is called that needs it.

    Args:
        name: The name of the room, `'export'`.
    """
    return importlib.import_module(MODULES[name])
