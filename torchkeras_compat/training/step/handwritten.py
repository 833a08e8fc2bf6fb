"""Training a chain of layers with its derivatives written out, instead of recorded and replayed by autograd.

For small models most of a step is spent on recording it.  The layers of a plain chain have their forward and backward
formulas beside each other (`handwritten_layers.py`), gradients are written where the optimizer reads them, and the loss
is not computed at all until somebody looks: its gradient is all that training needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from ... import activations, losses
from ...layers.base import Layer
from .handwritten_layers import STAGES, Stage, gradient_facts, has_written_gradient
from .objective import Objective


def softmax_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the summed categorical cross-entropy: softmax − y (whatever y sums to, as in Keras)."""
    return activations.over_classes(torch.softmax, logits).sub_(y)


def sparse_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the summed sparse categorical cross-entropy."""
    grad = activations.over_classes(torch.softmax, logits)
    indices = y.reshape(-1, 1).long()
    return grad.scatter_add_(1, indices, torch.full_like(indices, -1, dtype=grad.dtype))


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
    told = [gradient_facts(layer) for layer in layers]
    facts = [one for one in told if one is not None]
    if not facts or len(facts) < len(layers) or objective.scale != 1 or objective.summed:
        return None
    kinds, activation = [STAGES[type(one)] for one in facts], facts[-1].activation
    gradient = GRADIENTS.get((_bare_loss(objective), activation))
    if gradient is None or not kinds[-1].ends_chains or len(layers[-1].output_shape) != 2:
        return None
    if objective.fused is None and activation is not activations.linear:
        return None
    if not small and any(kind.small_only for kind in kinds):
        return None
    if not all(has_written_gradient(one.activation) for one in facts[:-1]) or not _trains_whole_layers(layers, params):
        return None
    return Chain([kind(one, one is facts[-1]) for kind, one in zip(kinds, facts)], gradient, params)


def _trains_whole_layers(layers: Sequence[Layer], params: Sequence[Tensor]) -> bool:
    """Tell whether all of a layer's parameters train or none, no two layers share one, and all are float32."""
    trained = {id(p) for p in params}
    owned = [list(nn.Module.parameters(layer)) for layer in layers]
    known = {id(p) for own in owned for p in own}
    whole = all(len({id(p) in trained for p in own}) < 2 for own in owned)
    shared = len(known) != sum(map(len, owned))
    single = all(p.dtype == torch.float32 for own in owned for p in own)
    return whole and single and not shared and bool(trained) and trained <= known


def _bare_loss(objective: Objective) -> Any:
    """Return the loss function when it is used with nothing but its defaults."""
    described = losses.fusion.describe(objective.loss)
    defaults = (None, False, 0, 0.0, -1)
    at_defaults = all(value in defaults for value in described.options.values())
    return described.function if at_defaults else None
