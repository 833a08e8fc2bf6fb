"""What the golden tables hold of each class of layers, read from the tables themselves."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torchkeras_compat import applications, layers
from torchkeras_compat._core import registry
from torchkeras_compat.layers.base import Layer, own_arguments

from .test_golden_files import TABLES

REQUIRED = inspect.Parameter.empty
_FED_WITH = ("shape", "inputs", "input", "masks", "mask", "draw", "how", "states")


@dataclass(frozen=True)
class Setting:
    """A layer in a case: what it is made with, and what the case feeds it with."""

    arguments: dict[str, Any]
    fed: dict[str, Any]


def layer_classes() -> dict[str, type]:
    """Return each class of layers that can be named, under its own name."""
    exported = [getattr(layers, name) for name in layers.__all__]
    exported += [applications.convnext.LayerScale, applications.inception_resnet_v2.CustomScaleLayer]
    named = [registry.lookup("layer", name) for name in registry.names("layer")]
    return {cls.__name__: cls for cls in (*exported, *named) if inspect.isclass(cls) and issubclass(cls, Layer)}


def own_defaults(cls: type) -> dict[str, Any]:
    """Return the arguments of a class itself, with their defaults, `REQUIRED` where there is none."""
    parameters = inspect.signature(cls).parameters
    return {name: parameters[name].default for name in own_arguments(cls) if name in parameters}


def golden_settings() -> dict[str, list[Setting]]:
    """Return the settings in the tables of layers, by the name of the class."""
    settings: dict[str, list[Setting]] = {}
    for family, (modules, lists) in TABLES.items():
        if not family.startswith(("layers_", "preparing")):
            continue
        for module in modules.split():
            table = importlib.import_module(f"{__package__}.cases.{module}")
            for case in (case for name in lists for case in getattr(table, name)):
                fed = {key: case[key] for key in _FED_WITH if key in case}
                for cls, arguments in _made(case):
                    settings.setdefault(cls, []).append(Setting(arguments, fed))
    return settings


def _made(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk a case for what makes a layer: `[class, arguments]`, `{"$": "layers.Class", …}`, or an `RNN` over cells."""
    if isinstance(value, dict):
        if "rnn" in value and "cells" in value:
            yield "RNN", {"cell": value["cells"], "stateful": value.get("stateful", False), **value["rnn"]}
        if isinstance(value.get("$"), str) and value["$"].startswith("layers."):
            arguments = {name: item for name, item in value.items() if name != "$"}
            yield getattr(layers, value["$"].removeprefix("layers.")).__name__, arguments
    elif _is_pair(value):
        yield getattr(layers, value[0]).__name__, value[1]
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _made(item)


def _is_pair(value: Any) -> bool:
    """Tell whether something is a class of layers, by name, and its arguments."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not isinstance(value[0], str):
        return False
    return isinstance(value[1], dict) and inspect.isclass(getattr(layers, value[0], None))


def count_distinct(cls: type, settings: list[Setting]) -> int:
    """Count the settings that differ: by arguments, or by what is fed where a class has none of its own."""
    by = "arguments" if own_defaults(cls) else "fed"
    return len({json.dumps(getattr(setting, by), sort_keys=True, default=str) for setting in settings})


def has_defaults(cls: type, settings: list[Setting]) -> bool:
    """Tell whether some setting leaves each argument that has a default at it."""
    optional = {name: default for name, default in own_defaults(cls).items() if default is not REQUIRED}
    return any(all(_equal(s.arguments.get(n, d), d) for n, d in optional.items()) for s in settings)


def never_set(cls: type, settings: list[Setting]) -> set[str]:
    """Return the arguments that no setting takes off their default, or gives where there is none."""
    return {
        name
        for name, default in own_defaults(cls).items()
        if all(_equal(setting.arguments.get(name, default), default) for setting in settings)
    }


def _equal(value: Any, default: Any) -> bool:
    return bool(json.dumps(value, default=str) == json.dumps(default, default=str))
