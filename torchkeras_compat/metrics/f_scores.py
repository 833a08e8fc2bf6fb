"""F-scores over the whole data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import registry
from .._core.errors import argument_error, choice
from ..losses.base import align, tensors
from .base import Metric, State, divide_no_nan

_NAMES = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


@registry.register("metric")
class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall.

    Args:
        average: `None` for one score a class, `'micro'`, `'macro'` or `'weighted'` for one number.
        beta: How much more recall counts than precision.
        threshold: Predictions above it are positive; the largest of a row if `None`.
        name: The key in logs.
        dtype: The type it computes in.

    Shape:
        (batch, classes) twice → (classes,) or 0-d.

    Raises:
        ValueError: An argument outside what is listed.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metric = metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> metric([[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
        tensor([0.3846, 0.9091, 0.8333])
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        owner = type(self).__name__
        self.average = None if average is None else choice(owner, "average", average, ("micro", "macro", "weighted"))
        if isinstance(beta, bool) or not beta > 0:
            raise argument_error(owner, "beta", "a number > 0", beta)
        if threshold is not None and not 0 < threshold <= 1:
            raise argument_error(owner, "threshold", "a number in (0, 1]", threshold)
        self.beta, self.threshold = beta, threshold
        self._counts: list[State] = []

    def _build(self, shape: torch.Size) -> None:
        if len(shape) != 2:
            raise ValueError(
                f"{type(self).__name__}: predictions must have shape (batch, classes); got {tuple(shape)}."
            )
        size = () if self.average == "micro" else shape[-1:]
        self._counts = [self.add_weight(name, size) for name in _NAMES]
        self.true_positives, self.false_positives, self.false_negatives, self.intermediate_weights = self._counts

    def _positive(self, y_pred: Tensor) -> Tensor:
        if self.threshold is not None:
            return y_pred > self.threshold
        return (y_pred >= y_pred.amax(-1, keepdim=True)) & (y_pred.abs() > 1e-9)  # a row of zeros has no largest one

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        with torch.no_grad():
            y_true, y_pred = align(*tensors(y_true, y_pred))
            y_true, y_pred = y_true.to(self.torch_dtype), y_pred.to(self.torch_dtype)
            if not self._counts:
                self._build(y_pred.shape)
            positive = self._positive(y_pred).to(y_true.dtype)
            weight = torch.ones_like(y_true[:, :1])
            if sample_weight is not None:
                weight = tensors(sample_weight, y_pred)[0].reshape(-1, 1)
                if len(weight) not in (1, len(y_pred)):
                    raise argument_error(self.name, "sample_weight", "one weight for each sample", sample_weight)
            parts = (positive * y_true, positive * (1 - y_true), (1 - positive) * y_true, y_true)
            for state, part in zip(self._counts, parts):
                total = part * weight
                state.assign_add(total.sum() if self.average == "micro" else total.sum(0))

    def result(self) -> Tensor:
        """Return the score so far."""
        if not self._counts:
            return torch.zeros((), dtype=self.torch_dtype)
        tp, fp, fn, weights = (state.value() for state in self._counts)
        precision, recall = divide_no_nan(tp, tp + fp), divide_no_nan(tp, tp + fn)
        square = self.beta**2
        score = divide_no_nan(precision * recall, square * precision + recall) * (1 + square)
        if self.average == "weighted":
            return (score * divide_no_nan(weights, weights.sum())).sum()
        return score if self.average is None else score.mean()


@registry.register("metric")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    Args:
        average: `None` for one score a class, `'micro'`, `'macro'` or `'weighted'` for one number.
        threshold: Predictions above it are positive; the largest of a row if `None`.
        name: The key in logs.
        dtype: The type it computes in.

    Shape:
        (batch, classes) twice → (classes,) or 0-d.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.F1Score(threshold=0.5, average='micro')([[1, 1], [1, 0]], [[0.2, 0.6], [0.9, 0.6]])
        tensor(0.6667)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
