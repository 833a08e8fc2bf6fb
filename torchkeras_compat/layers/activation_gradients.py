"""The derivatives of activation functions, written out: one table for all that computes gradients without autograd.

Layers read from it which functions may overwrite what they are applied to, recurrent formulas and the written-out
training step how a gradient goes through one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import activations

aten = torch.ops.aten


@dataclass(frozen=True)
class ActivationGradient:
    """An activation function whose derivative is written out.

    Attributes:
        into: Writes the activation of the first tensor into the second, which may be the same; nothing is recorded.
        slope: The derivative, from the value or from the argument; a new tensor.
        of_argument: Whether `slope` takes the argument, which has to be kept then.
        in_place: Overwrites its argument and returns it, under autograd too: no derivative needs the argument.
        through: The kernel of (gradient of the value, value, *bounds) → gradient of the argument.
        bounds: Its further arguments.
    """

    into: Callable[[Tensor, Tensor], Any]
    slope: Callable[[Tensor], Tensor]
    of_argument: bool = False
    in_place: Callable[[Tensor], Tensor] | None = None
    through: Callable[..., Tensor] | None = None
    bounds: tuple[float, ...] = ()

    def at(self, argument: Tensor, value: Tensor) -> Tensor:
        """Return the derivative where both are known."""
        return self.slope(argument if self.of_argument else value)


def _hard_sigmoid_into(x: Tensor, out: Tensor) -> None:
    torch.mul(x, 0.2, out=out).add_(0.5).clamp_(0.0, 1.0)


def _hard_sigmoid_slope(x: Tensor) -> Tensor:
    """Return .2 within the bounds and at them, where the value alone could not tell (Keras: the gradient of a clip)."""
    y = torch.mul(x, 0.2).add_(0.5)
    # The kernel hands on what lies between two numbers: those next to the bounds (no `y` is as small as the first).
    over = 1 + torch.finfo(y.dtype).eps
    slope: Tensor = aten.hardtanh_backward(y.new_full((), 0.2).expand_as(y), y, -1e-30, over)
    return slope


TANH = ActivationGradient(
    into=lambda x, out: torch.tanh(x, out=out),
    slope=lambda y: 1 - y * y,
    in_place=torch.tanh_,
    through=aten.tanh_backward,
)
SIGMOID = ActivationGradient(
    into=lambda x, out: torch.sigmoid(x, out=out),
    slope=lambda y: torch.addcmul(y, y, y, value=-1),
    in_place=torch.sigmoid_,
    through=aten.sigmoid_backward,
)
RELU = ActivationGradient(
    into=lambda x, out: torch.clamp_min(x, 0, out=out),
    slope=lambda y: (y > 0).to(y.dtype),
    in_place=torch.relu_,
    through=aten.threshold_backward,
    bounds=(0,),
)
LINEAR = ActivationGradient(
    into=lambda x, out: out.copy_(x),
    slope=torch.ones_like,
    in_place=lambda x: x,
    through=lambda dy, y: dy,
)
HARD_SIGMOID = ActivationGradient(_hard_sigmoid_into, _hard_sigmoid_slope, of_argument=True)
SOFTSIGN = ActivationGradient(
    into=lambda x, out: torch.div(x, x.abs().add_(1), out=out), slope=lambda y: (1 - y.abs()).square()
)

# Function → its gradient; torch's own functions, where users give them, are the same ones.
ACTIVATION_GRADIENTS: dict[Any, ActivationGradient] = {
    activations.tanh: TANH,
    torch.tanh: TANH,
    activations.sigmoid: SIGMOID,
    torch.sigmoid: SIGMOID,
    activations.relu: RELU,
    torch.relu: RELU,
    F.relu: RELU,
    activations.linear: LINEAR,
    activations.hard_sigmoid: HARD_SIGMOID,
    activations.softsign: SOFTSIGN,
}

# Function → the one that overwrites what it is applied to, for those whose gradient never needs that.
IN_PLACE: dict[Any, Callable[[Tensor], Tensor]] = {
    activation: known.in_place for activation, known in ACTIVATION_GRADIENTS.items() if known.in_place is not None
}
