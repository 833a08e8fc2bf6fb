"""Weights that read in the type that the layer being run computes in, as Keras's `AutoCastVariable` does.

A layer under a mixed policy keeps its weights in float32.  While its `call` runs, `computing_in` says in this thread
which type it computes in, and a `CastingTensors`, which stands in the place of a module's table of parameters, hands
out each of them in that type.  Whoever goes over a module's parameters (optimizers, files, `.to()`) meets them as they
are, and a layer without such a policy has torch's own tables.
"""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor, nn

SHORT = frozenset({torch.float16, torch.bfloat16})


class _Running(threading.local):
    dtype: torch.dtype | None = None


_running = _Running()


class computing_in:
    """Lets weights read in a type inside the block, in this thread.

    Args:
        dtype: The type; `None` lets them read as they are kept.
    """

    __slots__ = ("_before", "_dtype")

    def __init__(self, dtype: torch.dtype | None) -> None:
        self._dtype = dtype

    def __enter__(self) -> None:
        self._before = _running.dtype
        _running.dtype = self._dtype

    def __exit__(self, *error: object) -> None:
        _running.dtype = self._before


def as_computed(tensor: Tensor) -> Tensor:
    """Return a weight in the type that the layer being run computes in; integers stay what they are."""
    dtype = _running.dtype
    return tensor if dtype is None or not tensor.is_floating_point() else tensor.to(dtype)


def cast_floats(tensor: Any, dtype: torch.dtype) -> Any:
    """Return a tensor of floats in a type; anything else stays what it is."""
    return tensor.to(dtype) if isinstance(tensor, Tensor) and tensor.is_floating_point() else tensor


def widened(tensor: Any) -> Any:
    """Return a tensor of short floats in float32, in which losses and metrics are computed; anything else as it is."""
    return tensor.float() if isinstance(tensor, Tensor) and tensor.dtype in SHORT else tensor


class CastingTensors(dict[str, Any]):
    """The parameters of a module by name, each read by its name in the type that the layer being run computes in."""

    def __getitem__(self, name: str) -> Any:
        tensor = dict.__getitem__(self, name)
        return tensor if tensor is None else as_computed(tensor)


def cast_when_read(module: nn.Module) -> None:
    """Let a torch module read its parameters in the type that the layer being run computes in.

    Normalisations keep theirs: torch's kernels take float32 statistics and scales with short inputs.
    """
    if isinstance(module, nn.modules.batchnorm._NormBase):
        return
    module._parameters = _casting(module._parameters)
    if isinstance(module, nn.RNNBase):  # whose second bias, which Keras does not have, is a buffer
        module._buffers = _casting(module._buffers)


def _casting(table: dict[str, Any]) -> dict[str, Any]:
    return table if isinstance(table, CastingTensors) else CastingTensors(table)
