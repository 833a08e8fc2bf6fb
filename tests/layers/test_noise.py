"""Noise and the kinds of dropout: statistics, shapes of masks, seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import layers

MANY = torch.ones(400, 500)


def test_gaussian_noise() -> None:
    y = layers.GaussianNoise(0.5)(MANY, training=True)
    assert abs(y.mean() - 1) < 0.01
    assert abs(y.std() - 0.5) < 0.01


def test_gaussian_dropout_has_the_variance_of_dropout() -> None:
    y = layers.GaussianDropout(0.2)(2 * MANY, training=True)
    assert abs(y.mean() - 2) < 0.01
    assert abs(y.std() - 2 * (0.2 / 0.8) ** 0.5) < 0.01


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = torch.randn(400, 500)
    y = layers.AlphaDropout(0.3)(x, training=True)
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02
    floor = y.flatten().mode().values  # the one value that many have
    assert abs((y == floor).float().mean() - 0.3) < 0.01


@pytest.mark.parametrize(
    ("layer", "shape", "shared"),
    [
        (layers.SpatialDropout1D(0.5), (20, 6, 10), (1,)),
        (layers.SpatialDropout2D(0.5), (20, 3, 4, 10), (1, 2)),
        (layers.SpatialDropout2D(0.5, data_format="channels_first"), (20, 10, 3, 4), (2, 3)),
        (layers.SpatialDropout3D(0.5), (20, 3, 2, 2, 10), (1, 2, 3)),
    ],
)
def test_spatial_dropout_drops_whole_channels(layer: Any, shape: tuple[int, ...], shared: tuple[int, ...]) -> None:
    y = layer(torch.ones(shape), training=True)
    assert set(y.unique().tolist()) == {0.0, 2.0}
    torch.testing.assert_close(y.amax(shared), y.amin(shared))
    assert 0.3 < (y == 0).float().mean() < 0.7


@pytest.mark.parametrize("name", ["GaussianNoise", "GaussianDropout", "AlphaDropout", "SpatialDropout1D"])
def test_seed(name: str) -> None:
    x = torch.randn(4, 5, 6)
    first, second, other = (getattr(layers, name)(0.5, seed=s) for s in (3, 3, 4))
    y = first(x, training=True)
    torch.manual_seed(0)
    torch.testing.assert_close(second(x, training=True), y)
    assert not torch.equal(first(x, training=True), y)  # the next draw
    assert not torch.equal(other(x, training=True), y)


@pytest.mark.parametrize("name", ["GaussianDropout", "AlphaDropout", "SpatialDropout1D"])
def test_rate_zero_does_nothing(name: str) -> None:
    x = torch.randn(4, 5, 6)
    assert getattr(layers, name)(0)(x, training=True) is x


def test_activity_regularization_adds_to_the_loss() -> None:
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    x = torch.tensor([[1.0, -2.0]], requires_grad=True)
    y, _ = layer._run(x, None, True)
    assert y is x
    (penalty,) = layer._take_losses()
    assert penalty.item() == 0.5 * 3 + 0.25 * 5
    assert layer._take_losses() == []
    np.testing.assert_allclose(torch.autograd.grad(penalty, x)[0], [[1.0, -1.5]])
