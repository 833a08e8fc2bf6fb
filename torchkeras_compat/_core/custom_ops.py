"""Operators of this package that torch knows by name: graphs hold them whole, and compilers leave them alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

NAMESPACE = "torchkeras_compat"
_library: Any = torch.library.Library(NAMESPACE, "FRAGMENT")  # type: ignore[no-untyped-call]


def define(
    signature: str, function: Callable[..., Any], stand_in: Callable[..., Any] | None = None, random: bool = False
) -> Any:
    """Define an operator and return it.

    Args:
        signature: In torch's notation, `'name(Tensor x) -> Tensor'`.
        function: What it computes.
        stand_in: Returns tensors without numbers, of the right shapes, for a capture; `None` where `function` itself is
            one that torch can run so.
        random: Whether it draws random numbers, so that no two calls of it are one.
    """
    name = signature.partition("(")[0]
    _library.define(signature, tags=(torch.Tag.nondeterministic_seeded,) if random else ())
    _library.impl(name, function, "CompositeExplicitAutograd")
    if stand_in is not None:
        torch.library.register_fake(f"{NAMESPACE}::{name}", stand_in, lib=_library)
    return getattr(getattr(torch.ops, NAMESPACE), name).default
