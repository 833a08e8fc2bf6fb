"""Whole models in `.keras` archives, as Keras 2.12 to 3.x write and read them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from .._core import registry
from .._core.border import user_stacklevel
from .._core.weights import values_from_file
from ..utils.objects import serialize_keras_object
from . import archive, compiled_state, limits, vocabularies, weights_v3
from .compiled_state import Config
from .hdf5 import FileError
from .json_values import json_value
from .keras3_form import compile_for_keras_3, for_keras_3
from .model_configs import model_of
from .own_functions import FUNCTIONS, remember, with_own_functions
from .weight_plan import Plan
from .weights_v3_optimizer import read_state, write_state

KERAS_VERSION = "3.15.1"  # the Keras whose form the files have
OWN = "torchkeras_compat"  # how the model was compiled, as this package says it: Keras 3 lacks some arguments


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
    described, problems = for_keras_3(_as_json(config), model._dialect)
    described["dialect"] = model._dialect
    if model._is_users:
        described["build_config"] = _as_json(model.get_build_config())
    if functions := remember(model):
        described[FUNCTIONS] = functions
    if compiled is not None:
        described["compile_config"], of_compile = compile_for_keras_3(
            _as_json(_by_output(model, compiled)), model._dialect
        )
        described[OWN] = {**_as_json(compiled), compiled_state.OPTIMIZER_DIALECT: model.optimizer._dialect}
        problems += of_compile
    if problems:
        warnings.warn(
            f"{caller}: Keras 3 will not load this file, this package does: {'; '.join(map(str, problems))}. For Keras "
            f"2.15 write a file whose name ends in '.h5'.",
            stacklevel=user_stacklevel(),
        )
    writer.text(archive.METADATA, {"keras_version": KERAS_VERSION})  # and no date: equal models make equal files
    writer.text(archive.CONFIG, described)
    with writer.hdf5() as root:
        weights_v3.write(root, model)
        if compiled is not None:
            write_state(root, model.optimizer)


def _by_output(model: Any, config: Config) -> Config:
    """Return how a model of several outputs is compiled with everything said of each, as Keras 3 has to be told."""
    heads = model._compile_config.heads
    if heads is None or len(heads) < 2:
        return config
    keys = [head.key or head.name for head in heads] if isinstance(model.output, dict) else None

    def told(values: list[Any]) -> Any:
        return dict(zip(keys, values)) if keys else values

    each = {
        "loss": [serialize_keras_object(head.loss) for head in heads],
        "loss_weights": [None if head.loss is None else head.weight for head in heads],
        "metrics": [[serialize_keras_object(metric) for metric in head.metrics] or None for head in heads],
        "weighted_metrics": [[serialize_keras_object(one) for one in head.weighted_metrics] or None for head in heads],
    }
    return {**config, **{name: told(values) for name, values in each.items() if config[name] is not None}}


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=json_value))


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
    version = _version(reader)
    config = with_own_functions(config, config.get(FUNCTIONS))
    with limits.building(caller, size), values_from_file():
        model = model_of(config, version, caller)
    told = config.get(OWN) or config.get("compile_config")
    with reader.hdf5() as root:
        if model.built:
            plan = Plan(caller)
            weights_v3.match(plan, root, model)
            plan.fill(model)
        vocabularies.restore(reader, root, model, caller)
        if compile and told:
            compiled_state.compile_again(model, told, version, caller)
            if model.built:
                compiled_state.restore_state(model, lambda: read_state(root, model.optimizer, caller), caller)
    return model


def _version(reader: archive.Reader) -> str | None:
    told = reader.json(archive.METADATA) if archive.METADATA in reader.names else None
    version = told.get("keras_version") if isinstance(told, Mapping) else None
    return version if isinstance(version, str) else None
