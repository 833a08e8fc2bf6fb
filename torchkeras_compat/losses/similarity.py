"""Losses that compare directions and distributions: cosine similarity, Kullback–Leibler divergence."""

from __future__ import annotations

import torch
from torch import Tensor

from .._core import registry, settings
from .._core.bounds import clip
from .._core.dialects import Rules
from .base import FunctionLoss, loss_function


def _unit(x: Tensor, axis: int) -> Tensor:
    return x * torch.rsqrt(clip((x * x).sum(axis, keepdim=True), 1e-12))


def cosine(y_true: Tensor, y_pred: Tensor, axis: int = -1, mean: bool = False) -> Tensor:
    """Return the sum (or, if `mean`, the mean) over `axis` of the product of the two normalised vectors."""
    product = _unit(y_true, axis) * _unit(y_pred, axis)
    return product.mean(axis) if mean else product.sum(axis)


@loss_function()
def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Compute the negative cosine similarity along an axis: −1 for the same direction, 1 for the opposite.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        axis: The axis of the vectors.

    Shape:
        (batch, …, d) twice → (batch, …) without `axis`.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.cosine_similarity([[0.0, 2.0]], [[0.0, 1.0]])
        tensor([-1.])
    """
    return -cosine(y_true, y_pred, axis)


@loss_function("cosine", ruled=True)
def cosine_proximity(rules: Rules, y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Compute what classic Keras called cosine proximity; Keras 1 and 2.0 took the mean over the axis, not the sum.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        axis: The axis of the vectors.

    Shape:
        (batch, …, d) twice → (batch, …) without `axis`.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.cosine_proximity([[0.0, 2.0]], [[0.0, 1.0]])
        tensor([-1.])
    """
    return -cosine(y_true, y_pred, axis, rules.cosine_is_mean)


@loss_function("kld", "kullback_leibler_divergence")
def kl_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute Σ y_true · log(y_true / y_pred) over the last axis, both clipped to [ε, 1].

    Args:
        y_true: Probabilities.
        y_pred: Predicted probabilities.

    Shape:
        (batch, …, classes) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])
        tensor([0.1438])
    """
    y_true, y_pred = (clip(y, settings.epsilon(), 1) for y in (y_true, y_pred))
    return (y_true * torch.log(y_true / y_pred)).sum(-1)


@registry.register("loss")
class CosineSimilarity(FunctionLoss):
    """The negative cosine similarity.

    Args:
        axis: The axis of the vectors.
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.CosineSimilarity()([[0.0, 2.0]], [[0.0, 1.0]])
        tensor(-1.)
    """

    fn = staticmethod(cosine_similarity)
    options = ("axis",)

    def __init__(self, axis: int = -1, reduction: str = "auto", name: str | None = "cosine_similarity") -> None:
        super().__init__(reduction, name)
        self.axis = axis


@registry.register("loss")
class KLDivergence(FunctionLoss):
    """The Kullback–Leibler divergence.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, classes) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])
        tensor(0.1438)
    """

    fn = staticmethod(kl_divergence)

    def __init__(self, reduction: str = "auto", name: str | None = "kl_divergence") -> None:
        super().__init__(reduction, name)
