"""Masks of sequences without lengths on the host: valid steps move to the front, run there, and are read back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..._core.transforms import in_torch_func


class _Reordered(torch.autograd.Function):
    """A matrix in another order along its first axis; the gradient is the inverse order, which adds nothing up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor) -> Tensor:
        """Return `x[order]` for a permutation."""
        ctx.save_for_backward(order)
        return x.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient in the first order."""
        (order,) = ctx.saved_tensors
        inverse = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
        return _Reordered.apply(grad, inverse), None  # type: ignore[no-untyped-call]


def compact(x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Move the valid steps of each sequence to its front, in their order.

    Args:
        x: (steps, batch, …), best a view of (batch, steps, …) in memory.
        mask: (steps, batch), true where a step is valid.

    Returns:
        The sequences, and how many valid steps there are up to and with each step, (steps, batch).
    """
    steps, batch = mask.shape
    # Formats of exported graphs have no stable sort; where there is one, it takes half the time of a small batch's.
    exporting = torch.compiler.is_exporting()
    order = _order(mask) if exporting else torch.argsort(mask.logical_not().to(torch.uint8), dim=0, stable=True)
    places = order + torch.arange(batch, device=x.device) * steps
    flat = x.transpose(0, 1).reshape(batch * steps, -1)
    moved = _reordered(flat, places.flatten())
    return moved.view(x.shape), mask.cumsum(0)


def _reordered(x: Tensor, order: Tensor) -> Tensor:
    """Return `x[order]` for a permutation."""
    if in_torch_func():
        return x.index_select(0, order)
    return _Reordered.apply(x, order)  # type: ignore[no-any-return, no-untyped-call]


def _order(mask: Tensor) -> Tensor:
    """Return the steps of each sequence, the valid ones first, without sorting."""
    count, steps = mask.cumsum(0), torch.arange(mask.shape[0], device=mask.device).unsqueeze(1)
    places = torch.where(mask, count - 1, count[-1] + steps - count)
    return torch.empty_like(places).scatter_(0, places, steps.expand_as(places))


def pick(sequence: Tensor, count: Tensor, otherwise: Tensor | None = None) -> Tensor:
    """Return what `sequence` holds after `count` valid steps, and `otherwise` (zero) where there was none yet.

    Args:
        sequence: (steps, batch, …) over the compacted steps.
        count: (batch,) or (steps, batch).
        otherwise: (batch, …).
    """
    batch = sequence.shape[1]
    places = (count - 1).clamp_min_(0) * batch + torch.arange(batch, device=count.device)
    values = sequence.flatten(0, 1).index_select(0, places.flatten()).view(*count.shape, *sequence.shape[2:])
    return torch.where(beside(count > 0, values), values, 0 if otherwise is None else otherwise)


def beside(mask: Tensor, x: Tensor) -> Tensor:
    """Return a mask of the first axes of `x` with as many axes as that has."""
    return mask.view(*mask.shape, *[1] * (x.dim() - mask.dim()))
