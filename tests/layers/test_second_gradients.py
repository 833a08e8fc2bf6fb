"""Gradients that are recorded themselves are those that are not, also where a layer is called on its own output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from torchkeras_compat import layers as L


def _twice(make: Callable[[], Any]) -> tuple[Any, Callable[[Any], Any]]:
    layer = make()
    return layer, lambda x: layer(layer(x))


def _of_pairs(make: Callable[[], Any]) -> tuple[Any, Callable[[Any], Any]]:
    layer = make()
    return layer, lambda x: layer([layer([x, x]), layer([x, x])])


def _of_heads() -> tuple[Any, Callable[[Any], Any]]:
    layer = L.MultiHeadAttention(2, 4)
    return layer, lambda x: layer(layer(x, x), layer(x, x))


RECURRENT = {"units": 4, "return_sequences": True}
CASES: dict[str, tuple[Callable[[], tuple[Any, Callable[[Any], Any]]], tuple[int, ...]]] = {
    "GRU": (lambda: _twice(lambda: L.GRU(**RECURRENT)), (2, 5, 4)),
    "GRU, reset before": (lambda: _twice(lambda: L.GRU(reset_after=False, **RECURRENT)), (2, 5, 4)),
    "SimpleRNN": (lambda: _twice(lambda: L.SimpleRNN(**RECURRENT)), (2, 5, 4)),
    "LSTM": (lambda: _twice(lambda: L.LSTM(**RECURRENT)), (2, 5, 4)),
    "LSTM, hard": (lambda: _twice(lambda: L.LSTM(recurrent_activation="hard_sigmoid", **RECURRENT)), (2, 5, 4)),
    "Dense": (lambda: _twice(lambda: L.Dense(256, "tanh")), (128, 256)),
    "Conv2DTranspose": (lambda: _twice(lambda: L.Conv2DTranspose(3, 3, strides=2)), (2, 5, 5, 3)),
    "AdditiveAttention": (lambda: _of_pairs(L.AdditiveAttention), (3, 60, 64)),
    "MultiHeadAttention": (_of_heads, (2, 5, 6)),
}


@pytest.mark.parametrize("case", CASES)
def test_recorded_gradients_are_those_that_are_not(case: str) -> None:
    make, shape = CASES[case]
    layer, run = make()
    x = torch.linspace(-1, 1, torch.Size(shape).numel()).sin_().view(shape).requires_grad_()
    run(x)
    leaves = [x, *(w for w in layer.parameters() if w.requires_grad)]
    expected = torch.autograd.grad(run(x).sin().sum(), leaves)
    recorded = torch.autograd.grad(run(x).sin().sum(), leaves, create_graph=True)
    for one, other in zip(recorded, expected):
        size = max(float(other.abs().max()), 1.0)
        torch.testing.assert_close(one.detach() / size, other / size, rtol=0, atol=5e-5)  # by two libraries


def test_heads_of_other_batches_are_refused() -> None:
    """torch's kernel would read beside the smaller batch."""
    layer = L.MultiHeadAttention(2, 4)
    layer(torch.randn(3, 5, 6), torch.randn(3, 5, 6))
    with pytest.raises(RuntimeError, match="shape"):
        layer(torch.randn(1, 5, 6), torch.randn(4, 5, 6))
