"""Updates of single rows: what an embedding's batch did not touch costs nothing, and the result is exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from .core import Scalars, Stepper

PAID_AT_ONCE = 1 << 18  # rows


class PendingDecay:
    """The decay of slots that is pending in rows which batches missed; applied when somebody looks at them.

    The optimizer keeps it beside the slots, whichever model's training wrote it down.

    Args:
        param: The weight, (rows, dim).
    """

    def __init__(self, param: Tensor) -> None:
        self.param = param
        self.slots: Mapping[str, Tensor] = {}
        self.decays: Mapping[str, float] = {}
        self.last_seen = torch.zeros(len(param), dtype=torch.int64, device=param.device)
        self.steps = 0
        self.paid = 0

    @torch.no_grad()
    def apply(self) -> None:
        """Bring the slots of all rows up to date."""
        if self.paid != self.steps:
            self.paid = self.steps
            _decay(self.slots, self.decays, self.last_seen, self.steps)


class RowUpdates(Stepper):
    """The part of `Optimizer` that updates rows; see `update_rows`."""

    @property
    def _rests_without_gradient(self) -> bool:
        """Whether a zero gradient leaves the weight alone and does no more to the slots than decay them."""
        return False

    @property
    def _keeps_untouched(self) -> bool:
        """Whether `tf.keras` leaves rows alone that a batch missed, though the dense formula would not."""
        return False

    def _row_decays(self) -> dict[str, float]:
        """Return slot → the factor that each step multiplies into the rows a batch missed."""
        return {}

    @property
    def _adds_gradient(self) -> bool:
        """Whether a step is `w ← w − lr · g` and no more, so that a row's gradients may come one by one."""
        return False

    @property
    def rows_stay(self) -> bool:
        """Whether, by the dialect, untouched rows must stay as they are: use `update_rows`, not `update`."""
        return self._rules.untouched_rows_stay and self._keeps_untouched

    @property
    def lazy_rows(self) -> bool:
        """Whether `update_rows` gives exactly what `update` gives with zeros for untouched rows (or `rows_stay`)."""
        plain = not (self.clips or self.weight_decay or self.use_ema)
        return plain and (self._rests_without_gradient or self.rows_stay)

    @property
    def rows_decay(self) -> bool:
        """Whether slots of untouched rows decay, so that `update_rows` needs `last_seen`."""
        return bool(self._row_decays())

    @torch.no_grad()
    def update_rows(
        self,
        weight: Tensor,
        rows: Tensor,
        grad_rows: Tensor,
        slots: dict[str, Tensor],
        last_seen: Tensor | None,
        iteration: int,
        scalars: Scalars,
    ) -> None:
        """Make one step for some rows of a weight; the others catch up when they are touched or settled.

        Args:
            weight: (rows, dim), changed in place.
            rows: Which rows, each once.
            grad_rows: Their gradients, (len(rows), dim); used as scratch space.
            slots: Slot name → tensor of the weight's shape.
            last_seen: For each row the number of this weight's steps its slots have been through; changed in place.
                It may be `None` where `rows_decay` is false.
            iteration: The number of steps this weight has been through before this one.
            scalars: What `scalars` returned.
        """
        names = self.slot_names
        held = {name: slots[name].index_select(0, rows) for name in names}
        if last_seen is not None:
            missed = iteration - last_seen.index_select(0, rows)
            for name, factor in self._row_decays().items():
                held[name] *= _power(factor, missed, held[name])
            last_seen.index_fill_(0, rows, iteration + 1)
        part = weight.index_select(0, rows)
        self._update([part], [grad_rows], {name: [slot] for name, slot in held.items()}, scalars)
        weight.index_copy_(0, rows, part)
        for name, slot in held.items():
            slots[name].index_copy_(0, rows, slot)

    @torch.no_grad()
    def settle_rows(self, slots: dict[str, Tensor], last_seen: Tensor, iteration: int) -> None:
        """Bring the slots of all rows up to date, as before saving or a dense step.

        Args:
            slots: Slot name → tensor, (rows, dim).
            last_seen: As in `update_rows`; filled with `iteration`.
            iteration: The number of steps the weight has been through.
        """
        _decay(slots, self._row_decays(), last_seen, iteration)

    def pending_decay(self, param: Tensor) -> PendingDecay:
        """Return the decay that is pending in rows of `param`; `slots_of` applies it."""
        slots, account = self.slots_of(param), self._pending_decay.get(id(param))
        if account is None or account.param is not param:
            account = self._pending_decay[id(param)] = PendingDecay(param)
        account.slots = slots
        account.last_seen = account.last_seen.to(param.device)
        return account

    def before_change(self, settle: Callable[[], None]) -> None:
        """Have `settle` called before a hyperparameter changes: pending decay is that at the old one."""
        self._before_change.append(settle)


def _decay(slots: Mapping[str, Tensor], decays: Mapping[str, float], last_seen: Tensor, iteration: int) -> None:
    """Decay slots by the steps that their rows have missed, some rows at a time: little memory beside the slots'."""
    starts = range(0, len(last_seen), PAID_AT_ONCE)
    for rows in (slice(start, start + PAID_AT_ONCE) for start in starts):
        missed = iteration - last_seen[rows]
        for name, factor in decays.items():
            part = slots[name][rows]
            part *= _power(factor, missed, part)
    last_seen.fill_(iteration)


def _power(factor: float, missed: Tensor, like: Tensor) -> Tensor:
    powers = torch.pow(factor, missed.clamp(min=0).to(like.dtype))
    return powers.reshape(-1, *[1] * (like.dim() - 1))
