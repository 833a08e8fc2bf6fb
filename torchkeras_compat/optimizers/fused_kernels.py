"""torch's fused CPU kernels under Keras's formulas: one pass over memory in place of one for each operation.

They are private to torch, and any release may change them: each is tried once on two numbers, and where it is missing,
takes other arguments or gives another result, the optimizer's own kernels do the step.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from .foreach import Scalar, Tensors

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
    if not math.isfinite(rate) or beta_1 >= 1 or beta_2 >= 1:  # the kernel divides by 1 − β
        return False
    if not fusable(params, grads, means, squares, greatest or []) or not works(_adam):
        return False
    _adam(params, grads, means, squares, greatest, (rate, beta_1, beta_2, epsilon))
    return True


def momentum_kernel(
    params: Tensors, grads: Tensors, velocity: Tensors, rate: Scalar, momentum: Scalar, share: Scalar
) -> bool:
    """Make `v ← momentum · v − lr · g; w ← w + share · v` by one fused kernel where it fits, and say whether it did."""
    if isinstance(rate, Tensor) or isinstance(momentum, Tensor) or isinstance(share, Tensor):
        return False
    if not momentum or not fusable(params, grads, velocity) or not works(_momentum):  # it has no velocity at 0
        return False
    _momentum(params, grads, velocity, rate, momentum, share)
    return True


def adagrad_kernel(params: Tensors, grads: Tensors, sums: Tensors, rate: Scalar, epsilon: Scalar) -> bool:
    """Make Adagrad's step `a ← a + g²; w ← w − lr · g / (√a + ε)` by one fused kernel where it fits."""
    if isinstance(rate, Tensor) or isinstance(epsilon, Tensor):
        return False
    if not fusable(params, grads, sums) or not works(_adagrad):
        return False
    _adagrad(params, grads, sums, rate, epsilon)
    return True


def fusable(*lists: Tensors) -> bool:
    """Tell whether torch's fused CPU kernels, which walk memory and not strides, may run over these lists."""
    first = lists[0][0]
    kind = first.dtype
    if first.device.type != "cpu" or kind not in (torch.float32, torch.float64):
        return False
    for tensors in lists:
        for tensor in tensors:
            if tensor.dtype != kind or not tensor.is_contiguous():
                return False
    return True


def _adam(
    params: Tensors,
    grads: Tensors,
    means: Tensors,
    squares: Tensors,
    greatest: Tensors | None,
    numbers: tuple[float, float, float, float],
) -> None:
    rate, beta_1, beta_2, epsilon = numbers
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


def _momentum(params: Tensors, grads: Tensors, velocity: Tensors, rate: float, momentum: float, share: float) -> None:
    # torch's buffer leaves the learning rate out; its dampening takes it in, as Keras has it.
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


def _adagrad(params: Tensors, grads: Tensors, sums: Tensors, rate: float, epsilon: float) -> None:
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


def _of(value: float) -> Tensors:
    return [torch.tensor([value], dtype=torch.float64, device="cpu")]


def _try_adam() -> tuple[Tensor, float]:
    w, v, greatest = _of(1.0), _of(0.5), _of(9.0)
    _adam(w, _of(2.0), _of(3.0), v, None, (0.1, 0.9, 0.99, 0.01))
    mean, square = 0.9 * 3 + 0.1 * 2, 0.99 * 0.5 + 0.01 * 4
    first = 1 - 0.1 * mean / (math.sqrt(square) + 0.01)
    _adam(w, g := _of(2.0), g, v, greatest, (0.1, 0.0, 0.99, 0.01))  # as RMSprop does, and with amsgrad
    return w[0], first - 0.1 * 2 / (3 + 0.01)


def _try_momentum() -> tuple[Tensor, float]:
    _momentum(w := _of(1.0), _of(2.0), _of(3.0), 0.1, 0.9, 0.5)
    return w[0], 1 + 0.5 * (0.9 * 3 - 0.1 * 2)


def _try_adagrad() -> tuple[Tensor, float]:
    _adagrad(w := _of(1.0), _of(2.0), _of(3.0), 0.1, 0.01)
    return w[0], 1 - 0.1 * 2 / (math.sqrt(3 + 4) + 0.01)


_TRIALS: dict[Callable[..., None], Callable[[], tuple[Tensor, float]]] = {
    _adam: _try_adam,
    _momentum: _try_momentum,
    _adagrad: _try_adagrad,
}


@functools.cache
def works(kernel: Callable[..., None]) -> bool:
    """Tell whether this release of torch has the kernel as it is called here."""
    try:
        result, expected = _TRIALS[kernel]()
    except (AttributeError, TypeError, RuntimeError):
        return False  # another release: no such kernel, other arguments, or not on the CPU
    return math.isclose(float(result), expected, rel_tol=1e-9)
