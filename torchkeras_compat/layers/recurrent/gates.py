"""How the gates of a cell lie in its weights: the order of torch beside Keras's, and the bias that they begin with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..._core.weights import Codec, initial_value


def ones_to_forget(
    initializer: Callable[..., Any], units: int, before: int = 1, behind: int = 2
) -> Callable[[tuple[int, ...], str], Tensor]:
    """Return an initializer of a bias of LSTM, by which the forget gate begins at one.

    Args:
        initializer: Fills the bias of the other gates.
        units: The numbers of a gate.
        before: How many gates stand before that one.
        behind: How many stand behind it.
    """
    return functools.partial(_with_ones, initializer, (before * units, units, behind * units))


def _with_ones(initializer: Callable[..., Any], sizes: tuple[int, int, int], shape: Any, dtype: str) -> Tensor:
    kind = getattr(torch, dtype)
    before, behind = (initial_value(initializer, (n,), kind) for n in (sizes[0], sizes[2]))
    return torch.cat((before, torch.ones(sizes[1], dtype=kind, device="cpu"), behind))


def swapped(gates: Tensor) -> Tensor:
    """Return the rows of GRU gates with the first two gates exchanged: Keras has z, r, h and torch r, z, n."""
    first, second, last = gates.chunk(3)
    return torch.cat((second, first, last))


def _read_matrix(weight: Tensor) -> Tensor:
    return swapped(weight).t()


def _write_matrix(kernel: Tensor) -> tuple[Tensor]:
    return (swapped(kernel.t()),)


def _write_bias(bias: Tensor) -> tuple[Tensor]:
    return (swapped(bias),)


def _read_biases(one: Tensor, two: Tensor) -> Tensor:
    return torch.stack((swapped(one), swapped(two)))


def _write_biases(biases: Tensor) -> tuple[Tensor, Tensor]:
    return swapped(biases[0]), swapped(biases[1])


GRU_MATRIX = Codec(_read_matrix, _write_matrix, is_view=False)
GRU_BIAS = Codec(swapped, _write_bias, is_view=False)
GRU_BIASES = Codec(_read_biases, _write_biases, is_view=False)
