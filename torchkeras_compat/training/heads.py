"""The outputs of a model as training sees them: the loss, the weight and the metrics of each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .. import losses, metrics
from .._core.dialects import Rules
from .._core.errors import argument_error, did_you_mean
from .._core.ownership import is_ours
from .._core.user_tensors import Live, calling, is_users
from ..metrics.resolution import MadeByName
from .data.signature import by_key_or_name


@dataclass
class MetricLine:
    """One metric of a model: what logs call it and how it is accumulated.

    Attributes:
        name: The key in logs.
        metric: A metric object.
        weighted: Whether sample weights count (`weighted_metrics`).
        weights_as_columns: Whether a metric of a user's gets weights beside its targets, one a row.
    """

    name: str
    metric: metrics.Metric
    weighted: bool = False
    weights_as_columns: bool = False

    @property
    def function(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """What gives values whose mean is the metric; `None` for metrics that keep their own state."""
        return getattr(self.metric, "values", None) if getattr(self.metric, "averages", False) else None

    @property
    def of_user(self) -> bool:
        """Whether a user wrote it."""
        return is_users(getattr(self.metric, "fn", None) or self.metric)

    def update(self, y: Tensor, y_pred: Tensor, weight: Tensor | None) -> None:
        """Let a metric that keeps its own state take in a batch; a user's has targets in rows where predictions are.

        Args:
            y: The targets.
            y_pred: The predictions.
            weight: The weights of samples.
        """
        if self.of_user and y_pred.dim() == 2:
            y = _as_column(y.to(y_pred.dtype) if y.is_floating_point() else y)
            if weight is not None and self.weights_as_columns:
                weight = _as_column(weight)
        calling(self.metric.update_state)(y, y_pred, weight)

    @property
    def row_wise(self) -> bool:
        """Whether many batches may be taken at once: the metric is ours, and looks at each sample alone."""
        wrapped = getattr(self.metric, "fn", None) or type(self.metric)
        return is_ours(type(self.metric)) and is_ours(wrapped) and not getattr(wrapped, "of_batch", False)


def _as_column(values: Tensor) -> Tensor:
    """Return one value a sample as one a row: beside predictions of two axes it would broadcast to all pairs."""
    return values.unsqueeze(-1) if values.dim() == 1 else values


@dataclass
class Head:
    """One output of a model.

    Attributes:
        name: The name of the output.
        loss: The loss, as the registry knows it; `None` where the output has none.
        told_weight: What the loss is multiplied by in the total: a number, `None` for 1, or a variable.
        metrics: The metrics as given.
        weighted_metrics: Those that count sample weights.
        rules: The dialect's rules.
        key: The key under which the model gives the output, where that is not its name.
        prefix: What stands before the names in logs: nothing for the only output of a model.
        made_by_name: Makes the metrics that are given by name, those of the other outputs too.
        lines: The metrics with their names, once the shapes of targets are known.
        target_shape: The shape of the targets that told them.
        weight: `told_weight` as a number, as it stands now.
    """

    name: str
    loss: Any
    told_weight: Any
    metrics: list[Any]
    weighted_metrics: list[Any]
    rules: Rules
    key: str | None = None
    prefix: str = ""
    made_by_name: MadeByName = field(default_factory=MadeByName, repr=False, compare=False)
    lines: list[MetricLine] | None = None
    target_shape: tuple[int | None, ...] | None = None
    weight: float = field(init=False, repr=False, compare=False)
    _resolved: tuple[Any, losses.Resolved] | None = field(default=None, repr=False)

    def resolved_loss(self) -> losses.Resolved:
        """Return what the step needs to know about the loss; looked up once, not at each batch."""
        if self._resolved is None or self._resolved[0] is not self.loss:
            self._resolved = (self.loss, losses.resolve(self.loss, self.rules))
        return self._resolved[1]

    def resolve_metrics(
        self, output_shape: Sequence[int | None], target_shape: Sequence[int | None]
    ) -> list[MetricLine]:
        """Return the metrics with the names that logs give them; `'accuracy'` needs the shapes."""
        if self.lines is None:
            self.target_shape = tuple(target_shape)
            resolved = [
                metrics.resolve(
                    identifier,
                    rules=self.rules,
                    loss=self.loss,
                    output_shape=tuple(output_shape),
                    target_shape=tuple(target_shape),
                    made_by_name=self.made_by_name,
                )
                for identifier in (*self.metrics, *self.weighted_metrics)
            ]
            names = self._in_logs([name for name, _ in resolved])
            unweighted = len(self.metrics)
            self.lines = [
                MetricLine(n, metric, i >= unweighted, self.rules.sample_weights_are_columns)
                for i, (n, (_, metric)) in enumerate(zip(names, resolved))
            ]
            for line in self.lines:
                line.metric.rename(line.name)
        return self.lines

    def metric_names(self) -> list[str]:
        """Return what logs call the metrics, whether or not the shapes of targets are known."""
        if self.lines is not None:
            return [line.name for line in self.lines]
        return self._in_logs([metrics.name_in_logs(one, self.rules) for one in (*self.metrics, *self.weighted_metrics)])

    def _in_logs(self, names: Sequence[str]) -> list[str]:
        """Return names of metrics with the output's name before them, and a number behind where one is there twice."""
        known: list[str] = []
        for i, short in enumerate(names):
            name = f"{self.prefix}{short}"
            weighted = (f"{self.prefix}weighted_{short}",) if i >= len(self.metrics) else ()
            candidates = (name, *weighted, *(f"{name}_{number}" for number in range(1, len(known) + 2)))
            known.append(next(one for one in candidates if one not in known and one != "loss"))
        return known

    def __post_init__(self) -> None:
        if not self.is_annealed:  # an attribute: steps read it, and a property would be a call in each
            self.weight = 1.0 if self.told_weight is None else float(self.told_weight)

    def __getattr__(self, name: str) -> Any:
        if name != "weight":
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return float(self.told_weight)

    @property
    def is_annealed(self) -> bool:
        """Whether the weight is a variable, which a callback may set while the model trains."""
        return isinstance(self.told_weight, Live)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is looked up again when needed, and cannot be pickled."""
        return {**self.__dict__, "_resolved": None}


# --- what `compile` was told, output by output -------------------------------------------------------------------


def by_output(argument: str, value: Any, names: Sequence[str], keys: Sequence[str], missing: Any = None) -> list[Any]:
    """Return what `compile` was told for each output: a value for all, a list in their order, or a dictionary.

    Args:
        argument: `'loss'` or `'loss_weights'`.
        value: What was given.
        names: The names of the outputs.
        keys: The keys under which the model gives them, where those differ from the names.
        missing: What a dictionary that leaves an output out says of it.

    Raises:
        ValueError: A list of another length, or a name that no output has.
    """
    if isinstance(value, Mapping) and "class_name" not in value:
        if len(names) == 1 and len(value) == 1:
            return [_only(item) for item in value.values()]
        refuse_unknown("compile", argument, value, (*names, *keys))
        return [_only(item) for item in by_key_or_name(value, names, keys, missing)]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            expected = "one; the model has one output" if len(names) == 1 else f"{len(names)}, for the outputs {names}"
            raise argument_error("compile", argument, expected, value)
        return list(value)
    return [value] * len(names)


def _only(value: Any) -> Any:
    """Return the entry of a list of one, as in `loss={'out': ['mse']}`; anything else as it is."""
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def refuse_unknown(method: str, argument: str, value: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise where a dictionary names an output that there is not.

    Raises:
        ValueError: It does.
    """
    for key in value:
        if key not in names:
            raise ValueError(
                f"{method}({argument}={{{key!r}: …}}): no output is called {key!r}; {did_you_mean(str(key), names)}"
            )


def metrics_by_output(argument: str, value: Any, names: Sequence[str], keys: Sequence[str]) -> list[list[Any]]:
    """Return the metrics of each output: a flat list is for all of them, a list of lists or a dictionary by output.

    Args:
        argument: `'metrics'` or `'weighted_metrics'`.
        value: What `compile` was given.
        names: The names of the outputs.
        keys: The keys under which the model gives them.

    Raises:
        ValueError: A list of lists of another length, or a name that no output has.
    """
    if value is None:
        return [[] for _ in names]
    if isinstance(value, Mapping) and "class_name" not in value:
        if len(names) > 1:
            refuse_unknown("compile", argument, value, (*names, *keys))
            return [_flat(item) for item in by_key_or_name(value, names, keys)]
        return [_flat(list(value.values()))]
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if len(names) == 1:
        return [_flat(items)]
    if any(isinstance(item, (list, tuple, Mapping)) for item in items):
        return [_flat(item) for item in by_output(argument, items, names, keys)]
    items = _flat(items)  # a flat list is for all outputs, as in Keras, also where a `None` is in it
    return [items if i == 0 else [_again(item) for item in items] for i in range(len(names))]


def _again(metric: Any) -> Any:
    """Return a metric for another output: an object of its own, for it keeps a state."""
    return copy.deepcopy(metric) if isinstance(metric, metrics.Metric) else metric


def _flat(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in _flat(part)]
    return [value]
