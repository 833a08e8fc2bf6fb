"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._core import registry
from .._core.errors import argument_error
from . import foreach
from .foreach import Tensors
from .fused_kernels import momentum_kernel
from .learning_rate import Rate
from .optimizer import Optimizer
from .slot_variables import SlotNames
from .slots import Scalars, Slots
from .sparse_rows import SparseRule

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .hyperparameters import Options


@registry.register("optimizer")
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's form of it.

    `v ← momentum · v − lr · g; w ← w + v`, or `w ← w + momentum · v − lr · g` with `nesterov` (Keras 2.3.1).

    Args:
        learning_rate: A float or a schedule.
        momentum: The share of the last step in this one, in [0, 1].
        nesterov: Whether to look ahead by the momentum.
        **options: What every optimizer takes; see `Optimizer`.

    Raises:
        ValueError: `momentum` is outside [0, 1].

    Example:
        >>> from torchkeras_compat.optimizers import SGD
        >>> SGD(learning_rate=0.01, momentum=0.9, nesterov=True).momentum
        0.9
    """

    hyper = ("momentum",)
    keras_slots: ClassVar[dict[str, SlotNames]] = {"momentum": SlotNames("m", "momentums", "moment")}
    options = ("nesterov",)
    momentum: float
    nesterov: bool

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum = self._bounded("momentum", momentum, 1.0)
        if nesterov not in (True, False):
            raise argument_error("SGD", "nesterov", "True or False (decay= is given by name)", nesterov, TypeError)
        self.nesterov = bool(nesterov)

    @property
    def _moves(self) -> bool:
        """Whether there is a velocity: from the first momentum other than 0 on, for all that is set later."""
        return "momentum" in self.hyperparameters.in_use

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum",),) if self._moves else ()

    def _file_groups(self) -> tuple[tuple[str, ...], ...]:
        groups = super()._file_groups()
        return groups if self._moves or not self._rules.idle_momentum else (*groups, ("momentum",))

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        rate = scalars["lr"]
        if not self._moves:
            foreach.add_(params, grads, -rate)
            return
        momentum, velocity = scalars["momentum"], slots["momentum"]
        share = momentum if self.nesterov else 1.0
        if not momentum_kernel(params, grads, velocity, rate, momentum, share):
            foreach.mul_(velocity, momentum)
            foreach.add_(velocity, grads, -rate)
            foreach.add_(params, velocity, share)
        if self.nesterov:
            foreach.add_(params, grads, -rate)

    def _sparse_rule(self) -> SparseRule:
        if self._moves:
            return SparseRule(stays_in_tf=True)
        return SparseRule(rests=True, adds_gradient=type(self)._update is SGD._update)
