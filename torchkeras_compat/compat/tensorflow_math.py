"""`tf.math` beyond `tensorflow_functions`: running products, rare functions, complex numbers, sums of lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .._core import settings
from .tensorflow_calls import axes_of, function
from .tensorflow_functions import enter_binary, enter_unary, true_division

_UNARY: dict[str, Callable[..., Tensor]] = {
    "math.asinh asinh": torch.asinh,
    "math.acosh acosh": torch.acosh,
    "math.atanh atanh": torch.atanh,
    "math.erfc": torch.erfc,
    "math.erfinv": torch.erfinv,
    "math.erfcinv": lambda x: torch.erfinv(1 - x),
    "math.ndtri": torch.special.ndtri,
    "math.digamma digamma": torch.digamma,
    "math.rint": torch.round,
    "math.softsign": torch.nn.functional.softsign,
    "math.bessel_i0": torch.special.i0,
    "math.bessel_i1": torch.special.i1,
    "math.bessel_i0e": torch.special.i0e,
    "math.bessel_i1e": torch.special.i1e,
    "math.conj": torch.conj_physical,
    "math.real": lambda x: x.real if x.is_complex() else x,
    "math.imag": lambda x: x.imag if x.is_complex() else torch.zeros_like(x),
    "math.angle": torch.angle,
    "to_float": Tensor.float,
    "to_double": Tensor.double,
    "to_int32": Tensor.int,
    "to_int64": Tensor.long,
    "to_bfloat16": Tensor.bfloat16,
    "to_complex64": lambda x: x.to(torch.complex64),
}
_BINARY: dict[str, Callable[..., Tensor]] = {
    "floordiv": torch.floor_divide,
    "mod floormod": torch.remainder,
    "truncatemod": torch.fmod,
    "truncatediv": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
    "logical_xor": torch.logical_xor,
    "math.truediv": true_division,
    "math.xlogy": torch.xlogy,
    "math.xlog1py": torch.special.xlog1py,
    "math.xdivy": lambda x, y: torch.where(x == 0, torch.zeros_like(x / 1), x / torch.where(x == 0, 1, y)),
    "math.multiply_no_nan": lambda x, y: torch.where(y == 0, torch.zeros_like(x), x * torch.where(y == 0, 1, y)),
    "math.igamma igamma": torch.special.gammainc,
    "math.igammac igammac": torch.special.gammaincc,
    "math.zeta zeta": torch.special.zeta,
    "math.nextafter": torch.nextafter,
}
for _paths, _compute in _UNARY.items():
    enter_unary(_paths, _compute)
for _paths, _compute in _BINARY.items():
    enter_binary(_paths, _compute)


@function("complex dtypes.complex")
def complex_numbers(real: Tensor, imag: Tensor) -> Tensor:
    """Return complex numbers of their two parts."""
    return torch.complex(real, imag)


def _running(x: Tensor, axis: int, exclusive: bool, reverse: bool, neutral: float, run: Any) -> Tensor:
    """Return what has been gathered up to each value along an axis, without that value where `exclusive`."""
    turned = x.flip(axis) if reverse else x
    if exclusive and turned.shape[axis]:
        first = torch.full_like(turned.narrow(axis, 0, 1), neutral)
        turned = torch.cat([first, turned.narrow(axis, 0, turned.shape[axis] - 1)], axis)
    result: Tensor = run(turned, axis)
    return result.flip(axis) if reverse else result


@function("cumsum math.cumsum")
def cumsum(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Return the running sums."""
    return _running(x, axis, exclusive, reverse, 0, lambda t, a: t.cumsum(a, dtype=x.dtype))


@function("math.cumprod cumprod")
def cumprod(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Return the running products."""
    return _running(x, axis, exclusive, reverse, 1, lambda t, a: t.cumprod(a, dtype=x.dtype))


@function("math.cumulative_logsumexp")
def cumulative_logsumexp(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Return the logarithms of running sums of exponentials."""
    lowest = torch.finfo(x.dtype).min
    return _running(x, axis, exclusive, reverse, lowest, lambda t, a: t.logcumsumexp(a))


@function("math.count_nonzero count_nonzero", also={"input_tensor": "input"})
def count_nonzero(input: Tensor, axis: Any = None, keepdims: bool | None = None, dtype: Any = "int64") -> Tensor:
    """Return how many values are not 0."""
    kind = settings.torch_dtype(dtype)
    return (input != 0).sum(axes_of(input, axis), keepdim=bool(keepdims), dtype=kind)


@function("math.add_n add_n math.accumulate_n accumulate_n")
def add_n(inputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of several tensors."""
    total: Tensor = inputs[0]
    for other in inputs[1:]:
        total = total + other
    return total


@function("math.scalar_mul scalar_mul")
def scalar_mul(scalar: Any, x: Tensor) -> Tensor:
    """Return values multiplied by a number."""
    product: Tensor = x * scalar
    return product


@function("math.polyval")
def polyval(coeffs: Sequence[Tensor], x: Tensor) -> Tensor:
    """Return the values of a polynomial, the highest power first."""
    total = torch.zeros_like(x)
    for coefficient in coeffs:
        total = total * x + coefficient
    return total


@function("math.polygamma polygamma")
def polygamma(a: Tensor, x: Tensor) -> Tensor:
    """Return derivatives of the digamma function."""
    factorial = torch.exp(torch.lgamma(a + 1))
    sign = torch.where(a % 2 == 0, -1.0, 1.0)
    return torch.where(a == 0, torch.digamma(x), sign * factorial * torch.special.zeta(a + 1, x)).to(x.dtype)


@function("math.lbeta lbeta")
def lbeta(x: Tensor) -> Tensor:
    """Return the logarithm of the beta function over the last axis."""
    return torch.lgamma(x).sum(-1) - torch.lgamma(x.sum(-1))


@function("saturate_cast")
def saturate_cast(x: Tensor, dtype: Any) -> Tensor:
    """Change the type; values outside its range become its ends."""
    kind = settings.torch_dtype(dtype)
    wide = x.double() if x.is_floating_point() else x.long()
    if kind.is_floating_point:
        ends = torch.finfo(kind)
        return x.clamp(ends.min, ends.max).to(kind) if x.is_floating_point() else wide.to(kind)
    return wide.clamp(torch.iinfo(kind).min, torch.iinfo(kind).max).to(kind)
