"""Cross-entropies fused with the final softmax or sigmoid: computed from the logits, exact where probabilities round.

Keras keeps the logits of the last activation and takes the loss from them.  Measured on 2.15.0: it does so whichever of
the two activations it is and whatever `from_logits` says, so that `binary_crossentropy` after a softmax is the sigmoid
cross-entropy of the softmax's logits; classic Keras on TensorFlow 1 recognised only the activation that belongs to the
loss.  The rule `logits_of_any_activation` says which.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .._core import devices, dialects, registry
from .._core.dialects import Rules
from ..backend import crossentropy as kernels
from .base import FROM_LOGITS, FunctionLoss, Loss, Reduction, align
from .crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    smoothed,
    sparse_categorical_crossentropy,
)

FromLogits = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Described:
    """A loss taken apart: the function it computes, its options and the object that reduces."""

    function: Callable[..., Tensor] | None
    options: dict[str, Any] = field(default_factory=dict)
    owner: Loss | None = None


def describe(loss: Any) -> Described:
    """Return the function and options behind a loss given by name, function, `functools.partial` or class instance."""
    loss = getattr(loss, "loss", loss)  # what `resolve` returned
    if isinstance(loss, (str, dict)):
        loss = registry.get("loss", loss)
    ours = isinstance(loss, FunctionLoss) and type(loss).__call__ is Loss.__call__
    if isinstance(loss, FunctionLoss) and ours and type(loss).call is FunctionLoss.call:
        return Described(type(loss).fn, loss.chosen(), loss)
    if isinstance(loss, functools.partial) and not loss.args:
        return Described(loss.func, dict(loss.keywords))
    function = callable(loss) and isinstance(loss, Hashable) and not isinstance(loss, Loss)  # tables are asked for it
    return Described(loss if function else None)


def _pair(y_true: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    return align(y_true.to(logits.dtype), logits)


def _binary(y_true: Tensor, logits: Tensor, label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    y_true, logits = _pair(y_true, logits)
    return kernels.binary(smoothed(y_true, label_smoothing, 2), logits, True).mean(axis)


def _binary_mean(y_true: Tensor, logits: Tensor, label_smoothing: float = 0.0, axis: int = -1) -> Tensor:
    y_true, logits = _pair(y_true, logits)
    return F.binary_cross_entropy_with_logits(logits, smoothed(y_true, label_smoothing, 2))


def _categorical(
    y_true: Tensor, logits: Tensor, label_smoothing: float = 0.0, axis: int = -1, mean: bool = False
) -> Tensor:
    y_true, logits = _pair(y_true, logits)
    target = smoothed(y_true, label_smoothing, y_true.shape[-1])
    return kernels.softmax_cross_entropy(target, logits, mean)


def _sparse(y_true: Tensor, logits: Tensor, axis: int = -1, ignore_class: int | None = None) -> Tensor:
    return kernels.sparse(y_true, logits, True, -1, ignore_class)


def _sparse_mean(y_true: Tensor, logits: Tensor, axis: int = -1, ignore_class: int | None = None) -> Tensor:
    if ignore_class is not None:
        return _sparse(y_true, logits, axis, ignore_class).mean()
    indices = kernels.class_indices(y_true, logits)
    if devices.on_cuda(logits):
        return kernels.cross_entropy_of_indices(indices, logits).mean()
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), indices.reshape(-1))


def _binary_focal_after_softmax(
    y_true: Tensor,
    logits: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the focal loss with its factor from the softmax, its cross-entropy from the logits."""
    y_true, logits = _pair(y_true, logits)
    target, p = smoothed(y_true, label_smoothing, 2), torch.softmax(logits, -1)
    values = (1 - target * p - (1 - target) * (1 - p)) ** gamma * kernels.binary(target, logits, True)
    if apply_class_balancing:
        values = values * (target * alpha + (1 - target) * (1 - alpha))
    return values.mean(axis)


def _focal(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return functools.partial(function, from_logits=True)


@dataclass(frozen=True)
class Form:
    """How a cross-entropy is computed from logits.

    Attributes:
        activation: The activation that belongs to the loss.
        values: Per-sample values from (targets, logits) and the options of the function.
        mean: Their mean in fewer kernels, where there is a way.
        last_axis: Whether the classes must be on the last axis, where the activation has them.
        across: Per-sample values where the other activation's logits are taken and that takes another formula.
    """

    activation: str
    values: Callable[..., Tensor]
    mean: Callable[..., Tensor] | None = None
    last_axis: bool = True
    across: Callable[..., Tensor] | None = None


FORMS: dict[Callable[..., Tensor], Form] = {
    binary_crossentropy: Form("sigmoid", _binary, _binary_mean, last_axis=False),
    categorical_crossentropy: Form("softmax", _categorical, functools.partial(_categorical, mean=True)),
    sparse_categorical_crossentropy: Form("softmax", _sparse, _sparse_mean),
    categorical_focal_crossentropy: Form("softmax", _focal(categorical_focal_crossentropy)),
    binary_focal_crossentropy: Form(
        "sigmoid", _focal(binary_focal_crossentropy), last_axis=False, across=_binary_focal_after_softmax
    ),
}


def _form(described: Described, activation: Any, rules: Rules) -> tuple[Form, dict[str, Any]] | None:
    """Return how to compute the described loss from the logits of `activation`, and with which options."""
    form = FORMS.get(described.function) if described.function is not None else None
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", None)
    if form is None or name not in ("softmax", "sigmoid") or not rules.fused_losses:
        return None
    across = rules.logits_of_any_activation
    if name != form.activation:
        if not across:
            return None
        form = replace(form, values=form.across or form.values)
    options = dict(described.options)
    if form.last_axis and options.get("axis", -1) != -1:
        return None
    if options.pop("from_logits", False):
        if not across:
            return None
        warnings.warn(
            f"from_logits=True, but the model ends in a {name}; its logits are taken, as Keras 2.15 does. "
            "Write from_logits=False, or a last layer without activation.",
            stacklevel=3,
        )
    return form, options


def _rules(described: Described, rules: Rules | None) -> Rules:
    if rules is not None:
        return rules
    return described.owner._rules if described.owner is not None else dialects.current().rules


def fused(loss: Any, activation: Any, rules: Rules | None = None) -> FromLogits | None:
    """Return the loss as a function of (targets, logits) that gives per-sample values, `None` where it cannot be fused.

    Args:
        loss: A loss as a name, function, `functools.partial`, class instance or what `resolve` returned.
        activation: Name or function of the model's last activation.
        rules: The model's rules; those of the loss object or of the current dialect if `None`.

    Shape:
        Targets as the loss takes them, logits (batch, …, classes) → (batch, …).

    Example:
        >>> import torch
        >>> from torchkeras_compat import losses
        >>> losses.fused('sparse_categorical_crossentropy', 'softmax')(torch.tensor([1]), torch.tensor([[0.0, 0.0]]))
        tensor([0.6931])
        >>> losses.fused('mse', 'softmax') is None
        True
    """
    described = describe(loss)
    form_and_options = _form(described, activation, _rules(described, rules))
    if form_and_options is None:
        return None
    form, options = form_and_options
    values = functools.partial(form.values, **options) if options else form.values
    owner = described.owner
    if owner is None or type(owner).valid is Loss.valid:
        return values
    counted = owner.counted
    return lambda y_true, logits: counted(y_true, values(y_true, logits))


def fused_mean(loss: Any, activation: Any, rules: Rules | None = None) -> FromLogits | None:
    """Return the unweighted mean loss as a function of (targets, logits), in the fewest kernels; `None` as `fused`.

    Args:
        loss: A loss as a name, function, `functools.partial`, class instance or what `resolve` returned.
        activation: Name or function of the model's last activation.
        rules: The model's rules; those of the loss object or of the current dialect if `None`.

    Shape:
        Targets as the loss takes them, logits (batch, …, classes) → 0-d.

    Example:
        >>> import torch
        >>> from torchkeras_compat import losses
        >>> losses.fused_mean('binary_crossentropy', 'sigmoid')(torch.tensor([[1.0]]), torch.tensor([[0.0]]))
        tensor(0.6931)
    """
    described = describe(loss)
    rules = _rules(described, rules)
    form_and_options = _form(described, activation, rules)
    reduction = described.owner.reduction if described.owner is not None else Reduction.AUTO
    if form_and_options is None or reduction not in (Reduction.AUTO, Reduction.SUM_OVER_BATCH_SIZE):
        return None
    form, options = form_and_options
    if form.mean is not None and options.get("ignore_class") is None:
        return functools.partial(form.mean, **options) if options else form.mean
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # _form has just said it
        values = fused(loss, activation, rules)
    return None if values is None else lambda y_true, logits: values(y_true, logits).mean()


def _of_logits(loss: FunctionLoss, y_true: Tensor, logits: Tensor) -> Tensor | None:
    """Return a loss object's per-sample values from the logits of the activation that belongs to it, or `None`."""
    values = fused(loss, FORMS[type(loss).fn].activation)
    return None if values is None else values(y_true, logits)


FROM_LOGITS.update(dict.fromkeys(FORMS, _of_logits))
