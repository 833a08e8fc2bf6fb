"""The forward pass of a step: all that `predict` is, and where training and evaluation begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._core import settings
from ..._core.tree import Tree
from ..trained_model import TrainedModel
from .overrides import Overrides, packed_inputs, written_steps


class ForwardStep:
    """What a model, or a `predict_step` that its user wrote, makes of a batch.

    Args:
        model: The model.
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.overrides = Overrides(model)
        self.graphs: Any = None  # what runs forward passes in another way, where there is something

    def outdated(self) -> bool:
        """Tell whether the model has got, or lost, a step of its own since this one was made."""
        return written_steps(self.model) != self.overrides.written

    def predict(self, x: Tree, pack: Callable[[Tree], Any] = packed_inputs) -> Tree:
        """Return predictions for a batch, arranged as the model gives them.

        Args:
            x: The inputs.
            pack: Makes of them what a user's `predict_step` gets.
        """
        with settings.running(False):
            if self.overrides.predict_step:
                output = self.overrides.predict(pack(x))
                self.model._forget_losses()
                return output
            output = None if self.graphs is None else self.graphs.run(x)
            return self.forward_pass(x) if output is None else output

    def forward_pass(self, x: Tree) -> Tree:
        """Return what the model makes of a batch; this is recorded."""
        output = self.model._run(x, None, False)[0]
        self.model._forget_losses()
        return output
