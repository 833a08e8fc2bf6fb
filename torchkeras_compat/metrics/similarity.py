"""Cosine similarity as a metric: it counts towards +1, as Keras has it since 2.3; and classic Keras's proximity."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._core import registry
from .._core.dialects import Rules
from ..losses.base import tensor_function
from ..losses.similarity import cosine
from .base import FunctionMetric


@tensor_function("metric")
def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Compute the cosine similarity along an axis: 1 for the same direction, −1 for the opposite.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        axis: The axis of the vectors.

    Shape:
        (batch, …, d) twice → (batch, …) without `axis`.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.cosine_similarity([[0.0, 2.0]], [[0.0, 1.0]])
        tensor([1.])
    """
    return cosine(y_true, y_pred, axis)


@tensor_function("metric", "cosine", ruled=True)
def cosine_proximity(rules: Rules, y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Compute the cosine proximity of classic Keras: the similarity; up to 2.2 its negative, in Keras 1 of the mean.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        axis: The axis of the vectors.

    Shape:
        (batch, …, d) twice → (batch, …) without `axis`.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.cosine_proximity([[0.0, 2.0]], [[0.0, 1.0]])
        tensor([1.])
    """
    value = cosine(y_true, y_pred, axis, rules.cosine_is_mean)
    return value if rules.cosine_metric_is_positive else -value


@registry.register("metric")
class CosineSimilarity(FunctionMetric):
    """The mean cosine similarity.

    Args:
        name: The key in logs.
        dtype: The type it computes in.
        axis: The axis of the vectors.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.CosineSimilarity()([[0.0, 2.0]], [[0.0, 1.0]])
        tensor(1.)
    """

    fn = staticmethod(cosine_similarity)
    options = ("axis",)

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis
