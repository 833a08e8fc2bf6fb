"""The front door of the layers."""

from __future__ import annotations

import pytest

from torchkeras_compat import layers
from torchkeras_compat._core import registry


def test_every_registered_layer_is_exported() -> None:
    # LayerScale and its like are in the modules of their networks, as in Keras
    registered = {name: registry.lookup("layer", name) for name in registry.names("layer")}
    ours = {name for name, cls in registered.items() if ".applications." not in cls.__module__}
    assert ours - {"Model", "Sequential"} <= set(layers.__all__)


def test_everything_exported_is_there() -> None:
    assert all(hasattr(layers, name) for name in layers.__all__)


def test_unknown_layer() -> None:
    with pytest.raises(ValueError, match="unknown layer 'Desne': did you mean"):
        layers.deserialize({"class_name": "Desne", "config": {}})


def test_custom_objects() -> None:
    class Mine(layers.Dense):
        pass

    config = layers.serialize(Mine(3))
    assert type(layers.deserialize(config, custom_objects={"Mine": Mine})) is Mine
