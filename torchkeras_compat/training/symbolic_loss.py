"""The loss of a compiled model as a symbolic tensor, for `optimizer.get_gradients` and `K.function`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import settings
from .._core.symbolic import SymbolicTensor
from .._core.user_tensors import calling
from .compile_config import Objective


class SymbolicLoss:
    """`targets`, `sample_weights` and `total_loss` of a model, as classic Keras has them."""

    name: str
    output: SymbolicTensor
    layers: Any
    recipe: Any
    _rules: Any
    _symbols_of_loss: tuple[Any, SymbolicTensor, SymbolicTensor, SymbolicTensor] | None = None

    @property
    def targets(self) -> list[SymbolicTensor]:
        """The symbolic targets, in a list."""
        return [self._symbolic_loss()[0]]

    @property
    def sample_weights(self) -> list[SymbolicTensor]:
        """The symbolic sample weights, in a list; ones where no value is given."""
        return [self._symbolic_loss()[1]]

    @property
    def total_loss(self) -> SymbolicTensor:
        """The symbolic loss: that of the output, and all penalties.

        Example:
            >>> import numpy as np, torchkeras_compat as keras
            >>> from torchkeras_compat import backend as K
            >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2, kernel_initializer='zeros')])
            >>> model.compile('sgd', 'mse')
            >>> loss = K.function(model.inputs + model.targets + model.sample_weights, [model.total_loss])
            >>> loss([np.ones((3, 2)), np.ones((3, 1)), np.ones(3)])
            [np.float32(1.0)]
        """
        return self._symbolic_loss()[2]

    def __getattr__(self, name: str) -> Any:
        if name in ("targets", "sample_weights", "total_loss"):
            raise AttributeError(f"{name}: the model has no loss; call compile(optimizer=…, loss=…) first.")
        return super().__getattr__(name)  # type: ignore[misc]

    def _symbolic_loss(self) -> tuple[SymbolicTensor, SymbolicTensor, SymbolicTensor]:
        recipe = self.recipe
        if recipe is None or recipe.loss is None:
            raise AttributeError  # told by __getattr__
        key = (recipe, recipe.loss, self.output)
        made = self._symbols_of_loss
        if made is None or any(a is not b for a, b in zip(made[0], key)):
            objective = Objective(recipe.loss, None, recipe.rules, recipe.scale)
            by_class = str(getattr(recipe.resolved_loss().loss, "__name__", "")).startswith("sparse_")
            shape = (*self.output.shape[:-1], 1) if by_class else self.output.shape
            target = SymbolicTensor(shape, settings.floatx(), name=f"{self.name}_target")
            weight = SymbolicTensor(
                (self.output.shape[0],), settings.floatx(), _ones, (target,), name=f"{self.name}_sample_weights"
            )
            penalised = [layer for layer in self.layers if layer.activity_regularizer is not None]

            def total(y: Tensor, y_pred: Tensor, sample_weight: Tensor, outputs: list[Tensor]) -> Tensor:
                value = objective(y, y_pred, None, None, sample_weight)
                value = value.sum() if value.dim() else value
                for line in self._trained_table():
                    penalty = line.penalty()
                    value = value if penalty is None else value + penalty
                for layer, output in zip(penalised, outputs):
                    penalty = calling(layer.activity_regularizer)(output)
                    value = value + (penalty / len(output) if self._rules.mean_activity_penalty else penalty)
                return value

            arguments = (target, self.output, weight, [layer.output for layer in penalised])
            loss = SymbolicTensor((), settings.floatx(), total, arguments, name="total_loss")
            self._symbols_of_loss = made = (key, target, weight, loss)
        return made[1], made[2], made[3]


def _ones(target: Tensor) -> Tensor:
    return torch.ones(len(target), device=target.device)
