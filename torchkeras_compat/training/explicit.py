"""Training a chain of Dense layers with its derivatives written out, instead of recorded and replayed by autograd.

For small models most of a step is spent on recording it.  Here each layer of a plain chain (Dense, Activation, Dropout,
Flatten) has its forward and backward formula beside each other, gradients are written where the optimizer reads them,
and the loss is not computed at all until somebody looks: its gradient is all that training needs.  The formulas are
those that autograd would use; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .. import activations, losses
from .._core.config import origin
from ..layers.base import Layer
from ..layers.core import Activation, Dense, Dropout, Flatten
from .recipe import Objective

aten = torch.ops.aten


@dataclass(frozen=True)
class Derived:
    """An activation function that works in place, and its gradient from its output.

    Attributes:
        forward: Applied to a tensor nobody else holds.
        backward: (gradient of the output, output) → gradient of the input.
    """

    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


DERIVED: dict[Any, Derived] = {
    activations.linear: Derived(lambda z: z, lambda dy, y: dy),
    activations.relu: Derived(torch.relu_, lambda dy, y: aten.threshold_backward(dy, y, 0)),
    activations.tanh: Derived(torch.tanh_, aten.tanh_backward),
    activations.sigmoid: Derived(torch.sigmoid_, aten.sigmoid_backward),
}


class DenseStage:
    """`activation(x · W + b)`.

    Args:
        layer: The layer.
        last: Whether its activation belongs to the loss.
    """

    def __init__(self, layer: Dense, last: bool) -> None:
        self.weight, self.bias = layer.linear.weight, layer.linear.bias
        self.transposed = self.weight.detach().t()
        self.shift = None if self.bias is None else self.bias.detach()
        self.derived = DERIVED[activations.linear if last else layer.activation]
        self.params = [p for p in (self.weight, self.bias) if p is not None]
        self.grads: list[Tensor] = []
        self.needs_input_gradient = True

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, and keep what the gradient needs."""
        self.x = x
        z = x @ self.transposed if self.shift is None else torch.addmm(self.shift, x, self.transposed)
        self.y = self.derived.forward(z)
        return self.y

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of the weights and return that of the input."""
        dz = self.derived.backward(dy, self.y)
        if self.grads:
            torch.mm(dz.t(), self.x, out=self.grads[0])
            if self.shift is not None:
                torch.sum(dz, 0, out=self.grads[1])
        return dz @ self.transposed.t() if self.needs_input_gradient else dz


class ActivationStage:
    """An activation function as a layer of its own."""

    params: Sequence[nn.Parameter] = ()

    def __init__(self, layer: Activation, last: bool) -> None:
        self.derived = DERIVED[activations.linear if last else layer.activation]

    def forward(self, x: Tensor) -> Tensor:
        """Return the output; the layer before holds its own."""
        self.y = self.derived.forward(x.clone()) if self.derived is not DERIVED[activations.linear] else x
        return self.y

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient of the input."""
        return self.derived.backward(dy, self.y)


class DropoutStage:
    """Dropout, with the mask that the layer draws."""

    params: Sequence[nn.Parameter] = ()

    def __init__(self, layer: Dropout, last: bool) -> None:
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Return the thinned input."""
        self.mask = self.layer.draw_mask(x) if self.layer.rate else None
        return x if self.mask is None else x * self.mask

    def backward(self, dy: Tensor) -> Tensor:
        """Return the thinned gradient."""
        return dy if self.mask is None else dy * self.mask


class FlattenStage:
    """Flatten."""

    params: Sequence[nn.Parameter] = ()

    def __init__(self, layer: Flatten, last: bool) -> None:
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Return the input with two axes."""
        self.shape = x.shape
        return self.layer.call(x)

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient in the input's shape; layers before it have no weights."""
        return dy


STAGES: dict[type[Layer], Callable[[Any, bool], Any]] = {
    Dense: DenseStage,
    Activation: ActivationStage,
    Dropout: DropoutStage,
    Flatten: FlattenStage,
}


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


def can_be_explicit(layer: Layer) -> bool:
    """Tell whether a layer's derivative is written out here, penalties and all."""
    if origin(type(layer)) not in STAGES or layer.activity_regularizer is not None:
        return False
    if isinstance(layer, Dropout) and (layer.noise_shape is not None or layer.seed is not None):
        return False
    return not any(w.regularizer for w in layer.table())


class Watchers:
    """The hooks of a model, of its modules and of its parameters: who has some wants to see autograd at work.

    Args:
        model: The model.
    """

    KINDS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

    def __init__(self, model: Any) -> None:
        self.tables = [getattr(module, kind) for module in model.modules() for kind in self.KINDS]
        self.params = list(model.parameters())

    def present(self) -> bool:
        """Tell whether there is a hook."""
        if any(self.tables):
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
        self, stages: Sequence[Any], gradient: Callable[[Tensor, Tensor], Tensor], params: Sequence[Tensor]
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
            if isinstance(stage, DenseStage):
                stage.grads = [place[id(p)] for p in stage.params if id(p) in place]
                stage.needs_input_gradient = deeper
                deeper = deeper or bool(stage.grads)
        first = next((i for i, s in enumerate(self.stages) if isinstance(s, DenseStage) and s.grads), 0)
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


def chain_of(layers: Sequence[Layer], objective: Objective, params: Sequence[Tensor]) -> Chain | None:
    """Return the written-out step of a model, `None` where one of its parts is not covered.

    Args:
        layers: The layers of the model.
        objective: Its loss.
        params: The parameters to train, in the optimizer's order.
    """
    if not layers or not all(can_be_explicit(layer) for layer in layers) or objective.scale != 1 or objective.summed:
        return None
    last = layers[-1]
    activation = getattr(last, "activation", activations.linear)
    gradient = GRADIENTS.get((_plain_loss(objective), activation))
    inner = [layer.activation for layer in layers[:-1] if isinstance(layer, (Dense, Activation))]
    if gradient is None or not isinstance(last, (Dense, Activation)) or any(a not in DERIVED for a in inner):
        return None
    if objective.fused is None and activation is not activations.linear:
        return None
    owned = [p for layer in layers for p in layer.parameters()]
    whole = all(len({id(p) in {id(q) for q in params} for p in layer.parameters()}) < 2 for layer in layers)
    known = {id(p) for p in owned}
    if not whole or len(known) != len(owned) or any(id(p) not in known for p in params) or not params:
        return None
    if any(p.dtype != torch.float32 for p in owned) or any(len(layer.output_shape) != 2 for layer in layers):
        return None
    return Chain([STAGES[origin(type(layer))](layer, layer is last) for layer in layers], gradient, params)


def _plain_loss(objective: Objective) -> Any:
    """Return the loss function when it is used with nothing but its defaults."""
    described = losses.fusion.describe(objective.loss)
    defaults = (None, False, 0, 0.0, -1)
    plain = all(value in defaults for value in described.options.values())
    return described.function if plain else None
