"""In-place arithmetic over lists of tensors: one kernel for a list of one, torch's foreach kernels for more.

`foreach` on a single tensor is slower than the plain operation, so each function asks for the length once.  A scalar
may be a float or a 0-d tensor; where torch's kernel takes only a number, the tensor is multiplied in first.  Over lists
torch has one kernel only for a scalar of their own type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

Tensors = list[Tensor]
Scalar = float | Tensor


def _of_type(scalar: Scalar, xs: Tensors) -> Scalar:
    return scalar.to(xs[0].dtype) if isinstance(scalar, Tensor) else scalar


def mul_(xs: Tensors, factor: Scalar) -> None:
    """Let x ← x · factor."""
    if len(xs) == 1:
        xs[0].mul_(factor)
    else:
        torch._foreach_mul_(xs, _of_type(factor, xs))


def mul(xs: Tensors, factor: Scalar) -> Tensors:
    """Return x · factor."""
    return [xs[0].mul(factor)] if len(xs) == 1 else list(torch._foreach_mul(xs, _of_type(factor, xs)))


def shift_(xs: Tensors, summand: Scalar) -> None:
    """Let x ← x + summand, a number."""
    if len(xs) == 1:
        xs[0].add_(summand)
    else:
        torch._foreach_add_(xs, _of_type(summand, xs))


def shift(xs: Tensors, summand: Scalar) -> Tensors:
    """Return x + summand, a number."""
    return [xs[0].add(summand)] if len(xs) == 1 else list(torch._foreach_add(xs, _of_type(summand, xs)))


def add_(xs: Tensors, ys: Tensors, factor: Scalar = 1.0) -> None:
    """Let x ← x + factor · y."""
    if isinstance(factor, Tensor):
        ys, factor = mul(ys, factor), 1.0
    if len(xs) == 1:
        xs[0].add_(ys[0], alpha=factor)
    else:
        torch._foreach_add_(xs, ys, alpha=factor)


def plus(xs: Tensors, ys: Tensors, factor: Scalar) -> Tensors:
    """Return x + factor · y."""
    if isinstance(factor, Tensor):
        ys, factor = mul(ys, factor), 1.0
    return [xs[0].add(ys[0], alpha=factor)] if len(xs) == 1 else list(torch._foreach_add(xs, ys, alpha=factor))


def times_(xs: Tensors, ys: Tensors) -> None:
    """Let x ← x · y."""
    if len(xs) == 1:
        xs[0].mul_(ys[0])
    else:
        torch._foreach_mul_(xs, ys)


def times(xs: Tensors, ys: Tensors) -> Tensors:
    """Return x · y."""
    return [xs[0].mul(ys[0])] if len(xs) == 1 else list(torch._foreach_mul(xs, ys))


def over_(xs: Tensors, ys: Tensors) -> None:
    """Let x ← x / y."""
    if len(xs) == 1:
        xs[0].div_(ys[0])
    else:
        torch._foreach_div_(xs, ys)


def addcmul_(xs: Tensors, ys: Tensors, zs: Tensors, factor: Scalar) -> None:
    """Let x ← x + factor · y · z."""
    if isinstance(factor, Tensor):
        add_(xs, times(mul(ys, factor), zs))
    elif len(xs) == 1:
        xs[0].addcmul_(ys[0], zs[0], value=factor)
    else:
        torch._foreach_addcmul_(xs, ys, zs, factor)


def addcdiv_(xs: Tensors, ys: Tensors, zs: Tensors, factor: Scalar) -> None:
    """Let x ← x + factor · y / z."""
    if isinstance(factor, Tensor):
        scaled = mul(ys, factor)
        over_(scaled, zs)
        add_(xs, scaled)
    elif len(xs) == 1:
        xs[0].addcdiv_(ys[0], zs[0], value=factor)
    else:
        torch._foreach_addcdiv_(xs, ys, zs, factor)


def lerp_(xs: Tensors, ys: Tensors, weight: Scalar) -> None:
    """Let x ← x + weight · (y − x); exactly y where weight is 1."""
    if isinstance(weight, Tensor):
        for x, y in zip(xs, ys):  # foreach takes a number or tensors of full shape, and both take the type of x only
            x.lerp_(y, weight.to(x.dtype))
    elif len(xs) == 1:
        xs[0].lerp_(ys[0], weight)
    else:
        torch._foreach_lerp_(xs, ys, weight)


def sqrt(xs: Tensors) -> Tensors:
    """Return √x."""
    return [xs[0].sqrt()] if len(xs) == 1 else list(torch._foreach_sqrt(xs))


def sqrt_(xs: Tensors) -> None:
    """Let x ← √x."""
    if len(xs) == 1:
        xs[0].sqrt_()
    else:
        torch._foreach_sqrt_(xs)


def power(xs: Tensors, exponent: Scalar) -> Tensors:
    """Return x to the power `exponent`."""
    if len(xs) == 1 or isinstance(exponent, Tensor):
        return [x.pow(exponent) for x in xs]
    return list(torch._foreach_pow(xs, exponent))


def clamp(xs: Tensors, least: Scalar, most: Scalar) -> Tensors:
    """Return x, at least `least` and at most `most`."""
    if isinstance(least, Tensor) or isinstance(most, Tensor):
        return [x.clamp(min=least).clamp(max=most) for x in xs]
    return list(torch._foreach_clamp_max(torch._foreach_clamp_min(xs, least), most))


def absolute(xs: Tensors) -> Tensors:
    """Return |x|."""
    return [xs[0].abs()] if len(xs) == 1 else list(torch._foreach_abs(xs))


def sign_(xs: Tensors) -> None:
    """Let x ← −1, 0 or 1."""
    if len(xs) == 1:
        xs[0].sign_()
    else:
        torch._foreach_sign_(xs)


def maximum_(xs: Tensors, ys: Tensors) -> None:
    """Let x ← max(x, y)."""
    if len(xs) == 1:
        torch.maximum(xs[0], ys[0], out=xs[0])
    else:
        torch._foreach_maximum_(xs, ys)


def copy_(xs: Tensors, ys: Tensors) -> None:
    """Let x ← y."""
    if len(xs) == 1:
        xs[0].copy_(ys[0])
    else:
        torch._foreach_copy_(xs, ys)


def joined_positions(params: Iterable[Tensor], parts: Mapping[Tensor, int]) -> list[list[int]]:
    """Return the positions of parameters, those of one weight together.

    Args:
        params: The parameters.
        parts: Parameter → a number that those of one weight have in common; others are weights of their own.
    """
    by_weight: dict[int, list[int]] = {}
    for i, param in enumerate(params):
        by_weight.setdefault(parts.get(param, -1 - i), []).append(i)
    return list(by_weight.values())
