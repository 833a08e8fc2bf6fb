"""How a model was compiled, and what its optimizer has come to, in the forms of Keras's files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from .._core import registry, stored_configs
from .._core.border import user_stacklevel
from .._core.dialects import KERAS_2_15, TF_KERAS
from .._core.errors import show
from .._core.ownership import is_ours
from ..utils.objects import serialize_keras_object
from .hdf5 import FileError
from .weights_v3_optimizer import OptimizerState, assign_state, ordered_by

Array = np.ndarray[Any, Any]
Config = dict[str, Any]

# Arguments that only the optimizers of Keras 2.11 and later write down.
_NEW_ARGUMENTS = {"is_legacy_optimizer", "use_ema", "ema_momentum", "loss_scale_factor", "jit_compile"}
_ONLY_NEW = {"AdamW", "Lion", "Adafactor"}  # classes that came with those
OPTIMIZER_DIALECT = "optimizer_dialect"
_CUSTOM = "Custom>"  # what Keras 2.11 to 2.15 put before the names of their own optimizers in HDF5 files
# What `training_config` and `compile` both call by these names.
_TARGETS = ("loss", "metrics", "weighted_metrics", "loss_weights")


def compile_config(model: Any, caller: str) -> Config | None:
    """Return how a model is compiled, as `compile_from_config` takes it; `None` where it is not, or no file can say it.

    Args:
        model: The model.
        caller: Who writes, for the warning.
    """
    if model._compile_config is None:
        return None
    try:
        config: Config = model.get_compile_config()
    except TypeError as error:  # such as an optimizer of torch
        warnings.warn(
            f"{caller}: the file says nothing of how the model was compiled: {error} Compile the model again when it "
            f"is loaded.",
            stacklevel=user_stacklevel(),
        )
        return None
    return config


def training_config(model: Any, config: Config) -> Config:
    """Return a configuration from `compile_config` as HDF5 files of Keras 2 have it."""
    optimizer = model.optimizer
    name = registry.class_name(optimizer)
    told = {key: _without_modules(config[key]) for key in _TARGETS}
    if model._rules.losses_name_functions and (resolved := _resolved_metrics(model)) is not None:
        told.update({key: listed for key, listed in resolved.items() if told[key] is not None})
    written = {
        "class_name": _CUSTOM + name if is_new(optimizer) and is_ours(type(optimizer)) else name,
        "config": _without_modules(optimizer.get_config()),
    }
    return {**told, "optimizer_config": written, OPTIMIZER_DIALECT: optimizer._dialect}


def is_new(optimizer: Any) -> bool:
    """Tell whether Keras 2.15 has an optimizer among those that came with 2.11: by its dialect, or its class alone."""
    return bool(optimizer._rules.epsilon_in_root) or registry.class_name(optimizer) in _ONLY_NEW


def _resolved_metrics(model: Any) -> dict[str, list[list[Config | None]]] | None:
    """Return the metrics of each output as tf.keras writes them down once it has trained: each by its function."""
    heads = model._compile_config.heads
    if not heads or any(head.lines is None for head in heads):
        return None
    return {
        key: [[_written(line) for line in head.lines if line.weighted is weighted] or [None] for head in heads]
        for key, weighted in (("metrics", False), ("weighted_metrics", True))
    }


def _written(line: Any) -> Config:
    """Return a metric under the name that logs have for it."""
    config = _without_modules(serialize_keras_object(line.metric.get_config()))
    name = "MeanMetricWrapper" if "fn" in config else registry.class_name(line.metric)
    return {"class_name": name, "config": {**config, "name": line.name}}


def _without_modules(value: Any) -> Any:
    """Return a configuration in the older form, which tells classes by their names alone."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "function":
            return value["config"] if value.get("registered_name") in (None, "function") else value["registered_name"]
        if value.get("class_name") == "__tuple__":
            return [_without_modules(item) for item in value["items"]]
        if "class_name" in value:
            name = value.get("registered_name") or value["class_name"]
            return {"class_name": name, "config": _without_modules(value.get("config"))}
        return {key: _without_modules(item) for key, item in value.items()}
    return [_without_modules(item) for item in value] if isinstance(value, (list, tuple)) else value


def compile_arguments(config: Any, caller: str) -> Config:
    """Return what an HDF5 file says of `compile` as `compile_from_config` takes it.

    Args:
        config: The file's `training_config`.
        caller: Who reads, for messages.

    Raises:
        FileError: It is no configuration.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("optimizer_config"), Mapping):
        raise FileError(f"{caller}: the file's training_config is damaged; load_model(…, compile=False) leaves it out.")
    told = {key: config[key] for key in (*_TARGETS, OPTIMIZER_DIALECT) if config.get(key) is not None}
    mode = config.get("sample_weight_mode")
    more = {} if mode is None else {"sample_weight_mode": mode}
    return {"optimizer": config["optimizer_config"], **told, **more}


def compile_again(model: Any, config: Any, version: str | None, caller: str) -> None:
    """Compile a model that was loaded.

    Args:
        model: The model.
        config: What the file says of it.
        version: The version of Keras that the file tells.
        caller: Who loads, for messages.

    Raises:
        ValueError: A class or function that is not known.
    """
    if not isinstance(config, Mapping):
        raise FileError(f"{caller}: what the file says of compile is damaged; load_model(…, compile=False) leaves it.")
    told = {name: value for name, value in config.items() if name in _COMPILE}
    for key in ("metrics", "weighted_metrics"):
        told[key] = _without_prefixes(told.get(key), model)
    told = {name: _with_users(value) for name, value in told.items()}
    if "optimizer" in config:  # Keras 3 leaves it out of what it writes behind an HDF5 file
        told["optimizer"] = optimizer_from(config["optimizer"], config.get(OPTIMIZER_DIALECT), version, caller)
    try:
        model.compile_from_config(told)
    except ValueError as error:
        raise ValueError(
            f"{caller}: the model cannot be compiled as the file says: {error} Name your own functions and classes in "
            f"custom_objects={{…}}, or leave compiling out by compile=False."
        ) from error


def _with_users(value: Any) -> Any:
    """Return a part of a configuration with the user's functions for their names: those are known only now."""
    if isinstance(value, str):
        own = registry.custom_object(value)
        return value if own is None else own
    if isinstance(value, Mapping) and "class_name" not in value:
        return {key: _with_users(item) for key, item in value.items()}
    return [_with_users(item) for item in value] if isinstance(value, list) else value


def _without_prefixes(listed: Any, model: Any) -> Any:
    """Return metrics of each output without the output's name in front, which tf.keras writes and logs have anyway."""
    names = model.output_names if model.built and isinstance(listed, list) else []
    if len(names) < 2 or len(listed) != len(names):
        return listed
    return [_without_prefix(own, f"{name}_") for own, name in zip(listed, names)]


def _without_prefix(value: Any, prefix: str) -> Any:
    if isinstance(value, list):
        return [_without_prefix(item, prefix) for item in value if item is not None]
    arguments = value.get("config") if isinstance(value, Mapping) else None
    if not isinstance(arguments, Mapping) or not str(arguments.get("name")).startswith(prefix):
        return value
    return {**value, "config": {**arguments, "name": arguments["name"][len(prefix) :]}}


_COMPILE = {*_TARGETS, "optimizer", "run_eagerly", "steps_per_execution", "jit_compile", "sample_weight_mode"}


# --- optimizers ------------------------------------------------------------------------------------------------------


def optimizer_from(config: Any, dialect: Any, version: str | None, caller: str) -> Any:
    """Make the optimizer that a file describes, under the dialect of those that wrote it.

    Args:
        config: `{'class_name': …, 'config': …}`, or a name.
        dialect: The dialect that a file of this package tells.
        version: The version of Keras that the file tells.
        caller: Who reads, for messages.

    Raises:
        FileError: It is no configuration.
    """
    if isinstance(config, str):
        return config
    arguments = config.get("config") if isinstance(config, Mapping) else None
    if not isinstance(arguments, Mapping) or not isinstance(config.get("class_name"), str):
        raise FileError(f"{caller}: the optimizer in the file is damaged: {show(config)}.")
    told = dialect if isinstance(dialect, str) else _dialect_of(config, arguments, version)
    with stored_configs.reading(config, version, told):
        return registry.deserialize("optimizer", config)


def _dialect_of(config: Mapping[str, Any], arguments: Mapping[str, Any], version: str | None) -> str | None:
    """Return the dialect of an optimizer in a file of Keras."""
    if "legacy" in str(config.get("module")) or arguments.get("is_legacy_optimizer") is True:
        return TF_KERAS.name
    if str(config["class_name"]).startswith(_CUSTOM) or _NEW_ARGUMENTS & set(arguments):
        return KERAS_2_15.name
    era = stored_configs.era_of_version(version)
    known = None if era is None else era.dialect
    return TF_KERAS.name if known == KERAS_2_15.name else known


def optimizer_arrays(model: Any) -> list[Array] | None:
    """Return the state of a model's optimizer in the order of `set_weights`; `None` where it has none yet."""
    optimizer = model.optimizer
    lists = getattr(optimizer, "has_own_updates", False)  # then there is a state once `get_updates` has listed one
    if not hasattr(optimizer, "get_weights") or not (lists or int(getattr(optimizer, "iterations", 1))):
        return None
    with _ordered_as_in_files(optimizer):
        arrays: Sequence[Array] = optimizer.get_weights()
    return list(arrays) or None


def set_optimizer_arrays(model: Any, arrays: Sequence[Array], caller: str) -> None:
    """Give a model's optimizer the state that a file has, or say in one warning why it starts anew.

    Args:
        model: The model, compiled.
        arrays: The state, in the order of `set_weights`.
        caller: Who loads, for messages.
    """
    optimizer = model.optimizer
    if arrays and np.shape(arrays[0]) == () and not int(arrays[0]):
        return  # it has not trained
    _prepare_users(model)
    try:
        with _ordered_as_in_files(optimizer):
            optimizer.set_weights(arrays)
    except ValueError as error:
        _warn_of_state(caller, str(error))


def _ordered_as_in_files(optimizer: Any) -> AbstractContextManager[None]:
    """Have the slots of an optimizer in the order of HDF5 files of Keras 2, inside the `with` block."""
    return ordered_by(optimizer, KERAS_2_15.rules if is_new(optimizer) else optimizer._rules)


def restore_state(model: Any, read: Callable[[], OptimizerState | None], caller: str) -> None:
    """Give a model's optimizer the state that a file of Keras 3 has, or say in one warning why it starts anew.

    Args:
        model: The model, compiled.
        read: Reads the state.
        caller: Who loads, for messages.
    """
    _prepare_users(model)
    try:
        state = read()
        why = "" if state is None else assign_state(model.optimizer, state)
    except FileError as error:
        why = str(error)
    if why:
        _warn_of_state(caller, why)


def _prepare_users(model: Any) -> None:
    """Let an optimizer whose steps a user wrote make its variables, which Keras does before it loads them."""
    if getattr(model.optimizer, "has_own_steps", False):
        model.optimizer.prepare_variables(model.trainable_variables)


def _warn_of_state(caller: str, why: str) -> None:
    """Say that an optimizer starts anew, and why the state in the file does not fit."""
    warnings.warn(
        f"{caller}: the state of the optimizer in the file does not fit, so that it starts anew: {why}",
        stacklevel=user_stacklevel(),
    )
