"""The gradients of a loss by weights, and the way of a gradient from a weight to the parameters behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._core.errors import argument_error, show
from .._core.host_arrays import readable
from .._core.user_tensors import plain_torch, take_back
from .._core.weights import Variable


def parameters(variable: Tensor) -> tuple[Tensor, ...]:
    """Return the torch parameters of a weight, which may be a Keras view of them."""
    return variable._weight.parameters if isinstance(variable, Variable) else (variable,)


def in_layout(variable: Tensor, grads: Sequence[Tensor | None]) -> Tensor | None:
    """Return the gradient of a weight, in its own layout, from those of its parameters.

    A parameter without one, beside others that have one, counts as 0.
    """
    return variable._weight.gradient(grads) if isinstance(variable, Variable) else grads[0]


class WeightGradient(NamedTuple):
    """One pair that `apply_gradients` was given.

    Attributes:
        variable: The weight.
        params: The torch parameters behind it.
        grads: Their gradients, `None` for a weight that has none.
    """

    variable: Tensor
    params: tuple[Tensor, ...]
    grads: Sequence[Tensor | None]

    @property
    def reached(self) -> bool:
        """Whether there is a gradient."""
        return any(grad is not None for grad in self.grads)


def split(owner: str, gradient: Any, variable: Tensor) -> WeightGradient:
    """Return the gradient of a weight as those of the parameters behind it.

    Args:
        owner: Who asks, for errors.
        gradient: A tensor or array in the layout of the weight, or `None`.
        variable: The weight.

    Raises:
        ValueError: The gradient has another shape.
        TypeError: It is no tensor or array.
    """
    behind = parameters(variable)
    value = take_back(gradient)
    if value is None:
        return WeightGradient(variable, behind, [None] * len(behind))
    if not isinstance(value, (Tensor, np.ndarray)):
        expected = "pairs of a gradient (a tensor or array) and a weight"
        raise argument_error(owner, "grads_and_vars", expected, value, TypeError)
    grad = _beside(value, behind[0])
    with plain_torch():  # a variable is asked for its own shape, which costs no look at the parameters
        shape = Tensor.size(variable)
    if grad.shape != shape:
        name = variable.name if isinstance(variable, Variable) else "a parameter"
        raise ValueError(f"{owner}: {name} has shape {tuple(shape)}; got a gradient of {tuple(grad.shape)}.")
    return WeightGradient(
        variable, behind, variable._weight.codec.write(grad) if isinstance(variable, Variable) else [grad]
    )


def _beside(value: Any, param: Tensor) -> Tensor:
    """Return a gradient as a dense tensor of the kind of its parameter, without history."""
    alike = isinstance(value, Tensor) and (value.dtype, value.device) == (param.dtype, param.device)
    value = value if isinstance(value, Tensor) else np.array(readable(value))  # a step writes into its gradients
    grad: Tensor = value if alike else torch.as_tensor(value, dtype=param.dtype, device=param.device)
    grad = grad.detach() if grad.requires_grad else grad
    return grad if grad.layout is torch.strided else grad.to_dense()


def loss_value(owner: str, loss: Any) -> Tensor:
    """Return the loss that `minimize` was given as a tensor that autograd knows.

    Args:
        owner: Who asks, for errors.
        loss: A tensor, or a function without arguments that returns one.

    Raises:
        TypeError: It is neither.
        ValueError: It was computed without autograd.
    """
    if callable(loss) and not isinstance(loss, Tensor):
        with torch.enable_grad():
            loss = loss()
    value = take_back(loss)
    if not isinstance(value, Tensor):
        expected = "a tensor, or a function without arguments that returns one"
        raise argument_error(owner, "loss", expected, loss, TypeError)
    if not value.requires_grad:
        raise ValueError(
            f"{owner}: the loss depends on no weight that trains, or was computed under torch.no_grad() or by numpy; "
            f"got {show(loss)}."
        )
    return value


def gradients_by_parameter(
    loss: Tensor, params: Iterable[Tensor], grad_loss: Any = None
) -> Callable[[Tensor], Tensor | None]:
    """Return parameter → the gradient of the sum of a loss, `None` where the loss does not depend on it.

    Args:
        loss: The loss.
        params: The parameters; those that are frozen have no gradient.
        grad_loss: The weight of each element of the loss, 1 if `None`.
    """
    wanted = list({param: None for param in params if param.requires_grad})
    if not wanted:
        return lambda param: None
    weights = torch.ones_like(loss) if grad_loss is None else torch.as_tensor(take_back(grad_loss)).to(loss)
    grads = torch.autograd.grad(loss, wanted, weights.expand_as(loss), allow_unused=True)
    return dict(zip(wanted, grads)).get
