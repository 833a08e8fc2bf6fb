"""Models: graphs of layers, `Sequential`, and models from configurations."""

from ..saving import load_model, save_model
from .cloning import clone_model, model_from_config, model_from_json, model_from_yaml
from .from_torch import from_torch
from .model import Model
from .sequential import Sequential

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "from_torch",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]
