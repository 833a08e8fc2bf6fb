"""The update of an optimizer that a user wrote as classic Keras has it, by `get_updates(loss, params)`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..._core import settings, symbolic
from ..._core.errors import show
from ..._core.graph_capture import CannotCapture
from ..._core.runs import deferred_updates
from ..._core.symbolic import SymbolicTensor
from ..._core.weights import Weight
from ...backend.graph import differentiates
from ...backend.variables import set_value
from ...optimizers.foreach import Tensors
from ...optimizers.slots import Gradients, Scalars
from .update import Update, parameters_of


class ClassicUpdate(Update):
    """Updates built once by the optimizer's own `get_updates`, from symbolic gradients, and evaluated at each step.

    Args:
        optimizer: The optimizer.
        table: The weights to train.
    """

    def __init__(self, optimizer: Any, table: Sequence[Weight]) -> None:
        super().__init__(optimizer, ())  # it applies constraints itself, or leaves them out as it would in Keras
        self.table = list(table)
        self.params = parameters_of(table)
        self.variables = [w.variable() for w in self.table]
        self.symbolic_gradients = [
            SymbolicTensor(w.shape, settings.dtype_name(w.parameters[0].dtype), name=f"gradient of {w.path}")
            for w in self.table
        ]
        self.loss = SymbolicTensor((), settings.floatx(), name="loss")
        self.updates = self._built()
        self.differentiates_loss = any(map(differentiates, self.updates))

    def _built(self) -> list[Any]:
        optimizer = self.optimizer
        known = {id(v): g for v, g in zip(self.variables, self.symbolic_gradients)}
        with deferred_updates(), settings.running(None), optimizer.symbolic_gradients.known(self.loss, known):
            made = optimizer.get_updates(**self._arguments())
        made = getattr(optimizer, "updates", None) if made is None else made
        if not isinstance(made, (list, tuple)) or not all(isinstance(u, (SymbolicTensor, tuple, list)) for u in made):
            raise TypeError(
                f"{type(optimizer).__name__}.get_updates must return a list of updates, K.update(variable, value) or "
                f"(variable, value); got {show(made)}."
            )
        return list(made)

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of `get_updates`, which Keras 1 has in another order and with constraints."""
        constraints = {v: w.constraint for v, w in zip(self.variables, self.table) if w.constraint is not None}
        known = {"loss": self.loss, "params": self.variables, "constraints": constraints}
        names = list(inspect.signature(self.optimizer.get_updates).parameters)
        if unknown := [name for name in names if name not in known and name not in ("args", "kwargs")]:
            raise TypeError(
                f"{type(self.optimizer).__name__}.get_updates takes {unknown[0]!r}; it is called with loss and params "
                f"(and constraints, as in Keras 1)."
            )
        return {name: known[name] for name in names if name in known} or {"loss": self.loss, "params": self.variables}

    def gradients(self, loss: Tensor) -> Gradients:
        """Return the gradients of a loss by weights, in Keras's layout."""
        grads = torch.autograd.grad(loss, self.params, retain_graph=self.differentiates_loss, allow_unused=True)
        by_parameter = {id(p): g for p, g in zip(self.params, grads)}
        in_layout: list[Tensor] = []
        for weight in self.table:
            parts = [by_parameter[id(p)] for p in weight.parameters]
            if any(part is None for part in parts):
                raise ValueError(f"{type(self.optimizer).__name__}: the loss does not depend on {weight.path}.")
            in_layout.append(weight.codec.read(*parts))
        return [(Evaluation(self, loss), in_layout)]

    def step_groups(self, gradients: Gradients, scalars: Scalars | None) -> None:
        """Clip the gradients, and evaluate the updates from them; counting is one of those."""
        for evaluation, grads in self.optimizer.clipping.together(gradients):
            evaluation.step(grads, scalars)

    def evaluate(self, loss: Tensor, grads: Sequence[Tensor]) -> None:
        """Run the updates.

        Args:
            loss: The loss of the batch.
            grads: Its gradients by weights, in Keras's layout.
        """
        feed = {self.loss: loss, **dict(zip(self.symbolic_gradients, grads))}
        with torch.set_grad_enabled(self.differentiates_loss), settings.running(True):
            symbolic.run_updates(self.updates, feed, set_value)

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Refuse: the updates are a user's."""
        raise CannotCapture("its updates are built by get_updates", self.optimizer)


class Evaluation(NamedTuple):
    """The weights of an update, of which one batch gave a loss."""

    update: ClassicUpdate
    loss: Tensor

    @property
    def params(self) -> Tensors:
        """The parameters behind the weights."""
        return self.update.params

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Evaluate the updates; the optimizer has numbers of its own."""
        self.update.evaluate(self.loss, grads)
