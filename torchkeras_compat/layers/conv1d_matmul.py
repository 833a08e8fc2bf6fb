"""A small convolution over sequences as products of matrices, for training steps on the CPU.

The windows of a sequence are copied side by side, one row for each; what oneDNN spends on reordering kernels, inputs
and gradients at every call is more than that copy as long as the product is small.  Measured beside oneDNN for forward
and backward: mostly .3 to .8 of its time up to the size below, 1.0 to 1.4 beyond one and a half times that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .._core.custom_ops import define
from .._core.devices import in_full_floats_on_host

MOST_PRODUCTS = 25_000_000  # multiplications of one forward pass


def serves(x: Tensor, weight: Tensor, pad: int) -> bool:
    """Tell whether products are the faster way for this input and this kernel, both in torch's order of axes.

    Args:
        x: `(batch, channels, 1, steps)`, channels last in memory.
        weight: `(filters, channels, 1, size)`, channels last in memory.
        pad: Zeros at either end.
    """
    steps = x.shape[-1] + 2 * pad - weight.shape[-1] + 1
    small = 0 < x.shape[0] * steps * weight.numel() <= MOST_PRODUCTS
    full = x.dtype == weight.dtype and in_full_floats_on_host(x)
    return small and full and weight.is_contiguous(memory_format=torch.channels_last)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, pad: int) -> tuple[Tensor, Tensor]:
    """Return the convolution as a matrix, `(batch * new_steps, filters)`, and the windows."""
    rows = x.squeeze(2).transpose(1, 2)
    if pad:
        rows = F.pad(rows, (0, 0, pad, pad))
    size = weight.shape[-1]
    windows = rows.unfold(1, size, 1).transpose(2, 3).reshape(-1, size * x.shape[1])
    kernel = _matrix(weight).t()
    return torch.mm(windows, kernel) if bias is None else torch.addmm(bias, windows, kernel), windows


def in_torchs_order(rows: Tensor, batch: int) -> Tensor:
    """Return what `forward` gave as a view `(batch, filters, 1, new_steps)`."""
    return rows.view(batch, -1, rows.shape[1]).transpose(1, 2).unsqueeze(2)


def backward(
    rows: Tensor, windows: Tensor, weight: Tensor, batch: int, pad: int, wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients of input, kernel and bias, those that are wanted, in torch's order of axes.

    Args:
        rows: The gradient of what `forward` returned.
        windows: What it returned beside it.
        weight: The kernel.
        batch: The number of sequences.
        pad: Zeros at either end.
        wanted: Which of the three.
    """
    channels, size = weight.shape[1], weight.shape[-1]
    dx = dw = None
    if wanted[0]:
        whole = _ADDED(torch.mm(rows, _matrix(weight)).view(batch, -1, size, channels))
        dx = whole[:, pad : whole.shape[1] - pad].transpose(1, 2).unsqueeze(2)
    if wanted[1]:
        dw = torch.mm(rows.t(), windows).view(-1, 1, size, channels).permute(0, 3, 1, 2)
    return dx, dw, rows.sum(0) if wanted[2] else None


def _added(each: Tensor) -> Tensor:
    """Return the sums of what overlapping windows give to each step."""
    batch, count, size, channels = each.shape
    whole = each.new_zeros(batch, count + size - 1, channels)
    for step in range(size):
        whole[:, step : step + count] += each[:, :, step]
    return whole


# Whole in a graph: as compiled loops they take seconds to compile and the same time to run.
_ADDED = define("add_windows(Tensor each) -> Tensor", _added)


def _matrix(weight: Tensor) -> Tensor:
    """Return the kernel as a view, `(filters, size * channels)`."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)


class _WindowProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, pad: int) -> Tensor:
        rows, windows = forward(x, weight, bias, pad)
        ctx.save_for_backward(windows, weight)
        ctx.batch, ctx.pad = len(x), pad
        return rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, rows: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        windows, weight = ctx.saved_tensors
        return *backward(rows.contiguous(), windows, weight, ctx.batch, ctx.pad, ctx.needs_input_grad), None


def window_products(x: Tensor, weight: Tensor, bias: Tensor | None, pad: int) -> Tensor:
    """Return the convolution of a sequence; its gradient exists once, as a training step needs it.

    Args:
        x: `(batch, channels, 1, steps)`, channels last in memory.
        weight: `(filters, channels, 1, size)`, channels last in memory.
        bias: `(filters,)`.
        pad: Zeros at either end.
    """
    rows = _WindowProducts.apply(x, weight, bias, pad)  # type: ignore[no-untyped-call]
    return in_torchs_order(rows, len(x))
