"""The three products of a linear layer, by the faster of the two libraries that torch brings along for CPUs.

`torch.mm` calls MKL, which runs its AVX2 code on processors of other makers than Intel's.  Where those have AVX-512,
oneDNN takes half the time as soon as the matrices are worth its call (measured on an AMD EPYC, torch 2.13, 2 threads:
.24 ms instead of .50 for 128 × 784 × 512).  Elsewhere, and for small ones, this is `torch.mm`.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from . import devices
from .graph_capture import tracing

WORTH_A_CALL = 4_000_000  # multiplications from which oneDNN's product is faster
WORTH_TURNING = 8_000_000  # the same where the sum goes over the rows of both
# Below, hardly any batch is worth a call, and asking for each costs a small model 1 % of its step.
FEWEST_WEIGHTS = 16384
BROAD = 96  # columns of both from which turning them pays


def _maker() -> str:
    """Return a text that names the maker of the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            return next((line for line in file if line.startswith("vendor_id")), "")
    except OSError:
        return platform.processor()


def _mkl_stays_behind() -> bool:
    has_both = torch.backends.mkl.is_available() and devices.HAS_ONEDNN  # type: ignore[no-untyped-call]
    return has_both and torch.backends.cpu.get_cpu_capability() == "AVX512" and "GenuineIntel" not in _maker()


MKL_STAYS_BEHIND = _mkl_stays_behind()


def may_be_worth_onednn(weights: int) -> bool:
    """Tell whether oneDNN's products with a matrix of so many weights may be the faster ones here.

    Args:
        weights: Their number.
    """
    return MKL_STAYS_BEHIND and weights >= FEWEST_WEIGHTS


def worth_onednn(one: Tensor, columns: int, least: int = WORTH_A_CALL) -> bool:
    """Tell whether oneDNN's product is the faster one.

    Args:
        one: A matrix, or several.
        columns: How many columns what it is multiplied by has.
        least: Multiplications from which it pays.
    """
    return MKL_STAYS_BEHIND and one.numel() * columns >= least and devices.on_onednn(one) and not tracing()


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return `x · Wᵀ + b`, of matrices without gaps in memory: others take a hundred times as long."""
    kernel: Any = torch.ops.mkldnn._linear_pointwise
    return kernel(x, weight, bias, "none", [], "")  # type: ignore[no-any-return]


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return `x · Wᵀ + b`, which autograd does not record.

    Args:
        x: `(rows, inputs)`.
        weight: `(outputs, inputs)`.
        bias: `(outputs,)`, or `None`.
    """
    if worth_onednn(x, len(weight)):
        return _product(x.contiguous(), weight.contiguous(), bias)
    return F.linear(x, weight, bias)


def input_gradient(grad: Tensor, weight: Tensor) -> Tensor:
    """Return `grad · W`.

    Args:
        grad: `(rows, outputs)`, the gradient of what `affine` returned.
        weight: `(outputs, inputs)`.
    """
    if worth_onednn(grad, weight.shape[1]):
        return _product(grad.contiguous(), weight.contiguous().t())
    return torch.mm(grad, weight)


def weight_gradient(grad: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
    """Return `gradᵀ · x`.

    Args:
        grad: `(rows, outputs)`, the gradient of what `affine` returned.
        x: `(rows, inputs)`.
        out: Where it goes, `(outputs, inputs)`; `None` is new memory.
    """
    way = _way_to_weights(grad, x)
    if way is None:
        return torch.mm(grad.t(), x, out=out)
    product = way(grad.contiguous(), x.contiguous())
    return product if out is None else out.copy_(product)


def _way_to_weights(grad: Tensor, x: Tensor) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Return how oneDNN computes `gradᵀ · x` faster than MKL, if it does."""
    outputs, inputs = grad.shape[1], x.shape[1]
    if not worth_onednn(grad, inputs, WORTH_TURNING):
        return None
    if len(x) >= 4 * max(outputs, inputs):
        return _of_pixels
    return _turned if min(outputs, inputs) >= BROAD else None


def _turned(grad: Tensor, x: Tensor) -> Tensor:
    """Return `gradᵀ · x`; oneDNN packs its second matrix, so the one with more columns stands there."""
    return _product(grad.t(), x.t()) if grad.shape[1] <= x.shape[1] else _product(x.t(), grad.t()).t()


def _of_pixels(grad: Tensor, x: Tensor) -> Tensor:
    """Return `gradᵀ · x` as the gradient of a window of one pixel over an image; no matrix is turned."""
    images = [m.view(1, len(m), 1, m.shape[1]).permute(0, 3, 1, 2) for m in (grad, x)]
    shape = grad.shape[1], x.shape[1], 1, 1
    window = torch.empty(shape, dtype=grad.dtype, memory_format=torch.channels_last)  # whose order the kernel follows
    alone, none = [1, 1], [0, 0]
    backward: Any = torch.ops.aten.convolution_backward
    product: Tensor = backward(*images, window, None, alone, none, alone, False, none, 1, [False, True, False])[1]
    return product.view(shape[:2])
