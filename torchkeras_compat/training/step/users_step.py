"""Weights that the code of an optimizer's user steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...optimizers.foreach import Tensors
from ...optimizers.gradients import parameters
from ...optimizers.slots import Scalars


@dataclass(frozen=True)
class UsersStep:
    """One way in which a user's code steps weights.

    Attributes:
        optimizer: The user's optimizer.
        variables: The weights.
    """

    optimizer: Any
    variables: Sequence[Any]

    @property
    def params(self) -> Tensors:
        """The parameters behind the weights."""
        return [p for variable in self.variables for p in parameters(variable)]

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step; the optimizer has numbers of its own.

        Args:
            grads: What the way takes: the gradients, or the loss alone.
            scalars: The numbers of the package's own formulas.
        """
        raise NotImplementedError
