"""How a function of tensors becomes one of the backend: arrays and numbers become tensors, symbolic arguments wait."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core import settings, symbolic

F = TypeVar("F", bound=Callable[..., Any])

_ONE = ("Tensor", "Tensor | None")
_MANY = ("Sequence[Tensor]", "list[Tensor]")


def as_tensor(value: Any, device: torch.device | None = None) -> Tensor:
    """Return a number, list or array as a tensor; what is float64 only by numpy's or Python's habit becomes `floatx()`.

    Args:
        value: A tensor, which is returned as it is, a number, a list or an array.
        device: Where the tensor goes; the device of new models if `None`.

    Example:
        >>> as_tensor([1.0, 2.0]).dtype
        torch.float32
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return torch.stack([as_tensor(v, device) for v in value])
    array = np.asarray(value)
    dtype = settings.torch_dtype(None) if array.dtype == np.float64 else None
    return torch.as_tensor(array.copy() if array.strides and min(array.strides) < 0 else array).to(
        settings.default_device() if device is None else device, dtype
    )


def _device(values: Any) -> torch.device | None:
    for value in values:
        if isinstance(value, Tensor):
            return value.device
        if isinstance(value, (list, tuple)) and (found := _device(value)) is not None:
            return found
    return None


def operation(function: F) -> F:
    """Make a function of tensors one of the backend.

    Parameters annotated as tensors (or sequences of them) take numbers, lists and arrays too; if any argument is
    symbolic, the result is symbolic and computed later.
    """
    annotations = {name: str(p.annotation) for name, p in inspect.signature(function).parameters.items()}
    one = {name for name, text in annotations.items() if text in _ONE}
    many = {name for name, text in annotations.items() if text in _MANY}
    order = tuple(annotations)

    def converted(name: str, value: Any, others: Any) -> Any:
        if value is None or isinstance(value, Tensor):
            return value
        if name in one:
            return as_tensor(value, _device(others))
        if name in many:
            return [as_tensor(v, _device(value)) for v in value]
        return value

    @functools.wraps(function)
    def computed(*args: Any, **kwargs: Any) -> Any:
        everything = (*args, *kwargs.values())
        args = tuple(converted(name, value, everything) for name, value in zip(order, args)) + args[len(order) :]
        kwargs = {name: converted(name, value, everything) for name, value in kwargs.items()}
        return function(*args, **kwargs)

    lifted = symbolic.lifted(computed)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not kwargs and all(type(value) is Tensor for value in args):
            return function(*args)  # nothing to convert, and nothing symbolic
        return lifted(*args, **kwargs)

    return call  # type: ignore[return-value]
