"""Reading what Keras 2.15 and 3.15 wrote down, and the classes of users' own that are in it."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

import torchkeras_compat as tk
from torchkeras_compat._core.ownership import is_ours

from ..models.cases import FAMILIES
from . import functions
from .table import all_models

DATA = Path(__file__).resolve().parent / "data"
VERSIONS = ("2.15", "3.15")


@functools.cache
def stored(version: str) -> dict[str, dict[str, Any]]:
    """Return the models of a version of Keras."""
    with gzip.open(DATA / f"keras-{version}.json.gz", "rt") as file:
        read: dict[str, dict[str, Any]] = json.load(file)
    return read


@functools.cache
def builders() -> dict[str, Callable[[Any], Any]]:
    """Return the functions that build the models, by name."""
    return dict((*all_models(FAMILIES), *functions.models()))


def users_classes(name: str, entry: dict[str, Any], always: bool = False) -> dict[str, Any]:
    """Return the layers and functions of users' own in a model, which its configuration only names.

    Args:
        name: The name of the model.
        entry: What is stored of it.
        always: Whether to look where the configuration does not tell of any.
    """
    if not always and "models.cases." not in json.dumps(entry["keras"]):
        return {}
    model = builders()[name](tk)
    model = model["model"] if isinstance(model, dict) else model
    parts: list[Any] = list(nn.Module.modules(model))
    parts += [cell for part in parts if (cell := getattr(part, "cell", None)) is not None]
    parts += [inner for part in parts for inner in getattr(part, "cells", None) or ()]
    functions = {f.__name__: f for part in parts if callable(f := part.__dict__.get("function")) and not is_ours(f)}
    return functions | {
        type(part).__name__: type(part) for part in parts if not is_ours(type(part)) and hasattr(part, "get_config")
    }
