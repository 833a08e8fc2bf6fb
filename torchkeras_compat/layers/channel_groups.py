"""Normalisation of groups of channels that lie last in memory, on the CPU, a few samples at a time.

torch's kernel for such memory takes the variance for the difference of two means, `E x² - (E x)²`: of numbers whose
mean is ten deviations from zero it has three digits right, of a hundred one, of a thousand none. Its kernel for
channels first is exact; turning the memory round for it is as fast for the layer by itself, but what follows finds its
channels apart, and a network of convolutions takes half as long again (`benchmarks/README.md`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .._core.devices import in_full_floats_on_host
from .._core.second_gradients import composed_gradients
from .._core.transforms import is_only_run
from .base.normalizing import scaled

NUMBERS_AT_ONCE = 2**19  # two megabytes of float32: what is computed beside them stays in a cache, too


def serves(x: Tensor, *weights: Tensor | None) -> bool:
    """Tell whether an input, channels last, is to be normalised here.

    It has positions (without, channels last are channels first), is on the CPU and in full floats, as are its weights,
    and is only run.
    """
    one_kind = all(w is None or w.dtype == x.dtype for w in weights)
    return x.dim() > 2 and in_full_floats_on_host(x) and one_kind and is_only_run(x)


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
            mean = torch.div(_over_groups(of_part.sum(1, keepdim=True), groups), x.shape[1], out=means[part])
            torch.sub(of_part, mean, out=normal)
            variance = _over_groups(normal.square().sum(1, keepdim=True), groups) / x.shape[1]
            factor = _factor(torch.rsqrt(variance + epsilon, out=scales[part]), gamma)
            torch.mul(normal, factor, out=normal) if beta is None else torch.addcmul(beta, normal, factor, out=normal)
        ctx.save_for_backward(x, gamma, beta, means, scales)
        ctx.groups, ctx.epsilon = groups, epsilon
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Give the input `scale · (g - E g - normal · E(g · normal))`, for `g = gamma · grad` and means over groups."""
        x, gamma, beta, means, scales = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            composed = partial(_composed, ctx.groups, ctx.epsilon)
            return *composed_gradients(composed, (x, gamma, beta), needed, [grad]), None, None
        of_x, of_gamma, of_beta = x.new_empty(x.shape), x.new_zeros(x.shape[-1]), x.new_zeros(x.shape[-1])
        for part in _parts(x):
            g, scale, out = grad[part], scales[part], of_x[part]
            centred = x[part] - means[part]
            sums = g.sum(1, keepdim=True)
            products = torch.mul(g, centred, out=out).sum(1, keepdim=True) * scale
            of_beta += sums.sum((0, 1))
            of_gamma += products.sum((0, 1))
            if needed[0]:
                factor = _factor(scale, gamma)  # in the means, too: the scale of a group is one number
                offset = _over_groups(sums * factor, ctx.groups) / -x.shape[1]
                slope = _over_groups(products * factor, ctx.groups) * scale / -x.shape[1]
                torch.addcmul(torch.addcmul(offset, centred, slope, out=centred), g, factor, out=out)
        gradients = of_x, of_gamma, of_beta
        return *(gradient if wanted else None for gradient, wanted in zip(gradients, needed)), None, None


def _parts(x: Tensor) -> Iterator[slice]:
    """Yield slices of as many samples as fit into a cache."""
    samples = max(1, NUMBERS_AT_ONCE // max(1, math.prod(x.shape[1:])))
    return (slice(first, first + samples) for first in range(0, len(x), samples))


def _factor(scale: Tensor, gamma: Tensor | None) -> Tensor:
    """Return what centred numbers are multiplied by."""
    return scale if gamma is None else scale * gamma


def _over_groups(numbers: Tensor, groups: int) -> Tensor:
    """Return for each of the `(batch, 1, channels)` the mean over its group."""
    grouped = numbers.view(len(numbers), groups, numbers.shape[-1] // groups)
    return grouped.mean(-1, keepdim=True).expand_as(grouped).reshape(numbers.shape)
