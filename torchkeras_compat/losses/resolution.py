"""From what `compile(loss=…)` was given to what the training step calls."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .._core import dialects, registry, settings
from .._core.dialects import Rules
from .._core.errors import show
from .._core.user_tensors import calling, plain_torch
from . import fusion, torch_losses
from .base import Loss, Reduction, align, reduced, tensors, under, weighted

Function = Callable[[Any, Any], Tensor]


@dataclass(frozen=True)
class Resolved:
    """A loss, ready for the training step.

    Attributes:
        name: What messages call it.
        loss: The function or object behind it.
        per_sample: Gives values of (targets, predictions), one a sample (and time step) for everything of Keras; a
            user's function may give a 0-d tensor.  `None` where only `scalar` exists.
        scalar: Gives the loss itself when there are no weights, where that is not the mean of `per_sample`.
        reduction: `'sum_over_batch_size'`, `'sum'` or `'none'`: how `per_sample` becomes one number.
        rules: The rules of the model it was resolved for.
    """

    name: str
    loss: Any
    per_sample: Function | None
    scalar: Function | None
    reduction: str
    rules: Rules

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the loss of a batch as a 0-d tensor (with the reduction `'none'`, the values)."""
        if self.scalar is not None and (sample_weight is None or self.per_sample is None):
            if sample_weight is not None:
                raise ValueError(
                    f"{self.name}: sample_weight needs a loss that gives one value per sample; this one gives a single "
                    "number. Write it as a function that returns per-sample values."
                )
            return self.scalar(y_true, y_pred)
        if self.per_sample is None:
            raise TypeError(f"{self.name}: neither per-sample values nor a scalar can be computed.")
        return reduced(weighted(self.per_sample(y_true, y_pred), sample_weight), self.reduction)

    def fused(self, activation: Any) -> fusion.FromLogits | None:
        """Return `losses.fused` of this loss and the model's last activation."""
        return fusion.fused(self.loss, activation, self.rules)

    def fused_mean(self, activation: Any) -> fusion.FromLogits | None:
        """Return `losses.fused_mean` of this loss and the model's last activation."""
        return fusion.fused_mean(self.loss, activation, self.rules)


def resolve(identifier: Any, rules: Rules | None = None) -> Resolved:
    """Return what a training step needs to know about a loss.

    Args:
        identifier: A name, configuration, function, class or instance; `torch.nn` losses and functions of
            `torch.nn.functional` get their arguments in torch's order.
        rules: The model's rules; those of the current dialect if `None`.

    Raises:
        ValueError: A name that is not known, or no loss at all.
        TypeError: Something that cannot be a loss.

    Example:
        >>> import torch
        >>> from torchkeras_compat import losses
        >>> losses.resolve(torch.nn.MSELoss())(torch.tensor([1.0, 2.0]), torch.tensor([[1.0], [4.0]]))
        tensor(2.)
    """
    if isinstance(identifier, Resolved):
        return identifier
    rules = rules or dialects.current().rules
    if identifier is None:
        raise ValueError("compile(loss=None): a loss is needed to train; write loss='mse' or another name of losses.")
    if torch_losses.is_torch_loss(identifier):
        return _of_torch(identifier() if inspect.isclass(identifier) else identifier, rules)
    loss = registry.get("loss", identifier)
    if isinstance(loss, Loss):
        return _of_object(loss, rules)
    if not callable(loss):
        raise TypeError(f"compile(loss={show(identifier)}): a loss must be a name, a function or a Loss object.")
    return _of_function(loss, rules)


def _of_torch(loss: Any, rules: Rules) -> Resolved:
    name = getattr(loss, "__name__", None) or settings.snake_case(type(loss).__name__)
    values = torch_losses.per_sample(loss)
    reduction = getattr(loss, "reduction", "mean")
    scalar = None if reduction == "none" else torch_losses.caller(loss)
    return Resolved(name, loss, values, scalar, _REDUCTIONS.get(reduction, Reduction.SUM_OVER_BATCH_SIZE), rules)


# Of torch's names and Keras's, to the three that the step knows.
_REDUCTIONS = {
    "none": Reduction.NONE,
    "sum": Reduction.SUM,
    "mean": Reduction.SUM_OVER_BATCH_SIZE,
    "auto": Reduction.SUM_OVER_BATCH_SIZE,
}


def _of_object(loss: Loss, rules: Rules) -> Resolved:
    name = loss.name or settings.snake_case(type(loss).__name__)
    reduction = _REDUCTIONS.get(loss.reduction, loss.reduction)
    if type(loss).__call__ is not Loss.__call__:  # a user's class that reduces by itself
        return Resolved(name, loss, None, calling(loss), reduction, rules)
    return Resolved(name, loss, _aligned(_values_under(loss, rules)), None, reduction, rules)


def _values_under(loss: Loss, rules: Rules) -> Function:
    """Return the values of a loss object under the rules of the model, not those it was made under."""
    described = fusion.describe(loss)
    function = under(described.function, rules) if described.function is not None else None
    if function is None or function is described.function:
        return loss.values
    return lambda y_true, y_pred: loss.counted(y_true, function(y_true, y_pred, **described.options))


def _of_function(loss: Callable[..., Tensor], rules: Rules) -> Resolved:
    name = getattr(loss, "__name__", None) or type(loss).__name__
    if isinstance(loss, functools.partial):
        name = getattr(loss.func, "__name__", name)
    call = under(loss, rules)
    if call is loss and not any(known is loss for known in registry.KINDS["loss"].entries.values()):
        call = _aligned(loss)
    return Resolved(name, loss, call, None, Reduction.SUM_OVER_BATCH_SIZE, rules)


def _aligned(function: Callable[..., Tensor]) -> Function:
    """Let a user's function see targets of shape (N,) as (N, 1) where the predictions have two axes, as Keras does."""
    called = calling(function)

    def call(y_true: Any, y_pred: Any) -> Tensor:
        with plain_torch():
            y_true, y_pred = tensors(y_true, y_pred, cast=False)
            if y_true.is_floating_point():
                y_true = y_true.to(y_pred.dtype)
            if y_true.ndim != y_pred.ndim:
                y_true, y_pred = align(y_true, y_pred)
        values = called(y_true, y_pred)
        if not isinstance(values, Tensor):
            raise TypeError(
                f"{getattr(function, '__name__', 'loss')}: a loss function must return a tensor; got {show(values)}."
            )
        return values

    return call
