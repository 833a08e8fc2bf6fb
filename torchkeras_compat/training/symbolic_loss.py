"""The loss of a compiled model as a symbolic tensor, for `optimizer.get_gradients` and `K.function`."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from .._core import settings
from .._core.symbolic import SymbolicTensor
from .._core.user_tensors import calling
from .compiled_model import CompiledModel
from .heads import Head
from .step.objective import Objective


class SymbolicLoss(CompiledModel):
    """`targets`, `sample_weights` and `total_loss` of a model, as classic Keras has them."""

    _symbols_of_loss: tuple[Any, list[SymbolicTensor], list[SymbolicTensor], SymbolicTensor] | None = None

    @property
    def targets(self) -> list[SymbolicTensor]:
        """The symbolic targets of the outputs that have a loss."""
        return self._symbolic_loss()[0]

    @property
    def sample_weights(self) -> list[SymbolicTensor]:
        """The symbolic sample weights of these; ones where no value is given."""
        return self._symbolic_loss()[1]

    # Under these names training of classic Keras kept what it fed; scripts that ask for gradients use them.
    _feed_targets = targets
    _feed_sample_weights = sample_weights

    @property
    def _feed_inputs(self) -> list[SymbolicTensor]:
        inputs: list[SymbolicTensor] = self.inputs
        return inputs

    @property
    def _collected_trainable_weights(self) -> list[Any]:
        weights: list[Any] = self.trainable_weights
        return weights

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
        if name.removeprefix("_feed_") in ("targets", "sample_weights", "total_loss"):
            raise AttributeError(f"{name}: the model has no loss; call compile(optimizer=…, loss=…) first.")
        return super().__getattr__(name)  # type: ignore[misc]

    def _symbolic_loss(self) -> tuple[list[SymbolicTensor], list[SymbolicTensor], SymbolicTensor]:
        config = self._compile_config
        heads = [] if config is None else self._heads()
        if all(head.loss is None for head in heads):
            raise AttributeError  # told by __getattr__
        key = (config, *(head.loss for head in heads), *self._list_of_outputs)
        made = self._symbols_of_loss
        if made is None or len(made[0]) != len(key) or any(a is not b for a, b in zip(made[0], key)):
            ends = [(head, output) for head, output in zip(heads, self._list_of_outputs) if head.loss is not None]
            targets = [_target(head, output) for head, output in ends]
            weights = [_weights(head, output, target) for (head, output), target in zip(ends, targets)]
            objectives = [(Objective(head.loss, None, head.rules), head) for head, _ in ends]
            penalised = [layer for layer in self.layers if layer.activity_regularizer is not None]

            def total(ys: Any, y_preds: Any, sample_weights: Any, outputs: list[Tensor]) -> Tensor:
                terms = []
                for (objective, head), y, y_pred, weight in zip(objectives, ys, y_preds, sample_weights):
                    value = objective(y, y_pred, None, weight)
                    terms.append((value.sum() if value.dim() else value) * head.weight)
                terms += [penalty for line in self._weight_table() if (penalty := line.penalty()) is not None]
                for layer, output in zip(penalised, outputs):
                    penalty = calling(layer.activity_regularizer)(output)
                    terms.append(penalty / len(output) if self._rules.mean_activity_penalty else penalty)
                return functools.reduce(torch.add, terms)

            arguments = (targets, [output for _, output in ends], weights, [layer.output for layer in penalised])
            loss = SymbolicTensor((), settings.floatx(), total, arguments, name="total_loss")
            self._symbols_of_loss = made = (key, targets, weights, loss)
        return made[1], made[2], made[3]


def _target(head: Head, output: SymbolicTensor) -> SymbolicTensor:
    """Return the symbolic targets of an output: class indices stand in one column."""
    by_class = str(getattr(head.resolved_loss().loss, "__name__", "")).startswith("sparse_")
    shape = (*output.shape[:-1], 1) if by_class else output.shape
    return SymbolicTensor(shape, settings.floatx(), name=f"{head.name}_target")


def _weights(head: Head, output: SymbolicTensor, target: SymbolicTensor) -> SymbolicTensor:
    """Return the symbolic sample weights of an output: ones where nobody gives any."""
    return SymbolicTensor((output.shape[0],), settings.floatx(), _ones, (target,), name=f"{head.name}_sample_weights")


def _ones(target: Tensor) -> Tensor:
    return torch.ones(len(target), device=target.device)
