"""Metrics over thresholds: counts of right and wrong decisions, precision, recall, and the areas under their curves.

Source: Keras 2.15 (`metrics.confusion_metrics`), measured on 2.15.0.  Everything stays on the device: predictions are
counted in the bucket between two thresholds they fall into, and cumulative sums give the counts at each threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .._core import registry, settings
from .._core.errors import argument_error
from .._core.lookups import guarded, marked
from ..losses.base import align, fit_weight, tensors
from .base import Metric, State, divide_no_nan

_FEW = 16  # up to here comparing with every threshold takes less than sorting into buckets
_LOWEST = -1e10  # Keras's stand-in for −∞ where predictions outside the top k must never pass


def even_thresholds(count: int) -> list[float]:
    """Return `count` thresholds from 0 to 1."""
    return [0.0, *((i + 1) * 1.0 / (count - 1) for i in range(count - 2)), 1.0]


def are_even(thresholds: Sequence[float]) -> bool:
    """Tell whether thresholds are evenly spread from 0 to 1."""
    count = len(thresholds)
    even = np.arange(count, dtype=np.float32) / max(count - 1, 1)
    return count >= 3 and bool(np.allclose(thresholds, even, atol=settings.epsilon()))


def _top_k(y_pred: Tensor, k: int) -> Tensor:
    """Keep the `k` largest predictions of a row, of equal ones the first."""
    order = torch.sort(y_pred, dim=-1, descending=True, stable=True).indices[..., :k]
    kept = torch.zeros_like(y_pred).scatter_(-1, order, 1.0)
    return y_pred * kept + _LOWEST * (1 - kept)


class Counter:
    """Counts decisions at thresholds.

    Args:
        thresholds: In any order; a prediction above one is positive.
        even: Whether they are evenly spread over [0, 1], which needs no search.
    """

    def __init__(self, thresholds: Sequence[float], even: bool | None = None) -> None:
        self.thresholds = list(thresholds)
        self.even = are_even(thresholds) if even is None else even
        self.order = np.argsort(np.argsort(self.thresholds, kind="stable"), kind="stable")

    def __call__(self, y_true: Tensor, y_pred: Tensor, weight: Tensor | None) -> dict[str, Tensor]:
        """Return the four counts of (samples,) or, label by label, (samples, labels): (thresholds, …)."""
        label = (y_true != 0).to(y_pred.dtype)
        positive, negative = (label, 1 - label) if weight is None else (label * weight, (1 - label) * weight)
        count = self._compared if len(self.thresholds) <= _FEW and not self.even else self._bucketed
        tp, fp = count(y_pred, positive, negative)
        return {"tp": tp, "fp": fp, "tn": negative.sum(0) - fp, "fn": positive.sum(0) - tp}

    def _on(self, y_pred: Tensor, values: Any) -> Tensor:
        return torch.as_tensor(values).to(device=y_pred.device)

    def _compared(self, y_pred: Tensor, *parts: Tensor) -> list[Tensor]:
        limits = self._on(y_pred, self.thresholds).to(y_pred.dtype).reshape(-1, *[1] * y_pred.ndim)
        above = (y_pred.unsqueeze(0) > limits).to(y_pred.dtype)
        return [(above * part).sum(1) for part in parts]

    def _buckets(self, y_pred: Tensor) -> Tensor:
        """Return how many thresholds, in ascending order, each prediction is above."""
        count = len(self.thresholds)
        if not self.even:
            limits = self._on(y_pred, sorted(self.thresholds)).to(y_pred.dtype)
            return torch.searchsorted(limits, y_pred.contiguous())
        index = torch.ceil(y_pred.clamp(0, 1) * (count - 1)) - 1
        if min(self.thresholds) < 0:  # the first threshold is below 0, so every prediction is above it
            index = index.clamp(min=0)
        return index.long() + 1

    def _bucketed(self, y_pred: Tensor, *parts: Tensor) -> list[Tensor]:
        bucket, size = self._buckets(y_pred), (len(self.thresholds) + 1, *y_pred.shape[1:])
        order = self._on(y_pred, self.order)
        bucket, outside = guarded(bucket, size[0])
        if outside is not None:  # predictions that are NaN have no bucket; in the last one they make all sums NaN
            outside |= y_pred.isnan()
            bucket = bucket.masked_fill(outside, size[0] - 1)
        sums = []
        for part in parts:
            empty = torch.zeros(size, dtype=part.dtype, device=part.device)
            filled = empty.scatter_add_(0, bucket, marked(part, outside))
            above = filled.flip(0).cumsum(0).flip(0)[1:]
            sums.append(above if self.even else above[order])
        return sums


class ConfusionMetric(Metric):
    """Base of the metrics that are made of counts at thresholds."""

    counted: ClassVar[tuple[str, ...]] = ("tp", "tn", "fp", "fn")  # in the order of Keras's `get_weights`
    _NAMES: ClassVar[dict[str, str]] = {
        "tp": "true_positives",
        "fp": "false_positives",
        "tn": "true_negatives",
        "fn": "false_negatives",
    }

    def _prepare(self, thresholds: Sequence[float], even: bool | None = None) -> None:
        self._counter = Counter(thresholds, even)
        self._make_states((len(thresholds),))

    def _make_states(self, shape: tuple[int, ...]) -> None:
        self._counts: dict[str, State] = {}
        for key in self.counted:
            self._counts[key] = self.add_weight(self._NAMES[key], shape)
            setattr(self, self._NAMES[key], self._counts[key])

    def _count(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        *,
        top_k: int | None = None,
        class_id: int | None = None,
        label_weights: Any = None,
        by_label: bool = False,
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        with torch.no_grad():
            y_true, y_pred = tensors(y_true, y_pred)
            y_true, y_pred = align(y_true.to(self.torch_dtype), y_pred.to(self.torch_dtype))
            y_pred = y_pred if transform is None else transform(y_pred)
            y_pred = y_pred if top_k is None else _top_k(y_pred, top_k)
            if class_id is not None:
                y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
            weight = _weights(sample_weight, label_weights, y_pred)
            if not by_label:
                y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)
                weight = None if weight is None else weight.reshape(-1)
            for key, value in self._counter(y_true, y_pred, weight).items():
                if key in self._counts:
                    self._counts[key].assign_add(value)

    def _share(self, part: str, rest: str) -> Tensor:
        """Return part / (part + rest), 0 where both are 0."""
        part_, rest_ = self._counts[part], self._counts[rest]
        return divide_no_nan(part_.value(), part_ + rest_)


def _weights(sample_weight: Any, label_weights: Any, y_pred: Tensor) -> Tensor | None:
    weight: Tensor | None = None
    if sample_weight is not None:
        weight = fit_weight(tensors(sample_weight, y_pred)[0], y_pred).expand(y_pred.shape)
    if label_weights is not None:
        labels = tensors(label_weights, y_pred)[0].expand(y_pred.shape)
        weight = labels if weight is None else weight * labels
    return weight


def check_thresholds(owner: str, thresholds: Any, default: float = 0.5) -> list[float]:
    """Return thresholds as a list of numbers in [0, 1], or raise."""
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    if any(t is None or not 0 <= t <= 1 for t in values):
        raise argument_error(owner, "thresholds", "numbers in [0, 1]", thresholds)
    return [float(t) for t in values]


class CountMetric(ConfusionMetric):
    """Base of the four counts: one number, or one a threshold if several are given."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.thresholds = thresholds
        self._prepare(check_thresholds(type(self).__name__, thresholds))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        self._count(y_true, y_pred, sample_weight)

    @property
    def accumulator(self) -> State:
        """The counts at the thresholds, as Keras calls them."""
        return self._counts[self.counted[0]]

    def result(self) -> Tensor:
        """Return the count."""
        value = self.accumulator.value()
        return value[0] if value.numel() == 1 else value


@registry.register("metric")
class TruePositives(CountMetric):
    """The number of positive labels that were found.

    Args:
        thresholds: A number in [0, 1] or several; ½ if `None`.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.TruePositives()([1, 1, 0], [0.9, 0.2, 0.8])
        tensor(1.)
    """

    counted = ("tp",)


@registry.register("metric")
class TrueNegatives(CountMetric):
    """The number of negative labels that were left alone.

    Args:
        thresholds: A number in [0, 1] or several; ½ if `None`.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.TrueNegatives()([0, 0, 1], [0.1, 0.9, 0.9])
        tensor(1.)
    """

    counted = ("tn",)


@registry.register("metric")
class FalsePositives(CountMetric):
    """The number of negative labels taken for positive.

    Args:
        thresholds: A number in [0, 1] or several; ½ if `None`.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.FalsePositives(thresholds=[0.5, 0.95])([0, 0, 1], [0.1, 0.9, 0.9])
        tensor([1., 0.])
    """

    counted = ("fp",)


@registry.register("metric")
class FalseNegatives(CountMetric):
    """The number of positive labels that were missed.

    Args:
        thresholds: A number in [0, 1] or several; ½ if `None`.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.FalseNegatives()([1, 1, 0], [0.9, 0.2, 0.8])
        tensor(1.)
    """

    counted = ("fn",)


class ShareMetric(ConfusionMetric):
    """Base of precision and recall: the share of true positives in something."""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        default = 0.5 if top_k is None else _LOWEST
        self._prepare(check_thresholds(type(self).__name__, thresholds, default))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        self._count(y_true, y_pred, sample_weight, top_k=self.top_k, class_id=self.class_id)

    def result(self) -> Tensor:
        """Return the share, one number or one a threshold."""
        value = self._share(*self.counted)
        return value[0] if value.numel() == 1 else value


@registry.register("metric")
class Precision(ShareMetric):
    """The share of right ones among the positive predictions.

    Args:
        thresholds: A number in [0, 1] or several; ½ if `None`.
        top_k: Only the `top_k` largest predictions of a row can be positive.
        class_id: Only this class counts.
        name: The key in logs.
        dtype: The type it computes in.

    Raises:
        ValueError: A threshold outside [0, 1].

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0])
        tensor(0.6667)
    """

    counted = ("tp", "fp")


@registry.register("metric")
class Recall(ShareMetric):
    """The share of the positive labels that are found.

    Args:
        thresholds: A number in [0, 1] or several; ½ if `None`.
        top_k: Only the `top_k` largest predictions of a row can be positive.
        class_id: Only this class counts.
        name: The key in logs.
        dtype: The type it computes in.

    Raises:
        ValueError: A threshold outside [0, 1].

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.Recall()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0])
        tensor(0.6667)
    """

    counted = ("tp", "fn")
