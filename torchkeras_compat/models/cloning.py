"""Models made of other models, and of configurations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from .._core import dialects, registry, stored_configs
from .._core.errors import show
from .._core.tree import flatten
from ..layers.base import Layer
from ..layers.input_layer import Input, InputLayer
from ..layers.torch_module import TorchModuleWrapper
from ..saving import limits
from ..saving.model_configs import model_of
from . import functional
from .model import Model
from .sequential import Sequential


def clone_model(model: Model, input_tensors: Any = None, clone_function: Callable[[Layer], Layer] | None = None) -> Any:
    """Return a model of the same layers with new initial weights.

    Args:
        model: The model.
        input_tensors: A symbolic tensor that gives the shape; the model's own if `None`.
        clone_function: Makes a new layer of each; by its configuration if `None`.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Dense(2, input_dim=3)])
        >>> keras.models.clone_model(model).count_params()
        8
    """
    if not isinstance(model, Model):
        raise TypeError(f"clone_model needs a model; got {show(model)}.")
    clone = clone_function or _cloned
    with dialects.using(model._dialect or dialects.DEFAULT):
        if not isinstance(model, Sequential):
            return _cloned_graph(model, input_tensors, clone)
        layers: list[Any] = [clone(layer) for layer in model.layers]
        if input_tensors is not None:
            layers.insert(0, input_tensors[0] if isinstance(input_tensors, (list, tuple)) else input_tensors)
        elif model._input_layer is not None:
            layers.insert(0, InputLayer.from_config(model._input_layer.get_config()))
        made = type(model)(layers, name=model.name)
        if model.built and not made.built:
            made.build(model._built_shape)
    return made


def _cloned_graph(model: Model, input_tensors: Any, clone: Callable[[Layer], Layer]) -> Model:
    if model._plan is None:  # a subclass with a call of its own
        return type(model).from_config(model.get_config())  # type: ignore[no-any-return]
    config = functional.config_of(model, with_layers=False)
    layers = {layer.name: clone(layer) for layer in model._graph_layers if not isinstance(layer, InputLayer)}
    layers = {name: layer for name, layer in layers.items() if not isinstance(layer, functional.TFOpLambda)}
    if input_tensors is not None:
        for tensor, old in zip(flatten(input_tensors), model._plan.inputs):
            Input(tensor=tensor)
            layers[functional.layer_for(old).name] = tensor.source
    return functional.from_config(type(model), config, layers)  # type: ignore[no-any-return]


def _cloned(layer: Layer) -> Layer:
    if isinstance(layer, (TorchModuleWrapper, functional.TFOpLambda)):
        return copy.deepcopy(layer)
    if isinstance(layer, Model):
        return clone_model(layer)  # type: ignore[no-any-return]
    with registry.noting_shared_layers():
        config = layer.get_config()
    with stored_configs.reading(config):  # a model that stands twice inside a layer is one in the copy, too
        return type(layer).from_config(config)  # type: ignore[no-any-return]


def model_from_config(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a model from `{'class_name': 'Sequential', 'config': …}`, as any Keras writes it.

    Args:
        config: The configuration, which is not changed; where it has `'keras_version'`, the layers follow that Keras.
        custom_objects: The user's own classes by name; a function of a Lambda also by the name of the layer.

    Raises:
        ValueError: The configuration is damaged, or names what is not known; the message says which layer's.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"model_from_config: a configuration is a dictionary with 'class_name'; got {show(config)}.")
    with registry.custom_object_scope(custom_objects):
        return model_of(config, config.get("keras_version"), "model_from_config")


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a model from what `to_json` returned, here or in any Keras.

    Args:
        json_string: The text.
        custom_objects: The user's own classes by name; a function of a Lambda also by the name of the layer.

    Raises:
        ValueError: It is no JSON, the configuration is damaged, or asks for a larger model than `saving.limits` allow.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Dense(2, input_dim=3)])
        >>> keras.models.model_from_json(model.to_json()).count_params()
        8
    """
    config = limits.parse_json(json_string, "model_from_json")
    with limits.building("model_from_json", len(json_string)):
        return model_from_config(config, custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Refuse: loading YAML could run code.

    Raises:
        RuntimeError: Always; names `model_from_json`.
    """
    raise RuntimeError("model_from_yaml: loading YAML can run code, so it is gone; write model_from_json(…) instead.")
