"""The update of an optimizer whose step a user wrote a variable at a time, by `update_step` or what came before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..._core.graph_capture import CannotCapture
from ..._core.weights import Weight
from ...optimizers.foreach import Tensors
from ...optimizers.gradients import in_layout
from ...optimizers.slots import Gradients, Scalars
from .update import Update, parameters_of
from .users_step import UsersStep


class VariableUpdate(Update):
    """Hands each weight and its gradient, in Keras's layout, to the step that the user wrote.

    Args:
        optimizer: The optimizer.
        table: The weights to train.
    """

    def __init__(self, optimizer: Any, table: Sequence[Weight]) -> None:
        super().__init__(optimizer, table)
        self.variables = [w.variable() for w in table]
        self.params = parameters_of(table)
        optimizer.prepare_variables(self.variables)

    def gradients(self, loss: Tensor) -> Gradients:
        """Return the gradients of a loss by weights; those that it does not reach stay as they are."""
        grads = torch.autograd.grad(loss, self.params, allow_unused=True)
        by_parameter = {id(p): g for p, g in zip(self.params, grads)}
        by_weight = [in_layout(v, [by_parameter[id(p)] for p in v._weight.parameters]) for v in self.variables]
        reached = [v for v, g in zip(self.variables, by_weight) if g is not None]
        return [(WrittenStep(self.optimizer, reached), [g for g in by_weight if g is not None])]

    def step_groups(self, gradients: Gradients, scalars: Scalars | None) -> None:
        """Clip the gradients, let the user's code step, count."""
        for group, grads in self.optimizer.clipping.together(gradients):
            group.step(grads, scalars)
        self.optimizer.iterations += 1

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Refuse: the step is a user's."""
        raise CannotCapture("its step is written a variable at a time", self.optimizer)


class WrittenStep(UsersStep):
    """Weights that the user's step takes one by one."""

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step."""
        self.optimizer.step_variables(self.variables, grads)
