"""What `compile` was told: the optimizer, and the losses and metrics of each output."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from .. import metrics, optimizers
from .._core import registry
from .._core.border import user_stacklevel
from .._core.dialects import Rules
from .._core.errors import argument_error, positive_int
from .._core.tree import flatten
from ..metrics.resolution import MadeByName
from ..mixed_precision import LossScaleOptimizer, Policy
from .heads import Head, MetricLine, by_output, metrics_by_output


@dataclass
class CompileConfig:
    """What `compile` was told.

    Attributes:
        optimizer: An optimizer of this package, or a `torch.optim.Optimizer` as the user made it.
        loss: The loss, or a list or dictionary of them by output.
        metrics: As given.
        weighted_metrics: As given.
        loss_weights: As given.
        rules: The dialect's rules.
        jit_compile: Whether training steps become graphs; `None` where the device decides.
        run_eagerly: Whether they never do.
        steps_per_execution: Accepted; hooks see every batch.
        sample_weight_mode: Accepted; a weight for each time step is known by its shape.
        told: The arguments of `compile` as they were given, in Keras's order.
        heads: The outputs, once the model knows them.
        loss_metrics: The means of the losses by name, once a step has computed some.
        side_metrics: The means of what layers tell by `add_metric`, likewise.
        dialect: The dialect that metrics given by name are made in; the current one if `None`.
    """

    optimizer: Any
    loss: Any
    metrics: Any
    weighted_metrics: Any
    loss_weights: Any
    rules: Rules
    jit_compile: bool | None = None
    run_eagerly: bool | None = None
    steps_per_execution: int = 1
    sample_weight_mode: Any = None
    told: dict[str, Any] = field(default_factory=dict, repr=False)
    heads: list[Head] | None = field(default=None, repr=False)
    loss_metrics: dict[str, metrics.Mean] = field(default_factory=dict, repr=False)
    side_metrics: dict[str, metrics.Mean] = field(default_factory=dict, repr=False)
    dialect: str | None = None

    def heads_for(self, names: Sequence[str], keys: Sequence[str]) -> list[Head]:
        """Return the outputs of a model with their losses and metrics; made once.

        Args:
            names: The names of the outputs.
            keys: The keys under which the model gives them, where those differ from the names.

        Raises:
            ValueError: Something was said of an output that there is not.
        """
        if self.heads is None or [head.name for head in self.heads] != list(names):
            several, made = len(names) > 1, MadeByName(self.dialect)
            parts = zip(
                names,
                keys,
                by_output("loss", self.loss, names, keys),
                by_output("loss_weights", self.loss_weights, names, keys),
                metrics_by_output("metrics", self.metrics, names, keys),
                metrics_by_output("weighted_metrics", self.weighted_metrics, names, keys),
            )
            self.heads = [
                Head(
                    name,
                    loss,
                    w,
                    own,
                    weighted,
                    self.rules,
                    key,
                    prefix=f"{name}_" if several else "",
                    made_by_name=made,
                )
                for name, key, loss, w, own, weighted in parts
            ]
        return self.heads

    def with_accuracy(self) -> CompileConfig:
        """Return the same with the metric `'accuracy'` of every output, itself where that is there."""
        if any(identifier in ("accuracy", "acc") for identifier in _identifiers(self.metrics)):
            return self
        if isinstance(self.metrics, dict):
            shown: Any = {name: [*_identifiers(own), "accuracy"] for name, own in self.metrics.items()}
        elif any(isinstance(own, (list, tuple)) for own in self.metrics or ()):
            shown = [[*_identifiers(own), "accuracy"] for own in self.metrics]
        else:
            shown = [*_identifiers(self.metrics), "accuracy"]
        return replace(
            self, metrics=shown, told={**self.told, "metrics": shown}, heads=None, loss_metrics={}, side_metrics={}
        )

    def loss_metric(self, name: str) -> metrics.Mean:
        """Return the mean of a loss as a metric of that name, made at the first call."""
        return self.loss_metrics.get(name) or self.loss_metrics.setdefault(name, metrics.Mean(name=name))

    def side_metric(self, name: str) -> metrics.Mean:
        """Return the mean of what a layer tells by `add_metric` as a metric of that name, made at the first call."""
        return self.side_metrics.get(name) or self.side_metrics.setdefault(name, metrics.Mean(name=name))

    @property
    def lines(self) -> list[MetricLine]:
        """The metrics of all outputs that are known by name so far."""
        return [line for head in self.heads or () for line in head.lines or ()]


def _resolved_losses(loss: Any, dialect: str | None) -> Any:
    """Return losses by name as what they are, in lists and dictionaries too."""
    if isinstance(loss, dict) and "class_name" not in loss:
        return {name: _resolved_losses(item, dialect) for name, item in loss.items()}
    if isinstance(loss, (list, tuple)):
        return [_resolved_losses(item, dialect) for item in loss]
    if loss is None or isinstance(loss, torch.nn.Module):
        return loss
    return registry.get("loss", loss, dialect=dialect)


def _identifiers(value: Any) -> Iterable[Any]:
    """Yield the metrics in what `compile` was given."""
    if isinstance(value, dict) and "class_name" in value:
        yield value
    else:
        for item in flatten(value) if not isinstance(value, dict) else value.values():
            if isinstance(item, (list, tuple, dict)) and item is not value:
                yield from _identifiers(item)
            elif item is not None:
                yield item


def make_config(rules: Rules, dialect: str | None, told: dict[str, Any], sample_weight_mode: Any) -> CompileConfig:
    """Check and resolve the arguments of `compile`; raises before the model is changed.

    Args:
        rules: The rules of the model's dialect.
        dialect: Its name.
        told: The arguments that configurations have, by name.
        sample_weight_mode: The one that they do not have.
    """
    optimizer, jit_compile, steps = told["optimizer"], told["jit_compile"], told["steps_per_execution"]
    resolved = _resolved_losses(told["loss"], dialect)
    if isinstance(optimizer, torch.optim.Optimizer):
        chosen: Any = optimizer
    else:
        chosen = optimizers.get(optimizer) if not isinstance(optimizer, str) else None
        chosen = chosen or registry.get("optimizer", optimizer, dialect=dialect)
    if jit_compile and told["run_eagerly"]:
        raise ValueError("compile(run_eagerly=True, jit_compile=True): one excludes the other; give one of them.")
    for identifier in (*_identifiers(told["metrics"]), *_identifiers(told["weighted_metrics"])):
        metrics.check(identifier)  # an unknown name is refused here
    for weight in _each(told["loss_weights"]):
        if weight is not None and not hasattr(weight, "__float__"):
            raise argument_error("compile", "loss_weights", "numbers", told["loss_weights"])
    return CompileConfig(
        chosen,
        resolved,
        told["metrics"],
        told["weighted_metrics"],
        told["loss_weights"],
        rules,
        None if jit_compile is None else bool(jit_compile),
        told["run_eagerly"],
        1 if steps is None else positive_int("compile", "steps_per_execution", steps),
        sample_weight_mode,
        told,
        dialect=dialect,
    )


def with_loss_scale(policy: Policy, optimizer: Any) -> Any:
    """Return the optimizer that a model under this policy trains with: under `mixed_float16` one that scales the loss.

    Args:
        policy: The model's own.
        optimizer: What `compile` was given.
    """
    if policy.name != "mixed_float16" or isinstance(optimizer, LossScaleOptimizer):
        return optimizer
    if isinstance(optimizer, optimizers.Optimizer) and not optimizer.is_written:
        return LossScaleOptimizer(optimizer)
    warnings.warn(
        f"compile: under mixed_float16 the loss is scaled for optimizers of this package only; with "
        f"{type(optimizer).__name__} small gradients become 0. Write optimizers.Adam() or the like, or take "
        f"mixed_bfloat16, which needs no scale.",
        stacklevel=user_stacklevel(),
    )
    return optimizer


def _each(value: Any) -> list[Any]:
    if isinstance(value, dict) and "class_name" not in value:
        return [item for part in value.values() for item in _each(part)]
    return [item for part in value for item in _each(part)] if isinstance(value, (list, tuple)) else [value]
