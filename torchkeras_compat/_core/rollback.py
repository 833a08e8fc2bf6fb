"""What a failed call changed in modules is put back: an error leaves the model as it was."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

from torch import nn

_CONTAINERS = (dict, list, set)

Kept = list[tuple[nn.Module, dict[str, tuple[Any, Any]]]]  # of each module: attribute → value, what stands in it


@contextlib.contextmanager
def unchanged_on_error(*roots: nn.Module) -> Iterator[None]:
    """Put the attributes of modules back when the block raises: what it built, registered and named is forgotten.

    Values of tensors are not copied; this is for blocks that make new ones.

    Args:
        roots: The modules, with all that is in them.
    """
    kept = _kept(roots)
    try:
        yield
    except BaseException:
        _put_back(kept)
        raise


@contextlib.contextmanager
def unchanged(*roots: nn.Module) -> Iterator[Kept]:
    """Put the attributes of modules back in any case, after code has run on them for show; yields what they were.

    Args:
        roots: The modules, with all that is in them.
    """
    kept = _kept(roots)
    try:
        yield kept
    finally:
        _put_back(kept)


def _kept(roots: tuple[nn.Module, ...]) -> Kept:
    """Return each attribute of the modules, and what stands in it where it is a container."""
    return [
        (module, {k: (v, _inside(v)) for k, v in list(vars(module).items())})  # other threads may use the model
        for r in roots
        for module in nn.Module.modules(r)
    ]


def _inside(value: Any) -> Any:
    return copy.copy(value) if isinstance(value, _CONTAINERS) else None


def _put_back(kept: Kept) -> None:
    """Put attributes back, the containers themselves too: others may hold them, as watchers of hooks do."""
    for module, attributes in kept:
        module.__dict__.clear()
        for name, (value, inside) in attributes.items():
            module.__dict__[name] = value
            if isinstance(value, list):
                value[:] = inside
            elif inside is not None:
                value.clear()
                value.update(inside)
