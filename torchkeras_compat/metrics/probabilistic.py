"""Metrics of probabilities: cross-entropies, the divergence, the Poisson loss."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._core import registry
from ..losses.base import fit_weight, tensors
from ..losses.crossentropy import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from ..losses.regression import poisson
from ..losses.similarity import kl_divergence
from .base import FunctionMetric


@registry.register("metric")
class BinaryCrossentropy(FunctionMetric):
    """The mean binary cross-entropy.

    Args:
        name: The key in logs.
        dtype: The type it computes in.
        from_logits: Whether predictions are logits.
        label_smoothing: Moves the labels towards equal ones.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(binary_crossentropy)
    options = ("from_logits", "label_smoothing")

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(name, dtype)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


@registry.register("metric")
class CategoricalCrossentropy(FunctionMetric):
    """The mean cross-entropy of one-hot labels.

    Args:
        name: The key in logs.
        dtype: The type it computes in.
        from_logits: Whether predictions are logits.
        label_smoothing: Moves the labels towards equal ones.
        axis: The axis of the classes.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(categorical_crossentropy)
    options = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


@registry.register("metric")
class KLDivergence(FunctionMetric):
    """The mean Kullback–Leibler divergence.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])
        tensor(0.1438)
    """

    fn = staticmethod(kl_divergence)

    def __init__(self, name: str | None = "kullback_leibler_divergence", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class Poisson(FunctionMetric):
    """The mean Poisson loss.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.Poisson()([[2.0]], [[1.0]])
        tensor(1.0000)
    """

    fn = staticmethod(poisson)

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class SparseCategoricalCrossentropy(FunctionMetric):
    """The mean cross-entropy of class indices.

    Args:
        name: The key in logs.
        dtype: The type it computes in.
        from_logits: Whether predictions are logits.
        ignore_class: An index whose samples do not count.
        axis: The axis of the classes.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.SparseCategoricalCrossentropy(ignore_class=0)([0, 1], [[0.9, 0.1], [0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(sparse_categorical_crossentropy)
    options = ("from_logits", "ignore_class", "axis")

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis
        self.averages = ignore_class is None

    def _sums(self, values: Any, sample_weight: Any) -> tuple[Tensor, Any]:
        if self._valid is None:
            return super()._sums(values, sample_weight)
        if sample_weight is not None:
            weight = fit_weight(tensors(sample_weight, values)[0], values)
            return super()._sums(values, self._valid.reshape(values.shape) * weight)
        return super()._sums(values, self._valid.reshape(values.shape))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take a batch in."""
        y_true, y_pred = tensors(y_true, y_pred, cast=False)
        self._valid: Tensor | None = None
        if self.ignore_class is not None:
            self._valid = (y_true.long() != self.ignore_class).to(y_pred.dtype)
        super().update_state(y_true, y_pred, sample_weight)
