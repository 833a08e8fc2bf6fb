"""The configuration of a layer: what `get_config` tells, and what `from_config` makes of it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..._core import registry
from ..._core.config import Configurable, arguments, cached_by_class
from ..._core.ownership import is_ours
from ..._core.shapes import Shape

BASE_ARGUMENTS = (
    "name trainable dtype dynamic batch_input_shape input_shape batch_size input_dim input_length input_dtype weights "
    "autocast"
).split()


class StoredConfig(Configurable):
    """A part of `Layer`: its configuration."""

    name: str
    trainable: bool
    batch_input_shape: Shape | None

    def _dtype_in_config(self) -> Any:
        """Return what a configuration has for `dtype`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, JSON-able."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = self.batch_input_shape
        config["dtype"] = self._dtype_in_config()
        own = own_arguments(type(self))
        if not is_ours(type(self)) and not _tells_nothing(type(self)):
            own = tuple(name for name in own if hasattr(self, name))  # the user's override adds its own
        for name in own:
            config[name] = self._config_of(name)
        return {name: value for name, value in config.items() if name not in _refused(type(self))}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` returned; the dictionary is not changed.

        Args:
            config: The configuration. Layers in that of a user's class without a `get_config` of its own are made, too.

        Raises:
            ValueError: It names a file to read, which a configuration that comes from somebody else must not do.
        """
        if _tells_nothing(cls):
            config = {name: _with_layers(value) for name, value in config.items()}
        return super().from_config(config)


def _with_layers(value: Any) -> Any:
    """Return an argument with layers in place of their configurations."""
    if isinstance(value, (list, tuple)):
        return type(value)(_with_layers(item) for item in value)
    if not isinstance(value, Mapping):
        return value
    if set(value) >= {"class_name", "config"} and _is_layer(str(value["class_name"])):
        return registry.deserialize("layer", value)
    return {name: _with_layers(item) for name, item in value.items()}


def _is_layer(name: str) -> bool:
    """Tell whether a layer's class has this name, a user's first."""
    table = registry.KINDS["layer"]
    entry = registry.custom_object(name) or table.find(name)
    return inspect.isclass(entry) and issubclass(entry, table.bases)


@cached_by_class
def _tells_nothing(cls: type) -> bool:
    """Tell whether a class is a user's and leaves its configuration to `Layer`."""
    return not is_ours(cls) and getattr(cls, "get_config", None) is StoredConfig.get_config


@cached_by_class
def _refused(cls: type) -> frozenset[str]:
    """Return which arguments of every layer a user's constructor does not take, as in Keras from 2.11 on."""
    if not _tells_nothing(cls):
        return frozenset()
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return frozenset()
    return frozenset(BASE_ARGUMENTS) - frozenset(parameters)


@cached_by_class
def own_arguments(cls: type) -> tuple[str, ...]:
    """Return the constructor's arguments beside those that every layer has."""
    declared: set[str] = set()
    for base in cls.__mro__:
        if base in registry.KINDS["layer"].bases:
            break
        declared.update(own_init_arguments(base))
    return tuple(n for n in arguments(cls) if n in declared and n not in BASE_ARGUMENTS)


def own_init_arguments(cls: type) -> tuple[str, ...]:
    """Return the arguments of the constructor that a class itself defines; none where it inherits one."""
    return tuple(inspect.signature(cls.__dict__["__init__"]).parameters) if "__init__" in cls.__dict__ else ()
