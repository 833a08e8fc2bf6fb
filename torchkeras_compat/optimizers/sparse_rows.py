"""Updates of single rows of a table: what an embedding's batch did not touch costs nothing, and the result is exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from .._core.dialects import Rules
from .foreach import Tensors
from .slots import Scalars, Slots

PAID_AT_ONCE = 1 << 18  # rows of a table


class SparseRule(NamedTuple):
    """What an optimizer's formula does to the rows of a table that a batch did not touch.

    Attributes:
        rests: A zero gradient leaves the weight alone and does no more to the slots than decay them.
        adds_gradient: A step is `w ← w − lr · g` and no more, so that a row's gradients may come one by one.
        stays_in_tf: `tf.keras` leaves rows alone that a batch missed, though the dense formula would not.
        decays: Slot → the factor that each step multiplies into the rows a batch missed.
    """

    rests: bool = False
    adds_gradient: bool = False
    stays_in_tf: bool = False
    decays: Mapping[str, float] = MappingProxyType({})


class PendingDecay:
    """The decay of slots that is pending in rows which batches missed; applied when somebody looks at them.

    The optimizer keeps it beside the slots, whichever model's training wrote it down.

    Args:
        param: The weight, (rows, dim).

    Attributes:
        slots: Slot name → tensor of the weight's shape.
        decays: Slot → its decay in the last step.
        last_seen: For each row the number of this weight's steps that its slots have been through.
        steps: The number of steps that this weight has been through.
        paid: The steps that all rows have been through.
    """

    def __init__(self, param: Tensor) -> None:
        self.slots: Mapping[str, Tensor] = {}
        self.decays: Mapping[str, float] = {}
        self.last_seen = torch.zeros(len(param), dtype=torch.int64, device=param.device)
        self.steps = 0
        self.paid = 0

    @torch.no_grad()
    def apply(self) -> None:
        """Bring the slots of all rows up to date, some rows at a time: little memory beside the slots'."""
        if self.paid == self.steps:
            return
        self.paid = self.steps
        starts = range(0, len(self.last_seen), PAID_AT_ONCE)
        for part in (slice(start, start + PAID_AT_ONCE) for start in starts):
            missed = self.steps - self.last_seen[part]
            for name, factor in self.decays.items():
                slot = self.slots[name][part]
                slot *= _power(factor, missed, slot)
        self.last_seen.fill_(self.steps)

    def catch_up(self, touched: Tensor, held: Mapping[str, Tensor], decays: Mapping[str, float]) -> None:
        """Decay the slots of touched rows by the steps that they missed, and count the step that follows.

        Args:
            touched: Which rows.
            held: Slot name → the slots of those rows, changed in place.
            decays: Slot → its decay from this step on.
        """
        missed = self.steps - self.last_seen.index_select(0, touched)
        for name, factor in decays.items():
            slot = held[name]
            slot *= _power(factor, missed, slot)
        self.decays = decays
        self.steps += 1
        self.last_seen.index_fill_(0, touched, self.steps)


def _power(factor: float, missed: Tensor, like: Tensor) -> Tensor:
    powers = torch.pow(factor, missed.clamp(min=0).to(like.dtype))
    return powers.reshape(-1, *[1] * (like.dim() - 1))


class SparseOwner(Protocol):
    """What the rows of a table need of their optimizer."""

    _rules: Rules
    weight_decay: float | None
    use_ema: bool

    @property
    def clipping(self) -> Any:
        """The clippings."""

    def slots_of(self, param: Tensor) -> dict[str, Tensor]:
        """Return the slots of a parameter, up to date."""

    def _sparse_rule(self) -> SparseRule:
        """Return what the formula does to rows that a batch did not touch."""

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        """Make one step of the formula."""


class SparseRows:
    """How one optimizer steps the rows of a table that a batch touched.

    Args:
        optimizer: The optimizer.
    """

    def __init__(self, optimizer: SparseOwner) -> None:
        self.optimizer = optimizer
        self._pending: dict[Tensor, PendingDecay] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the account of pending decay: what is copied or pickled is up to date."""
        self.settle()
        return {"optimizer": self.optimizer, "_pending": {}}

    @property
    def stay(self) -> bool:
        """Whether, by the dialect, untouched rows must stay as they are: use `update` here, not the optimizer's."""
        optimizer = self.optimizer
        return optimizer._rules.untouched_rows_stay and optimizer._sparse_rule().stays_in_tf

    @property
    def lazy(self) -> bool:
        """Whether `update` here gives exactly what the optimizer's gives with zeros for untouched rows (or `stay`)."""
        optimizer = self.optimizer
        if optimizer.clipping.limits or optimizer.weight_decay or optimizer.use_ema:
            return False
        return optimizer._sparse_rule().rests or self.stay

    @property
    def adds_gradient(self) -> bool:
        """Whether the gradients of a row may be added to it one by one."""
        return self.lazy and self.optimizer._sparse_rule().adds_gradient

    @property
    def decay(self) -> bool:
        """Whether slots of untouched rows decay, so that `update` needs what is pending."""
        return bool(self.optimizer._sparse_rule().decays)

    @torch.no_grad()
    def update(
        self,
        weight: Tensor,
        touched: Tensor,
        grads: Tensor,
        slots: Mapping[str, Tensor],
        pending: PendingDecay | None,
        scalars: Scalars,
    ) -> None:
        """Make one step for some rows of a weight; the others catch up when they are touched or settled.

        Args:
            weight: (rows, dim), changed in place.
            touched: Which rows, each once.
            grads: Their gradients, (len(touched), dim); used as scratch space.
            slots: Slot name → tensor of the weight's shape.
            pending: What is pending in this weight's rows; it may be `None` where `decay` is false.
            scalars: What the optimizer's `scalars` returned.
        """
        held = {name: slot.index_select(0, touched) for name, slot in slots.items()}
        if pending is not None:
            pending.catch_up(touched, held, self.optimizer._sparse_rule().decays)
        part = weight.index_select(0, touched)
        self.optimizer._update([part], [grads], {name: [slot] for name, slot in held.items()}, scalars)
        weight.index_copy_(0, touched, part)
        for name, slot in held.items():
            slots[name].index_copy_(0, touched, slot)

    def pending(self, param: Tensor) -> PendingDecay:
        """Return the account of the decay that is pending in rows of `param`; `slots_of` applies it."""
        slots, account = self.optimizer.slots_of(param), self._pending.get(param)
        if account is None:
            account = self._pending[param] = PendingDecay(param)
        account.slots = slots
        account.last_seen = account.last_seen.to(param.device)
        return account

    def settle(self) -> None:
        """Apply all that is pending, before slots are read or replaced or a hyperparameter changes."""
        for account in self._pending.values():
            account.apply()

    def settle_params(self, params: Iterable[Tensor]) -> None:
        """Apply what is pending in the rows of some parameters."""
        if self._pending:
            for param in params:
                if param in self._pending:
                    self._pending[param].apply()
