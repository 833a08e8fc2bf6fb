"""Write `signatures.json`: names, order and defaults of arguments in Keras 2.15.

Run it where `pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'` was done: `python make_signatures.py`.
The optimizers are those of `optimizers.legacy` where there is one, whose order of arguments the tutorials use.
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

MODULES: dict[str, list[ModuleType]] = {
    "layer": [keras.layers, keras.models],
    "activation": [keras.activations],
    "initializer": [keras.initializers],
    "regularizer": [keras.regularizers],
    "constraint": [keras.constraints],
    "loss": [keras.losses],
    "metric": [keras.metrics],
    "optimizer": [keras.optimizers.legacy, keras.optimizers],
    "schedule": [keras.optimizers.schedules],
    "callback": [keras.callbacks],
}


def plain(value: Any) -> Any:
    """Return a default as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return f"<{getattr(value, '__name__', type(value).__name__)}>"


def signature(function: Any) -> list[list[Any]]:
    """Return `[name]` or `[name, default]` for each argument that has a name."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    return [[p.name] if p.default is p.empty else [p.name, plain(p.default)] for p in parameters]


def collect() -> dict[str, dict[str, list[list[Any]]]]:
    """Return the signatures of everything callable, by kind and name; the first module that has a name gives it."""
    found: dict[str, dict[str, list[list[Any]]]] = {}
    for kind, modules in MODULES.items():
        table = found.setdefault(kind, {})
        for module in modules:
            for name, entry in sorted(vars(module).items()):
                if callable(entry) and not name.startswith("_") and name not in table:
                    table[name] = signature(entry)
    return found


def main() -> None:
    """Write the file, one line for each signature."""
    lines = []
    for kind, table in collect().items():
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(table.items()))
        lines.append(f" {json.dumps(kind)}: {{\n{rows}\n }}")
    path = Path(__file__).with_name("signatures.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
