"""Intersection over union of classes, from a confusion matrix kept on the device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import registry
from .._core.errors import argument_error, positive_int
from .._core.lookups import guarded, marked
from ..losses.base import tensors
from .base import Metric, divide_no_nan


def _largest(values: Tensor, axis: int) -> Tensor:
    """Return the index of the largest value; torch finds none among truth values."""
    return (values.byte() if values.dtype == torch.bool else values).argmax(axis)


class IoUBase(Metric):
    """Base of the IoU metrics: adds batches up in a confusion matrix."""

    def _start(
        self,
        num_classes: int,
        target_class_ids: Any,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        owner = type(self).__name__
        self.num_classes = positive_int(owner, "num_classes", num_classes)
        ids = list(range(num_classes)) if target_class_ids is None else [int(i) for i in target_class_ids]
        if not ids or min(ids) < 0 or max(ids) >= num_classes:
            raise argument_error(owner, "target_class_ids", f"classes from 0 to {num_classes - 1}", target_class_ids)
        self.target_class_ids = ids
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_weight("total_confusion_matrix", (num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        with torch.no_grad():
            y_true, y_pred = tensors(y_true, y_pred, cast=False)
            label = (y_true if self.sparse_y_true else _largest(y_true, self.axis)).reshape(-1).long()
            prediction = (y_pred if self.sparse_y_pred else _largest(y_pred, self.axis)).reshape(-1).long()
            weight = torch.ones(label.shape, dtype=self.torch_dtype, device=label.device)
            if sample_weight is not None:
                weight = tensors(sample_weight, weight)[0].reshape(-1).expand(label.shape)
            if self.ignore_class is not None:
                kept = label != self.ignore_class
                weight = weight * kept
                label, prediction = (torch.where(kept, t, torch.zeros_like(t)) for t in (label, prediction))
            cell, outside = guarded(label * self.num_classes + prediction, self.num_classes**2)
            cells = torch.zeros(self.num_classes**2, dtype=self.torch_dtype, device=label.device)
            cells.index_add_(0, cell, marked(weight, outside))
            self.total_cm.assign_add(cells.reshape(self.num_classes, self.num_classes))

    def result(self) -> Tensor:
        """Return the mean over the target classes that occur."""
        matrix = self.total_cm.value()
        right = matrix.diagonal()
        union = matrix.sum(0) + matrix.sum(1) - right
        right, union = right[self.target_class_ids], union[self.target_class_ids]
        return divide_no_nan(divide_no_nan(right, union).sum(), (union != 0).sum().to(right.dtype))


@registry.register("metric")
class IoU(IoUBase):
    """The mean intersection over union of some classes.

    Args:
        num_classes: The number of classes.
        target_class_ids: The classes that count.
        name: The key in logs.
        dtype: The type it computes in.
        ignore_class: A label whose samples do not count.
        sparse_y_true: Whether targets are class indices, not one-hot.
        sparse_y_pred: Whether predictions are class indices, not scores.
        axis: The axis of the classes where there is one.

    Raises:
        ValueError: A class that does not exist.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])
        tensor(0.3333)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self._start(num_classes, target_class_ids, ignore_class, sparse_y_true, sparse_y_pred, axis)


@registry.register("metric")
class MeanIoU(IoUBase):
    """The mean intersection over union of all classes.

    Args:
        num_classes: The number of classes.
        name: The key in logs.
        dtype: The type it computes in.
        ignore_class: A label whose samples do not count.
        sparse_y_true: Whether targets are class indices, not one-hot.
        sparse_y_pred: Whether predictions are class indices, not scores.
        axis: The axis of the classes where there is one.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])
        tensor(0.3333)
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self._start(num_classes, None, ignore_class, sparse_y_true, sparse_y_pred, axis)


@registry.register("metric")
class BinaryIoU(IoUBase):
    """The mean intersection over union of two classes told apart by a threshold.

    Args:
        target_class_ids: The classes that count: 0, 1 or both.
        threshold: Predictions from it on mean class 1.
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
        tensor(0.3333)
    """

    def __init__(
        self, target_class_ids: Any = (0, 1), threshold: float = 0.5, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)
        self._start(2, target_class_ids)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        y_true, y_pred = tensors(y_true, y_pred, cast=False)
        super().update_state(y_true, (y_pred >= self.threshold).to(y_pred.dtype), sample_weight)


@registry.register("metric")
class OneHotIoU(IoUBase):
    """The mean intersection over union of some classes, for one-hot labels.

    Args:
        num_classes: The number of classes.
        target_class_ids: The classes that count.
        name: The key in logs.
        dtype: The type it computes in.
        ignore_class: A label whose samples do not count.
        sparse_y_pred: Whether predictions are class indices, not scores.
        axis: The axis of the classes.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.OneHotIoU(2, [0, 1])([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])
        tensor(0.2500)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self._start(num_classes, target_class_ids, ignore_class, False, sparse_y_pred, axis)


@registry.register("metric")
class OneHotMeanIoU(IoUBase):
    """The mean intersection over union of all classes, for one-hot labels.

    Args:
        num_classes: The number of classes.
        name: The key in logs.
        dtype: The type it computes in.
        ignore_class: A label whose samples do not count.
        sparse_y_pred: Whether predictions are class indices, not scores.
        axis: The axis of the classes.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.OneHotMeanIoU(2)([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])
        tensor(0.2500)
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(name, dtype)
        self._start(num_classes, None, ignore_class, False, sparse_y_pred, axis)
