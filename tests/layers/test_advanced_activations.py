"""Activations that are layers, against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import activations, layers

X = np.array([[-2.0, -0.5, 0.0, 0.5, 1.0, 8.0]], dtype="float32")
EXPECTED: list[tuple[Any, Any]] = [
    (layers.LeakyReLU(), np.where(X > 0, X, 0.3 * X)),
    (layers.LeakyReLU(alpha=-1.0), np.abs(X)),
    (layers.ReLU(), np.maximum(X, 0)),
    (layers.ReLU(6.0), np.clip(X, 0, 6)),
    (layers.ReLU(6.0, 0.1, 0.75), np.where(X >= 6, 6, np.where(X > 0.75, X, 0.1 * (X - 0.75)))),
    (layers.ELU(0.5), np.where(X > 0, X, 0.5 * np.expm1(X))),
    (layers.ThresholdedReLU(0.5), np.where(X > 0.5, X, 0)),
    (layers.Softmax(), np.exp(X) / np.exp(X).sum()),
    (layers.PReLU(alpha_initializer="ones"), np.where(X > 0, X, X)),
]


@pytest.mark.parametrize(("layer", "expected"), EXPECTED, ids=lambda v: type(v).__name__)
def test_formula(layer: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(layer(X).detach(), expected, rtol=1e-6, atol=1e-6)


def test_prelu_learns_its_slopes() -> None:
    layer = layers.PReLU(shared_axes=[1])
    x = torch.tensor([[[-1.0, 2.0], [-3.0, -4.0]]])
    layer(x).sum().backward()
    assert tuple(layer.alpha.shape) == (1, 2)
    assert layer.alpha.grad.tolist() == [[-4.0, -4.0]]


def test_prelu_needs_its_axes() -> None:
    with pytest.raises(ValueError, match=r"shared_axes=\[3\] must be axes of the input"):
        layers.PReLU(shared_axes=3)._build_from((None, 4, 2))
    with pytest.raises(ValueError, match="size of axis 1 of the input must be known"):
        layers.PReLU()._build_from((None, None, 2))
    layers.PReLU(shared_axes=[1])._build_from((None, None, 2))


def test_softmax_over_several_axes() -> None:
    y = layers.Softmax(axis=[1, 2])(torch.randn(2, 3, 4))
    torch.testing.assert_close(y.sum((1, 2)), torch.ones(2))


def test_softmax_of_the_last_axis_is_the_one_losses_know() -> None:
    assert layers.Softmax().activation is activations.softmax
    assert layers.Softmax(axis=1).activation is not activations.softmax


def test_softmax_takes_a_mask_of_single_numbers() -> None:
    x = torch.tensor([[1.0, 2.0, 1.0]])
    y = layers.Softmax()(x, mask=torch.tensor([[True, False, True]]))
    torch.testing.assert_close(y, torch.tensor([[0.5, 0.0, 0.5]]))
    steps = torch.ones(1, 2, dtype=torch.bool)
    torch.testing.assert_close(layers.Softmax()(x[None], mask=steps[:, :1]), torch.softmax(x[None], -1))
