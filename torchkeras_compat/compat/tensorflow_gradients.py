"""`tf.gradients`, and functions whose gradient a script writes itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .. import backend as K
from .._core.errors import argument_error
from .._core.symbolic import lifted
from .._core.user_tensors import UserTensor, hand_out, take_back
from .tensorflow_calls import tensor


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = "none",
) -> list[Any]:
    """Return the gradients of the sum of tensors by others; `None` where it does not depend on one.

    Args:
        ys: A tensor, or several; symbolic ones give symbolic gradients.
        xs: What to differentiate by.
        grad_ys: A weight for each of `ys`.
        name: Accepted.
        gate_gradients: Accepted.
        aggregation_method: Accepted.
        stop_gradients: Refused: write `tf.stop_gradient`.
        unconnected_gradients: `'zero'` for zeros in the place of `None`.

    Raises:
        ValueError: `stop_gradients` is given.
    """
    if stop_gradients is not None:
        raise argument_error("tf.gradients", "stop_gradients", "None; write tf.stop_gradient(x)", stop_gradients)
    outputs = ys if isinstance(ys, (list, tuple)) else [ys]
    factors = grad_ys if isinstance(grad_ys, (list, tuple)) else [grad_ys] * len(outputs)
    total: Any = None
    for y, factor in zip(outputs, factors):
        part = K.sum(y if factor is None else y * tensor(factor, beside=y if isinstance(y, Tensor) else None))
        total = part if total is None else total + part
    targets = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    results = K.gradients(total, targets)
    if str(getattr(unconnected_gradients, "value", unconnected_gradients)).lower() == "zero":
        return [K.zeros_like(x) if g is None else g for g, x in zip(results, targets)]
    return results


class _WithOwnGradient(torch.autograd.Function):
    """A function that returns its outputs and the function of their gradients."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], *inputs: Tensor) -> Any:
        with torch.enable_grad():
            outputs, ctx.of_gradients = function(*[hand_out(x.detach()) for x in inputs])
        ctx.several = isinstance(outputs, (list, tuple))
        parts = [take_back(y) for y in (outputs if ctx.several else [outputs])]
        if any(y.requires_grad for y in parts):
            raise ValueError("tf.custom_gradient: the function uses a variable; hand it over among its arguments.")
        return tuple(parts) if ctx.several else parts[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        parts = ctx.of_gradients(*[hand_out(g) for g in gradients])
        several: Sequence[Any] = parts if isinstance(parts, (list, tuple)) else [parts]
        return (None, *[None if g is None else take_back(tensor(g)) for g in several])


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the gradient that it gives itself.

    Args:
        f: Returns its outputs, and a function from their gradients to those of its arguments.

    Raises:
        ValueError: On a call, where it uses a variable that is not among its arguments.

    Example:
        >>> reverse = custom_gradient(lambda x: (x * 1, lambda dy: -dy))
        >>> x = torch.ones(1, requires_grad=True)
        >>> reverse(x).backward(); x.grad
        tensor([-1.])
    """

    def compute(*args: Any) -> Any:
        inputs = [take_back(tensor(x)) for x in args]
        outputs = _WithOwnGradient.apply(f, *inputs)  # type: ignore[no-untyped-call]
        return hand_out(outputs) if any(isinstance(x, UserTensor) for x in args) else outputs

    return functools.wraps(f)(lifted(compute))
