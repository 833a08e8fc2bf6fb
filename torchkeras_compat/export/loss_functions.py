"""Losses of plain torch that are more than a line; their source is carried as that of `modules.py` is."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def binary_crossentropy(p: Tensor, y: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the cross-entropy of probabilities, element by element."""
    p = p.clamp(eps, 1 - eps)
    return -(y * torch.log(p + eps) + (1 - y) * torch.log(1 - p + eps))


def binary_crossentropy_by_logits(p: Tensor, y: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the cross-entropy of probabilities that are turned back into logits."""
    logits = torch.logit(p.clamp(eps, 1 - eps))
    return F.binary_cross_entropy_with_logits(logits, y, reduction="none")


def categorical_crossentropy(p: Tensor, y: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the cross-entropy of probabilities over the last axis."""
    p = (p / p.sum(-1, keepdim=True)).clamp(eps, 1 - eps)
    return -(y * torch.log(p)).sum(-1)


def sparse_categorical_crossentropy(p: Tensor, y: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the cross-entropy of probabilities and class indices."""
    logits = torch.log(p.clamp(eps, 1 - eps)).flatten(0, -2)
    return F.cross_entropy(logits, y.flatten().long(), reduction="none")


def signs(y: Tensor) -> Tensor:
    """Return targets of 0 and 1 as -1 and 1, others as they are."""
    return torch.where(((y == 0) | (y == 1)).all(), 2 * y - 1, y)


def categorical_hinge(p: Tensor, y: Tensor) -> Tensor:
    """Return how far the best wrong class comes up to the right one."""
    return F.relu(((1 - y) * p).amax(-1) - (y * p).sum(-1) + 1)


def log_cosh(p: Tensor, y: Tensor) -> Tensor:
    """Return the logarithm of the hyperbolic cosine of the error."""
    error = p - y
    return error + F.softplus(-2 * error) - 0.6931471805599453


def kl_divergence(p: Tensor, y: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the Kullback-Leibler divergence of clipped distributions."""
    p, y = p.clamp(eps, 1), y.clamp(eps, 1)
    return (y * torch.log(y / p)).sum(-1)


def squared_log_error(p: Tensor, y: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the squared difference of the logarithms of 1 + the values."""
    return (torch.log(p.clamp(min=eps) + 1) - torch.log(y.clamp(min=eps) + 1)).square()
