"""Epoch averages without a device read per batch: losses and predictions are kept and reduced many batches at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .. import metrics
from .._core.user_tensors import calling
from ..losses.base import fit_weight
from .compile_config import MetricLine

KEPT_ELEMENTS = 1 << 16  # of predictions kept before metrics are computed: few calls, and they stay in the cache
KEPT_BATCHES = 256


class Totals:
    """The loss and the metrics of an epoch.

    Args:
        lines: The metrics.
        finish: What makes predictions of kept logits; `None` where predictions themselves are kept.
        scalar_by_rows: Whether a metric function that returns one number counts for each row of its batch.
        loss_later: Computes the mean loss of kept outputs, where the step does not compute it batch by batch.
    """

    def __init__(
        self,
        lines: list[MetricLine],
        finish: Callable[[Tensor], Tensor] | None = None,
        scalar_by_rows: bool = False,
        loss_later: Callable[[Tensor, Tensor, Tensor | None], Tensor] | None = None,
    ) -> None:
        self.lines = lines
        self.loss_later = loss_later
        self.finish = finish
        self.from_logits = [metrics.fused(line.metric, finish) if finish is not None else None for line in lines]
        self.scalar_by_rows = scalar_by_rows
        self.later = [i for i, line in enumerate(lines) if line.row_wise]
        self.at_once = [i for i, line in enumerate(lines) if not line.row_wise]
        self.of_user = any(line.of_user for line in lines)
        self.reset()

    def reset(self) -> None:
        """Start an epoch."""
        self._last: Any = None
        self._losses: list[Tensor] = []
        self._counted: list[int] = []
        self._loss: Tensor | float = 0.0
        self._rows = 0
        self._kept: list[tuple[Tensor, Tensor, Tensor | None, Tensor | None]] = []
        self._elements = 0
        self._sums: list[Tensor | float] = [0.0] * len(self.lines)
        self._counts: list[Tensor | float] = [0.0] * len(self.lines)
        for line in self.lines:
            if line.function is None:
                line.metric.reset_state()

    def add(
        self,
        loss: Tensor | None,
        counts: int,
        y: Tensor | None,
        output: Tensor,
        mask: Tensor | None,
        weight: Tensor | None,
    ) -> None:
        """Take note of a batch.

        Args:
            loss: Its 0-d loss, detached.
            counts: What its loss counts for in the mean, its number of rows for most.
            y: Its targets.
            output: Its predictions or logits, detached.
            mask: Which steps of the output are valid.
            weight: The sample weights, for weighted metrics.
        """
        self._last = loss if self.loss_later is None else (y, output, weight)
        if loss is not None:
            self._losses.append(loss)
            self._counted.append(counts)
            if len(self._losses) >= KEPT_BATCHES:
                self._reduce_losses()
        if y is None:
            return
        if self.later or self.loss_later is not None:
            self._kept.append((y, output, mask, weight))
            self._elements += output.numel()
            if self._elements >= KEPT_ELEMENTS or len(self._kept) >= KEPT_BATCHES:
                self._reduce_kept()
        if self.at_once:
            self._take(self.at_once, y, output, mask, weight)

    @torch.no_grad()
    def _reduce_losses(self) -> None:
        if self._losses:
            values = wide(torch.stack(self._losses))
            shares = torch.tensor(self._counted, dtype=values.dtype, device=values.device)
            self._loss = self._loss + values @ shares
            self._rows += sum(self._counted)
            self._losses, self._counted = [], []

    @torch.no_grad()
    def _reduce_kept(self) -> None:
        kept, self._kept, self._elements = self._kept, [], 0
        for items in _alike(kept) if len(kept) > 1 else [kept]:
            parts = zip(*items)
            y, output, mask, weight = (None if p[0] is None else p[0] if len(p) == 1 else torch.cat(p) for p in parts)
            if y is not None and output is not None:
                if self.loss_later is not None:
                    self._loss = self._loss + wide(self.loss_later(y, output, weight)) * output.shape[0]
                    self._rows += output.shape[0]
                if self.later:
                    self._take(self.later, y, output, mask, weight)

    @torch.no_grad()
    def _take(self, which: list[int], y: Tensor, output: Tensor, mask: Tensor | None, weight: Tensor | None) -> None:
        needed = self.finish is not None and any(self.from_logits[i] is None for i in which)
        y_pred = self.finish(output) if needed and self.finish is not None else output
        for i in which:
            line = self.lines[i]
            counted = weight if line.weighted else None
            function = line.function
            if function is None:
                calling(line.metric.update_state)(y, y_pred, _product(mask, counted))
                continue
            fused = self.from_logits[i]
            values = (function(y, y_pred) if fused is None else fused(y, output)).detach()
            if values.dim() == 0:
                share, count = self._share_of_scalar(len(y_pred), mask, counted)
                self._sums[i] = self._sums[i] + wide(values) * share
                self._counts[i] = self._counts[i] + count
                continue
            if mask is None and counted is None:
                self._sums[i] = self._sums[i] + wide(values).sum()
                self._counts[i] = self._counts[i] + values.numel()
                continue
            share = torch.ones_like(values)
            for part in (mask, counted):
                if part is not None:
                    share = share * fit_weight(part.to(values.dtype), values)
            self._sums[i] = self._sums[i] + wide(values * share).sum()
            self._counts[i] = self._counts[i] + wide(share).sum()

    def _share_of_scalar(
        self, rows: int, mask: Tensor | None, weight: Tensor | None
    ) -> tuple[Tensor | float, Tensor | float]:
        """Return what one number for a whole batch is multiplied by, and what it counts for in the mean of an epoch.

        tf.keras broadcasts it to the mask and the weights, and takes each element for a value.  Classic Keras
        (`weighted_masked_objective` in `engine/training_utils.py`, 2.2.4) counts rows: there a mask changes nothing,
        and weights are divided by the share of those that are not 0.
        """
        if not self.scalar_by_rows:
            valid = _product(mask, weight)
            count = 1.0 if valid is None else wide(valid).sum()
            return count, count
        if weight is None:
            return float(rows), float(rows)
        kept = wide(weight != 0).mean() * (1.0 if mask is None else wide(mask).mean())
        product = _product(mask, weight)
        return rows * (wide(weight if product is None else product).mean() / kept.clamp(min=1e-12)), float(rows)

    def results(self) -> dict[str, float]:
        """Return the averages so far as plain floats; the one place that reads the device."""
        self._reduce_losses()
        if self._kept:
            self._reduce_kept()
        named: dict[str, Any] = {}
        if self._rows:
            named["loss"] = self._loss / self._rows
        for line, total, count in zip(self.lines, self._sums, self._counts):
            if line.function is None:
                named[line.name] = line.metric.result()
            else:
                named[line.name] = _ratio(total, count)
        return plain_floats(named)

    def last_batch(self) -> dict[str, float]:
        """Return the loss of the last batch alone, and the metrics so far."""
        values, last = self.results(), self._last
        if isinstance(last, tuple) and self.loss_later is not None:
            last = self.loss_later(*last)
        return values if last is None else {**values, **plain_floats({"loss": last})}


def _alike(kept: list[Any]) -> list[list[Any]]:
    """Return batches in groups that can be joined: only their number of rows differs."""
    groups: dict[tuple[bool, bool, tuple[int, ...], tuple[int, ...]], list[Any]] = {}
    for item in kept:
        y, output, mask, weight = item
        key = (mask is None, weight is None, tuple(y.shape[1:]), tuple(output.shape[1:]))
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def wide(values: Tensor) -> Tensor:
    """Return values in double precision, where the device has it."""
    return values.float() if values.device.type == "mps" else values.double()


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
    found = dict(zip(scalars, read))
    arrays: dict[str, Any] = {k: v.cpu().numpy() for k, v in values.items() if isinstance(v, Tensor) and v.dim()}
    return {k: found[k] if k in found else arrays[k] if k in arrays else float(v) for k, v in values.items()}
