"""Areas under curves over thresholds, and the best of one rate where another reaches a value."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from .._core import registry, settings
from .._core.errors import argument_error, choice, fraction
from .base import divide_no_nan
from .confusion import ConfusionMetric, Counter, are_even, even_thresholds

_RATES = {
    "sensitivity": ("tp", "fn"),
    "recall": ("tp", "fn"),
    "specificity": ("tn", "fp"),
    "precision": ("tp", "fp"),
}


class AtMetric(ConfusionMetric):
    """Base of the four metrics that tell the best of one rate where another reaches a value.

    Attributes:
        best: The rate whose maximum is the result.
        where: The rate that must reach the value; the name of the constructor's first argument.
        value: The value.
    """

    best: ClassVar[str]
    where: ClassVar[str]

    def _start(self, value: float, num_thresholds: int, class_id: int | None) -> None:
        owner = type(self).__name__
        self.value = fraction(owner, self.where, value)
        if num_thresholds <= 0:
            raise argument_error(owner, "num_thresholds", "a positive integer", num_thresholds)
        self.num_thresholds, self.class_id = num_thresholds, class_id
        several = num_thresholds > 1
        self._prepare(even_thresholds(num_thresholds) if several else [0.5], even=several)

    @property
    def thresholds(self) -> list[float]:
        """The thresholds it counts at."""
        return self._counter.thresholds

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        self._count(y_true, y_pred, sample_weight, class_id=self.class_id)

    def result(self) -> Tensor:
        """Return the best rate, 0 where the other never reaches the value."""
        reaches = self._share(*_RATES[self.where]) >= self.value
        best = self._share(*_RATES[self.best])
        return torch.where(reaches, best, torch.zeros_like(best)).max()


@registry.register("metric")
class SensitivityAtSpecificity(AtMetric):
    """The best sensitivity where the specificity is at least a value.

    Args:
        specificity: The value, in [0, 1].
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: The key in logs.
        dtype: The type it computes in.

    Raises:
        ValueError: A value outside [0, 1].

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])
        tensor(0.5000)
    """

    best, where = "sensitivity", "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.specificity = specificity
        self._start(specificity, num_thresholds, class_id)


@registry.register("metric")
class SpecificityAtSensitivity(AtMetric):
    """The best specificity where the sensitivity is at least a value.

    Args:
        sensitivity: The value, in [0, 1].
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: The key in logs.
        dtype: The type it computes in.

    Raises:
        ValueError: A value outside [0, 1].

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])
        tensor(0.6667)
    """

    best, where = "specificity", "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.sensitivity = sensitivity
        self._start(sensitivity, num_thresholds, class_id)


@registry.register("metric")
class PrecisionAtRecall(AtMetric):
    """The best precision where the recall is at least a value.

    Args:
        recall: The value, in [0, 1].
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: The key in logs.
        dtype: The type it computes in.

    Raises:
        ValueError: A value outside [0, 1].

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])
        tensor(0.5000)
    """

    best, where = "precision", "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.recall = recall
        self._start(recall, num_thresholds, class_id)


@registry.register("metric")
class RecallAtPrecision(AtMetric):
    """The best recall where the precision is at least a value.

    Args:
        precision: The value, in [0, 1].
        num_thresholds: How many thresholds are tried.
        class_id: Only this class counts.
        name: The key in logs.
        dtype: The type it computes in.

    Raises:
        ValueError: A value outside [0, 1].

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.RecallAtPrecision(0.8)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
        tensor(0.5000)
    """

    best, where = "recall", "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.precision = precision
        self._start(precision, num_thresholds, class_id)


@registry.register("metric")
class AUC(ConfusionMetric):
    """The area under the ROC or the precision-recall curve, summed over thresholds.

    Args:
        num_thresholds: How many thresholds, the two outside [0, 1] included.
        curve: `'ROC'` or `'PR'`.
        summation_method: `'interpolation'`, `'minoring'` or `'majoring'`.
        name: The key in logs.
        dtype: The type it computes in.
        thresholds: Thresholds to use instead of evenly spread ones.
        multi_label: Whether each column is a label of its own; the result is the mean of their areas.
        num_labels: The number of columns, where it is known beforehand.
        label_weights: Weights of the columns.
        from_logits: Whether predictions are logits.

    Shape:
        (batch, …), or with `multi_label` (batch, labels), twice → 0-d.

    Raises:
        ValueError: An argument outside what is listed.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
        tensor(0.7500)
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name, dtype)
        self.curve = choice("AUC", "curve", curve, ("roc", "pr")).upper()
        methods = ("interpolation", "minoring", "majoring")
        self.summation_method = choice("AUC", "summation_method", summation_method, methods)
        self.multi_label, self.num_labels, self.label_weights = multi_label, num_labels, label_weights
        self.from_logits = from_logits
        if num_labels and not multi_label:
            raise ValueError(f"AUC(num_labels={num_labels}): num_labels needs multi_label=True.")
        self._set_thresholds(num_thresholds, thresholds)
        if not multi_label:
            self._make_states((self.num_thresholds,))
        elif num_labels:
            self._make_states((self.num_thresholds, num_labels))

    def _set_thresholds(self, count: int, thresholds: Any) -> None:
        are_own = thresholds is not None
        inner = sorted(float(t) for t in thresholds) if are_own else even_thresholds(count)[1:-1] if count > 1 else []
        if not are_own and count <= 1:
            raise argument_error("AUC", "num_thresholds", "an integer > 1", count)
        self.num_thresholds = len(inner) + 2
        self._given = inner if are_own else None
        epsilon = settings.epsilon()
        self._counter = Counter([-epsilon, *inner, 1 + epsilon], even=not are_own or are_even([0.0, *inner, 1.0]))

    @property
    def thresholds(self) -> list[float]:
        """The thresholds it counts at."""
        return self._counter.thresholds

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal metric; thresholds only if they were given."""
        config = super().get_config()
        config.pop("thresholds")
        if self._given is not None:
            config["thresholds"] = self._given
        return config

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        if "_counts" not in self.__dict__:
            if len(y_pred.shape) != 2:
                raise ValueError(
                    f"AUC(multi_label=True): predictions must have shape (batch, labels); got {tuple(y_pred.shape)}."
                )
            self._make_states((self.num_thresholds, int(y_pred.shape[1])))
        self._count(
            y_true,
            y_pred,
            sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
            by_label=self.multi_label,
            transform=torch.sigmoid if self.from_logits else None,
        )

    def _areas(self) -> Tensor:
        """Return the areas between neighbouring thresholds."""
        recall = self._share("tp", "fn")
        if self.curve == "PR":
            x, y = recall, self._share("tp", "fp")
        else:
            x, y = self._share("fp", "tn"), recall
        left, right = y[:-1], y[1:]
        heights = {
            "interpolation": lambda: (left + right) / 2,
            "minoring": lambda: torch.minimum(left, right),
            "majoring": lambda: torch.maximum(left, right),
        }[self.summation_method]()
        return (x[:-1] - x[1:]) * heights

    def _interpolated_pr(self) -> Tensor:
        """Return the areas under the precision-recall curve, interpolated between counts (Davis & Goadrich, 2006)."""
        tp, fp, fn = (self._counts[k].value() for k in ("tp", "fp", "fn"))
        predicted = tp + fp
        gained_tp, gained = tp[:-1] - tp[1:], (predicted[:-1] - predicted[1:]).clamp(min=0)
        slope = divide_no_nan(gained_tp, gained)
        intercept = tp[1:] - slope * predicted[1:]
        some = (predicted[:-1] > 0) & (predicted[1:] > 0)
        ratio = torch.where(some, divide_no_nan(predicted[:-1], predicted[1:]), torch.ones_like(slope))
        labels = (tp[1:] + fn[1:]).clamp(min=0)
        return divide_no_nan(slope * (gained_tp + intercept * torch.log(ratio)), labels)

    def result(self) -> Tensor:
        """Return the area so far."""
        if "_counts" not in self.__dict__:
            return torch.zeros((), dtype=self.torch_dtype)
        interpolated = self.curve == "PR" and self.summation_method == "interpolation"
        area = (self._interpolated_pr() if interpolated else self._areas()).sum(0)
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return area.mean()
        weights = torch.as_tensor(self.label_weights).to(area)
        return divide_no_nan((area * weights).sum(), weights.sum())
