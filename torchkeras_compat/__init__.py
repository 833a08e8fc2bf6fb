"""The Keras Sequential interface on PyTorch.

    from torchkeras_compat.models import Sequential
    from torchkeras_compat.layers import Dense

`torchkeras_compat.compat.install()` lets `import keras` and `from tensorflow import keras` reach this package.
"""

from __future__ import annotations

import gc as _gc
from typing import Any as _Any

_collecting = _gc.isenabled()
_gc.disable()  # a collection amid the imports walks over everything that torch has loaded, and finds nothing

from . import (  # noqa: E402
    activations,
    backend,
    callbacks,
    compat,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    optimizers,
    regularizers,
    utils,
)
from ._core.dialects import set_dialect  # noqa: E402
from ._core.settings import set_device  # noqa: E402
from ._core.upper_rooms import MODULES as _upper_rooms  # noqa: E402
from .compat.notebooks import load_ipython_extension as load_ipython_extension  # noqa: E402
from .compat.notebooks import unload_ipython_extension as unload_ipython_extension  # noqa: E402
from .layers.input_layer import Input  # noqa: E402
from .models import Model, Sequential  # noqa: E402

if _collecting:
    _gc.enable()

__all__ = [
    "Input",
    "Model",
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
    "mixed_precision",
    "models",
    "optimizers",
    "regularizers",
    "set_device",
    "set_dialect",
    "utils",
]

__version__ = "0.1.0"

compat.install_tables()
_upper_rooms.update(
    {room: f"{__name__}.{room}" for room in ("backend.sessions", "drawing", "export", "layers.base.symbolic_masks")}
)


def __getattr__(name: str) -> _Any:
    """Return a module that is imported when it is asked for, such as `datasets`, or what stands for a planned name."""
    return compat.attribute_of_package(name)


def __dir__() -> list[str]:
    return compat.names_of_package()
