"""The loss scale: a number on the model's device that grows while gradients are finite and falls when they are not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MULTIPLIER = 2.0  # how much it grows, and falls, in one step
LEAST = 1.0  # a falling scale stops here


class LossScale:
    """A loss scale, fixed or dynamic.

    Args:
        initial: What it begins with.
        growth_steps: After how many finite steps in a row it doubles; `None` for a fixed scale.

    Attributes:
        value: The scale, a 0-d float32 tensor that is changed in place, so that a captured graph may hold it.
        good_steps: How many finite steps there have been since it changed, 0-d int64, likewise.

    Source:
        Micikevicius et al., 2018; Keras 2.15.
    """

    def __init__(self, initial: float, growth_steps: int | None) -> None:
        self.growth_steps = growth_steps
        self.value = torch.tensor(initial, dtype=torch.float32, device="cpu")
        self.good_steps = torch.zeros((), dtype=torch.int64, device="cpu")

    def move_to(self, device: torch.device) -> None:
        """Have the numbers beside the gradients, so that no step waits for the device."""
        if self.value.device != device:
            self.value, self.good_steps = self.value.to(device), self.good_steps.to(device)

    @torch.no_grad()
    def follow(self, finite: Tensor) -> None:
        """Change as one step demands; nothing is read on the host.

        Args:
            finite: Whether the gradients of the step were finite, 0-d bool.
        """
        if self.growth_steps is None:
            return
        scale, good = self.value, self.good_steps + 1
        due = good >= self.growth_steps
        grown = scale * MULTIPLIER
        risen = torch.where(due & torch.isfinite(grown), grown, scale)
        fallen = (scale / MULTIPLIER).clamp(min=LEAST)
        self.good_steps.copy_(torch.where(finite & ~due, good, torch.zeros_like(good)))
        self.value.copy_(torch.where(finite, risen, fallen))


def all_finite(tensors: Sequence[Tensor]) -> Tensor:
    """Return whether all numbers in tensors are finite, as a 0-d tensor on their device."""
    return torch.stack([torch.isfinite(t).all() for t in tensors]).all()


class Kept:
    """Tensors as they are now, to be put back where a step turns out to be none.

    Args:
        tensors: The tensors.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = tensors
        self.before = [t.detach().clone() for t in tensors]

    @torch.no_grad()
    def put_back_unless(self, valid: Tensor) -> None:
        """Put the values back where `valid`, 0-d bool, is false; without a branch, and so without a device read."""
        for tensor, before in zip(self.tensors, self.before):
            tensor.copy_(torch.where(valid, tensor, before))
