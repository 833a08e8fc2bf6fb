"""Epoch averages without a device read per batch: losses and predictions are kept and reduced many batches at once.

What is reduced ends in the metrics' own states: `metric.result()` is right whenever it is asked.  A recorded step adds
to the sums on the device in place, and to those on the host what a batch of its shape always adds.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from .. import metrics
from .._core.grad_mode import without_grad
from .._core.graph_capture import CAPTURE
from ..losses.base import fit_weight
from ..metrics.base import Pending
from .compile_config import CompileConfig
from .heads import MetricLine

KEPT_BATCHES = 256
KEPT_ELEMENTS = 1 << 16  # of predictions kept before metrics are computed: few calls, and they stay in the cache

LossOfOutputs = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


class Sum:
    """A sum in double precision.

    Attributes:
        host: What was added as floats.
        device: What was added on the device, in one 0-d tensor for as long as the sum lives.
    """

    __slots__ = ("device", "host")

    def __init__(self) -> None:
        self.host: float = 0.0
        self.device: Tensor | None = None

    def reset(self) -> None:
        """Start afresh."""
        self.host = 0.0
        if self.device is not None:
            self.device.zero_()

    def add(self, value: Tensor | float) -> None:
        """Add a number."""
        if not isinstance(value, Tensor):
            self.host += value
        else:
            self.stand_on(value.device).add_(value)

    def stand_on(self, device: torch.device) -> Tensor:
        """Return the tensor on a device, moved there if it was on another one."""
        if self.device is not None and self.device.device == device:
            return self.device
        with torch.inference_mode(False):  # a tensor of inference could take nothing from training
            start = torch.zeros((), dtype=wide_type(device), device=device)
            self.device = start if self.device is None else start.add_(self.device.to(device))
        return self.device

    def value(self) -> Tensor | float:
        """Return the sum."""
        return self.host if self.device is None else self.device + self.host


class DeferredMean:
    """The mean of numbers on the device, each for so many samples, summed up many at a time."""

    def __init__(self) -> None:
        self.total, self.count = Sum(), Sum()
        self._values: list[Tensor] = []
        self._counts: list[int] = []

    def reset(self) -> None:
        """Start afresh."""
        self.forget_kept()
        self.total.reset()
        self.count.reset()

    def forget_kept(self) -> None:
        """Drop what is not summed up yet."""
        self._values, self._counts = [], []

    def add(self, value: Tensor, count: int) -> None:
        """Take note of a 0-d tensor that stands for `count` samples."""
        if value.is_cpu and not CAPTURE.active:  # reading it waits for nothing
            self.total.host += value.item() * count
            self.count.host += count
            return
        self._values.append(value)
        self._counts.append(count)
        if len(self._values) >= KEPT_BATCHES:
            self.reduce()

    def add_at_once(self, mean: Tensor, count: int) -> None:
        """Take the mean over several batches in."""
        self.total.add(number(mean) * count)
        self.count.host += count

    @without_grad
    def reduce(self) -> None:
        """Sum up what is kept."""
        if not self._values:
            return
        if len(self._values) == 1:
            self.total.add(wide(self._values[0]) * self._counts[0])
        else:
            values = wide(torch.stack(self._values))
            self.total.add(values @ torch.tensor(self._counts, dtype=values.dtype, device=values.device))
        self.count.host += sum(self._counts)
        self._values, self._counts = [], []

    def result(self) -> Tensor | float | None:
        """Return the mean so far; `None` before any number."""
        if self._values:
            self.reduce()
        return self.total.value() / self.count.host if self.count.host else None


class HeadAverages:
    """The metrics of one output of a model, and its loss where outputs are kept for it.

    Args:
        lines: The metrics.
        finish: What makes predictions of kept logits; `None` where predictions themselves are kept.
        scalar_by_rows: Whether a metric function that returns one number counts for each sample of its batch.
    """

    def __init__(
        self, lines: list[MetricLine], finish: Callable[[Tensor], Tensor] | None = None, scalar_by_rows: bool = False
    ) -> None:
        self.lines = lines
        self.finish = finish
        self.from_logits = [metrics.fused(line.metric, finish) if finish is not None else None for line in lines]
        self.scalar_by_rows = scalar_by_rows
        self.later = [i for i, line in enumerate(lines) if line.row_wise]
        self.at_once = [i for i, line in enumerate(lines) if not line.row_wise]
        # A recorded step adds to the sums of the package's own functions; other metrics see its outputs afterwards.
        self.recorded = [i for i in self.later if lines[i].function is not None]
        self.unrecorded = [i for i in range(len(lines)) if i not in self.recorded]
        self.loss = DeferredMean()
        self.loss_later: LossOfOutputs | None = None  # computes the loss of kept outputs
        self._pending = [
            Pending(functools.partial(self._settle, i), functools.partial(self._forget, i)) for i in range(len(lines))
        ]
        self.sums = [Sum() for _ in lines]
        self.counts = [Sum() for _ in lines]
        self.reset()

    def reset(self) -> None:
        """Start an epoch; the states of the metrics come from here from now on."""
        self.forget_kept()
        for one in (*self.sums, *self.counts):
            one.reset()
        self.loss.reset()
        for i, line in enumerate(self.lines):
            if line.function is None:
                line.metric.reset_state()
            else:
                line.metric.follow(self._pending[i])

    def forget_kept(self) -> None:
        """Drop what is not summed up yet."""
        self._kept: list[tuple[Tensor, Tensor, Tensor | None, Tensor | None]] = []
        self._elements = 0

    def add(self, y: Tensor, output: Tensor, mask: Tensor | None, weight: Tensor | None) -> None:
        """Take note of a batch.

        Args:
            y: Its targets.
            output: Its predictions or logits, detached.
            mask: Which steps of the output are valid.
            weight: The sample weights, for weighted metrics.
        """
        if CAPTURE.active:
            self._take(self.recorded, y, output, mask, weight)
            if self.loss_later is not None:
                self.loss.add_at_once(self.loss_later(y, output, weight), output.shape[0])
            return
        if output.dim() == 1 and self.later:  # the mean over the last axis is that over this batch
            self._take(range(len(self.lines)), y, output, mask, weight)
            return
        if self.later or self.loss_later is not None:
            self._kept.append((y, output, mask, weight))
            self._elements += output.numel()
            if self._elements >= KEPT_ELEMENTS or len(self._kept) >= KEPT_BATCHES:
                self.reduce()
        if self.at_once:
            self._take(self.at_once, y, output, mask, weight)

    def add_recorded(self, y: Tensor, output: Tensor, mask: Tensor | None, weight: Tensor | None) -> None:
        """Take note of a batch for the metrics that a recorded step has not added up."""
        if self.unrecorded:  # they may keep what they get, and the next step writes over it
            self._take(self.unrecorded, y.clone(), output.clone(), mask, weight)

    def add_predictions(self, y: Tensor, y_pred: Tensor, mask: Tensor | None, weight: Tensor | None) -> None:
        """Take note of a batch of predictions, whatever is kept of others."""
        finish, self.finish = self.finish, None
        fused, self.from_logits = self.from_logits, [None] * len(self.lines)
        try:
            self._take(range(len(self.lines)), y, y_pred, mask, weight)
        finally:
            self.finish, self.from_logits = finish, fused

    def reduce(self) -> None:
        """Compute the metrics of the batches that are kept."""
        if self._kept:
            self._reduce_kept()

    @without_grad
    def _reduce_kept(self) -> None:
        kept, self._kept, self._elements = self._kept, [], 0
        for items in _alike(kept) if len(kept) > 1 else [kept]:
            parts = zip(*items)
            y, output, mask, weight = (None if p[0] is None else p[0] if len(p) == 1 else torch.cat(p) for p in parts)
            if y is not None and output is not None:
                if self.loss_later is not None:
                    self.loss.add_at_once(self.loss_later(y, output, weight), output.shape[0])
                if self.later:
                    self._take(self.later, y, output, mask, weight)

    def _settle(self, index: int) -> None:
        """Write what has been reduced into the state of a metric."""
        self.reduce()
        metric: Any = self.lines[index].metric
        metric.total.assign(self.sums[index].value())
        metric.count.assign(self.counts[index].value())

    def _forget(self, index: int) -> None:
        """Let a metric start afresh that its user reset."""
        self.reduce()
        self.sums[index].reset()
        self.counts[index].reset()

    @without_grad
    def _take(
        self, which: Sequence[int], y: Tensor, output: Tensor, mask: Tensor | None, weight: Tensor | None
    ) -> None:
        needed = self.finish is not None and any(self.from_logits[i] is None for i in which)
        y_pred = self.finish(output) if needed and self.finish is not None else output
        for i in which:
            line = self.lines[i]
            counted = weight if line.weighted else None
            function = line.function
            if function is None:
                line.update(y, y_pred, _product(mask, counted))
                continue
            fused = self.from_logits[i]
            values = (function(y, y_pred) if fused is None else fused(y, output)).detach()
            if values.dim() == 0:
                share, count = self._share_of_scalar(len(y_pred), mask, counted)
                self.sums[i].add(number(values) * share)
                self.counts[i].add(count)
                continue
            if mask is None and counted is None:
                self.sums[i].add(sum_of(values))
                self.counts[i].add(values.numel())
                continue
            share = torch.ones_like(values)
            for part in (mask, counted):
                if part is not None:
                    share = share * fit_weight(part.to(values.dtype), values)
            self.sums[i].add(sum_of(values * share))
            self.counts[i].add(sum_of(share))

    def _share_of_scalar(
        self, samples: int, mask: Tensor | None, weight: Tensor | None
    ) -> tuple[Tensor | float, Tensor | float]:
        """Return what one number for a whole batch is multiplied by, and what it counts for in the mean of an epoch.

        tf.keras broadcasts it to the mask and the weights, and takes each element for a value.  Classic Keras
        (`weighted_masked_objective` in `engine/training_utils.py`, 2.2.4) counts samples: there a mask changes nothing,
        and weights are divided by the share of those that are not 0.
        """
        if not self.scalar_by_rows:
            valid = _product(mask, weight)
            count = 1.0 if valid is None else sum_of(valid)
            return count, count
        if weight is None:
            return float(samples), float(samples)
        kept = wide(weight != 0).mean() * (1.0 if mask is None else wide(mask).mean())
        product = _product(mask, weight)
        return samples * (wide(weight if product is None else product).mean() / kept.clamp(min=1e-12)), float(samples)

    def results(self) -> dict[str, Any]:
        """Return the metrics so far, on the device."""
        self.reduce()
        return {
            line.name: line.metric.result() if line.function is None else _ratio(total.value(), count.value())
            for line, total, count in zip(self.lines, self.sums, self.counts)
        }


class Averages:
    """The losses and the metrics of an epoch.

    Args:
        heads: Those of each output.
        names: The names of the outputs where there are several, whose losses are then told too.
        weights: Returns what the losses of the outputs are multiplied by in the total.
        config: What keeps the metric objects that are the means of losses, and of what layers tell.
    """

    def __init__(
        self,
        heads: Sequence[HeadAverages],
        names: Sequence[str] = (),
        weights: Callable[[], Sequence[float]] = lambda: (1.0,),
        config: CompileConfig | None = None,
    ) -> None:
        self.heads = list(heads)
        self.names, self.weights = list(names), weights
        self.lines = [line for head in self.heads for line in head.lines]
        self.of_user = any(line.of_user for line in self.lines)
        self.loss = DeferredMean()
        self.config = config
        self.loss_metrics = [] if config is None else [config.loss_metric(name) for name in self._loss_names()]
        self._pending = [
            Pending(functools.partial(self._settle, metric), functools.partial(self._forget, metric))
            for metric in self.loss_metrics
        ]
        self._side: dict[str, DeferredMean] = {}  # of `add_metric`
        self.reset()

    def _loss_names(self) -> list[str]:
        return ["loss", *(f"{name}_loss" for name in self.names if name)]

    def reset(self) -> None:
        """Start an epoch."""
        for metric, pending in zip(self.loss_metrics, self._pending):
            metric.follow(pending)
        self._last: Tensor | None = None
        self._last_outputs: list[Any] | None = None
        self._told: dict[str, Any] | None = None  # what a user's step returned
        for name, mean in self._side.items():
            mean.reset()
            self._follow_side(name, mean)
        self.loss.reset()
        for head in self.heads:
            head.reset()

    @property
    def metric_names(self) -> list[str]:
        """What logs call the losses and the metrics."""
        return [*self._loss_names(), *(line.name for line in self.lines), *self._side]

    def _mean_of(self, metric: Any) -> DeferredMean:
        """Return what a metric object is the mean of."""
        number = self._loss_names().index(metric.name)
        told = [head for head, name in zip(self.heads, self.names) if name]
        return told[number - 1].loss if number else self.loss

    def _settle(self, metric: metrics.Mean) -> None:
        """Write the mean of a loss into the state of its metric object."""
        _assign(metric, self.losses().get(metric.name))

    def _forget(self, metric: Any) -> None:
        self._mean_of(metric).reset()

    def add_loss(self, loss: Tensor, counts: int, by_output: Sequence[Tensor | None] = ()) -> None:
        """Take note of the loss of a batch.

        Args:
            loss: The total, 0-d, detached.
            counts: What it counts for in the mean, the number of samples for most.
            by_output: The losses of several outputs.
        """
        self._last = loss
        self.loss.add(loss, counts)
        for head, value in zip(self.heads, by_output):
            if value is not None:
                head.loss.add(value, counts)

    def add(self, ys: Sequence[Any], outputs: Sequence[Any], masks: Sequence[Any], weights: Sequence[Any]) -> None:
        """Take note of the outputs of a batch, each detached, where there are targets for it."""
        later = False
        for head, y, output, mask, weight in zip(self.heads, ys, outputs, masks, weights):
            later = later or head.loss_later is not None
            if y is not None:
                head.add(y, output, mask, weight)
        if later:
            self._last, self._last_outputs = None, list(zip(ys, outputs, weights))

    # --- steps that are recorded as graphs ---------------------------------------------------------------------------

    def reduce(self) -> None:
        """Sum up what is kept."""
        for mean in self._means():
            mean.reduce()
        for head in self.heads:
            head.reduce()

    def _means(self) -> list[DeferredMean]:
        return [self.loss, *(head.loss for head in self.heads), *self._side.values()]

    def all_sums(self) -> list[Sum]:
        """Return the sums that the losses and the package's own metrics are, in an order that stays."""
        means = [part for mean in self._means() for part in (mean.total, mean.count)]
        return [*means, *(one for head in self.heads for one in (*head.sums, *head.counts))]

    def start_recording(self, device: torch.device) -> None:
        """Let a step be recorded: what is kept is summed up, and each sum has its tensor on the device."""
        self.reduce()
        for one in self.all_sums():
            one.stand_on(device)

    @contextmanager
    def counting(self) -> Iterator[list[tuple[Sum, float]]]:
        """Record a step: yield a list that has then what it adds to each sum on the host, which stays as it was."""
        counts: list[tuple[Sum, float]] = []
        before = [(one, one.host) for one in self.all_sums()]
        kept = self._last, self._last_outputs
        try:
            yield counts
            counts += [(one, one.host - host) for one, host in before if one.host != host]
        finally:
            for one, host in before:
                one.host = host
            for mean in self._means():
                mean.forget_kept()
            for head in self.heads:
                head.forget_kept()
            self._last, self._last_outputs = kept

    @property
    def last_loss(self) -> Tensor | None:
        """The loss of the last batch; `None` where it is computed of its outputs."""
        return self._last

    def add_recorded(
        self, ys: Sequence[Any], outputs: Sequence[Any], masks: Sequence[Any], weights: Sequence[Any], last: Any
    ) -> None:
        """Take note of what a recorded step has not added up: metrics of users', and the loss of the batch."""
        self._last, self._last_outputs = last, None
        for head, y, output, mask, weight in zip(self.heads, ys, outputs, masks, weights):
            if y is not None:
                head.add_recorded(y, output, mask, weight)
            if head.loss_later is not None:
                self._last, self._last_outputs = None, list(zip(ys, outputs, weights))

    def add_side(self, name: str, value: Tensor, counts: int) -> None:
        """Take note of a value that a layer gave by `add_metric`."""
        self.side_mean(name).add(value, counts)

    def side_mean(self, name: str) -> DeferredMean:
        """Return the mean of what layers tell by this name."""
        if name not in self._side:
            self._side[name] = DeferredMean()
            self._follow_side(name, self._side[name])
        return self._side[name]

    @property
    def side_names(self) -> list[str]:
        """The names by which layers have told values."""
        return list(self._side)

    @property
    def told(self) -> dict[str, Any] | None:
        """What a user's step returned last, `None` where there is none."""
        return self._told

    def _follow_side(self, name: str, mean: DeferredMean) -> None:
        """Let the metric object of a value that a layer tells take its state from here."""
        if self.config is not None:
            metric = self.config.side_metric(name)
            metric.follow(Pending(functools.partial(_settle_mean, metric, mean), mean.reset))

    def tell(self, logs: dict[str, Any]) -> None:
        """Take note of what a user's step returned, which are the logs then."""
        self._told = logs

    def results(self) -> dict[str, float]:
        """Return the averages so far as plain floats; the one place that reads the device."""
        return self.so_far() if self._told is None else plain_floats(self._told)

    def so_far(self) -> dict[str, float]:
        """Return the averages so far, whatever a user's step returned."""
        by_head = [head.results() for head in self.heads]
        named = self.losses()
        for values in by_head:
            named.update(values)
        named.update((name, value) for name, mean in self._side.items() if (value := mean.result()) is not None)
        return plain_floats(named)

    def losses(self) -> dict[str, Any]:
        """Return the losses so far, on the device."""
        named: dict[str, Any] = {}
        for head in self.heads:
            head.reduce()
        losses = [head.loss.result() for head in self.heads]
        total = self.loss.result()
        if total is None:
            terms = [loss if w == 1 else w * loss for w, loss in zip(self.weights(), losses) if loss is not None]
            total = functools.reduce(operator.add, terms) if terms else None
        if total is not None:
            named["loss"] = total
        for name, loss in zip(self.names, losses):
            if loss is not None:
                named[f"{name}_loss"] = loss
        return named

    def last_batch(self) -> dict[str, float]:
        """Return the loss of the last batch alone, and the metrics so far."""
        values, last = self.results(), self._last
        if last is None and self._last_outputs is not None:
            terms = [
                w * head.loss_later(y, output, weight)
                for head, w, (y, output, weight) in zip(self.heads, self.weights(), self._last_outputs)
                if head.loss_later is not None and y is not None
            ]
            last = functools.reduce(torch.add, terms)
        return values if last is None or self._told is not None else {**values, **plain_floats({"loss": last})}


def _settle_mean(metric: metrics.Mean, mean: DeferredMean) -> None:
    """Write a mean into the state of its metric object."""
    _assign(metric, mean.result())


def _assign(metric: metrics.Mean, value: Tensor | float | None) -> None:
    metric.total.assign(0.0 if value is None else value)
    metric.count.assign(0.0 if value is None else 1.0)


def _alike(kept: list[Any]) -> list[list[Any]]:
    """Return batches in groups that can be joined: only their number of rows differs."""
    groups: dict[tuple[bool, bool, tuple[int, ...], tuple[int, ...]], list[Any]] = {}
    for item in kept:
        y, output, mask, weight = item
        key = (mask is None, weight is None, tuple(y.shape[1:]), tuple(output.shape[1:]))
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def wide_type(device: torch.device) -> torch.dtype:
    """Return double precision, where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def wide(values: Tensor) -> Tensor:
    """Return values in double precision, where the device has it."""
    return values.to(wide_type(values.device))


def number(value: Tensor) -> Tensor | float:
    """Return a 0-d tensor in double precision: as a float where reading it waits for nothing."""
    return value.item() if value.is_cpu and not CAPTURE.active else wide(value)


def sum_of(values: Tensor) -> Tensor | float:
    """Return a sum in double precision: as a float where reading it waits for nothing."""
    total = values.sum(dtype=wide_type(values.device))
    return total.item() if values.is_cpu and not CAPTURE.active else total


def _ratio(total: Tensor | float, count: Tensor | float) -> Tensor | float:
    if isinstance(count, Tensor):
        return total / count.clamp(min=1e-12)
    return total / count if count else 0.0


def _product(mask: Tensor | None, weight: Tensor | None) -> Tensor | None:
    if mask is None or weight is None:
        return mask if weight is None else weight
    return mask.to(weight.dtype) * fit_weight(weight, mask)


def plain_floats(values: dict[str, Any]) -> dict[str, float]:
    """Return 0-d tensors as floats, read from the device together; arrays stay arrays."""
    scalars = [k for k, v in values.items() if isinstance(v, Tensor) and v.dim() == 0]
    if len(scalars) > 1:
        read = torch.stack([wide(values[k]) for k in scalars]).tolist()
    else:
        read = [values[k].item() for k in scalars]
    floats = dict(zip(scalars, read))
    arrays: dict[str, Any] = {k: v.cpu().numpy() for k, v in values.items() if isinstance(v, Tensor) and v.dim()}
    return {k: floats[k] if k in floats else arrays[k] if k in arrays else float(v) for k, v in values.items()}
