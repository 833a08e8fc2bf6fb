"""RMSprop."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._core import registry
from . import foreach
from .foreach import Tensors
from .fused_kernels import adam_kernel
from .learning_rate import Rate
from .optimizer import Optimizer
from .slot_variables import SlotNames
from .slots import Scalars, Slots
from .sparse_rows import SparseRule

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .hyperparameters import Options


@registry.register("optimizer")
class RMSprop(Optimizer):
    """RMSprop: the gradient over the root of a running mean of its square (Hinton; Keras 2.3.1 and 2.15).

    `a ← rho · a + (1 − rho) · g²; w ← w − lr · g / (√a + ε)`; the newer classes of 2.15, and `tf.keras` with momentum,
    take `√(a + ε)`.

    Args:
        learning_rate: A float or a schedule.
        rho: The share of the old mean in each step.
        momentum: The share of the last step in this one, in [0, 1].
        epsilon: Guards the division; `None` is `backend.epsilon()`.
        centered: Whether to take the running mean's square off `a`.
        **options: What every optimizer takes; see `Optimizer`.

    Raises:
        ValueError: `momentum` or `rho` is outside [0, 1].

    Example:
        >>> from torchkeras_compat.optimizers import RMSprop
        >>> RMSprop(rho=0.8).rho
        0.8
    """

    hyper = ("rho", "momentum", "epsilon")
    keras_slots: ClassVar[dict[str, SlotNames]] = {
        "rms": SlotNames("velocity", "_velocities", "accumulator"),
        "momentum": SlotNames("momentum", "_momentums"),
        "mg": SlotNames("average_gradient", "_average_gradients"),
    }
    options = ("centered",)
    rho: float
    momentum: float
    epsilon: float
    centered: bool

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = 1e-7,
        centered: bool = False,
        **options: Unpack[Options],
    ) -> None:
        options.setdefault("ema_overwrite_frequency", 100)  # this class alone has one by default in 2.15
        super().__init__(learning_rate, **options)
        self.rho = self._number("rho", rho, 1.0)
        self.momentum = self._bounded("momentum", momentum, 1.0)
        self.epsilon = self._epsilon(epsilon)
        self.centered = bool(centered)

    @property
    def _moves(self) -> bool:
        """Whether there is a velocity: from the first momentum other than 0 on, for all that is set later."""
        return "momentum" in self.hyperparameters.in_use

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        groups = [("rms",)]
        groups += [("momentum",)] if self._moves else []
        groups += [("mg",)] if self.centered else []
        return tuple(groups)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        rms, rho, rate, epsilon = slots["rms"], scalars["rho"], scalars["lr"], scalars["epsilon"]
        inside = self._rules.epsilon_in_root or (self._rules.momentum_epsilon_in_root and self._moves)
        as_adam = not (self._moves or self.centered or inside)
        if as_adam and adam_kernel(params, grads, grads, rms, None, (rate, 0.0, rho, epsilon)):
            return  # RMSprop is Adam without a first moment
        foreach.mul_(rms, rho)
        foreach.addcmul_(rms, grads, grads, 1 - rho)
        below = rms
        if self.centered:
            mean = slots["mg"]
            foreach.lerp_(mean, grads, 1 - rho)
            below = foreach.times(mean, mean)
            foreach.mul_(below, -1.0)
            foreach.add_(below, rms)
        if inside:
            below = foreach.shift(below, epsilon)
            foreach.sqrt_(below)
        else:
            below = foreach.sqrt(below)
            foreach.shift_(below, epsilon)
        if self._moves:
            velocity = slots["momentum"]
            foreach.mul_(velocity, scalars["momentum"])
            foreach.addcdiv_(velocity, grads, below, rate)
            foreach.add_(params, velocity, -1.0)
        else:
            foreach.addcdiv_(params, grads, below, -rate)

    def _sparse_rule(self) -> SparseRule:
        if self._moves:
            return SparseRule(stays_in_tf=True)
        rho = self.hyperparameters.numbers["rho"]
        return SparseRule(rests=True, decays={"rms": rho, "mg": rho} if self.centered else {"rms": rho})
