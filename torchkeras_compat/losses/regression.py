"""Losses of a difference: squared, absolute, relative, logarithmic, Huber's, log-cosh; and Poisson's."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .._core import registry, settings
from .._core.bounds import clip
from .base import FunctionLoss, loss_function


@loss_function("mse")
def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute mean((y_true − y_pred)²) over the last axis.

    Args:
        y_true: Targets.
        y_pred: Predictions.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]])
        tensor([2.5000])
    """
    return ((y_pred - y_true) ** 2).mean(-1)


@loss_function("mae")
def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute mean(|y_true − y_pred|) over the last axis.

    Args:
        y_true: Targets.
        y_pred: Predictions.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.mean_absolute_error([[0.0, 1.0]], [[1.0, 3.0]])
        tensor([1.5000])
    """
    return (y_pred - y_true).abs().mean(-1)


@loss_function("mape")
def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute 100 · mean(|y_true − y_pred| / max(|y_true|, ε)) over the last axis.

    Args:
        y_true: Targets.
        y_pred: Predictions.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.mean_absolute_percentage_error([[1.0, 2.0]], [[1.0, 3.0]])
        tensor([25.])
    """
    return 100 * ((y_true - y_pred) / clip(y_true.abs(), settings.epsilon())).abs().mean(-1)


@loss_function("msle")
def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute mean((log(1 + y_true) − log(1 + y_pred))²) over the last axis; values below ε count as ε.

    Args:
        y_true: Targets.
        y_pred: Predictions.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.mean_squared_logarithmic_error([[0.0, 1.0]], [[0.0, 3.0]])
        tensor([0.2402])
    """
    epsilon = settings.epsilon()
    first, second = (torch.log(clip(y, epsilon) + 1) for y in (y_pred, y_true))
    return ((first - second) ** 2).mean(-1)


@loss_function("huber_loss")
def huber(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """Compute Huber's loss over the last axis: squared within `delta`, linear beyond (Huber, 1964).

    Args:
        y_true: Targets.
        y_pred: Predictions.
        delta: Where the square turns into a line.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.huber([[0.0, 1.0]], [[0.5, 3.0]])
        tensor([0.8125])
    """
    error = (y_pred - y_true).abs()
    return torch.where(error <= delta, 0.5 * error**2, delta * error - 0.5 * delta**2).mean(-1)


@loss_function("logcosh")
def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute mean(log(cosh(y_pred − y_true))) over the last axis, in the form that does not overflow.

    Args:
        y_true: Targets.
        y_pred: Predictions.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.log_cosh([[0.0, 1.0]], [[0.0, 3.0]])
        tensor([0.6625])
    """
    error = y_pred - y_true
    return (error + F.softplus(-2 * error) - math.log(2)).mean(-1)


@loss_function()
def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute mean(y_pred − y_true · log(y_pred + ε)) over the last axis.

    Args:
        y_true: Counts.
        y_pred: Predicted rates.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.poisson([[2.0, 1.0]], [[1.0, 1.0]])
        tensor([1.0000])
    """
    return (y_pred - y_true * torch.log(y_pred + settings.epsilon())).mean(-1)


@registry.register("loss")
class MeanSquaredError(FunctionLoss):
    """The mean squared error.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.MeanSquaredError()([[0.0], [1.0]], [[1.0], [1.0]])
        tensor(0.5000)
    """

    fn = staticmethod(mean_squared_error)

    def __init__(self, reduction: str = "auto", name: str | None = "mean_squared_error") -> None:
        super().__init__(reduction, name)


@registry.register("loss")
class MeanAbsoluteError(FunctionLoss):
    """The mean absolute error.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.MeanAbsoluteError()([[0.0], [1.0]], [[1.0], [1.0]])
        tensor(0.5000)
    """

    fn = staticmethod(mean_absolute_error)

    def __init__(self, reduction: str = "auto", name: str | None = "mean_absolute_error") -> None:
        super().__init__(reduction, name)


@registry.register("loss")
class MeanAbsolutePercentageError(FunctionLoss):
    """The mean absolute percentage error.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.MeanAbsolutePercentageError()([[2.0], [1.0]], [[1.0], [1.0]])
        tensor(25.)
    """

    fn = staticmethod(mean_absolute_percentage_error)

    def __init__(self, reduction: str = "auto", name: str | None = "mean_absolute_percentage_error") -> None:
        super().__init__(reduction, name)


@registry.register("loss")
class MeanSquaredLogarithmicError(FunctionLoss):
    """The mean squared logarithmic error.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.MeanSquaredLogarithmicError()([[1.0]], [[3.0]])
        tensor(0.4805)
    """

    fn = staticmethod(mean_squared_logarithmic_error)

    def __init__(self, reduction: str = "auto", name: str | None = "mean_squared_logarithmic_error") -> None:
        super().__init__(reduction, name)


@registry.register("loss")
class Huber(FunctionLoss):
    """Huber's loss.

    Args:
        delta: Where the square turns into a line.
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.Huber(delta=2.0)([[0.0]], [[3.0]])
        tensor(4.)
    """

    fn = staticmethod(huber)
    options = ("delta",)

    def __init__(self, delta: float = 1.0, reduction: str = "auto", name: str | None = "huber_loss") -> None:
        super().__init__(reduction, name)
        self.delta = delta


@registry.register("loss")
class LogCosh(FunctionLoss):
    """The logarithm of the hyperbolic cosine of the error.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.LogCosh()([[0.0]], [[2.0]])
        tensor(1.3250)
    """

    fn = staticmethod(log_cosh)

    def __init__(self, reduction: str = "auto", name: str | None = "log_cosh") -> None:
        super().__init__(reduction, name)


@registry.register("loss")
class Poisson(FunctionLoss):
    """The negative log-likelihood of counts under Poisson rates, without its constant.

    Args:
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.Poisson()([[2.0]], [[1.0]])
        tensor(1.0000)
    """

    fn = staticmethod(poisson)

    def __init__(self, reduction: str = "auto", name: str | None = "poisson") -> None:
        super().__init__(reduction, name)
