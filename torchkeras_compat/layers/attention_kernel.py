"""torch's attention kernel, with a gradient that has a gradient itself, as penalties on gradients ask for."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .._core import devices
from .._core.graph_capture import tracing
from .._core.transforms import is_transformed


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Return `softmax(query · keyᵀ / √size + bias) · value`.

    Args:
        query: `(…, heads, queries, size)`.
        key: `(…, heads, keys, size)`.
        value: `(…, heads, keys, width)`.
        bias: Added to the scores; `None` adds nothing.

    Shape:
        Output: `(…, heads, queries, width)`.
    """
    if torch.is_grad_enabled() and not tracing() and not is_transformed(query) and _has_kernel(query, value):
        return _Attention.apply(query, key, value, bias)  # type: ignore[no-any-return, no-untyped-call]
    return F.scaled_dot_product_attention(query, key, value, bias)


def _has_kernel(query: Tensor, value: Tensor) -> bool:
    """Tell whether torch's kernel for CPUs takes the heads."""
    alike = query.dim() == 4 and query.shape[-1] == value.shape[-1]
    return alike and query.dtype in (torch.float32, torch.float64) and devices.on_host(query)


class _Attention(torch.autograd.Function):
    """The kernel that `scaled_dot_product_attention` calls on the CPU for heads of one size."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        kernel: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        y, logarithms = kernel(query, key, value, attn_mask=bias)
        ctx.save_for_backward(query, key, value, bias, y, logarithms)
        return y  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, bias, y, logarithms = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            wanted = [t.view_as(t) for t in (query, key, value)]
            scores = wanted[0] @ wanted[1].transpose(-1, -2) / math.sqrt(query.shape[-1])
            again = (scores if bias is None else scores + bias).softmax(-1) @ wanted[2]
            return *torch.autograd.grad(again, wanted, grad, create_graph=True), None
        kernel: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
        return *kernel(grad, query, key, value, y, logarithms, 0.0, False, attn_mask=bias), None
