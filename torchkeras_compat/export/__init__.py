"""The way out: a Keras model as plain PyTorch, as an object and as source, and modules of torch as a Keras model."""

from .emission import NotExportable
from .to_source import to_torch_source
from .to_torch import to_torch

__all__ = ["NotExportable", "to_torch", "to_torch_source"]
