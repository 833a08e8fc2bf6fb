"""Cross-entropies and their focal forms: functions and classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import registry
from .._core.dialects import Rules
from .._core.errors import argument_error
from ..backend import crossentropy as kernels
from .base import FunctionLoss, loss_function


def _check_axis(owner: str, axis: Any) -> None:
    if isinstance(axis, bool):
        raise argument_error(owner, "axis", "an integer", axis)


def smoothed(target: Tensor, label_smoothing: float, classes: int) -> Tensor:
    """Move `label_smoothing` of each label to all classes alike."""
    return target * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else target


@loss_function("bce", ruled=True)
def binary_crossentropy(
    rules: Rules,
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Compute the mean binary cross-entropy over an axis.

    Probabilities are clipped to [ε, 1 − ε], and ε is added within the logarithm: at most 15.4 a value.  Up to Keras 2.2
    it was not added: at most 16.1.

    Args:
        y_true: Targets, usually 0 or 1.
        y_pred: Probabilities or logits.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Moves the targets towards ½: y (1 − s) + s / 2.
        axis: The axis the mean is taken over.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.6931])
    """
    _check_axis("binary_crossentropy", axis)
    target = smoothed(y_true, label_smoothing, 2)
    return kernels.binary(target, y_pred, from_logits, rules.binary_through_logits).mean(axis)


@loss_function()
def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Compute the mean binary focal cross-entropy over an axis (Lin et al., 2017).

    Args:
        y_true: Targets, 0 or 1.
        y_pred: Probabilities or logits.
        apply_class_balancing: Whether class 1 weighs `alpha` and class 0 `1 − alpha`.
        alpha: The weight of class 1.
        gamma: How far easy samples count less.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Moves the targets towards ½.
        axis: The axis the mean is taken over.

    Shape:
        (batch, …, d) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.1733])
    """
    _check_axis("binary_focal_crossentropy", axis)
    target = smoothed(y_true, label_smoothing, 2)
    return kernels.binary_focal(target, y_pred, apply_class_balancing, alpha, gamma, from_logits).mean(axis)


@loss_function("cce")
def categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """Compute the cross-entropy of one-hot (or any) labels.

    Args:
        y_true: One value a class; they need not sum to 1.
        y_pred: Probabilities, divided by their sum and clipped to [ε, 1 − ε], or logits.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Moves the labels towards equal ones.
        axis: The axis of the classes.

    Shape:
        (batch, …, classes) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.6931])
    """
    _check_axis("categorical_crossentropy", axis)
    target = smoothed(y_true, label_smoothing, y_true.shape[axis])
    return kernels.categorical(target, y_pred, from_logits, axis)


@loss_function()
def categorical_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Compute the focal cross-entropy of one-hot labels (Lin et al., 2017).

    Args:
        y_true: One value a class.
        y_pred: Probabilities or logits.
        alpha: A weight of everything.
        gamma: How far easy samples count less.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: Moves the labels towards equal ones.
        axis: The axis of the classes.

    Shape:
        (batch, …, classes) twice → (batch, …).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.0433])
    """
    _check_axis("categorical_focal_crossentropy", axis)
    target = smoothed(y_true, label_smoothing, y_true.shape[-1])
    return kernels.categorical_focal(target, y_pred, alpha, gamma, from_logits, axis)


@loss_function("scce", cast=False, aligned=False)
def sparse_categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Tensor:
    """Compute the cross-entropy of class indices.

    Args:
        y_true: Indices, of any integer or float type.
        y_pred: Probabilities, clipped to [ε, 1 − ε], or logits.
        from_logits: Whether `y_pred` holds logits.
        axis: The axis of the classes.
        ignore_class: An index whose samples give 0.

    Shape:
        (batch, …) or (batch, …, 1), and (batch, …, classes) → (batch, …).

    Raises:
        ValueError: The number of indices is not that of the predictions.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        tensor([0.6931])
    """
    _check_axis("sparse_categorical_crossentropy", axis)
    return kernels.sparse(y_true, y_pred, from_logits, axis, ignore_class)


@registry.register("loss")
class BinaryCrossentropy(FunctionLoss):
    """The mean binary cross-entropy of probabilities or logits.

    Args:
        from_logits: Whether predictions are logits.
        label_smoothing: Moves the targets towards ½.
        axis: The axis the per-sample mean is taken over.
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(binary_crossentropy)
    options = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "auto",
        name: str | None = "binary_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


@registry.register("loss")
class BinaryFocalCrossentropy(FunctionLoss):
    """The mean binary focal cross-entropy (Lin et al., 2017).

    Args:
        apply_class_balancing: Whether class 1 weighs `alpha` and class 0 `1 − alpha`.
        alpha: The weight of class 1.
        gamma: How far easy samples count less.
        from_logits: Whether predictions are logits.
        label_smoothing: Moves the targets towards ½.
        axis: The axis the per-sample mean is taken over.
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, d) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.BinaryFocalCrossentropy(gamma=0.0)([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(binary_focal_crossentropy)
    options = ("apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "auto",
        name: str | None = "binary_focal_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.apply_class_balancing, self.alpha, self.gamma = apply_class_balancing, alpha, gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


@registry.register("loss")
class CategoricalCrossentropy(FunctionLoss):
    """The cross-entropy of one-hot (or any) labels.

    Args:
        from_logits: Whether predictions are logits.
        label_smoothing: Moves the labels towards equal ones.
        axis: The axis of the classes.
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, classes) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(categorical_crossentropy)
    options = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "auto",
        name: str | None = "categorical_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


@registry.register("loss")
class CategoricalFocalCrossentropy(FunctionLoss):
    """The focal cross-entropy of one-hot labels (Lin et al., 2017).

    Args:
        alpha: A weight of everything.
        gamma: How far easy samples count less.
        from_logits: Whether predictions are logits.
        label_smoothing: Moves the labels towards equal ones.
        axis: The axis of the classes.
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        (batch, …, classes) twice.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=0.0)([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(categorical_focal_crossentropy)
    options = ("alpha", "gamma", "from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = "auto",
        name: str | None = "categorical_focal_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.alpha, self.gamma = alpha, gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


@registry.register("loss")
class SparseCategoricalCrossentropy(FunctionLoss):
    """The cross-entropy of class indices.

    Args:
        from_logits: Whether predictions are logits.
        ignore_class: An index whose samples do not count, in the mean either.
        reduction: `'auto'`, `'sum_over_batch_size'`, `'sum'` or `'none'`.
        name: What logs call it.

    Shape:
        Indices (batch, …) or (batch, …, 1), predictions (batch, …, classes).

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.SparseCategoricalCrossentropy(ignore_class=0)([0, 1], [[0.9, 0.1], [0.5, 0.5]])
        tensor(0.6931)
    """

    fn = staticmethod(sparse_categorical_crossentropy)
    options = ("from_logits", "ignore_class")

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str = "auto",
        name: str | None = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits, self.ignore_class = from_logits, ignore_class

    @property
    def counts_all(self) -> bool:
        """Whether no class is ignored."""
        return self.ignore_class is None

    def valid(self, y_true: Tensor, values: Tensor) -> Tensor | None:
        """Return which samples are not of the ignored class."""
        if self.ignore_class is None:
            return None
        return torch.as_tensor(y_true).reshape(values.shape).long() != self.ignore_class
