"""Clipping of gradients: by value, by each weight's own norm, by the norm over all of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .foreach import Tensors


def by_value(grads: Tensors, limit: float) -> None:
    """Clip every element to [−limit, limit], in place."""
    torch._foreach_clamp_min_(grads, -limit)
    torch._foreach_clamp_max_(grads, limit)


def by_norm(grads: Tensors, limit: float) -> None:
    """Scale each gradient whose own L2 norm exceeds `limit` down to it, in place."""
    norms = torch.stack(torch._foreach_norm(grads))
    torch._foreach_mul_(grads, list(_scale(norms, limit).unbind()))


def by_global_norm(grads: Tensors, limit: float) -> None:
    """Scale all gradients by one factor when the L2 norm over all of them exceeds `limit`, in place."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
    torch._foreach_mul_(grads, _scale(norm, limit))


def _scale(norm: Tensor, limit: float) -> Tensor:
    return limit / norm.clamp(min=limit)


CLIPS: dict[str, Callable[[Tensors, float], None]] = {
    "clipvalue": by_value,
    "clipnorm": by_norm,
    "global_clipnorm": by_global_norm,
}
