"""Gradients that have gradients themselves, for functions whose backward pass is written out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Grad = Tensor | None


def composed_gradients(
    function: Callable[..., Sequence[Tensor]], inputs: Sequence[Grad], needed: Sequence[bool], grads: Sequence[Grad]
) -> list[Grad]:
    """Return the gradients of a function out of torch's own operations, recorded by autograd.

    Args:
        function: What was computed, composed of operations that autograd knows.
        inputs: What it takes; `None` is handed on.
        needed: For each input whether its gradient is wanted.
        grads: For each of its values the gradient, `None` for zero.
    """
    # Views, behind which the search ends: one input may have been made from another, as where a layer is called twice.
    ends = [None if t is None else t.view_as(t) for t in inputs]
    pairs = [(value, grad) for value, grad in zip(function(*ends), grads) if grad is not None]
    wanted = [t for t, is_needed in zip(ends, needed) if is_needed and t is not None]
    gradients = iter(
        torch.autograd.grad(
            [value for value, _ in pairs], wanted, [grad for _, grad in pairs], create_graph=True, allow_unused=True
        )
    )
    return [next(gradients) if is_needed and t is not None else None for t, is_needed in zip(ends, needed)]
