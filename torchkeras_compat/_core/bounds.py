"""Clipping and the larger or smaller of two, with the gradients that Keras has exactly at a bound and at a tie.

torch's own differ: `clamp` hands on the gradient at a bound in some versions and stops it in others, and `maximum`
shares it between equal operands.  TensorFlow, measured on 2.15.1, hands it to the first, the tensor that is clipped.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Bound = float | Tensor | None
_OfTwo = Callable[[Tensor, Tensor], Tensor]


def clip(x: Tensor, low: Bound = None, high: Bound = None) -> Tensor:
    """Return `x` between two bounds; `low` wins where it is above `high`.

    Args:
        x: Any tensor; at a bound the gradient is its own.
        low: The lower bound, `None` for none.
        high: The upper bound, `None` for none.

    Example:
        >>> x = torch.tensor([-1.0, 0.0, 5.0], requires_grad=True)
        >>> clip(x, 0, 2).sum().backward()
        >>> x.grad
        tensor([0., 1., 0.])
    """
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        x = x if high is None else minimum(x, _beside(x, high))
        return x if low is None else maximum(x, _beside(x, low))
    if low is None and high is None:
        return x
    if low is not None and high is not None and high < low:
        high = low
    if not x.requires_grad:
        return torch.clamp(x, low, high)
    bounded = torch.clamp(x.detach(), low, high)
    return torch.where(bounded == x, x, bounded)


def _beside(x: Tensor, bound: float | Tensor) -> Tensor:
    return bound if isinstance(bound, Tensor) else x.new_full((), bound)


def maximum(x: Tensor, y: Tensor) -> Tensor:
    """Return the larger of two; where they are equal the gradient is that of `x`.

    Args:
        x: Any tensor.
        y: A tensor of a shape that fits.

    Example:
        >>> x = torch.tensor([0.0, 2.0], requires_grad=True)
        >>> maximum(x, torch.zeros(2)).sum().backward()
        >>> x.grad
        tensor([1., 1.])
    """
    return _first_at_a_tie(torch.maximum, torch.ge, x, y)


def minimum(x: Tensor, y: Tensor) -> Tensor:
    """Return the smaller of two; where they are equal the gradient is that of `x`.

    Args:
        x: Any tensor.
        y: A tensor of a shape that fits.

    Example:
        >>> x = torch.tensor([0.0, 2.0], requires_grad=True)
        >>> minimum(x, torch.zeros(2)).sum().backward()
        >>> x.grad
        tensor([1., 0.])
    """
    return _first_at_a_tie(torch.minimum, torch.le, x, y)


def _first_at_a_tie(select: _OfTwo, first_wins: _OfTwo, x: Tensor, y: Tensor) -> Tensor:
    if not (x.requires_grad or y.requires_grad):
        return select(x, y)
    # Not `y` itself where the first does not win: a NaN in either has to stay one.
    return torch.where(first_wins(x, y), x, select(x.detach(), y))
