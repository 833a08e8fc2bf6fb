"""Metrics of a difference: the regression losses as means, their root, the relative error and R²."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import registry
from .._core.errors import argument_error, choice
from ..losses.base import align, tensors
from ..losses.regression import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from .base import FunctionMetric, Mean, Metric, State, divide_no_nan


@registry.register("metric")
class MeanSquaredError(FunctionMetric):
    """The mean squared error.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.MeanSquaredError()([[0.0], [1.0]], [[1.0], [1.0]])
        tensor(0.5000)
    """

    fn = staticmethod(mean_squared_error)

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class MeanAbsoluteError(FunctionMetric):
    """The mean absolute error.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.MeanAbsoluteError()([[0.0], [1.0]], [[1.0], [1.0]])
        tensor(0.5000)
    """

    fn = staticmethod(mean_absolute_error)

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class MeanAbsolutePercentageError(FunctionMetric):
    """The mean absolute percentage error.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.MeanAbsolutePercentageError()([[2.0], [1.0]], [[1.0], [1.0]])
        tensor(25.)
    """

    fn = staticmethod(mean_absolute_percentage_error)

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class MeanSquaredLogarithmicError(FunctionMetric):
    """The mean squared logarithmic error.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.MeanSquaredLogarithmicError()([[1.0]], [[3.0]])
        tensor(0.4805)
    """

    fn = staticmethod(mean_squared_logarithmic_error)

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class LogCoshError(FunctionMetric):
    """The mean logarithm of the hyperbolic cosine of the error.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.LogCoshError()([[0.0]], [[2.0]])
        tensor(1.3250)
    """

    fn = staticmethod(log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class RootMeanSquaredError(Mean):
    """The root of the mean squared error.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]])
        tensor(3.)
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take a batch in."""
        with torch.no_grad():
            y_true, y_pred = align(*tensors(y_true, y_pred))
            super().update_state((y_pred - y_true) ** 2, sample_weight)

    def result(self) -> Tensor:
        """Return the root of the mean."""
        return super().result().sqrt()


@registry.register("metric")
class MeanRelativeError(Mean):
    """The mean of |y_true − y_pred| / normalizer, 0 where the normalizer is 0.

    Args:
        normalizer: What errors are divided by, of the shape of the predictions.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.MeanRelativeError(normalizer=[1.0, 3.0])([1.0, 3.0], [2.0, 6.0])
        tensor(1.)
    """

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.normalizer = normalizer

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take a batch in."""
        with torch.no_grad():
            y_true, y_pred = align(*tensors(y_true, y_pred))
            normalizer = tensors(self.normalizer, y_pred)[0]
            if normalizer.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1:
                normalizer = normalizer.unsqueeze(-1)
            error = (y_true - y_pred).abs()
            super().update_state(divide_no_nan(error, normalizer.expand(error.shape)), sample_weight)


@registry.register("metric")
class R2Score(Metric):
    """The coefficient of determination, R².

    Args:
        class_aggregation: `'uniform_average'`, `'variance_weighted_average'`, or `None` for one value a column.
        num_regressors: The number of independent variables for the adjusted R²; 0 for the plain one.
        name: The key in logs.
        dtype: The type it computes in.

    Shape:
        (batch, d) twice → 0-d, or (d,).

    Raises:
        ValueError: An unknown aggregation, or a negative number of regressors.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
        tensor(0.5714)
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        if class_aggregation is not None:
            allowed = ("uniform_average", "variance_weighted_average")
            choice("R2Score", "class_aggregation", class_aggregation, allowed)
        if num_regressors < 0:
            raise argument_error("R2Score", "num_regressors", "0 or a positive integer", num_regressors)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_weight("num_samples", dtype="int32")
        self.squared_sum: State | None = None

    def _build(self, shape: torch.Size) -> None:
        if len(shape) != 2:
            raise ValueError(f"R2Score: predictions must have shape (batch, outputs); got {tuple(shape)}.")
        names = ("squared_sum", "sum", "residual", "count")
        self.squared_sum, self.sum, self.total_mse, self.count = (self.add_weight(n, shape[-1:]) for n in names)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        with torch.no_grad():
            y_true, y_pred = align(*tensors(y_true, y_pred))
            y_true, y_pred = y_true.to(self.torch_dtype), y_pred.to(self.torch_dtype)
            if self.squared_sum is None:
                self._build(y_pred.shape)
            weight = torch.as_tensor(1.0 if sample_weight is None else sample_weight).to(y_pred)
            weight = (weight.unsqueeze(-1) if weight.ndim == 1 else weight).expand(y_true.shape)
            self.sum.assign_add((y_true * weight).sum(0))
            if self.squared_sum is not None:
                self.squared_sum.assign_add((y_true * y_true * weight).sum(0))
            self.total_mse.assign_add(((y_true - y_pred) ** 2 * weight).sum(0))
            self.count.assign_add(weight.sum(0))
            self.num_samples.assign_add(y_true.numel())  # Keras counts elements here, not rows

    def result(self) -> Tensor:
        """Return R² so far."""
        if self.squared_sum is None:
            raise ValueError(f"{self.name}: no value yet; call update_state(y_true, y_pred) first.")
        total = self.squared_sum - self.sum * (self.sum / self.count)
        scores = 1 - self.total_mse / total
        scores = torch.where(scores.isinf(), torch.zeros_like(scores), scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation is not None:
            scores = (total * scores).sum() / total.sum()
        if not self.num_regressors:
            return scores
        rest = self.num_samples.to(scores) - self.num_regressors - 1
        adjusted = 1 - (1 - scores) * (rest + self.num_regressors) / rest
        return torch.where(rest > 0, adjusted, scores)  # with too few samples the plain one, as Keras falls back
