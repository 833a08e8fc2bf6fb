"""What a failed call changed in modules is put back: an error leaves the model as it was."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

from torch import nn

_CONTAINERS = (dict, list, set)


@contextlib.contextmanager
def unchanged_on_error(*roots: nn.Module) -> Iterator[None]:
    """Put the attributes of modules back when the block raises: what it built, registered and named is forgotten.

    Values of tensors are not copied; this is for blocks that make new ones.

    Args:
        roots: The modules, with all that is in them.
    """
    kept = [(module, _attributes(module)) for root in roots for module in root.modules()]
    try:
        yield
    except BaseException:
        for module, attributes in kept:
            module.__dict__.clear()
            module.__dict__.update(attributes)
        raise


def _attributes(module: nn.Module) -> dict[str, Any]:
    return {k: copy.copy(v) if isinstance(v, _CONTAINERS) else v for k, v in module.__dict__.items()}
