"""Losses of torch in the place of Keras's: the order of their arguments, their targets and their class axis."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .._core import devices
from .._core.user_tensors import is_users
from .base import align, tensors

_CLASSES_SECOND = (nn.CrossEntropyLoss, nn.NLLLoss)


def is_torch_loss(loss: Any) -> bool:
    """Tell whether `loss` takes (prediction, target), as torch's modules and functions do."""
    if inspect.isclass(loss):
        return issubclass(loss, nn.Module)
    return isinstance(loss, nn.Module) or getattr(loss, "__module__", None) == "torch.nn.functional"


def takes_classes(loss: Any) -> bool:
    """Tell whether `loss` expects class indices or class probabilities, with the classes on axis 1."""
    return isinstance(loss, _CLASSES_SECOND) or getattr(loss, "__name__", "") in ("cross_entropy", "nll_loss")


def _targets(loss: Any, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Return (prediction, target) as torch's loss wants them; ours have the classes on the last axis."""
    if takes_classes(loss):
        is_index = y_true.shape != y_pred.shape
        if is_index and y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
            y_true = y_true.squeeze(-1)
        target = y_true.long() if is_index else y_true.to(y_pred.dtype)
        if y_pred.ndim > 2:
            y_pred = y_pred.movedim(-1, 1)
            target = target if is_index else target.movedim(-1, 1)
        return y_pred, target
    y_true, y_pred = align(y_true.to(y_pred.dtype) if y_true.is_floating_point() or _is_float(loss) else y_true, y_pred)
    return y_pred, y_true


def _safe(loss: Any, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return both without the values at which CUDA's kernel would stop the device, and where those were.

    The CPU raises at a class index out of range, and at what is no probability.
    """
    if not devices.on_cuda(prediction):
        return prediction, target, None
    if takes_classes(loss) and not target.is_floating_point():
        wrong = ((target < 0) | (target >= prediction.shape[1])) & (target != getattr(loss, "ignore_index", -100))
        return prediction, target.masked_fill(wrong, 0), wrong
    if isinstance(loss, nn.BCELoss) or getattr(loss, "__name__", "") == "binary_cross_entropy":
        wrong = ~((prediction >= 0) & (prediction <= 1)) | ~((target >= 0) & (target <= 1))  # NaN is neither
        return prediction.masked_fill(wrong, 0.5), target.masked_fill(wrong, 0.5), wrong
    return prediction, target, None


def _is_float(loss: Any) -> bool:
    return not isinstance(loss, (nn.MultiMarginLoss, nn.MultiLabelMarginLoss))


def caller(loss: Any) -> Callable[[Any, Any], Tensor]:
    """Return `loss` as a function of (targets, predictions)."""
    of_user = is_users(loss)

    def call(y_true: Any, y_pred: Any) -> Tensor:
        y_true, y_pred = tensors(y_true, y_pred, cast=False)
        prediction, target = _targets(loss, y_true, y_pred)
        if of_user:  # a module may write into what it gets
            prediction, target = prediction.clone(), target.clone()
        prediction, target, wrong = _safe(loss, prediction, target)
        result = loss(prediction, target)
        if wrong is not None:
            result = result.masked_fill(wrong.any(), float("nan"))
        return result if isinstance(result, Tensor) else torch.as_tensor(result)

    return call


def per_sample(loss: Any) -> Callable[[Any, Any], Tensor] | None:
    """Return `loss` as a function that gives one value a sample, `None` where it has no such form."""
    if getattr(loss, "reduction", None) not in ("none", "mean", "sum"):
        return None
    single = copy.copy(loss)
    single.reduction = "none"
    call = caller(single)
    total = loss.reduction == "sum"

    def values(y_true: Any, y_pred: Any) -> Tensor:
        losses = call(y_true, y_pred)
        if losses.ndim < 2:
            return losses
        return losses.flatten(1).sum(1) if total else losses.flatten(1).mean(1)

    return values
