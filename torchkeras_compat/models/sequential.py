"""`Sequential`: a stack of layers that is a `torch.nn.Module` and trains itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .._core import dialects, registry
from .._core.errors import show
from ..layers.base import Layer
from ..layers.core import InputLayer
from ..layers.torch_module import TorchModuleWrapper
from ..saving import WeightFiles
from ..training.trainer import Trainer
from .network import Stack

__all__ = [
    "Sequential",
    "clone_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]


@registry.register("layer")
class Sequential(Trainer, WeightFiles, Stack):  # Trainer first: torch modules have a `compile` too
    """A stack of layers, each the input of the next.

    Shapes are known as soon as the first layer says its own (`input_shape`, `input_dim`, `batch_input_shape`, an
    `InputLayer` or `Input` before it), else from the first batch.

    Args:
        layers: The layers in a list, or one alone; any `torch.nn.Module` may stand among them.
        name: The model's name.
        kwargs: The arguments of every layer.

    Raises:
        TypeError: Something in the list is no layer.
        ValueError: A layer does not fit the one before.

    Example:
        >>> from torchkeras_compat.models import Sequential
        >>> from torchkeras_compat.layers import Dense, Activation
        >>> model = Sequential([Dense(32, input_shape=(784,)), Activation('relu'), Dense(10), Activation('softmax')])
        >>> model.output_shape, model.count_params()
        ((None, 10), 25450)
    """

    def __init__(self, layers: Any = None, name: str | None = None, **kwargs: Any) -> None:
        self._start()
        super().__init__(layers, name, **kwargs)

    def _changed(self) -> None:
        super()._changed()
        self._forget_steps()

    @property
    def model(self) -> Sequential:
        """The model itself, as Keras 1 scripts ask for it."""
        return self

    def to_json(self, **kwargs: Any) -> str:
        """Return the architecture as JSON.

        Args:
            kwargs: Passed to `json.dumps`.
        """
        config = {"class_name": type(self).__name__, "config": self.get_config(), "backend": "torch"}
        return json.dumps({**config, "keras_version": "2.3.1"}, default=_not_json, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Refuse: loading YAML could run code.

        Raises:
            RuntimeError: Always; names `to_json`.
        """
        raise RuntimeError("to_yaml: loading YAML can run code, so it is gone; write model.to_json() instead.")

    def __deepcopy__(self, memo: dict[int, Any]) -> Sequential:
        steps, history, self._steps = self._steps, self.history, {}
        self.history = None
        try:
            made = copy._reconstruct(self, memo, *self.__reduce_ex__(4))  # type: ignore[attr-defined]
        finally:
            self._steps, self.history = steps, history
        return made  # type: ignore[no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again when needed."""
        return {**self.__dict__, "_steps": {}, "history": None}


def _not_json(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    name = getattr(value, "__name__", None)
    if callable(value) and name and name != "<lambda>":
        return name
    raise TypeError(
        f"to_json: {show(value)} has no place in JSON; use a named function and give it again as "
        f"custom_objects when loading."
    )


def clone_model(
    model: Sequential, input_tensors: Any = None, clone_function: Callable[[Layer], Layer] | None = None
) -> Any:
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
    if not isinstance(model, Sequential):
        raise TypeError(f"clone_model needs a Sequential; got {show(model)}.")
    clone = clone_function or _cloned
    with dialects.using(model._dialect or dialects.DEFAULT):
        layers: list[Any] = [clone(layer) for layer in model.layers]
        if input_tensors is not None:
            layers.insert(0, input_tensors[0] if isinstance(input_tensors, (list, tuple)) else input_tensors)
        elif model._input_layer is not None:
            layers.insert(0, InputLayer.from_config(model._input_layer.get_config()))
        made = type(model)(layers, name=model.name)
        if model.built and not made.built:
            made.build(model._built_shape)
    return made


def _cloned(layer: Layer) -> Layer:
    if isinstance(layer, Sequential):
        return clone_model(layer)  # type: ignore[no-any-return]
    if isinstance(layer, TorchModuleWrapper):
        return copy.deepcopy(layer)
    return type(layer).from_config(layer.get_config())


def model_from_config(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a model from `{'class_name': 'Sequential', 'config': …}`.

    Args:
        config: The configuration.
        custom_objects: The user's own classes by name.
    """
    with registry.custom_object_scope(custom_objects):
        return registry.deserialize("layer", config)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a model from what `to_json` returned.

    Args:
        json_string: The text.
        custom_objects: The user's own classes by name.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Dense(2, input_dim=3)])
        >>> keras.models.model_from_json(model.to_json()).count_params()
        8
    """
    return model_from_config(json.loads(json_string), custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Refuse: loading YAML could run code.

    Raises:
        RuntimeError: Always; names `model_from_json`.
    """
    raise RuntimeError("model_from_yaml: loading YAML can run code, so it is gone; write model_from_json(…) instead.")


def save_model(
    model: Sequential, filepath: Any, overwrite: bool = True, save_format: str | None = None, **kwargs: Any
) -> NoReturn:
    """Refuse, as `model.save` does: files of whole models are not written yet.

    Args:
        model: The model.
        filepath: Where it was to go.
        overwrite: Accepted.
        save_format: Accepted.
        kwargs: Such as `include_optimizer`.

    Raises:
        ComesLater: Always; names what to write, and the file where the weights are kept.
    """
    model.save(filepath, overwrite, save_format, **kwargs)
