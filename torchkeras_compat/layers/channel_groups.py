"""Normalisation of groups of channels that lie last in memory, on the CPU, a few samples at a time.

torch's kernel for such memory takes the variance for the difference of two means, `E x² - (E x)²`: of numbers whose
mean is ten deviations from zero it has three digits right, of a hundred one, of a thousand none. Its kernel for
channels first is exact, but turning the memory round and back takes longer than all of this.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .._core.second_gradients import composed_gradients
from .._core.transforms import is_only_run
from .base.normalizing import scaled

NUMBERS_AT_ONCE = 2**19  # two megabytes of float32: what is computed beside them stays in a cache, too


def serves(x: Tensor, *weights: Tensor | None) -> bool:
    """Tell whether an input, channels last, is on the CPU and in full floats, as are its weights, and only run."""
    one_kind = all(w is None or w.dtype == x.dtype for w in weights)
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and one_kind and is_only_run(x)


def normalized_groups(x: Tensor, gamma: Tensor | None, beta: Tensor | None, groups: int, epsilon: float) -> Tensor:
    """Return an input normalised group by group over all positions, times `gamma` and plus `beta`.

    Args:
        x: `(batch, …, channels)`.
        gamma: `(channels,)`, or `None` for 1.
        beta: `(channels,)`, or `None` for 0.
        groups: The number of groups.
        epsilon: Added to the variance.

    Source:
        Wu & He, 2018.
    """
    flat = x.reshape(len(x), math.prod(x.shape[1:-1]), x.shape[-1])
    y = _Groups.apply(flat, gamma, beta, groups, epsilon)  # type: ignore[no-untyped-call]
    return y.view(x.shape)  # type: ignore[no-any-return]


def _composed(groups: int, epsilon: float, x: Tensor, gamma: Tensor | None, beta: Tensor | None) -> tuple[Tensor]:
    grouped = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    variance, mean = torch.var_mean(grouped, (1, 3), correction=0, keepdim=True)
    normal = (grouped - mean) * torch.rsqrt(variance + epsilon)
    return (scaled(normal.flatten(2), gamma, beta, (-1,)),)


class _Groups(torch.autograd.Function):
    """Keeps the input and, for each channel of a sample, mean and reciprocal deviation of its group."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor | None, beta: Tensor | None, groups: int, epsilon: float) -> Tensor:
        y = x.new_empty(x.shape)
        means, scales = x.new_empty(len(x), 1, x.shape[-1]), x.new_empty(len(x), 1, x.shape[-1])
        for part in _parts(x):
            of_part, normal = x[part], y[part]
            mean = torch.div(_over_groups(of_part.sum(1), groups), x.shape[1], out=means[part])
            torch.sub(of_part, mean, out=normal)
            variance = _over_groups(normal.square().sum(1), groups) / x.shape[1]
            scale = torch.rsqrt(variance + epsilon, out=scales[part])
            by = scale if gamma is None else scale * gamma
            torch.mul(normal, by, out=normal) if beta is None else torch.addcmul(beta, normal, by, out=normal)
        ctx.save_for_backward(x, gamma, beta, means, scales)
        ctx.groups, ctx.epsilon = groups, epsilon
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gamma, beta, means, scales = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            composed = partial(_composed, ctx.groups, ctx.epsilon)
            return *composed_gradients(composed, (x, gamma, beta), needed, [grad]), None, None
        of_x, of_gamma, of_beta = x.new_empty(x.shape), x.new_zeros(x.shape[-1]), x.new_zeros(x.shape[-1])
        for part in _parts(x):
            g, scale = grad[part], scales[part]
            centred = x[part] - means[part]
            sums, products = g.sum(1), torch.mul(g, centred, out=of_x[part]).sum(1) * scale.squeeze(1)
            of_beta += sums.sum(0)
            of_gamma += products.sum(0)
            if needed[0]:
                _gradient(of_x[part], centred, g, sums, products, scale, gamma, ctx.groups)
        gradients = of_x, of_gamma, of_beta
        return *(gradient if wanted else None for gradient, wanted in zip(gradients, needed)), None, None


def _gradient(
    out: Tensor,
    centred: Tensor,
    grad: Tensor,
    sums: Tensor,
    products: Tensor,
    scale: Tensor,
    gamma: Tensor | None,
    groups: int,
) -> None:
    """Write `scale · (g - E g - centred · scale · E(g · centred · scale))` for `g = gamma · grad`.

    Args:
        out: What is written to; `centred` is lost.
        centred: The input without its mean.
        grad: The gradient of the output.
        sums: `grad`, summed over the positions.
        products: `grad · centred · scale`, summed over the positions.
        scale: The reciprocal deviations.
        gamma: The scale of the layer.
        groups: The number of groups.
    """
    if gamma is not None:
        sums, products = sums * gamma, products * gamma
    by = scale / -centred.shape[1]
    torch.addcmul(_over_groups(sums, groups) * by, centred, _over_groups(products, groups) * by * scale, out=centred)
    torch.addcmul(centred, grad, scale if gamma is None else scale * gamma, out=out)


def _parts(x: Tensor) -> Iterator[slice]:
    """Yield slices of as many samples as fit into a cache."""
    samples = max(1, NUMBERS_AT_ONCE // max(1, math.prod(x.shape[1:])))
    return (slice(first, first + samples) for first in range(0, len(x), samples))


def _over_groups(numbers: Tensor, groups: int) -> Tensor:
    """Return for each of the `(batch, channels)` the mean over its group, `(batch, 1, channels)`."""
    batch, channels = numbers.shape
    grouped = numbers.view(batch, groups, channels // groups)
    return grouped.mean(-1, keepdim=True).expand_as(grouped).reshape(batch, 1, channels)
