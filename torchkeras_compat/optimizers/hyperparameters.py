"""What an optimizer was told, kept so that anything may be changed between two steps and the next one knows.

A *hyperparameter* is a number that steps read from a table of floats; its attribute returns a number that can be set
through.  An *option* decides which formulas a step is made of; its attribute is the value itself.  Before either
changes, rows whose decay is pending get it at the old rate, and a change that asks for other formulas counts as a new
revision, for which whatever was prepared (`training/step/update.py`, compiled graphs) is prepared again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypedDict, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core.border import user_stacklevel
from .._core.errors import argument_error, show
from .float_scalars import FloatScalar, as_kept

N = TypeVar("N", int, float)

_READ_EACH_STEP = {"weight_decay"}  # options that decide by being 0 or `None` alone: each step reads their value


# --- arguments -------------------------------------------------------------------------------------------------------


class Common(TypedDict, total=False):
    """The arguments that every optimizer takes by keyword (see `Optimizer`), but for `weight_decay`."""

    name: str | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    jit_compile: bool
    decay: float


class Options(Common, total=False):
    """All arguments that every optimizer takes by keyword (see `Optimizer`)."""

    weight_decay: float | None


# --- numbers that know their owner -----------------------------------------------------------------------------------


class Bound(Generic[N]):
    """What a number of an optimizer has of Keras's variable: it is set through, and read as it stands now.

    The number itself, in arithmetic and comparisons, is the value at the moment it was asked for.
    """

    _name: str | Callable[[], str]
    _get: Callable[[], N]
    _set: Callable[[Any], None]

    shape = torch.Size(())
    ndim = 0

    @property
    def name(self) -> str:
        """Keras's name for it."""
        return self._name if isinstance(self._name, str) else self._name()

    def value(self) -> N:
        """Return the number that the optimizer has now."""
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
        return type(self)(self._get(), self._get, self._set, self._name)  # type: ignore[call-arg]

    def assign_add(self, delta: Any) -> Any:
        """Add to the value, and return it."""
        return self.assign(self._get() + delta)

    def assign_sub(self, delta: Any) -> Any:
        """Subtract from the value, and return it."""
        return self.assign(self._get() - delta)

    def __reduce__(self) -> tuple[Any, ...]:
        number = self._get()
        return type(number), (number,)

    def __deepcopy__(self, memo: dict[int, Any]) -> N:
        return self._get()

    def __copy__(self) -> N:
        return self._get()


class Hyperparameter(Bound[float], FloatScalar):
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

    def __new__(
        cls, value: float, getter: Callable[[], float], setter: Callable[[Any], None], name: Any = ""
    ) -> Hyperparameter:
        """Make the number `value`, which `setter` changes at its owner, under Keras's name for it."""
        number = super().__new__(cls, value)
        number._get, number._set, number._name = getter, setter, name
        return number

    def numpy(self) -> np.float64:
        """Return the value as numpy has it in Keras."""
        return as_kept(self._get())

    def __float__(self) -> float:
        return self._get()


class Iterations(Bound[int], int):
    """The number of steps an optimizer has made: an int that can be set through, as Keras's variable can."""

    dtype = torch.int64

    def __new__(
        cls, value: int, getter: Callable[[], int], setter: Callable[[Any], None], name: Any = ""
    ) -> Iterations:
        """Make the number `value`, which `setter` changes at its owner, under Keras's name for it."""
        number = super().__new__(cls, value)
        number._get, number._set, number._name = getter, setter, name
        return number

    def numpy(self) -> np.int64:
        """Return the value as numpy has it in Keras."""
        return np.int64(self._get())

    def __int__(self) -> int:
        return self._get()


# --- checks ----------------------------------------------------------------------------------------------------------


def as_number(owner: str, argument: str, value: Any, expected: str = "a number") -> float:
    """Return what is given for a hyperparameter, a variable perhaps, as a float, or raise `TypeError`."""
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError):
        raise argument_error(owner, argument, expected, value, TypeError) from None


def number_between(owner: str, argument: str, value: Any, least: float = 0.0, most: float = float("inf")) -> float:
    """Return an argument as a float in [least, most], or raise."""
    expected = f"a number in [{least:g}, {most:g}]" if most != float("inf") else f"a number ≥ {least:g}"
    number = as_number(owner, argument, value, expected)
    if not least <= number <= most:
        raise argument_error(owner, argument, expected, value)
    return number


def usual_number(owner: str, argument: str, value: Any, least: float = 0.0, most: float = float("inf")) -> float:
    """Return an argument as a float; one outside [least, most] is taken as Keras takes it, with a warning."""
    number = as_number(owner, argument, value)
    if not least <= number <= most:
        usual = f"in [{least:g}, {most:g}]" if most != float("inf") else f"≥ {least:g}"
        warnings.warn(
            f"{owner}({argument}={show(value)}): {argument} is usually a number {usual}; it is taken as it stands.",
            stacklevel=user_stacklevel(),
        )
    return number


# --- the table -------------------------------------------------------------------------------------------------------


class Hyperparameters:
    """The numbers and options of one optimizer.

    Args:
        before_change: Called before one of them gets another value.

    Attributes:
        numbers: Hyperparameter → its value.
        options: Option → its value.
        in_use: The hyperparameters that have been other than 0; what they need, such as a velocity, is kept from then
            on, whatever they are set to.
        revision: Counts the changes after which a step is made of other formulas.
    """

    def __init__(self, before_change: Callable[[], None]) -> None:
        self.before_change = before_change
        self.numbers: dict[str, float] = {}
        self.options: dict[str, Any] = {}
        self.in_use: set[str] = set()
        self.revision = 0

    def set_number(self, name: str, number: float) -> None:
        """Set a hyperparameter."""
        if self.numbers.get(name, number) != number:
            self.before_change()
        self.numbers[name] = number
        if number and name not in self.in_use:
            self.in_use.add(name)
            self.revision += 1

    def set_option(self, name: str, value: Any) -> None:
        """Set an option."""
        options = self.options
        known = name in options
        if known and options[name] == value:
            return
        if known:
            self.before_change()
        if not known or name not in _READ_EACH_STEP or bool(options[name]) != bool(value):
            self.revision += 1
        options[name] = value


def hyperparameter(name: str) -> property:
    """Return the attribute of a hyperparameter, which stands in the optimizer's `hyperparameters`."""

    def get(optimizer: Any) -> Hyperparameter:
        numbers = optimizer.hyperparameters.numbers
        if name not in numbers:
            raise AttributeError(f"{type(optimizer).__name__} has no {name!r} yet.")
        return Hyperparameter(
            numbers[name],
            lambda: float(numbers[name]),
            lambda value: setattr(optimizer, name, value),
            f"{optimizer.name}/{name}:0",
        )

    def put(optimizer: Any, value: Any) -> None:
        optimizer.hyperparameters.set_number(name, as_number(type(optimizer).__name__, name, value))

    return property(get, put, doc=f"The hyperparameter `{name}`: a float that can be set, as Keras's variable can.")


def option(name: str) -> property:
    """Return the attribute of an option, which stands in the optimizer's `hyperparameters`."""

    def get(optimizer: Any) -> Any:
        options = optimizer.hyperparameters.options
        if name not in options:
            raise AttributeError(f"{type(optimizer).__name__} has no {name!r} yet.")
        return options[name]

    def put(optimizer: Any, value: Any) -> None:
        optimizer.hyperparameters.set_option(name, value)
        vars(optimizer).pop("clipping", None)  # which is made of options at its first use

    return property(get, put, doc=f"The option `{name}`.")


def define(cls: type, hyperparameters: Iterable[str], options: Iterable[str] = ()) -> None:
    """Give a class of optimizers the attributes of its hyperparameters and options."""
    for names, attribute in ((hyperparameters, hyperparameter), (options, option)):
        for name in names:
            if not isinstance(getattr(cls, name, None), property):
                setattr(cls, name, attribute(name))
