"""Models of configurations, as `config.json`, the attribute of an HDF5 file and `to_json` have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core import registry, stored_configs
from .._core.tree import map_shapes
from .file_kinds import FileError


def model_of(config: Mapping[str, Any], version: str | None, caller: str) -> Any:
    """Return the model that a configuration describes, built where the configuration says for which shapes.

    Args:
        config: The configuration, which is not changed.
        version: The version of Keras that the file tells.
        caller: Who reads, for messages.

    Raises:
        ValueError: It is damaged, or names what is not known.
    """
    with stored_configs.reading(config, version, config.get("dialect")):
        model = registry.deserialize("layer", config)
        _build(model, config.get("build_config"), caller)
    return model


def _build(model: Any, told: Any, caller: str) -> None:
    """Build a model whose layers say no shape of its inputs, such as a subclass."""
    if not isinstance(told, Mapping) or getattr(model, "built", True):
        return
    try:
        if told.get("input_shape") is not None:  # JSON has lists
            told = {**told, "input_shape": map_shapes(tuple, told["input_shape"])}
        model.build_from_config(told)
    except (TypeError, ValueError) as error:
        what = f"{model} cannot be built for the shapes that its configuration says"
        raise FileError(f"{caller}: {what}: {error}") from error
