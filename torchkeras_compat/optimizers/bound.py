"""Numbers that know their optimizer: what `opt.lr`, `opt.momentum` and `opt.iterations` return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from .._core import settings

N = TypeVar("N", int, float)


class Bound(Generic[N]):
    """What a number of an optimizer has of Keras's variable: it is set through, and read as it stands now.

    The number itself, in arithmetic and comparisons, is the value at the moment it was asked for.
    """

    _get: Callable[[], N]
    _set: Callable[[Any], None]

    shape = torch.Size(())
    ndim = 0

    def value(self) -> N:
        """Return the plain number that the optimizer has now."""
        return self._get()

    read_value = get_value = value

    def set_value(self, value: Any) -> None:
        """Set the value that the next step uses."""
        self._set(value)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Set the value that the next step uses, and return it.

        Args:
            value: A number, or anything that holds one.
            use_locking: Accepted for Keras's sake.
            name: Accepted for Keras's sake.
            read_value: Accepted for Keras's sake.
        """
        self._set(value)
        return type(self)(self._get(), self._get, self._set)  # type: ignore[call-arg]

    def assign_add(self, delta: Any) -> Any:
        """Add to the value, and return it."""
        return self.assign(self._get() + delta)

    def assign_sub(self, delta: Any) -> Any:
        """Subtract from the value, and return it."""
        return self.assign(self._get() - delta)

    def __reduce__(self) -> tuple[Any, ...]:
        plain = self._get()
        return type(plain), (plain,)

    def __deepcopy__(self, memo: dict[int, Any]) -> N:
        return self._get()

    def __copy__(self) -> N:
        return self._get()


class Hyperparameter(Bound[float], float):
    """A hyperparameter of an optimizer: a float that can be set through, as Keras's variable can.

    Example:
        >>> from torchkeras_compat.optimizers import SGD
        >>> optimizer = SGD(0.1, momentum=0.9)
        >>> optimizer.lr.assign(0.05)
        0.05
        >>> optimizer.momentum.assign_sub(0.4)
        0.5
        >>> optimizer.momentum + 1
        1.5
    """

    def __new__(cls, value: float, getter: Callable[[], float], setter: Callable[[Any], None]) -> Hyperparameter:
        """Make the number `value`, which `setter` changes at its owner."""
        number = super().__new__(cls, value)
        number._get, number._set = getter, setter
        return number

    @property
    def dtype(self) -> torch.dtype:
        """The default float type, in which Keras keeps it."""
        return settings.torch_dtype(None)

    def numpy(self) -> np.float32:
        """Return the value as numpy has it in Keras."""
        return np.float32(self._get())

    def __float__(self) -> float:
        return self._get()


class Iterations(Bound[int], int):
    """The number of steps an optimizer has made: an int that can be set through, as Keras's variable can."""

    dtype = torch.int64

    def __new__(cls, value: int, getter: Callable[[], int], setter: Callable[[Any], None]) -> Iterations:
        """Make the number `value`, which `setter` changes at its owner."""
        number = super().__new__(cls, value)
        number._get, number._set = getter, setter
        return number

    def numpy(self) -> np.int64:
        """Return the value as numpy has it in Keras."""
        return np.int64(self._get())

    def __int__(self) -> int:
        return self._get()
