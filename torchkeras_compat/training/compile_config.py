"""What `compile` was told, resolved: the optimizer, the objective and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .. import losses, metrics, optimizers
from .._core import registry
from .._core.config import is_ours
from .._core.dialects import Rules
from .._core.errors import argument_error, positive_int
from .._core.user_tensors import is_users
from ..losses.base import fit_weight


class Objective:
    """The loss of a batch: fused with a final softmax or sigmoid where that is exact, masked and weighted by the rules.

    Args:
        loss: By name, object or function.
        activation: The activation function that the model ends in, if it ends in one.
        rules: The dialect's.
        scale: A factor, from `loss_weights`.
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
        return value if self.scale == 1 else value * self.scale

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


@dataclass
class MetricLine:
    """One metric of a model: what logs call it and how it is accumulated.

    Attributes:
        name: The key in logs.
        metric: A metric object, or a function of targets and predictions.
        weighted: Whether sample weights count (`weighted_metrics`).
    """

    name: str
    metric: metrics.Metric
    weighted: bool = False

    @property
    def function(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """What gives values whose mean is the metric; `None` for metrics that keep their own state."""
        return getattr(self.metric, "values", None) if getattr(self.metric, "averages", False) else None

    @property
    def of_user(self) -> bool:
        """Whether a user wrote it."""
        return is_users(getattr(self.metric, "fn", None) or self.metric)

    @property
    def row_wise(self) -> bool:
        """Whether many batches may be taken at once: the metric is ours, and so looks at each row alone."""
        wrapped = getattr(self.metric, "fn", None) or type(self.metric)
        return is_ours(type(self.metric)) and is_ours(wrapped)


@dataclass
class Recipe:
    """What `compile` was told.

    Attributes:
        optimizer: An optimizer of this package, or a `torch.optim.Optimizer` as the user made it.
        loss: As given; a step makes the objective of it once the model's last activation is known.
        metrics: As given.
        weighted_metrics: As given.
        loss_weights: As given.
        rules: The dialect's rules.
        jit_compile: Whether training steps are compiled.
        run_eagerly: Accepted; steps run eagerly but for `jit_compile`.
        steps_per_execution: Accepted; hooks see every batch.
        sample_weight_mode: Accepted; a weight for each time step is known by its shape.
    """

    optimizer: Any
    loss: Any
    metrics: list[Any]
    weighted_metrics: list[Any]
    loss_weights: Any
    rules: Rules
    jit_compile: bool = False
    run_eagerly: bool | None = None
    steps_per_execution: int = 1
    sample_weight_mode: str | None = None
    lines: list[MetricLine] | None = field(default=None, repr=False)
    _resolved: tuple[Any, losses.Resolved] | None = field(default=None, repr=False)

    def resolved_loss(self) -> losses.Resolved:
        """Return what the step needs to know about the loss; looked up once, not at each batch."""
        if self._resolved is None or self._resolved[0] is not self.loss:
            self._resolved = (self.loss, losses.resolve(self.loss, self.rules))
        return self._resolved[1]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is looked up again when needed, and cannot be pickled."""
        return {**self.__dict__, "_resolved": None}

    @property
    def scale(self) -> float:
        """The factor of the one output's loss."""
        weights = self.loss_weights
        if isinstance(weights, dict):
            weights = list(weights.values())
        if isinstance(weights, (list, tuple)):
            if len(weights) != 1:
                raise argument_error("compile", "loss_weights", "one number; a Sequential has one output", weights)
            weights = weights[0]
        return 1.0 if weights is None else float(weights)

    def resolve_metrics(
        self, output_shape: Sequence[int | None], target_shape: Sequence[int | None]
    ) -> list[MetricLine]:
        """Return the metrics with the names logs give them; `'accuracy'` needs the shapes."""
        if self.lines is None:
            self.lines = []
            for weighted, identifiers in ((False, self.metrics), (True, self.weighted_metrics)):
                for identifier in identifiers:
                    name, metric = metrics.resolve(
                        identifier,
                        rules=self.rules,
                        loss=self.loss,
                        output_shape=tuple(output_shape),
                        target_shape=tuple(target_shape),
                    )
                    self.lines.append(MetricLine(self._free(name, weighted), metric, weighted))
        return self.lines

    def _free(self, name: str, weighted: bool) -> str:
        taken = {line.name for line in self.lines or ()} | {"loss"}
        first = (name, f"weighted_{name}") if weighted else (name,)
        candidates: tuple[str, ...] = (*first, *(f"{name}_{i}" for i in range(1, len(taken) + 2)))
        return next(c for c in candidates if c not in taken)


def metric_list(value: Any) -> list[Any]:
    """Return `metrics` as a flat list: a list, a list in a list, a dictionary by output, or one metric alone."""
    if value is None:
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return [value]
    flat: list[Any] = []
    for item in value:
        flat += item if isinstance(item, (list, tuple)) else [item]
    return [item for item in flat if item is not None]


def make_recipe(
    rules: Rules,
    dialect: str,
    optimizer: Any,
    loss: Any,
    metrics_given: Any,
    loss_weights: Any,
    weighted_metrics: Any,
    run_eagerly: bool | None,
    steps_per_execution: int | None,
    jit_compile: bool | None,
    sample_weight_mode: Any,
) -> Recipe:
    """Check and resolve the arguments of `compile`; raises before the model is changed."""
    if loss is None:
        found = None
    else:
        if isinstance(loss, dict) and "class_name" not in loss and len(loss) == 1:
            loss = next(iter(loss.values()))  # {'output': 'mse'}
        if isinstance(loss, (list, tuple)):
            if len(loss) != 1:
                raise argument_error("compile", "loss", "one loss; a Sequential has one output", loss)
            loss = loss[0]
        found = registry.get("loss", loss, dialect=dialect) if not isinstance(loss, torch.nn.Module) else loss
    if isinstance(optimizer, torch.optim.Optimizer):
        chosen: Any = optimizer
    else:
        chosen = optimizers.get(optimizer) if not isinstance(optimizer, str) else None
        chosen = chosen or registry.get("optimizer", optimizer, dialect=dialect)
    if jit_compile and run_eagerly:
        raise ValueError("compile(run_eagerly=True, jit_compile=True): one excludes the other; give one of them.")
    lists = metric_list(metrics_given), metric_list(weighted_metrics)
    for identifier in (*lists[0], *lists[1]):
        metrics.resolve(identifier, rules=rules, loss=found, output_shape=(None, 2))  # an unknown name is refused here
    recipe = Recipe(
        chosen,
        found,
        *lists,
        loss_weights,
        rules,
        bool(jit_compile),
        run_eagerly,
        1 if steps_per_execution is None else positive_int("compile", "steps_per_execution", steps_per_execution),
        sample_weight_mode,
    )
    recipe.scale  # noqa: B018 - a wrong loss_weights is refused here
    return recipe
