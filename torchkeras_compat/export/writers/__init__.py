"""How each layer is written down in plain PyTorch; importing this fills the table `emission.WRITERS`."""

from . import (
    activations,
    attention,
    convolutional_recurrent,
    core,
    merging,
    networks,
    normalization,
    preprocessing,
    recurrent,
    spatial,
    torch_modules,
    wrappers,
)

__all__ = [
    "activations",
    "attention",
    "convolutional_recurrent",
    "core",
    "merging",
    "networks",
    "normalization",
    "preprocessing",
    "recurrent",
    "spatial",
    "torch_modules",
    "wrappers",
]
