"""Functions of Lambdas in files that the same process wrote: Keras 2 stores their code, here the process knows them.

A file says of each Lambda a digest of its function's code.  Reading, the digest finds the function again
among those that this process has saved; a file of somebody else's can name nothing but a function of the reader's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from .._core import registry

FUNCTIONS = "lambda_functions"  # where files say which functions of the process that writes the Lambdas have
# Digest → the functions with this code that were saved, the last one last.
_SAVED: dict[str, list[FunctionType]] = {}


def remember(model: Any) -> dict[str, str]:
    """Keep the functions of a model's Lambdas, and return the digest of each by the name of its layer.

    Args:
        model: The model that is being saved.
    """
    told = {}
    for layer in model._flatten_layers():
        function = getattr(layer, "function", None)
        if registry.class_name(layer) == "Lambda" and type(function) is FunctionType:
            told[layer.name] = _keep(function)
    return told


def with_own_functions(config: Any, told: Any) -> Any:
    """Return a configuration whose Lambdas have the functions of this process that a file names.

    What `custom_objects` has for a Lambda or its function counts before them.

    Args:
        config: A model's or layer's configuration, which is not changed.
        told: What `remember` returned when the file was written, as the file has it.
    """
    if not isinstance(told, Mapping) or not told:
        return config
    if isinstance(config, list):
        return [with_own_functions(item, told) for item in config]
    if not isinstance(config, dict):
        return config
    inner = config.get("config")
    if config.get("class_name") != "Lambda" or not isinstance(inner, dict):
        return {key: with_own_functions(value, told) for key, value in config.items()}
    name = inner.get("name")
    functions = _SAVED.get(str(told.get(name)), [])
    if not functions or not _are_one(functions) or _is_supplied(name) or _is_supplied(functions[-1].__name__):
        return config
    own = {**inner, "function": functions[-1], "function_type": None}
    if inner.get("output_shape_type") == "function" or isinstance(inner.get("output_shape"), str):
        own |= {"output_shape": None, "output_shape_type": "raw"}  # what it says, the function itself shows
    return {**config, "config": own}


def _is_supplied(name: Any) -> bool:
    return registry.custom_object(name) is not None


def _keep(function: FunctionType) -> str:
    digest = hashlib.sha256(repr(list(_said_by(function))).encode()).hexdigest()
    functions = _SAVED.setdefault(digest, [])
    if all(one is not function for one in functions):
        functions.append(function)
    return digest


def _said_by(function: FunctionType) -> Iterator[Any]:
    """Return what a function is by its text, the same in each process that reads this text."""
    yield from (function.__module__, function.__qualname__)
    yield from _code(function.__code__)


def _code(code: CodeType) -> Iterator[Any]:
    yield from (code.co_code, code.co_names, code.co_varnames, code.co_freevars)
    for constant in code.co_consts:
        yield from _code(constant) if isinstance(constant, CodeType) else (repr(constant),)


def _are_one(functions: list[FunctionType]) -> bool:
    """Tell whether functions with the same code compute the same: what is around them and their defaults are, too."""
    first, *others = map(_around, functions)
    return all(len(first) == len(other) and all(map(_is_same, first, other)) for other in others)


def _around(function: FunctionType) -> list[Any]:
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return [function.__globals__, *(cell.cell_contents for cell in function.__closure__ or ()), *defaults]


def _is_same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and isinstance(a, (int, float, str)) and a == b)
