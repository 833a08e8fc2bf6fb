"""The Keras Sequential interface on PyTorch.

    from torchkeras_compat.models import Sequential
    from torchkeras_compat.layers import Dense

`torchkeras_compat.compat.install()` lets `import keras` and `from tensorflow import keras` reach this package.
"""

from __future__ import annotations

from . import (
    activations,
    backend,
    callbacks,
    compat,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from ._core.dialects import set_dialect
from ._core.settings import set_device
from .layers.core import Input
from .models import Sequential

__all__ = [
    "Input",
    "Sequential",
    "activations",
    "backend",
    "callbacks",
    "compat",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "set_device",
    "set_dialect",
    "utils",
]

__version__ = "0.1.0"

compat.install_tables()
