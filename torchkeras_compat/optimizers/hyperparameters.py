"""How an optimizer keeps what it was told, so that anything may be changed between two steps and the next one knows.

A *hyperparameter* is a number that steps read from a table of plain floats; its attribute returns a number that can be
set through.  An *option* decides which formulas a step is made of; its attribute is the plain value.  Both tell the
optimizer before rows whose decay is pending would get it at a wrong rate, and whatever was prepared for the old
formulas (`training/step/update.py`, compiled graphs) when a change asks for others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from .._core.errors import argument_error
from .bound import Hyperparameter

_READ_EACH_STEP = {"weight_decay"}  # options that decide by being 0 or `None` alone: each step reads their value


def as_number(owner: str, argument: str, value: Any, expected: str = "a number") -> float:
    """Return what is given for a hyperparameter, a variable perhaps, as a float, or raise `TypeError`."""
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError):
        raise argument_error(owner, argument, expected, value, TypeError) from None


def hyperparameter(name: str) -> property:
    """Return the attribute of a hyperparameter, which is kept in the optimizer's table `_hyper`."""

    def get(optimizer: Any) -> Hyperparameter:
        table = optimizer._hyper
        if name not in table:
            raise AttributeError(f"{type(optimizer).__name__} has no {name!r} yet.")
        return Hyperparameter(table[name], lambda: float(table[name]), lambda value: setattr(optimizer, name, value))

    def put(optimizer: Any, value: Any) -> None:
        number, table = as_number(type(optimizer).__name__, name, value), optimizer._hyper
        if table.get(name, number) != number:
            optimizer._settle()
        table[name] = number
        if number and name not in optimizer._in_use:  # from here on its slots are kept, whatever it is set to
            optimizer._in_use.add(name)
            optimizer._formulas += 1

    return property(get, put, doc=f"The hyperparameter `{name}`: a float that can be set, as Keras's variable can.")


def option(name: str) -> property:
    """Return the attribute of an option."""
    key, as_number = f"_{name}", name in _READ_EACH_STEP

    def get(optimizer: Any) -> Any:
        return getattr(optimizer, key)

    def put(optimizer: Any, value: Any) -> None:
        held = optimizer.__dict__
        known = key in held
        if not known or held[key] != value:
            if known:
                optimizer._settle()
            if not known or not as_number or bool(held[key]) != bool(value):
                optimizer._formulas += 1
            held[key] = value

    return property(get, put, doc=f"The option `{name}`.")


def define(cls: type, hyperparameters: Iterable[str], options: Iterable[str] = ()) -> None:
    """Give a class of optimizers the attributes of its hyperparameters and options."""
    for names, attribute in ((hyperparameters, hyperparameter), (options, option)):
        for name in names:
            if not isinstance(getattr(cls, name, None), property):
                setattr(cls, name, attribute(name))
