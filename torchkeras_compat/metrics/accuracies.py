"""Accuracies: of equal values, of a threshold, of classes, and of the k best classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import registry
from ..losses.base import align, tensor_function, tensors
from .base import FunctionMetric, Mean


@tensor_function("metric", "acc")
def accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute 1 where targets and predictions are equal, else 0.

    Args:
        y_true: Targets.
        y_pred: Predicted labels.

    Shape:
        (batch, …) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.accuracy([1.0, 2.0], [1.0, 3.0])
        tensor([1., 0.])
    """
    return (y_true == y_pred).to(y_pred.dtype)


@tensor_function("metric")
def binary_accuracy(y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """Compute how many labels of the last axis a threshold gets right.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities; above `threshold` they mean 1.
        threshold: The threshold.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.binary_accuracy([[1.0, 0.0]], [[0.6, 0.7]])
        tensor([0.5000])
    """
    return (y_true == (y_pred > threshold)).mean(-1, dtype=y_pred.dtype)


@tensor_function("metric")
def categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute 1 where the largest label and the largest prediction are in one place.

    Args:
        y_true: One-hot labels.
        y_pred: Probabilities, or anything of their order.

    Shape:
        (batch, …, classes) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.categorical_accuracy([[0.0, 1.0]], [[0.4, 0.6]])
        tensor([1.])
    """
    return (y_true.argmax(-1) == y_pred.argmax(-1)).to(y_pred.dtype)


def _indices(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return class indices in the shape of the predictions without their last axis."""
    return y_true.reshape(y_pred.shape[:-1]) if y_true.numel() == y_pred.shape[:-1].numel() else y_true


@tensor_function("metric", cast=False, aligned=False)
def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute 1 where the largest prediction is that of the class index.

    Args:
        y_true: Class indices, of any integer or float type.
        y_pred: Probabilities, or anything of their order.

    Shape:
        (batch, …) or (batch, …, 1), and (batch, …, classes) → (batch, …).

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.sparse_categorical_accuracy([1, 0], [[0.4, 0.6], [0.4, 0.6]])
        tensor([1., 0.])
    """
    return (_indices(y_true, y_pred) == y_pred.argmax(-1)).to(y_pred.dtype)


@tensor_function("metric", cast=False, aligned=False)
def sparse_top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """Compute 1 where fewer than `k` classes have a larger prediction than the right one, ties in its favour.

    A row that is not finite everywhere counts as wrong, and so does an index out of range (TensorFlow's `in_top_k`).

    Args:
        y_true: Class indices.
        y_pred: Probabilities, or anything of their order.
        k: How many.

    Shape:
        (batch, …) or (batch, …, 1), and (batch, …, classes) → the shape of the indices.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.sparse_top_k_categorical_accuracy([0, 2], [[0.2, 0.5, 0.3], [0.2, 0.5, 0.3]], k=2)
        tensor([0., 1.])
    """
    index = _indices(y_true, y_pred).long()
    possible = (index >= 0) & (index < y_pred.shape[-1])
    own = y_pred.gather(-1, index.where(possible, torch.zeros_like(index)).unsqueeze(-1))
    better = (y_pred > own).sum(-1)
    hits = ((better < k) & possible & y_pred.isfinite().all(-1)).to(y_pred.dtype)
    return hits.reshape(y_true.shape) if hits.numel() == y_true.numel() else hits


@tensor_function("metric")
def top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """Compute 1 where fewer than `k` classes have a larger prediction than that of the largest label.

    Args:
        y_true: One-hot labels.
        y_pred: Probabilities, or anything of their order.
        k: How many.

    Shape:
        (batch, …, classes) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.top_k_categorical_accuracy([[0.0, 0.0, 1.0]], [[0.2, 0.5, 0.3]], k=2)
        tensor([1.])
    """
    return sparse_top_k_categorical_accuracy(y_true.argmax(-1), y_pred, k)


@registry.register("metric")
class Accuracy(FunctionMetric):
    """How often predictions equal targets.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.Accuracy()([[1], [2]], [[1], [3]])
        tensor(0.5000)
    """

    fn = staticmethod(accuracy)

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class BinaryAccuracy(FunctionMetric):
    """How often a threshold gets binary labels right.

    Args:
        name: The key in logs.
        dtype: The type it computes in.
        threshold: Predictions above it mean 1.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.BinaryAccuracy()([[1.0], [0.0]], [[0.6], [0.7]])
        tensor(0.5000)
    """

    fn = staticmethod(binary_accuracy)
    options = ("threshold",)

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Take a batch in; each label counts for itself, and may have a weight of its own."""
        with torch.no_grad():
            y_true, y_pred = align(*tensors(y_true, y_pred))
            Mean.update_state(self, y_true == (y_pred > self.threshold), sample_weight)


@registry.register("metric")
class CategoricalAccuracy(FunctionMetric):
    """How often the largest prediction is that of the one-hot label.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.CategoricalAccuracy()([[0.0, 1.0]], [[0.4, 0.6]])
        tensor(1.)
    """

    fn = staticmethod(categorical_accuracy)

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class SparseCategoricalAccuracy(FunctionMetric):
    """How often the largest prediction is that of the class index.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.SparseCategoricalAccuracy()([1, 0], [[0.4, 0.6], [0.4, 0.6]])
        tensor(0.5000)
    """

    fn = staticmethod(sparse_categorical_accuracy)

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class TopKCategoricalAccuracy(FunctionMetric):
    """How often the one-hot label is among the `k` largest predictions.

    Args:
        k: How many.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.TopKCategoricalAccuracy(k=2)([[0.0, 0.0, 1.0]], [[0.2, 0.5, 0.3]])
        tensor(1.)
    """

    fn = staticmethod(top_k_categorical_accuracy)
    options = ("k",)

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.k = k


@registry.register("metric")
class SparseTopKCategoricalAccuracy(FunctionMetric):
    """How often the class index is among the `k` largest predictions.

    Args:
        k: How many.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.SparseTopKCategoricalAccuracy(k=2)([2], [[0.2, 0.5, 0.3]])
        tensor(1.)
    """

    fn = staticmethod(sparse_top_k_categorical_accuracy)
    options = ("k",)

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.k = k
