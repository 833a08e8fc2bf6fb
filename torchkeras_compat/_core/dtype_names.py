"""The type of a symbolic tensor: Keras's name of it, which answers as TensorFlow's types do."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from . import settings
from .strings import STRING, StringType


class DtypeName(str):
    """The name of a type, equal to the type itself too.

    Example:
        >>> kind = DtypeName('float32')
        >>> kind == 'float32', kind == torch.float32, kind.name, kind.is_floating, kind.size
        (True, True, 'float32', True, 4)
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name alone."""
        return str(self)

    @property
    def base_dtype(self) -> DtypeName:
        """The type itself: none is a reference to another."""
        return self

    @property
    def as_numpy_dtype(self) -> Any:
        """What numpy calls it; objects for strings."""
        return np.object_ if self == STRING else np.dtype(str(self)).type

    @property
    def is_floating(self) -> bool:
        """Whether it is one of floats."""
        return settings.is_float(str(self))

    @property
    def is_integer(self) -> bool:
        """Whether it is one of integers."""
        return "int" in self

    @property
    def is_bool(self) -> bool:
        """Whether it is that of truth values."""
        return str(self) == "bool"

    @property
    def size(self) -> int:
        """How many bytes a number takes."""
        return settings.torch_dtype(str(self)).itemsize

    @property
    def max(self) -> Any:
        """The largest number of the type."""
        return self._limit("max")

    @property
    def min(self) -> Any:
        """The smallest number of the type."""
        return self._limit("min")

    def _limit(self, end: str) -> Any:
        kind = settings.torch_dtype(str(self))
        if kind == torch.bool:
            return end == "max"
        value = getattr(torch.finfo(kind) if kind.is_floating_point else torch.iinfo(kind), end)
        return value if kind == torch.bfloat16 else self.as_numpy_dtype(value)  # numpy has no bfloat16

    def __str__(self) -> str:
        return str.__str__(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, torch.dtype):
            return settings.DTYPES.get(str(self)) is other
        return self == other.name if isinstance(other, StringType) else str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__
