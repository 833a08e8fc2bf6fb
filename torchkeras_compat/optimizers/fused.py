"""torch's fused CPU kernels under Keras's formulas: one pass over memory in place of one for each operation."""

from __future__ import annotations

import torch
from torch import Tensor

from .kernels import Scalar, Tensors, fusable

# At step ∞ a beta's power is 0, so that torch's kernel leaves both bias corrections out; Keras's `lr_t` has them.
_NEVER = torch.tensor(float("inf"))
_FIRST = torch.tensor(1.0)


def adam_kernel(
    params: Tensors,
    grads: Tensors,
    means: Tensors,
    squares: Tensors,
    greatest: Tensors | None,
    numbers: tuple[Scalar, Scalar, Scalar, Scalar],
) -> bool:
    """Make Adam's step `w ← w − lr_t · m / (√v + ε)` by one fused kernel where it fits, and tell whether it did.

    Args:
        params: The weights.
        grads: Their gradients; given as `means` too, there is no first moment.
        means: First moments.
        squares: Second moments.
        greatest: Running maxima of the second moments, for amsgrad.
        numbers: lr_t, beta_1, beta_2, ε.
    """
    rate, beta_1, beta_2, epsilon = numbers
    if (
        isinstance(rate, Tensor)
        or isinstance(beta_1, Tensor)
        or isinstance(beta_2, Tensor)
        or isinstance(epsilon, Tensor)
    ):
        return False
    if not fusable(params, grads, means, squares, greatest or []):
        return False
    torch._fused_adam_(
        params,
        grads,
        means,
        squares,
        greatest or [],
        [_NEVER] * len(params),
        lr=rate,
        beta1=beta_1,
        beta2=beta_2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=greatest is not None,
        maximize=False,
    )
    return True


def momentum_kernel(
    params: Tensors, grads: Tensors, velocity: Tensors, rate: Scalar, momentum: Scalar, share: Scalar
) -> bool:
    """Make `v ← momentum · v − lr · g; w ← w + share · v` by one fused kernel where it fits, and tell whether it did.

    torch's buffer leaves the learning rate out; its dampening takes it in, as Keras has it.
    """
    if isinstance(rate, Tensor) or isinstance(momentum, Tensor) or isinstance(share, Tensor):
        return False
    if not fusable(params, grads, velocity):
        return False
    torch._fused_sgd_(
        params,
        grads,
        velocity,
        weight_decay=0.0,
        momentum=momentum,
        lr=-share,
        dampening=1.0 + rate,
        nesterov=False,
        maximize=False,
        is_first_step=False,
    )
    return True


def adagrad_kernel(params: Tensors, grads: Tensors, sums: Tensors, rate: Scalar, epsilon: Scalar) -> bool:
    """Make Adagrad's step `a ← a + g²; w ← w − lr · g / (√a + ε)` by one fused kernel where it fits."""
    if isinstance(rate, Tensor) or isinstance(epsilon, Tensor) or not fusable(params, grads, sums):
        return False
    torch._fused_adagrad_(
        params,
        grads,
        sums,
        [_FIRST] * len(params),
        lr=rate,
        lr_decay=0.0,
        weight_decay=0.0,
        eps=epsilon,
        maximize=False,
    )
    return True
