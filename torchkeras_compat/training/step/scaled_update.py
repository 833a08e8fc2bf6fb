"""An update whose loss is scaled, for gradients that float16 would lose."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..._core.weights import Weight
from ...mixed_precision.loss_scale import Kept, all_finite
from ...mixed_precision.loss_scale_optimizer import LossScaleOptimizer
from ...optimizers.slots import Gradients, Scalars
from .update import KerasUpdate


class ScaledUpdate(KerasUpdate):
    """The optimizer inside a `LossScaleOptimizer`; a step whose gradients are not finite changes nothing.

    The host never learns which steps those were: each is made, and put back on the device where it was none.

    Args:
        scaler: The optimizer around the one that makes the steps.
        table: The weights to train.
        flat_allowed: Whether small models may move into one flat tensor.
    """

    steps_rows = False  # a row that was stepped could not be put back without a look at its index
    takes_written_gradients = False  # which nobody has scaled

    def __init__(self, scaler: LossScaleOptimizer, table: Sequence[Weight], flat_allowed: bool) -> None:
        super().__init__(scaler.inner_optimizer, table, flat_allowed)
        self.scaler = scaler
        if self.params:
            scaler.move_to(self.params[0].device)  # before a graph could be captured, which holds the numbers

    def gradients(self, loss: Tensor) -> Gradients:
        """Return the gradients of a loss, found at the scaled loss and without its scale."""
        return self._gathered(self.scaler.gradients(loss, self.params))

    def apply(self, gradients: Gradients, scalars: Scalars | None = None) -> None:
        """Make one step, and the constraints where it was one."""
        gradients = self.reduce(gradients)
        if not self.constrained or not self.scaler.dynamic:
            super().apply(gradients, scalars)
            return
        finite = all_finite([grad for _, grads in gradients for grad in grads])
        kept = Kept([p for weight in self.constrained for p in weight.parameters])
        self.step_groups(gradients, scalars)
        for weight in self.constrained:
            weight.constrain()
        kept.put_back_unless(finite)

    def step_groups(self, gradients: Gradients, scalars: Scalars | None) -> None:
        """Let the groups follow their gradients, and the scale what becomes of them."""
        self.scaler.step_groups(gradients, scalars)

    # --- in a graph ----------------------------------------------------------------------------------------------

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Step all parameters, and leave nothing to be done behind the graph but to count."""
        self.apply(self.gradients(loss), scalars)
        return []

    def after(self, outside: list[Tensor], scalars: Scalars) -> None:
        """Count the step."""
        self.optimizer.iterations += 1
