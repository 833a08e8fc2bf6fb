"""What the tables share: the type of a case and a few short spellings."""

from __future__ import annotations

from typing import Any

Case = dict[str, Any]

TF_KERAS = "tf.keras"
KERAS_215 = "keras-2.15"


def make(path: str, **kwargs: Any) -> dict[str, Any]:
    """Stand for an object: `make("losses.Huber", delta=2.0)`."""
    return {"$": path, **kwargs}


def ref(path: str) -> dict[str, Any]:
    """Stand for a named object itself, such as a loss function."""
    return {"$ref": path}


def fn(name: str) -> dict[str, Any]:
    """Stand for a function of `functions.py`."""
    return {"$fn": name}


def case(name: str, *, dialect: str = TF_KERAS, **fields: Any) -> Case:
    """Name a case and its dialect."""
    return {"name": name, "dialect": dialect, **fields}
