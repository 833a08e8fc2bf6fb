"""The update of an optimizer whose user wrote what lies around the formula, such as `apply_gradients`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..._core.graph_capture import CannotCapture
from ..._core.user_tensors import call_user, hand_out, take_back
from ..._core.weights import Weight
from ...optimizers.foreach import Tensors
from ...optimizers.gradients import in_layout, parameters
from ...optimizers.slots import Gradients, Scalars
from .update import Update, parameters_of
from .users_step import UsersStep


class LossTape:
    """What a user's `minimize` or `compute_gradients` is given for a tape: autograd knows how the loss came about."""

    def gradient(self, target: Any, sources: Any) -> Any:
        """Return the gradients of a loss by weights, in Keras's layout.

        Args:
            target: The loss.
            sources: A weight, or a list of them.
        """
        alone = isinstance(sources, Tensor)
        variables = [sources] if alone else list(sources)
        behind = [parameters(variable) for variable in variables]
        loss = take_back(target)
        flat = [p for params in behind for p in params]
        gradients = iter(torch.autograd.grad(loss, flat, torch.ones_like(loss), retain_graph=True, allow_unused=True))
        grads = [in_layout(v, [next(gradients) for _ in params]) for v, params in zip(variables, behind)]
        return hand_out(grads[0] if alone else grads)


class MethodUpdate(Update):
    """Calls the methods that the user wrote, as Keras's `fit` does.

    Args:
        optimizer: The optimizer.
        table: The weights to train.
    """

    def __init__(self, optimizer: Any, table: Sequence[Weight]) -> None:
        super().__init__(optimizer, table)
        self.constrained = []  # `apply_gradients` applies the constraints
        self.variables = [w.variable() for w in table]
        self.params = parameters_of(table)
        if optimizer.has_own_steps:
            optimizer.prepare_variables(self.variables)
        else:
            optimizer.build(self.variables)

    def gradients(self, loss: Tensor) -> Gradients:
        """Return what `apply_gradients` steps by; where `minimize` is the user's, it finds the gradients itself."""
        optimizer = self.optimizer
        if "minimize" in optimizer.own_methods:
            return [(MinimizedLoss(optimizer, self.variables), [loss])]
        pairs = optimizer.pairs_to_apply(loss, self.variables, LossTape())
        return [(AppliedPairs(optimizer, [v for _, v in pairs]), [gradient for gradient, _ in pairs])]

    def step_groups(self, gradients: Gradients, scalars: Scalars | None) -> None:
        """Let the user's code step; it ends in the package's own methods, which clip and count."""
        for group, grads in gradients:
            group.step(grads, scalars or {})

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Refuse: a part of the step is a user's."""
        written = " and ".join(sorted(self.optimizer.own_methods))
        raise CannotCapture(f"its {written} are written by a user", self.optimizer)


class AppliedPairs(UsersStep):
    """Weights whose gradients go to `apply_gradients`."""

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step."""
        with torch.no_grad():
            self.optimizer.apply_pairs(list(zip(grads, self.variables)))


class MinimizedLoss(UsersStep):
    """Weights that `minimize` steps from the loss."""

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step; `grads` is the loss alone."""
        call_user(self.optimizer.minimize, grads[0], self.variables, tape=LossTape())
