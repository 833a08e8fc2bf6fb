"""The averages of an epoch that has begun, as a tree of numbers: so that it can be gone on with in another process."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .._core.border import user_stacklevel
from ..metrics import Metric
from .averages import Averages, Sum, plain_floats
from .compiled_model import CompiledModel
from .step.step import Step


def epoch_state(model: CompiledModel, averages: Averages) -> dict[str, Any]:
    """Return the losses and metrics so far.

    Args:
        model: The model.
        averages: Those of its training step.
    """
    averages.reduce()
    told = averages.told
    return {
        "targets": [None if head.target_shape is None else list(head.target_shape) for head in model._heads()],
        "side": averages.side_names,
        "sums": [_parts(one) for one in averages.all_sums()],
        "metrics": [[state.value() for state in metric.variables] for metric in _with_states(model, averages)],
        "told": None if told is None else plain_floats(told),
    }


def set_epoch_state(model: CompiledModel, step: Step, state: Mapping[str, Any]) -> None:
    """Set the losses and metrics to what `epoch_state` returned.

    Args:
        model: The model.
        step: Its training step.
        state: What `epoch_state` returned.
    """
    model._resolve_metrics([None if shape is None else tuple(shape) for shape in state["targets"]])
    averages = step.averages  # which are new where the metrics have become known just now
    for name in state["side"]:
        averages.side_mean(name)
    for one, (host, device) in zip(averages.all_sums(), state["sums"]):
        one.host = host
        if one.device is not None:
            one.device.fill_(device)
        else:
            one.host += device
    _set_states(_with_states(model, averages), state["metrics"])
    if state["told"] is not None:
        averages.tell(dict(state["told"]))


def _parts(one: Sum) -> tuple[float, float]:
    return float(one.host), 0.0 if one.device is None else float(one.device)


def _with_states(model: CompiledModel, averages: Averages) -> list[Metric]:
    """Return the metrics that keep states of their own."""
    lines = [line.metric for line in averages.lines if line.function is None]
    known = {id(metric) for metric in lines}
    return [*lines, *(metric for metric in model._own_metrics() if id(metric) not in known)]


def _set_states(metrics: Sequence[Metric], values: Sequence[Sequence[torch.Tensor]]) -> None:
    for metric, kept in zip(metrics, values):
        states = metric.variables
        if [tuple(state.shape) for state in states] != [tuple(value.shape) for value in kept]:
            warnings.warn(
                f"fit: the metric {metric.name} has other states than in the backup; its value for this epoch covers "
                f"the rest of it alone.",
                stacklevel=user_stacklevel(),
            )
            continue
        for state, value in zip(states, kept):
            state.assign(value)
