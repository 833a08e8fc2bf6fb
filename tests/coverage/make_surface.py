"""Write `surface.json`: the public names of Keras 2.15 and the names of their arguments, in order.

Run it where `pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'` was done: `python make_surface.py`.
A function or class has the list of its arguments, a property `null`.
"""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

MODULES = (
    "models",
    "layers",
    "activations",
    "initializers",
    "regularizers",
    "constraints",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.legacy",
    "optimizers.schedules",
    "callbacks",
    "utils",
    "preprocessing.image",
    "preprocessing.sequence",
    "preprocessing.text",
    "backend",
    "mixed_precision",
    "datasets.mnist",
    "datasets.fashion_mnist",
    "datasets.cifar10",
    "datasets.cifar100",
    "datasets.imdb",
    "datasets.reuters",
    "datasets.boston_housing",
)
CLASSES = (
    "models.Sequential",
    "models.Model",
    "layers.Layer",
    "callbacks.Callback",
    "losses.Loss",
    "metrics.Metric",
    "optimizers.Optimizer",
    "preprocessing.image.ImageDataGenerator",
    "preprocessing.text.Tokenizer",
)
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def reached(path: str) -> Any:
    """Return what a dotted path leads to from `keras`."""
    value: Any = keras
    for part in path.split("."):
        value = getattr(value, part)
    return value


def arguments(function: Any) -> list[str]:
    """Return the names of the arguments."""
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in NAMED]


def of_module(module: ModuleType) -> dict[str, list[str] | None]:
    """Return the functions and classes of a module."""
    public = {name: value for name, value in vars(module).items() if callable(value) and not name.startswith("_")}
    return {name: arguments(value) for name, value in sorted(public.items())}


def of_class(cls: type) -> dict[str, list[str] | None]:
    """Return the methods and properties that a class has from Keras, or from TensorFlow's modules."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith(("keras.", "tensorflow.python.module"))]
    if issubclass(cls, keras.metrics.Metric):  # a layer there, whose calls and weights mean nothing of a metric
        ours = ours[: ours.index(keras.layers.Layer)]
    members: dict[str, list[str] | None] = {}
    for name in sorted({name for base in ours for name in vars(base) if not name.startswith("_")}):
        value = inspect.getattr_static(cls, name)
        if isinstance(value, property):
            members[name] = None
        elif callable(getattr(cls, name)):
            members[name] = [a for a in arguments(getattr(cls, name)) if a != "self"]
    return members


def main() -> None:
    """Write the file."""
    surface = {path: of_module(reached(path)) for path in MODULES}
    surface |= {f"{path} (members)": of_class(reached(path)) for path in CLASSES}
    lines = ",\n".join(
        f" {json.dumps(section)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(names)}" for name, names in entries.items())
        + "\n }"
        for section, entries in surface.items()
    )
    Path(__file__).with_name("surface.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
