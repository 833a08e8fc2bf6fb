"""Layers as configurations."""

from __future__ import annotations

from typing import Any

from .._core import registry
from .base import Layer


def serialize(layer: Layer, use_legacy_format: bool = False) -> dict[str, Any]:
    """Return `{'class_name': …, 'config': …}`, from which `deserialize` makes an equal layer without its weights.

    Args:
        layer: The layer.
        use_legacy_format: Taken for Keras's sake; there is one format.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.serialize(keras.layers.Dense(2))['class_name']
        'Dense'
    """
    config: dict[str, Any] = registry.serialize("layer", layer)
    return config


def deserialize(
    config: dict[str, Any], custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False
) -> Layer:
    """Make the layer that a configuration describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes and functions of the user, by the names that the configuration has for them.
        use_legacy_format: Taken for Keras's sake; there is one format.

    Raises:
        ValueError: A class that is not known, with «did you mean».

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.deserialize({'class_name': 'Dense', 'config': {'units': 2}}).units
        2
    """
    with registry.custom_object_scope(custom_objects):
        layer: Layer = registry.deserialize("layer", config)
    return layer
