"""How much memory the weights of a model may ask for while it is built from a file, which may lie."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .threads import names_inside


class TooLarge(ValueError):
    """Weights that are larger together than may be built.

    Args:
        path: The layer or weight that was one too many; empty where it is not known.
        size: Bytes that it asks for.
    """

    def __init__(self, path: str, size: int) -> None:
        super().__init__(f"{path or 'the model'} asks for {size:,} bytes")
        self.path, self.size = path, size


# What makes a tensor of the size that it is told, or of another tensor's.
_MAKERS = frozenset(
    getattr(torch, name)
    for name in (
        "empty empty_like empty_strided zeros zeros_like ones ones_like full full_like eye rand rand_like randn "
        "randn_like randint randint_like randperm arange linspace logspace"
    ).split()
)


class _Limit(TorchFunctionMode):
    """Sees each tensor before it is allocated."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.weights = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _MAKERS:
            self._check(func, args, kwargs)
        return func(*args, **kwargs)

    def _check(self, make: Any, args: Any, kwargs: dict[str, Any]) -> None:
        asked = {name: value for name, value in kwargs.items() if name not in ("generator", "pin_memory", "out")}
        try:
            size = make(*args, **{**asked, "device": "meta"}).nbytes
        except (RuntimeError, TypeError) as error:
            if "overflow" not in str(error).lower():
                raise
            size = 2**63  # more than a number of 64 bits says
        if size > self.limit:
            raise TooLarge(names_inside.current().rstrip("/"), size)


class _Current(threading.local):
    limit: _Limit | None = None


_current = _Current()


@contextlib.contextmanager
def weight_limit(size: int) -> Iterator[None]:
    """Refuse weights that are larger than so many bytes, each alone and all together, before they are allocated.

    Args:
        size: The limit, for what this thread builds inside the block.

    Raises:
        TooLarge: A weight goes beyond it.

    Example:
        >>> with weight_limit(1000):
        ...     torch.empty(10).shape
        torch.Size([10])
    """
    before, limit = _current.limit, _Limit(size)
    _current.limit = limit
    try:
        with limit:
            yield
    finally:
        _current.limit = before


def count_weight(path: str, tensors: tuple[Tensor, ...]) -> None:
    """Count a weight that has been made, where a limit is set.

    Args:
        path: Its name.
        tensors: What holds it.

    Raises:
        TooLarge: All weights together go beyond the limit.
    """
    limit = _current.limit
    if limit is not None:
        limit.weights += sum(tensor.nbytes for tensor in tensors)
        if limit.weights > limit.limit:
            raise TooLarge(f"{path} with the weights before it", limit.weights)
