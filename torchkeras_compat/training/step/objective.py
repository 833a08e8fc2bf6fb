"""The loss of one output of a model over a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ... import losses
from ..._core import registry
from ..._core.config import is_ours
from ..._core.dialects import Rules
from ..._core.user_tensors import is_users
from ...losses.base import fit_weight


class Objective:
    """The loss of a batch: fused with a final softmax or sigmoid where that is exact, masked and weighted by the rules.

    Args:
        loss: By name, object or function.
        activation: The activation function that the model ends in, if it ends in one.
        rules: The dialect's.
        scale: What the loss is multiplied by in the total, which the step does.
    """

    def __init__(self, loss: Any, activation: Callable[..., Any] | None, rules: Rules, scale: float = 1.0) -> None:
        self.loss = losses.resolve(loss, rules)
        self.of_user = is_users(self.loss.loss)
        self.rules = rules
        self.scale = scale
        name = registry.name_of("activation", activation) if activation is not None else None
        self.fused = self.loss.fused(name)
        self.fused_mean = self.loss.fused_mean(name)
        self.mean = self.loss.unweighted()
        self.unreduced = self.loss.reduction == "none"
        self.summed = self.unreduced or self.loss.reduction == "sum"
        # Whether the mean over several batches is that over all their rows: not for a function we cannot look into.
        kind = self.loss.loss if hasattr(self.loss.loss, "__name__") else type(self.loss.loss)
        self.additive = is_ours(kind) and not self.summed and self.loss.per_sample is not None

    def __call__(
        self, y: Tensor, y_pred: Tensor | None, logits: Tensor | None, mask: Tensor | None, weight: Tensor | None
    ) -> Tensor:
        """Return the loss of a batch from its predictions, or from its logits where the loss is fused.

        It is 0-d, but for the reduction `'none'`: then its values, whose sum is what training minimises.
        """
        if mask is None and weight is None and not self.summed:
            value = self._mean(y, y_pred, logits)
        elif mask is None and weight is None and self.loss.per_sample is None and self.loss.scalar is not None:
            value = self.loss.scalar(y, y_pred)  # a class that reduces, or does not, by itself
        else:
            value = self._weighted(self._values(y, y_pred, logits), mask, weight)
        return value

    def _mean(self, y: Tensor, y_pred: Tensor | None, logits: Tensor | None) -> Tensor:
        if logits is not None and self.fused_mean is not None:
            return self.fused_mean(y, logits)
        value = self.mean(y, y_pred) if logits is None else self._values(y, y_pred, logits)
        return value.mean() if value.dim() else value

    def _values(self, y: Tensor, y_pred: Tensor | None, logits: Tensor | None) -> Tensor:
        if logits is not None and self.fused is not None:
            return self.fused(y, logits)
        if self.loss.per_sample is None:
            raise ValueError(
                f"{self.loss.name}: sample weights and masks need a loss that gives one value per sample; this one "
                f"gives a single number. Write it as a function that returns per-sample values."
            )
        return self.loss.per_sample(y, y_pred)

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
