"""Values of configurations that JSON has no form for."""

from __future__ import annotations

from typing import Any

import torch

from .._core import registry, settings
from .._core.errors import show


def json_value(value: Any) -> Any:
    """Return what JSON has for a value: numbers and lists for arrays, names for types and functions.

    Args:
        value: What `json.dumps` does not know.

    Raises:
        TypeError: A value that nobody could make again from a file.

    Example:
        >>> json_value(torch.float32), json_value(torch.ones(2))
        ('float32', [1.0, 1.0])
    """
    if isinstance(value, torch.dtype):
        return settings.dtype_name(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "get_config"):
        return {"class_name": registry.class_name(value), "config": value.get_config()}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__"}
    name = getattr(value, "__name__", None)
    if name:  # of a lambda too: whoever loads gives it by the name of its layer
        return name
    raise TypeError(
        f"a configuration has {show(value)}, which has no place in JSON; let get_config() return numbers, strings and "
        f"lists, or a named function or registered object, which custom_objects gives again when loading."
    )
