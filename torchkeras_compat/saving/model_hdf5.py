"""Whole models in HDF5 files, as Keras 2 reads and writes them.

At the root stand the texts `model_config` and `training_config`; the groups `model_weights` and `optimizer_weights`
have the layout of `weights_hdf5`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from .._core import registry
from .._core.weights import values_from_file
from . import compiled_state, hdf5, limits, weights_hdf5
from .compiled_state import Array, Config
from .hdf5 import FileError, Group
from .json_values import json_value
from .keras2_form import for_file_of_keras_2
from .model_configs import model_of
from .own_functions import FUNCTIONS, remember, with_own_functions
from .weight_plan import Plan
from .weights_v3_optimizer import state_of

CONFIG, TRAINING, WEIGHTS, OPTIMIZER = "model_config", "training_config", "model_weights", "optimizer_weights"


def write(root: Any, model: Any, include_optimizer: bool, caller: str) -> None:
    """Write a model into an open file.

    Args:
        root: The group to write into.
        model: A built graph of layers.
        include_optimizer: Whether the file says how the model is compiled, and holds its optimizer's state.
        caller: Who writes, for messages.

    Raises:
        NotImplementedError: A model whose calls are a user's code.
    """
    if model._is_users:
        raise NotImplementedError(
            f"{caller}: the calls of {type(model).__name__} are code of your own, which HDF5 files do not hold. Write "
            f"model.save_weights('name.h5') and load it into the same class; or model.save('name.keras'), which keeps "
            f"what get_config() returns, and load_model('name.keras', custom_objects={{'{type(model).__name__}': …}})."
        )
    config = compiled_state.compile_config(model, caller) if include_optimizer else None
    described = for_file_of_keras_2({"class_name": registry.class_name(model), "config": model.get_config()})
    root.attrs[CONFIG] = json.dumps({**described, "dialect": model._dialect}, default=json_value)
    if functions := remember(model):
        root.attrs[FUNCTIONS] = json.dumps(functions)
    root.attrs["backend"] = weights_hdf5.BACKEND
    root.attrs["keras_version"] = weights_hdf5.VERSION
    if config is not None:
        told = compiled_state.training_config(model, config)
        root.attrs[TRAINING] = json.dumps(told, default=json_value)
    weights_hdf5.write(root.create_group(WEIGHTS), model.layers, model)
    arrays = compiled_state.optimizer_arrays(model) if config is not None else None
    if arrays is not None:
        _write_optimizer(root.create_group(OPTIMIZER), model.optimizer.name, arrays)


def _write_optimizer(place: Any, name: str, arrays: list[Array]) -> None:
    names = [f"{name}/iteration:0", *(f"{name}/variable_{i}:0" for i in range(1, len(arrays)))]
    hdf5.write_names(place, "weight_names", names)
    for own, array in zip(names, arrays):
        place.create_dataset(own, data=array)


# --- reading ---------------------------------------------------------------------------------------------------------


def _text(root: Group, name: str, caller: str) -> Any:
    """Return a text at the root as what its JSON says; `None` where there is none.

    Raises:
        FileError: It is no JSON.
    """
    text = hdf5.read_text(root, name)
    return None if text is None else limits.parse_json(text, caller, f"the file's {name}")


def version_of(root: Group) -> str | None:
    """Return the version of Keras that a file tells."""
    return hdf5.read_text(root, "keras_version")


def read(root: Group, size: int, caller: str) -> Any:
    """Return the model that an open file describes, with its weights.

    Args:
        root: The file.
        size: How many bytes it has.
        caller: Who reads, for messages.

    Raises:
        FileError: A file of weights alone, or a damaged one.
    """
    config = _text(root, CONFIG, caller)
    if config is None:
        raise FileError(
            f"{caller}: the file holds no model, only weights at most. Build the model as it was, and call "
            f"model.load_weights(…) with this file."
        )
    if not isinstance(config, Mapping):
        raise FileError(f"{caller}: the file's {CONFIG} describes no model.")
    config = with_own_functions(config, _text(root, FUNCTIONS, caller))
    has_weights = hdf5.find(root, WEIGHTS, caller) is not None
    with limits.building(caller, size), values_from_file() if has_weights else contextlib.nullcontext():
        model = model_of(config, version_of(root), caller)
    if has_weights and model.built:
        plan = Plan(caller, origin=weights_hdf5.origin(root, caller))
        weights_hdf5.match_by_order(plan, model.layers, weights_hdf5.stored_layers(root, caller))
        weights_hdf5.match_own(plan, root, model)
        plan.fill(model)
    return model


def compile_read(root: Group, model: Any, caller: str) -> bool:
    """Compile a model as an open file says, and give its optimizer the state there; tell whether it says so.

    Args:
        root: The file.
        model: The model that `read` returned.
        caller: Who reads, for messages.

    Raises:
        ValueError: A class or function that is not known.
    """
    config = _text(root, TRAINING, caller)
    if config is None:
        return False
    told: Config = compiled_state.compile_arguments(config, caller)
    compiled_state.compile_again(model, told, version_of(root), caller)
    place = hdf5.find(root, OPTIMIZER, caller)
    if isinstance(place, Group) and model.built:
        data = [hdf5.dataset(place, name, caller) for name in hdf5.read_names(place, "weight_names", caller)]
        if (version_of(root) or "").startswith("3."):
            compiled_state.restore_state(model, lambda: state_of(data, model.optimizer, caller), caller)
        else:
            compiled_state.set_optimizer_arrays(model, [one[()] for one in data], caller)
    return True
