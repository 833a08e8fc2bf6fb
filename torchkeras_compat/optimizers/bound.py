"""Numbers that know their optimizer: what `opt.lr` and `opt.iterations` return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class LearningRate(float):
    """The learning rate of an optimizer: a float that can be set through, as Keras's variable can.

    Example:
        >>> from torchkeras_compat.optimizers import SGD
        >>> optimizer = SGD(0.1)
        >>> optimizer.lr.assign(0.05)
        0.05
        >>> optimizer.lr + 1
        1.05
    """

    _set: Callable[[Any], None]

    def __new__(cls, value: float, setter: Callable[[Any], None]) -> LearningRate:
        """Make the number `value`, which `setter` changes at its owner."""
        number = super().__new__(cls, value)
        number._set = setter
        return number

    def numpy(self) -> np.float32:
        """Return the value as numpy has it in Keras."""
        return np.float32(self)

    def value(self) -> float:
        """Return the plain number."""
        return float(self)

    read_value = value

    def assign(self, value: Any) -> LearningRate:
        """Set the value that the next step uses, and return it."""
        self._set(value)
        return LearningRate(float(value), self._set)

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> float:
        return float(self)

    def __copy__(self) -> float:
        return float(self)


class Iterations(int):
    """The number of steps an optimizer has made: an int that can be set through, as Keras's variable can."""

    _set: Callable[[Any], None]

    def __new__(cls, value: int, setter: Callable[[Any], None]) -> Iterations:
        """Make the number `value`, which `setter` changes at its owner."""
        number = super().__new__(cls, value)
        number._set = setter
        return number

    def numpy(self) -> np.int64:
        """Return the value as numpy has it in Keras."""
        return np.int64(self)

    def value(self) -> int:
        """Return the plain number."""
        return int(self)

    read_value = value

    def assign(self, value: Any) -> Iterations:
        """Set the counter, and return it."""
        self._set(value)
        return Iterations(int(value), self._set)

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (int(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> int:
        return int(self)

    def __copy__(self) -> int:
        return int(self)
