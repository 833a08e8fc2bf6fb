"""Training a chain of layers with its derivatives written out, instead of recorded and replayed by autograd.

For small models most of a step is spent on recording it.  The layers of a plain chain (`stages.py`) have their forward
and backward formulas beside each other, gradients are written where the optimizer reads them, and the loss is not
computed at all until somebody looks: its gradient is all that training needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from ... import activations, losses
from ...layers.base import Layer
from ...layers.core import Activation, Dense
from ...layers.recurrent.base import Recurrent
from .handwritten_layers import DERIVED, Stage, stage_of
from .objective import Objective


def softmax_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the summed categorical cross-entropy: softmax − y (whatever y sums to, as in Keras)."""
    return activations.over_classes(torch.softmax, logits).sub_(y)


def sparse_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the summed sparse categorical cross-entropy."""
    found = activations.over_classes(torch.softmax, logits)
    indices = y.reshape(-1, 1).long()
    return found.scatter_add_(1, indices, torch.full_like(indices, -1, dtype=found.dtype))


def sigmoid_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the binary cross-entropy, averaged over units and summed over rows."""
    return torch.sigmoid(logits).sub_(y).div_(logits.shape[-1])


def square_gradient(y: Tensor, y_pred: Tensor) -> Tensor:
    """Return the gradient of the squared error, averaged over units and summed over rows."""
    return (y_pred - y).mul_(2.0 / y_pred.shape[-1])


# (loss, last activation) → the gradient at what the last activation is applied to.
GRADIENTS: dict[tuple[Any, Any], Callable[[Tensor, Tensor], Tensor]] = {
    (losses.categorical_crossentropy, activations.softmax): softmax_gradient,
    (losses.sparse_categorical_crossentropy, activations.softmax): sparse_gradient,
    (losses.binary_crossentropy, activations.sigmoid): sigmoid_gradient,
    (losses.mean_squared_error, activations.linear): square_gradient,
}


class Watchers:
    """The hooks of a model, of its modules and of its parameters: who has some wants to see autograd at work.

    Args:
        model: The model.
    """

    KINDS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

    def __init__(self, model: Any) -> None:
        self.tables = [getattr(module, kind) for module in nn.Module.modules(model) for kind in self.KINDS]
        self.params = list(nn.Module.parameters(model))

    def present(self) -> bool:
        """Tell whether there is a hook."""
        if any(self.tables) or _has_any_global_hook():  # type: ignore[no-untyped-call]
            return True
        return any(p._backward_hooks or p._post_accumulate_grad_hooks for p in self.params)


class Chain:
    """The written-out step of a chain of layers.

    Args:
        stages: Forward and backward of each layer.
        gradient: The gradient of the summed loss at the last stage's output.
        params: The parameters whose gradients are wanted, in the optimizer's order.
    """

    def __init__(
        self, stages: Sequence[Stage], gradient: Callable[[Tensor, Tensor], Tensor], params: Sequence[Tensor]
    ) -> None:
        self.stages = list(stages)
        self.gradient = gradient
        self.params = list(params)
        self.grads: list[Tensor] = []

    def write_to(self, grads: Sequence[Tensor]) -> None:
        """Have the gradients written into these tensors, one for each of `params`."""
        self.grads = list(grads)
        place = {id(p): g for p, g in zip(self.params, grads)}
        deeper = False  # whether some stage before this one has weights to train
        for stage in self.stages:
            stage.grads = [place[id(p)] for p in stage.params if id(p) in place]
            stage.needs_input_gradient = deeper
            deeper = deeper or bool(stage.grads)
        first = next((i for i, stage in enumerate(self.stages) if stage.grads), 0)
        self._backward = [stage.backward for stage in reversed(self.stages[first:])]
        self._forward = [stage.forward for stage in self.stages]

    def __call__(self, x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        """Write the gradients of the mean loss of a batch, and return the logits."""
        for forward in self._forward:
            x = forward(x)
        d = self.gradient(y, x)
        if weight is None:
            d.mul_(1.0 / len(x))
        else:
            d.mul_(weight.reshape(-1, 1) / len(x))
        for backward in self._backward:
            d = backward(d)
        return x


def chain_of(layers: Sequence[Layer], objective: Objective, params: Sequence[Tensor], small: bool) -> Chain | None:
    """Return the written-out step of a model, `None` where one of its parts is not covered.

    Args:
        layers: The layers of the model.
        objective: Its loss.
        params: The parameters to train, in the optimizer's order.
        small: Whether the model is a small one.
    """
    stages = [stage_of(layer) for layer in layers]
    if not layers or None in stages or objective.scale != 1 or objective.summed:
        return None
    if not small and any(stage is not None and stage.small_only for stage in stages):
        return None
    last = layers[-1]
    activation = getattr(last, "activation", activations.linear)
    gradient = GRADIENTS.get((_plain_loss(objective), activation))
    inner = [
        getattr(layer, "activation", activations.linear) for layer in layers[:-1] if not isinstance(layer, Recurrent)
    ]
    if gradient is None or not isinstance(last, (Dense, Activation)) or any(a not in DERIVED for a in inner):
        return None
    if (objective.fused is None and activation is not activations.linear) or len(last.output_shape) != 2:
        return None
    owned = [p for layer in layers for p in nn.Module.parameters(layer)]
    whole = all(len({id(p) in {id(q) for q in params} for p in nn.Module.parameters(layer)}) < 2 for layer in layers)
    known = {id(p) for p in owned}
    if not whole or len(known) != len(owned) or any(id(p) not in known for p in params) or not params:
        return None
    if any(p.dtype != torch.float32 for p in owned):
        return None
    made = [stage(layer, layer is last) for stage, layer in zip(stages, layers) if stage is not None]
    return Chain(made, gradient, params) if len(made) == len(layers) else None


def _plain_loss(objective: Objective) -> Any:
    """Return the loss function when it is used with nothing but its defaults."""
    described = losses.fusion.describe(objective.loss)
    defaults = (None, False, 0, 0.0, -1)
    plain = all(value in defaults for value in described.options.values())
    return described.function if plain else None
