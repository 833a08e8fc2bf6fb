"""The loss of one output of a model over a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ... import losses
from ..._core import registry
from ..._core.dialects import Rules
from ..._core.ownership import is_ours
from ..._core.user_tensors import is_users
from ...losses.base import Reduction, align, fit_weight, tensors

Mean = Callable[[Any, Any], Tensor]  # of (targets, what the output gives)

# One kernel for the mean over everything, where torch has it.
MEANS: dict[Any, Mean] = {losses.mean_squared_error: F.mse_loss, losses.mean_absolute_error: F.l1_loss}


def unweighted_mean(loss: losses.Resolved) -> Mean:
    """Return a loss of (targets, predictions) without masks and weights, in the fewest kernels; its mean counts."""
    if loss.scalar is not None:
        return loss.scalar
    described = losses.fusion.describe(loss.loss)
    kernel = MEANS.get(described.function) if loss.reduction == Reduction.SUM_OVER_BATCH_SIZE else None
    if kernel is None:
        return loss

    def call(y_true: Any, y_pred: Any) -> Tensor:
        if not isinstance(y_true, Tensor) or y_true.dtype != y_pred.dtype:
            y_true, y_pred = tensors(y_true, y_pred)
        if y_true.ndim != y_pred.ndim:
            y_true, y_pred = align(y_true, y_pred)
        return kernel(y_pred, y_true) if y_true.shape == y_pred.shape and y_pred.numel() else loss(y_true, y_pred)

    return call


class Objective:
    """The loss of a batch: fused with a final softmax or sigmoid where that is exact, masked and weighted by the rules.

    Args:
        loss: By name, object or function.
        activation: The activation function that the model ends in, if it ends in one.
        rules: The dialect's.
        scale: What the loss is multiplied by in the total, which the step does; `None` where that may change.

    Attributes:
        fused: Gives per-sample values of (targets, logits) where the loss is fused; it takes logits then, and
            predictions otherwise.
        summed: Whether training minimises the sum, not the mean, of the values.
        counts_all: Whether the loss leaves no samples out, as of an ignored class.
        additive: Whether the mean over several batches is that over all their samples.
    """

    def __init__(
        self, loss: Any, activation: Callable[..., Any] | None, rules: Rules, scale: float | None = 1.0
    ) -> None:
        self.loss = losses.resolve(loss, rules)
        self.of_user = is_users(self.loss.loss)
        self.rules = rules
        self.scale = scale
        name = registry.name_of("activation", activation) if activation is not None else None
        self.fused = self.loss.fused(name)
        self.unreduced = self.loss.reduction == "none"
        self.summed = self.unreduced or self.loss.reduction == "sum"
        self._mean = (self.loss.fused_mean(name) or self.fused) if self.fused else unweighted_mean(self.loss)
        # A class that reduces, or does not, by itself.
        self._alone = self.loss.scalar if self.loss.per_sample is None else None
        # Not for a function we cannot look into.
        kind = self.loss.loss if hasattr(self.loss.loss, "__name__") else type(self.loss.loss)
        owner = losses.fusion.describe(self.loss.loss).owner
        self.counts_all = owner is None or owner.counts_all
        self.additive = is_ours(kind) and not self.summed and self.loss.per_sample is not None and self.counts_all

    def __call__(self, y: Tensor, output: Tensor, mask: Tensor | None = None, weight: Tensor | None = None) -> Tensor:
        """Return the loss of a batch from its predictions, or from its logits where the loss is fused.

        It is 0-d, but for the reduction `'none'`: then its values, whose sum is what training minimises.
        """
        if mask is None and weight is None and not self.summed:
            value = self._mean(y, output)
            return value.mean() if value.dim() else value
        if mask is None and weight is None and self._alone is not None:
            return self._alone(y, output)
        return self._weighted(self._values(y, output), mask, weight)

    def _values(self, y: Tensor, output: Tensor) -> Tensor:
        if self.fused is not None:
            return self.fused(y, output)
        if self.loss.per_sample is None:
            raise ValueError(
                f"{self.loss.name}: sample weights and masks need a loss that gives one value per sample; this one "
                f"gives a single number. Write it as a function that returns per-sample values."
            )
        return self.loss.per_sample(y, output)

    def _weighted(self, values: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
        rules = self.rules
        if mask is not None:
            share = fit_weight(mask.to(values.dtype), values)
            share = share.expand_as(values) if values.dim() else share.mean()
            values = values * share
            if rules.mean_over_valid_steps and not self.summed:
                values = values / share.mean()
        if weight is not None and rules.normalise_by_nonzero:
            while values.dim() > weight.dim():
                values = values.mean(-1)
            values = values * weight / (weight != 0).to(values.dtype).mean()
        elif weight is not None:
            values = values * fit_weight(weight.to(values.dtype), values)
        if self.unreduced:
            return values
        return values.sum() if self.summed else values.mean()
