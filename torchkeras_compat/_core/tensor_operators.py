"""Operators and indices as Keras's tensors have them: arrays and lists are operands, slices may run backwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import settings
from .host_arrays import readable

BINARY = "add sub mul truediv floordiv mod pow matmul and or xor".split()
COMPARISONS = "lt le gt ge eq ne".split()
UNARY = "neg pos abs invert".split()


def operand(other: Any, like: Tensor) -> Any:
    """Return an array or list as an operand for `like`: in its type, as TensorFlow converts it; the rest as it is."""
    if isinstance(other, (bool, np.bool_)):
        return bool(other) if like.dtype == torch.bool else int(other)
    if not isinstance(other, (np.ndarray, np.generic, list, tuple)):
        return other
    if isinstance(other, (list, tuple)) and any(isinstance(part, Tensor) for part in other):
        parts = (torch.as_tensor(operand(part, like)) for part in other)
        return torch.stack([part.to(like.device, like.dtype) for part in parts])
    array = readable(np.array(other))
    if array.dtype.kind not in "biufc":
        return other
    dtype: torch.dtype | None = like.dtype
    if like.dtype == torch.bool:
        dtype = None
    elif array.dtype.kind == "f" and not (like.is_floating_point() or like.is_complex()):
        dtype = settings.torch_dtype(None)
    return torch.as_tensor(array, dtype=dtype).to(like.device)


def _floor_divided(x: Any, other: Any) -> Tensor:
    return torch.div(torch.as_tensor(x), other, rounding_mode="floor")


def _floor_dividing(x: Any, other: Any) -> Tensor:
    return _floor_divided(torch.as_tensor(other, device=x.device), x)


# Where torch has no derivative, the function that has one, zero as TensorFlow's.
_DIFFERENTIABLE: dict[str, Callable[..., Any]] = {
    "__floordiv__": _floor_divided,
    "__rfloordiv__": _floor_dividing,
}


def _converting(name: str) -> Callable[..., Any]:
    function = _DIFFERENTIABLE.get(name) or getattr(Tensor, name)

    def apply(x: Tensor, *others: Any) -> Any:
        return function(x, *(operand(other, x) for other in others))

    apply.__name__ = apply.__qualname__ = f"apply{name}"
    return apply


# Operator → the function of a tensor and another operand that it is.
OPERATORS: dict[str, Callable[..., Any]] = {
    name: _converting(name)
    for name in (f"__{n}__" for n in (*BINARY, *COMPARISONS, *UNARY, *(f"r{b}" for b in BINARY)))
    if hasattr(Tensor, name)
}
# Operators have a name in this module: what holds one can be pickled then.
globals().update({function.__name__: function for function in OPERATORS.values()})


def item(x: Tensor, key: Any) -> Tensor:
    """Return `x[key]`, where slices may run backwards and lists and arrays are indices."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if not any(isinstance(k, slice) and _step(k) < 0 for k in keys):
        return Tensor.__getitem__(x, tuple(map(_index, keys)))
    used = sum(map(_axes_of, keys))
    axis, turned = 0, []
    for i, k in enumerate(keys):
        if k is Ellipsis:
            axis += x.dim() - used
        elif isinstance(k, slice) and _step(k) < 0:
            length = x.shape[axis]
            at = range(*k.indices(length))
            keys[i] = slice(length - 1 - at[0], length - at[-1], -at.step) if len(at) else slice(0, 0)
            turned.append(axis)
            axis += 1
        else:
            axis += _axes_of(k)
    return Tensor.__getitem__(x.flip(turned), tuple(map(_index, keys)))


def _step(key: slice) -> int:
    return 1 if key.step is None else int(key.step)


def _axes_of(key: Any) -> int:
    """Return how many axes an index uses up."""
    if key is None or key is Ellipsis or isinstance(key, bool):
        return 0
    boolean = getattr(key, "dtype", None) in (torch.bool, np.dtype(bool))
    return int(key.ndim) if boolean else 1


def _index(key: Any) -> Any:
    return torch.as_tensor(np.array(key)) if isinstance(key, (list, np.ndarray)) else key
