"""The cross-entropies on bare tensors, from probabilities and from logits; the losses build on them too.

Source: Keras 2.15 (`backend.*_crossentropy`) and the TensorFlow operations it stands on, measured on 2.15.1; for the
binary one by way of logits, Keras 2.2.4.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .._core import settings
from .._core.bounds import clip
from .._core.lookups import guarded, marked
from .._core.transforms import in_torch_func
from ..activations import over_classes


class Logits:
    """What the last activation of a model was applied to, kept with its predictions.

    Keras finds it there when a user's loss calls a cross-entropy on the predictions it was given.

    Args:
        values: The logits.
        activation: `'softmax'` or `'sigmoid'`.
        for_any: Whether the cross-entropy that belongs to the other activation takes them, too.
    """

    __slots__ = ("activation", "for_any", "values")

    def __init__(self, values: Tensor, activation: str, for_any: bool) -> None:
        self.values, self.activation, self.for_any = values, activation, for_any

    def keep_with(self, y_pred: Tensor) -> None:
        """Let the predictions know their logits."""
        y_pred._keras_logits = self  # type: ignore[attr-defined]

    def detached(self) -> Logits:
        """Return the logits without their history."""
        return Logits(self.values.detach(), self.activation, self.for_any)


def _from_logits(output: Tensor, from_logits: bool, activation: str) -> tuple[Tensor, bool]:
    """Return predictions, or the logits that were kept with them, and whether it is these."""
    if type(output) is Tensor:
        return output, from_logits
    kept: Logits | None = output.__dict__.get("_keras_logits")
    if kept is None or not (kept.for_any or kept.activation == activation):
        return output, from_logits
    return kept.values, True


def clipped(probabilities: Tensor) -> Tensor:
    """Keep probabilities away from 0 and 1 by `epsilon()`."""
    epsilon = settings.epsilon()
    return clip(probabilities, epsilon, 1 - epsilon)


def binary(target: Tensor, output: Tensor, from_logits: bool = False, through_logits: bool = False) -> Tensor:
    """Return the element-wise binary cross-entropy; `through_logits` is the rule `binary_through_logits`."""
    output, from_logits = _from_logits(output, from_logits, "sigmoid")
    if through_logits and not from_logits:
        output, from_logits = torch.logit(clipped(output)), True
    if from_logits:
        # The mathematics and the gradient (sigmoid - target) hold for any target, not only for those in [0, 1].
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    epsilon, output = settings.epsilon(), clipped(output)
    return -(target * torch.log(output + epsilon) + (1 - target) * torch.log(1 - output + epsilon))


class _SoftmaxCrossEntropy(torch.autograd.Function):
    """−Σ y · log softmax(z) over the last axis, with the gradient that TensorFlow's operation has: softmax(z) − y.

    It is the true derivative only where the labels sum to 1.  Keras trains on any others with it (the guide's stacked
    LSTM does), so curves agree only if we do as well.  `mean` averages over the samples in the same node.
    """

    @staticmethod
    def forward(ctx: Any, labels: Tensor, logits: Tensor, mean: bool) -> Tensor:
        log_probabilities = over_classes(torch.log_softmax, logits)
        ctx.save_for_backward(labels, logits)
        ctx.samples = max(logits.numel() // max(logits.shape[-1], 1), 1) if mean else 0
        if mean:
            return torch.dot(labels.reshape(-1).to(log_probabilities.dtype), log_probabilities.reshape(-1)).div_(
                -ctx.samples
            )
        return (labels * log_probabilities).sum(-1).neg_()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        labels, logits = ctx.saved_tensors
        scale = gradient / ctx.samples if ctx.samples else gradient.unsqueeze(-1)
        for_labels = -over_classes(torch.log_softmax, logits) * scale if ctx.needs_input_grad[0] else None
        for_logits = (over_classes(torch.softmax, logits) - labels) * scale if ctx.needs_input_grad[1] else None
        return for_labels, for_logits, None


def softmax_cross_entropy(labels: Tensor, logits: Tensor, mean: bool = False) -> Tensor:
    """Return the cross-entropy of labels with a softmax of logits, over the last axis, per sample or averaged."""
    if labels.shape != logits.shape:
        labels, logits = torch.broadcast_tensors(labels, logits)  # type: ignore[no-untyped-call]
    if in_torch_func():
        values = _composed_cross_entropy(labels, logits)
        return values.mean() if mean else values
    return _SoftmaxCrossEntropy.apply(labels, logits, mean)  # type: ignore[no-any-return, no-untyped-call]


def _composed_cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """Return values and gradients of `_SoftmaxCrossEntropy` out of torch's own operations.

    The first term has the value and the gradient of the labels, the other is zero and has the gradient softmax(z) − y.
    """
    values = -(labels * torch.log_softmax(logits.detach(), -1)).sum(-1)
    pulled = torch.logsumexp(logits, -1) - (labels.detach() * logits).sum(-1)
    return values + (pulled - pulled.detach())


def categorical(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Return the cross-entropy over the classes on `axis`."""
    if axis in (-1, output.dim() - 1):
        output, from_logits = _from_logits(output, from_logits, "softmax")
    if from_logits:
        return softmax_cross_entropy(target.movedim(axis, -1), output.movedim(axis, -1))
    output = clipped(output / output.sum(axis, keepdim=True))
    return -(target * torch.log(output)).sum(axis)


def class_indices(target: Tensor, output: Tensor) -> Tensor:
    """Return class indices in the shape of `output` without its last axis, as integers."""
    shape = output.shape[:-1]
    if target.shape != shape:
        if target.numel() != shape.numel():
            raise ValueError(
                f"sparse_categorical_crossentropy: class indices must have shape {tuple(shape)} or "
                f"{(*shape, 1)} for predictions of shape {tuple(output.shape)}; got {tuple(target.shape)}."
            )
        target = target.reshape(shape)
    return target.long()


def cross_entropy_of_indices(indices: Tensor, logits: Tensor) -> Tensor:
    """Return the cross-entropy of class indices with a softmax of logits, per sample.

    An index out of range raises on the CPU and gives NaN on CUDA, as in TensorFlow.
    """
    indices, outside = guarded(indices, logits.shape[-1])
    flat = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), indices.reshape(-1), reduction="none")
    return marked(flat.reshape(indices.shape), outside)


def sparse(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Tensor:
    """Return the cross-entropy for class indices; 0 where the index is `ignore_class`."""
    if axis in (-1, output.dim() - 1):
        output, from_logits = _from_logits(output, from_logits, "softmax")
    output = output.movedim(axis, -1) if axis not in (-1, output.ndim - 1) else output
    # From probabilities, Keras takes the softmax of their clipped logarithms, which divides by their sum.
    logits = output if from_logits else torch.log(clipped(output))
    indices = class_indices(target, output)
    kept = None if ignore_class is None else indices != ignore_class
    if kept is not None:
        indices = indices.where(kept, torch.zeros_like(indices))
    values = cross_entropy_of_indices(indices, logits)
    return values if kept is None else values * kept


def categorical_focal(
    target: Tensor, output: Tensor, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the focal form of `categorical` (Lin et al., 2017)."""
    if from_logits:
        output = torch.softmax(output, axis)
    output = clipped(output / output.sum(axis, keepdim=True))
    return (alpha * (1 - output) ** gamma * (-target * torch.log(output))).sum(axis)


def binary_focal(
    target: Tensor,
    output: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Tensor:
    """Return the focal form of `binary` (Lin et al., 2017)."""
    p = torch.sigmoid(output) if from_logits else output
    likelihood = target * p + (1 - target) * (1 - p)
    values = (1 - likelihood) ** gamma * binary(target, output, from_logits)
    return values * (target * alpha + (1 - target) * (1 - alpha)) if apply_class_balancing else values
