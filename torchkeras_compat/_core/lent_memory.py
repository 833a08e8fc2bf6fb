"""What user code was lent and must not write into, and which of torch's functions would.

In Keras a function cannot change the tensors it is given.  Here they are the caller's arrays, the predictions that a
metric reads next, or weights: a function of torch that writes into one is refused while user code holds it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from .tensor_operators import BINARY


class Role(Enum):
    """What a function of torch does with tensors: computes new ones, writes into one, or returns what others hold."""

    COMPUTES = 1
    WRITES = 2
    RETURNS = 3


_RETURNS = {getattr(Tensor, name).__get__ for name in ("grad", "_base")}
ROLES: dict[Any, Role] = {}  # of the functions that came by so far


def role_of(function: Any) -> Role:
    """Return the role of a function of torch, found out once."""
    role = ROLES.get(function)
    if role is None:
        role = Role.WRITES if writes(function) else Role.RETURNS if function in _RETURNS else Role.COMPUTES
        ROLES[function] = role
    return role


class _Lent(threading.local):
    """What user code in this thread has in its hands that is not its own."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []


LENT = _Lent()  # what runs with each operation reads it directly


def writes(function: Any) -> bool:
    """Tell whether a method of torch's tensors changes them: `add_`, `__setitem__`, `__iadd__`."""
    name = getattr(function, "__name__", "")
    return name[-1:] == "_" and (name[-2:] != "__" or name == "__setitem__" or name in _AUGMENTED)


_AUGMENTED = {f"__i{name}__" for name in (*BINARY, "lshift", "rshift")}


def is_lent(tensor: Any) -> bool:
    """Tell whether a tensor lies in memory that user code was given and must not write into."""
    if not isinstance(tensor, Tensor) or tensor.layout is not torch.strided:
        return False
    with torch._C.DisableTorchFunctionSubclass():
        memory = tensor.untyped_storage()._cdata
        return any(memory == other.untyped_storage()._cdata for other in LENT.tensors)


def harmless(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a function of torch under which it writes into nothing that user code was lent.

    `inplace=True` says that memory may be used again; what the function returns is the same without.
    """
    if kwargs.get("out") is not None:
        refuse_lent(kwargs["out"], f"{function.__name__}(…, out=x); x.zero_")
    if kwargs.get("inplace") is True and args and is_lent(args[0]):
        return {**kwargs, "inplace": False}
    return kwargs


def refuse_lent(target: Any, name: str) -> None:
    """Refuse to let user code write into memory that it was only lent."""
    if isinstance(target, (list, tuple)):
        for part in target:
            refuse_lent(part, name)
    elif name != "requires_grad_" and LENT.tensors and is_lent(target):
        written = "x[…] = …" if name == "__setitem__" else f"x.{name}(…)"
        raise RuntimeError(
            f"{written} would overwrite the data, predictions or weights that this function was given; write "
            f"x = x.clone() first, or a function that returns a new tensor (torch.where, K.switch, x = x * 2)."
        )
