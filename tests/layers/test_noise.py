"""Noise and the kinds of dropout: statistics, shapes of masks, seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import layers

from ..contract.specs import LAYERS

MANY = torch.ones(400, 500)


# Each layer by chance: on ones, the mean and the standard deviation of what training makes of them.
STATISTICS: dict[str, tuple[Callable[[], Any], float, float]] = {
    "Dropout": (lambda: layers.Dropout(0.2), 1.0, (0.2 / 0.8) ** 0.5),
    "Dropout of all but a few": (lambda: layers.Dropout(0.9), 1.0, (0.9 / 0.1) ** 0.5),
    "GaussianNoise": (lambda: layers.GaussianNoise(0.5), 1.0, 0.5),
    "GaussianDropout": (lambda: layers.GaussianDropout(0.2), 1.0, (0.2 / 0.8) ** 0.5),
    "SpatialDropout1D": (lambda: layers.SpatialDropout1D(0.2), 1.0, (0.2 / 0.8) ** 0.5),
    "SpatialDropout2D": (lambda: layers.SpatialDropout2D(0.4), 1.0, (0.4 / 0.6) ** 0.5),
    "SpatialDropout3D": (lambda: layers.SpatialDropout3D(0.3), 1.0, (0.3 / 0.7) ** 0.5),
}
AXES = {"SpatialDropout1D": 3, "SpatialDropout2D": 4, "SpatialDropout3D": 5}
# What draws beside them: AlphaDropout below, the dropouts inside others in files of their own.
ELSEWHERE = {"AlphaDropout", "SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional"} | {
    "Attention",
    "AdditiveAttention",
    "MultiHeadAttention",
    "Embedding",  # words of Keras 1, tests/compat/test_silent_traps.py
    *(f"ConvLSTM{n}D" for n in (1, 2, 3)),
    "ConvRNN2D",
    *(f"Random{name}" for name in "Brightness Contrast Crop Flip Rotation Translation Zoom".split()),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_mean_and_variance(name: str) -> None:
    make, mean, deviation = STATISTICS[name]
    kind = name.split()[0]
    x = MANY.reshape(400, *[1] * (AXES.get(kind, 2) - 2), 500)
    x.requires_grad_()
    layer = make()
    y = layer(x, training=True)
    assert abs(y.mean() - mean) < 0.02
    assert abs(y.std() - deviation) < 0.02
    assert layer(x, training=False) is x
    (gradient,) = torch.autograd.grad(y.sum(), x)  # that of the draw which made the output
    expected = torch.ones_like(y) if kind == "GaussianNoise" else y
    torch.testing.assert_close(gradient, expected)


def test_each_layer_by_chance_is_tested() -> None:
    by_chance = {line.cls for line in LAYERS if line.random}
    assert by_chance <= {name.split()[0] for name in STATISTICS} | ELSEWHERE


@pytest.mark.parametrize(
    ("noise_shape", "shared"),
    [((None, 1, None), (1,)), ((None, 1, 5), (1,)), ((1, 6, 1), (0, 2)), ((None, None, None), ())],
)
@pytest.mark.parametrize("cls", [layers.Dropout, layers.AlphaDropout])
def test_noise_shape_says_what_is_dropped_together(cls: Any, noise_shape: Any, shared: tuple[int, ...]) -> None:
    y = cls(0.5, noise_shape=noise_shape)(torch.ones(40, 6, 5), training=True)
    assert y.unique().numel() == 2
    for axis in range(3):
        together = bool((y.amax(axis) == y.amin(axis)).all())
        assert together == (axis in shared), axis


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


@pytest.mark.parametrize("name", ["Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "SpatialDropout1D"])
def test_seed(name: str) -> None:
    x = torch.randn(4, 5, 6)
    first, second, other = (getattr(layers, name)(0.5, seed=s) for s in (3, 3, 4))
    y = first(x, training=True)
    torch.manual_seed(0)
    torch.testing.assert_close(second(x, training=True), y)
    assert not torch.equal(first(x, training=True), y)  # the next draw
    assert not torch.equal(other(x, training=True), y)


@pytest.mark.parametrize("name", ["Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "SpatialDropout1D"])
def test_rate_zero_does_nothing(name: str) -> None:
    x = torch.randn(4, 5, 6)
    assert torch.equal(getattr(layers, name)(0)(x, training=True), x)


def test_activity_regularization_adds_to_the_loss() -> None:
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    x = torch.tensor([[1.0, -2.0]], requires_grad=True)
    y, _ = layer._run(x, None, True)
    assert y is x
    (penalty,) = layer._take_losses()
    assert penalty.item() == 0.5 * 3 + 0.25 * 5
    assert layer._take_losses() == []
    np.testing.assert_allclose(torch.autograd.grad(penalty, x)[0], [[1.0, -1.5]])
