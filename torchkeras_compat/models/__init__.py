"""Models: `Sequential`, and models from configurations."""

from .sequential import (
    Sequential,
    clone_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
)

__all__ = [
    "Sequential",
    "clone_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]
