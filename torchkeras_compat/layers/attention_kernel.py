"""torch's attention kernel, with a gradient that has a gradient itself, as penalties on gradients ask for."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend

from .._core import devices
from .._core.second_gradients import composed_gradients
from .._core.transforms import is_only_run


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Return `softmax(query · keyᵀ / √size + bias) · value` by torch's kernel, which keeps no weights.

    Its gradient computes them anew from the logarithm of their sum. Beside a bias of -1e9 on all keys of a query
    that is lost in rounding, and each weight would count as 1 and not as 1 / keys.

    Args:
        query: `(…, heads, queries, size)`.
        key: `(…, heads, keys, size)`.
        value: `(…, heads, keys, width)`.
        bias: Added to the scores; `None` adds nothing.

    Shape:
        Output: `(…, heads, queries, width)`.
    """
    if torch.is_grad_enabled() and is_only_run(query) and _has_kernel(query, key, value, bias):
        return _Attention.apply(query, key, value, bias)  # type: ignore[no-any-return, no-untyped-call]
    return F.scaled_dot_product_attention(query, key, value, bias)


def _has_kernel(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> bool:
    """Tell whether torch would take its kernel for CPUs, whose gradient has none."""
    choice: Any = torch._fused_sdp_choice  # torch's own rule: types, shapes, and what its user has turned off
    return devices.on_host(query) and choice(query, key, value, bias) == SDPBackend.FLASH_ATTENTION.value


def _composed(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    return (scores if bias is None else scores + bias).softmax(-1) @ value


class _Attention(torch.autograd.Function):
    """The kernel that `scaled_dot_product_attention` calls on the CPU."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        kernel: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        y, logarithms = kernel(query, key, value, attn_mask=bias)
        ctx.save_for_backward(query, key, value, bias, y, logarithms)
        return y  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, y, logarithms = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            return tuple(composed_gradients(lambda *t: [_composed(*t)], inputs, ctx.needs_input_grad, [grad]))
        kernel: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
        *inputs, bias = inputs
        return *kernel(grad, *inputs, y, logarithms, 0.0, False, attn_mask=bias), None
