"""The `nn.Linear` of the layers, which takes its products from the faster library; see `_core/linear_products.py`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..._core import linear_products
from ..._core.transforms import is_transformed


class Linear(nn.Linear):
    """`nn.Linear` on a processor on which MKL stays behind."""

    def forward(self, input: Tensor) -> Tensor:
        """Return `input · Wᵀ + b`."""
        fits = input.dtype == self.weight.dtype and input.shape[-1] == self.in_features
        if not fits or is_transformed(input) or not linear_products.worth_onednn(input, self.out_features):
            return super().forward(input)  # which has the words for what does not fit
        x = input.reshape(-1, self.in_features)
        y = _Recorded.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return y.view(*input.shape[:-1], self.out_features)  # type: ignore[no-any-return]


class _Recorded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return linear_products.affine(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        of_bias = grad.sum(0) if wanted[2] else None
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            return grad @ weight if wanted[0] else None, grad.t() @ x if wanted[1] else None, of_bias
        of_x = linear_products.input_gradient(grad, weight) if wanted[0] else None
        of_weight = linear_products.weight_gradient(grad, x) if wanted[1] else None
        return of_x, of_weight, of_bias


def linear_for(inputs: int, outputs: int) -> type[nn.Linear]:
    """Return the class of a module of this size: torch's own, unless its products are faster elsewhere."""
    return Linear if linear_products.may_be_worth_onednn(inputs * outputs) else nn.Linear
