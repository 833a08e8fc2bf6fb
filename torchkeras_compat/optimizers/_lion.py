"""Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._core import registry
from . import foreach
from .foreach import Tensors
from .learning_rate import Rate
from .optimizer import Optimizer
from .slot_variables import SlotNames
from .slots import Scalars, Slots

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .hyperparameters import Options


@registry.register("optimizer")
class Lion(Optimizer):
    """Lion (Chen et al., 2023): steps of one size, by the sign of the gradient's mean.

    `w ← w − lr · sign(β₁ m + (1 − β₁) g); m ← β₂ m + (1 − β₂) g` (Keras 2.15).

    Args:
        learning_rate: A float or a schedule.
        beta_1: The share of the old mean in a step.
        beta_2: The share of the old mean in the new one.
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import Lion
        >>> Lion().lr
        0.0001
    """

    hyper = ("beta_1", "beta_2")
    keras_slots: ClassVar[dict[str, SlotNames]] = {"m": SlotNames("m", "momentums")}

    def __init__(
        self,
        learning_rate: Rate = 0.0001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = self._bounded("beta_1", beta_1, 1.0)
        self.beta_2 = self._number("beta_2", beta_2, 1.0)

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("m",),)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        mean = slots["m"]
        step = foreach.mul(mean, scalars["beta_1"])
        foreach.add_(step, grads, 1 - scalars["beta_1"])
        foreach.sign_(step)
        foreach.add_(params, step, -scalars["lr"])
        foreach.lerp_(mean, grads, 1 - scalars["beta_2"])
