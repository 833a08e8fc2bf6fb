"""Whole models in `.keras` archives, as Keras 2.12 to 3.x write and read them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._core import registry
from . import archive, compiled_state, limits, weights_v3
from .compiled_state import Array, Config
from .hdf5 import FileError, Group
from .model_hdf5 import as_name
from .weight_plan import Plan, assign_all

KERAS_VERSION = "3.15.1"  # the Keras whose form the files have


def write(writer: archive.Writer, model: Any, include_optimizer: bool, caller: str) -> None:
    """Write a model into an archive.

    Args:
        writer: The archive.
        model: A built model.
        include_optimizer: Whether the file says how the model is compiled, and holds its optimizer's state.
        caller: Who writes, for messages.
    """
    compiled = compiled_state.compile_config(model, caller) if include_optimizer else None
    config: Config = {"class_name": registry.class_name(model), "config": model.get_config()}
    if model._is_users:
        config["build_config"] = {"input_shape": model._built_shape}
    if compiled is not None:
        config["compile_config"] = compiled
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    writer.text(archive.METADATA, {"keras_version": KERAS_VERSION, "date_saved": now})
    writer.text(archive.CONFIG, json.loads(json.dumps(config, default=as_name)))
    arrays = compiled_state.optimizer_arrays(model) if compiled is not None else None
    with writer.hdf5() as root:
        weights_v3.write(root, model)
        if arrays is not None:
            weights_v3.write_arrays(root, weights_v3.OPTIMIZER, model.optimizer.name, arrays)


def read(reader: archive.Reader, size: int, compile: bool, caller: str) -> Any:
    """Return the model in an archive.

    Args:
        reader: The archive.
        size: How many bytes its file has.
        compile: Whether it is compiled as the file says.
        caller: Who reads, for messages.

    Raises:
        FileError: No model, or a damaged one.
    """
    config = reader.json(archive.CONFIG)
    if not isinstance(config, Mapping):
        raise FileError(f"{caller}: {archive.CONFIG!r} in the archive describes no model.")
    with limits.building(caller, size):
        model = registry.deserialize("layer", dict(config))
        _build(model, config.get("build_config"), caller)
    told = config.get("compile_config")
    with reader.hdf5() as root:
        if model.built:
            plan = Plan(caller)
            weights_v3.match(plan, root, model)
            assign_all(plan.read())
        arrays = _optimizer(root, caller) if compile and told else []
    if compile and told:
        compiled_state.compile_again(model, told, caller)
        if arrays and model.built:
            compiled_state.set_optimizer_arrays(model, arrays, caller)
    return model


def _build(model: Any, told: Any, caller: str) -> None:
    """Build a model whose configuration says no shape of its inputs, such as a subclass."""
    if model.built or not isinstance(told, Mapping) or told.get("input_shape") is None:
        return
    try:
        model.build(_shape(told["input_shape"]))
    except (TypeError, ValueError) as error:
        raise FileError(f"{caller}: {model} cannot be built for the shapes that the file says: {error}") from error


def _shape(value: Any) -> Any:
    """Return a shape from what JSON made of it."""
    if isinstance(value, Mapping):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list) and any(isinstance(item, (list, dict)) for item in value):
        return [_shape(item) for item in value]
    return tuple(value) if isinstance(value, list) else value


def _optimizer(root: Group, caller: str) -> list[Array]:
    return [np.asarray(data[()]) for data in weights_v3.datasets(root, weights_v3.OPTIMIZER, caller)]
