"""The metrics of Keras 1, computed batch by batch: precision, recall, F-scores, Matthews correlation.

Source: the formulas of keras.metrics 1.2.2; labels and predictions are clipped to [0, 1] and rounded, and ε keeps the
quotients finite.  Their mean over batches is not the metric of the whole data; the classes `Precision`, `Recall` and
`FBetaScore` are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from .._core import settings
from ..losses.base import tensor_function

F = TypeVar("F", bound=Callable[..., Any])


def of_batch(function: F) -> F:
    """Mark a metric function that tells one number of a batch, so that batches must not be joined for it."""
    setattr(function, "of_batch", True)  # noqa: B010 - a function has no such attribute for a type checker
    return function


def _hard(y: Tensor) -> Tensor:
    return y.clamp(0, 1).round()


@of_batch
@tensor_function("metric")
def precision(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute the share of right ones among the positive predictions of a batch.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities.

    Shape:
        (batch, …) twice → 0-d.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.precision([[1.0], [0.0]], [[0.9], [0.8]])
        tensor(0.5000)
    """
    right = _hard(y_true * y_pred).sum()
    return right / (_hard(y_pred).sum() + settings.epsilon())


@of_batch
@tensor_function("metric")
def recall(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute the share of the positive labels of a batch that are found.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities.

    Shape:
        (batch, …) twice → 0-d.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.recall([[1.0], [1.0]], [[0.9], [0.1]])
        tensor(0.5000)
    """
    right = _hard(y_true * y_pred).sum()
    return right / (_hard(y_true).sum() + settings.epsilon())


@of_batch
@tensor_function("metric")
def fbeta_score(y_true: Tensor, y_pred: Tensor, beta: float = 1) -> Tensor:
    """Compute the weighted harmonic mean of precision and recall of a batch, 0 without any positive label.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities.
        beta: How much more recall counts than precision.

    Shape:
        (batch, …) twice → 0-d.

    Raises:
        ValueError: A negative `beta`.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.fbeta_score([[1.0], [1.0]], [[0.9], [0.1]])
        tensor(0.6667)
    """
    if beta < 0:
        raise ValueError(f"fbeta_score(beta={beta}): beta must be 0 or more; got {beta}.")
    p, r, square = precision(y_true, y_pred), recall(y_true, y_pred), beta**2
    score = (1 + square) * (p * r) / (square * p + r + settings.epsilon())
    return torch.where(_hard(y_true).sum() == 0, torch.zeros_like(score), score)


@of_batch
@tensor_function("metric", "fscore")
def fmeasure(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute the harmonic mean of precision and recall of a batch.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities.

    Shape:
        (batch, …) twice → 0-d.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.fmeasure([[1.0], [1.0]], [[0.9], [0.1]])
        tensor(0.6667)
    """
    return fbeta_score(y_true, y_pred, beta=1)


@of_batch
@tensor_function("metric")
def matthews_correlation(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute the Matthews correlation coefficient of a batch (Matthews, 1975).

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities.

    Shape:
        (batch, …) twice → 0-d.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.matthews_correlation([[1.0], [0.0]], [[0.9], [0.1]])
        tensor(1.0000)
    """
    prediction, label = _hard(y_pred), _hard(y_true)
    tp, tn = (label * prediction).sum(), ((1 - label) * (1 - prediction)).sum()
    fp, fn = ((1 - label) * prediction).sum(), (label * (1 - prediction)).sum()
    norm = torch.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / (norm + settings.epsilon())


fscore = f1score = fmeasure
