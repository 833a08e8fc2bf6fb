"""Numbers of an optimizer, such as its learning rate: as precise as Keras keeps them, and written with its digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .._core import settings


class Float32(np.float64):
    """A float32 with the manners that NumPy 1 gave it: computes in double, and is written with its own digits.

    NumPy 2 computes `lr * 0.1` in single, which is another rate than Keras set by that.
    """

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that it is the value of."""
        return np.dtype(np.float32)

    def __repr__(self) -> str:
        return str(np.float32(self))

    __str__ = __repr__


def quotient(a: Any, b: Any) -> Any:
    """Return a / b; for b = 0 what TensorFlow computes, infinity or NaN, and not Python's error.

    Args:
        a: A number.
        b: A number or a tensor.
    """
    if isinstance(b, torch.Tensor) or b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)


class FloatScalar(float):
    """A float with what Keras's tensor of one number has, such as the learning rate that a schedule gives.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import ExponentialDecay
        >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(3).numpy()
        0.08122524
    """

    shape = torch.Size(())
    ndim = 0

    @property
    def dtype(self) -> torch.dtype:
        """The default float type, in which Keras keeps it."""
        return settings.torch_dtype(None)

    def numpy(self) -> np.float64:
        """Return the value as numpy has it in Keras."""
        return as_kept(self)


def as_kept(number: float) -> np.float64:
    """Return a number of an optimizer as precise as Keras keeps it, with the digits that it prints."""
    return np.float64(number) if settings.floatx() == "float64" else Float32(np.float32(number))
