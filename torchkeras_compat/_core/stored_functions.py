"""Functions in configurations: they stand there by name, or as the code of some Python, which is never run.

What a file cannot hold the caller gives: `custom_objects={'lambda_1': f}` has the function by the name of the layer,
or by the function's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import registry
from .errors import show


def with_functions(owner: str, config: Mapping[str, Any], arguments: tuple[str, ...]) -> dict[str, Any]:
    """Return a configuration with the functions themselves.

    Args:
        owner: The class of the layer.
        config: Its configuration, which is not changed; `'name'` is the layer's.
        arguments: Which of them may be functions; the first one gets the object that is called like the layer.

    Raises:
        ValueError: A function that stands there as code, or whose name nobody knows.
    """
    told = dict(config)
    kinds = {name: told.pop(f"{name}_type", None) for name in arguments}
    for name in ("module", *(f"{argument}_module" for argument in arguments)):
        told.pop(name, None)
    layer = told.get("name")
    supplied = registry.custom_object(layer)
    for argument in arguments:
        value, kind = told.get(argument), kinds[argument]
        if argument == arguments[0] and callable(supplied) and not isinstance(supplied, type):
            told[argument] = supplied
        elif supplied is not None and (is_code(value, kind) or _is_lost_shape(argument, value)):
            told[argument] = None  # what the code of a shape said, the function itself shows
        else:
            told[argument] = _function_or_value(owner, layer, argument, value, kind)
    return told


def _is_lost_shape(argument: str, value: Any) -> bool:
    """Tell whether a function of shapes stands by a name that nobody knows."""
    if isinstance(value, dict):
        value = value.get("config")
    return argument == "output_shape" and isinstance(value, str) and registry.custom_object(value) is None


def is_code(value: Any, kind: Any) -> bool:
    """Tell whether an argument stands as code.

    Args:
        value: The argument.
        kind: What stands beside it, `'lambda'`, `'function'` or `'raw'`.
    """
    coded = isinstance(value, dict) and value.get("class_name") == "__lambda__"
    listed = isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str)  # as Keras 2 wrote it
    return coded or listed or kind == "lambda"


def _function_or_value(owner: str, layer: Any, argument: str, value: Any, kind: Any) -> Any:
    whose = f"{owner} {layer!r}"
    if is_code(value, kind):
        raise ValueError(
            f"{whose}: its {argument} is code in the configuration, which is not run; give the function by the "
            f"layer's name, custom_objects={{{layer!r}: f}}."
        )
    named = isinstance(value, dict) and value.get("class_name") == "function"
    if not named and kind != "function" and not (isinstance(value, str) and argument != "mode"):
        return tuple(value) if isinstance(value, list) and kind == "raw" else value
    if callable(value):
        return value
    name = value.get("config") if isinstance(value, dict) else value
    registered = value.get("registered_name") if isinstance(value, dict) else None
    known = registry.custom_object(registered) or registry.custom_object(name)
    if known is None:
        raise ValueError(
            f"{whose}: its {argument} is the function {show(name)}, which the configuration only names; give it as "
            f"custom_objects={{{name!r}: f}}, or by the layer's name, custom_objects={{{layer!r}: f}}."
        )
    return known
