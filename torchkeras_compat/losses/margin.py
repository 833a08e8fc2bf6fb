"""Margin losses: hinge, squared hinge and the categorical hinge."""

from __future__ import annotations

import torch
from torch import Tensor

from .._core import registry
from .._core.bounds import clip
from .base import FunctionLoss, loss_function


def _signs(y_true: Tensor) -> Tensor:
    """Return labels of 0 and 1 as −1 and 1; any others as they are (decided on the device, for the whole batch)."""
    binary = ((y_true == 0) | (y_true == 1)).all()
    return torch.where(binary, 2 * y_true - 1, y_true)


@loss_function()
def hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute mean(max(1 − y_true · y_pred, 0)) over the last axis.

    Args:
        y_true: −1 and 1; 0 and 1 are read as those.
        y_pred: Predictions.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.hinge([[-1.0, 1.0]], [[0.5, 0.5]])
        tensor([1.])
    """
    return clip(1 - _signs(y_true) * y_pred, 0).mean(-1)


@loss_function()
def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute mean(max(1 − y_true · y_pred, 0)²) over the last axis.

    Args:
        y_true: −1 and 1; 0 and 1 are read as those.
        y_pred: Predictions.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.squared_hinge([[-1.0, 1.0]], [[0.5, 0.5]])
        tensor([1.2500])
    """
    return (clip(1 - _signs(y_true) * y_pred, 0) ** 2).mean(-1)


@loss_function()
def categorical_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute max(1 + the best wrong class − the right one, 0) over the last axis.

    Args:
        y_true: One-hot labels.
        y_pred: Predictions.

    Shape:
        (batch, …, classes) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.categorical_hinge([[0.0, 1.0]], [[0.6, 0.4]])
        tensor([1.2000])
    """
    right = (y_true * y_pred).sum(-1)
    wrong = ((1 - y_true) * y_pred).amax(-1)
    return clip(wrong - right + 1, 0)


@registry.register("loss")
class Hinge(FunctionLoss):
    """The hinge loss.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.Hinge()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(1.)
    """

    fn = staticmethod(hinge)

    def __init__(self, reduction: str = "auto", name: str | None = "hinge") -> None:
        super().__init__(reduction, name)


@registry.register("loss")
class SquaredHinge(FunctionLoss):
    """The squared hinge loss.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.SquaredHinge()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(1.2500)
    """

    fn = staticmethod(squared_hinge)

    def __init__(self, reduction: str = "auto", name: str | None = "squared_hinge") -> None:
        super().__init__(reduction, name)


@registry.register("loss")
class CategoricalHinge(FunctionLoss):
    """The categorical hinge loss.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, classes) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.CategoricalHinge()([[0.0, 1.0]], [[0.6, 0.4]])
        tensor(1.2000)
    """

    fn = staticmethod(categorical_hinge)

    def __init__(self, reduction: str = "auto", name: str | None = "categorical_hinge") -> None:
        super().__init__(reduction, name)
