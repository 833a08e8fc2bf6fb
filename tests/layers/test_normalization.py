"""BatchNormalization against its formula: statistics, moving averages, dialects, masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat._core import dialects

# Shape, axis, and whether Keras 2.15 moves the variance towards the unbiased one: measured there.
CASES: list[tuple[tuple[int, ...], Any, bool]] = [
    ((8, 3), -1, False),
    ((4, 5, 3), -1, False),
    ((4, 5, 3), 1, False),
    ((4, 5, 6, 3), -1, True),
    ((4, 5, 6, 3), 3, True),
    ((4, 5, 6, 3), [3], True),
    ((4, 5, 6, 3), 1, True),
    ((4, 5, 6, 3), 2, False),
    ((4, 5, 6, 3), [1, 2], False),
    ((4, 5, 3), [1, 2], False),
    ((2, 3, 2, 2, 3), -1, True),
    ((2, 3, 2, 2, 3), 1, True),
    ((2, 3, 2, 2, 2, 3), -1, False),
    ((1, 1, 1, 3), -1, False),  # one value a channel: no unbiased variance
]


def statistics(x: np.ndarray, axis: Any) -> tuple[Any, Any, int]:
    axes = {a % x.ndim for a in (axis if isinstance(axis, list) else [axis])}
    others = tuple(a for a in range(x.ndim) if a not in axes)
    return x.mean(others, keepdims=True), x.var(others, keepdims=True), int(np.prod([x.shape[a] for a in others]))


# dialect → the factor of the variance, from (values a channel, epsilon, whether Keras 2.15 takes the unbiased one).
FACTORS = {
    "keras-2.15": lambda n, epsilon, unbiased: n / (n - 1) if unbiased else 1.0,
    "keras-2.3": lambda n, epsilon, unbiased: n / (n - 1 - epsilon),
    "keras-1": lambda n, epsilon, unbiased: 1.0,
}


@pytest.mark.parametrize("dialect", FACTORS)
@pytest.mark.parametrize("epsilon", [1e-3, 1e-6])  # with the small one, torch's kernel is exact enough for keras-2.3
@pytest.mark.parametrize(("shape", "axis", "unbiased"), CASES, ids=str)
def test_training(shape: tuple[int, ...], axis: Any, unbiased: bool, epsilon: float, dialect: str) -> None:
    x = np.random.RandomState(0).standard_normal(shape).astype("float32") * 3 + 1
    keras.set_dialect(dialect)
    layer = layers.BatchNormalization(axis=axis, momentum=0.75, epsilon=epsilon)
    layer.build(shape)
    mean, variance, count = statistics(x, axis)
    y = layer(x, training=True)
    rounding = 3e-7 / np.sqrt(epsilon)  # of x − mean, where the variance is 0
    np.testing.assert_allclose(y.detach(), (x - mean) / np.sqrt(variance + epsilon), rtol=1e-4, atol=1e-4 + rounding)
    factor = FACTORS[dialect](count, epsilon, unbiased)
    np.testing.assert_allclose(layer.moving_mean.flatten(), 0.25 * mean.ravel(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.flatten(), 0.75 + 0.25 * factor * variance.ravel(), rtol=1e-4)


@pytest.mark.parametrize(("shape", "axis", "unbiased"), CASES, ids=str)
@pytest.mark.parametrize(
    "options", [{}, {"center": False}, {"scale": False}, {"center": False, "scale": False}], ids=str
)
def test_inference(shape: tuple[int, ...], axis: Any, unbiased: bool, options: dict[str, bool]) -> None:
    rng = np.random.RandomState(0)
    x = rng.standard_normal(shape).astype("float32")
    layer = layers.BatchNormalization(axis=axis, epsilon=0.1, **options)
    layer.build(shape)
    layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    before = layer.get_weights()
    over = statistics(x, axis)[0].shape
    weights = {w.name.split("/")[1][:-2]: np.reshape(w.numpy(), over) for w in layer.weights}
    expected = (x - weights["moving_mean"]) / np.sqrt(weights["moving_variance"] + 0.1)
    expected = expected * weights.get("gamma", 1) + weights.get("beta", 0)
    np.testing.assert_allclose(layer(x).detach(), expected, rtol=1e-4, atol=1e-5)
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(("shape", "axis", "unbiased"), CASES[:13], ids=str)
def test_gradients(shape: tuple[int, ...], axis: Any, unbiased: bool) -> None:
    layer = layers.BatchNormalization(axis=axis, dtype="float64")
    layer.build(shape)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: layer(t, training=True), (x,), atol=1e-4)


def test_order_of_weights() -> None:
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    names = [w.name.split("/")[1] for w in layer.weights]
    assert names == ["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"]
    assert [len(layer.trainable_weights), len(layer.non_trainable_weights)] == [2, 2]


def test_a_batch_of_one_trains() -> None:
    layer = layers.BatchNormalization(momentum=0.5)
    y = layer(np.array([[3.0, 5.0]]), training=True)
    np.testing.assert_allclose(y.detach(), [[0.0, 0.0]], atol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, [0.5, 0.5], atol=1e-6)


@pytest.mark.parametrize(("dialect", "by_batch"), [("keras-2.3", True), ("tf.keras", False), ("keras-2.15", False)])
@pytest.mark.parametrize("shape", [(8, 3), (4, 2, 2, 3)])
def test_frozen(dialect: str, by_batch: bool, shape: tuple[int, ...]) -> None:
    with dialects.using(dialect):
        layer = layers.BatchNormalization(trainable=False)
    x = torch.randn(shape) + 5
    y = layer(x, training=True)
    assert torch.equal(y, layer(x)) is not by_batch
    assert (abs(y.mean()) < 1e-3) == by_batch
    assert layer.moving_mean.tolist() == [0.0] * 3  # no dialect moves the averages of a frozen layer


@pytest.mark.parametrize(("dialect", "valid_only"), [("keras-2.3", False), ("tf.keras", True)])
def test_mask(dialect: str, valid_only: bool) -> None:
    with dialects.using(dialect):
        layer = layers.BatchNormalization(momentum=0.5)
    x = torch.randn(2, 4, 3)
    mask = torch.tensor([[True, True, False, False], [True, True, True, False]])
    y = layer(x, training=True, mask=mask)
    seen = x[mask] if valid_only else x.reshape(-1, 3)
    mean, variance = seen.mean(0), seen.var(0, correction=0)
    torch.testing.assert_close(y, (x - mean) / (variance + 1e-3).sqrt(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(layer.moving_mean, mean / 2, rtol=1e-4, atol=1e-5)
    factor = 1.0 if valid_only else 8 / (7 - 1e-3)
    torch.testing.assert_close(layer.moving_variance, 0.5 + factor * variance / 2, rtol=1e-4, atol=1e-5)


def test_a_batch_in_which_no_step_counts() -> None:
    """Mean and variance of nothing are 0, as in Keras 2.15, and the moving averages stay numbers."""
    with dialects.using("tf.keras"):
        layer = layers.BatchNormalization(momentum=0.5)
    x = torch.randn(2, 4, 3)
    y = layer(x, training=True, mask=torch.zeros(2, 4, dtype=torch.bool))
    torch.testing.assert_close(y, x / 1e-3**0.5, rtol=1e-4, atol=1e-4)
    assert layer.moving_mean.tolist() == [0.0] * 3
    assert layer.moving_variance.tolist() == [0.5] * 3


def test_two_runs_before_one_backward() -> None:
    for shape in ((4, 3), (2, 4, 4, 3)):
        layer = layers.BatchNormalization()
        (layer(torch.randn(shape), training=True).sum() + layer(torch.randn(shape), training=True).sum()).backward()
        assert torch.isfinite(layer.norm.weight.grad).all()


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_short_floats_keep_long_averages(kind: str) -> None:
    layer = layers.BatchNormalization(dtype=kind)
    y = layer(np.random.RandomState(0).standard_normal((64, 3)), training=True)
    assert y.dtype == getattr(torch, kind)
    assert layer.moving_mean.dtype == layer.norm.weight.dtype == torch.float32
    assert layer._run(y, None, True)[0].dtype == y.dtype


@pytest.mark.parametrize(("axis", "shape"), [(4, (None, 3)), (0, (None, 3)), ([1, -1], (None, 3)), (-3, (None, 3))])
def test_axis_must_be_one_of_the_input(axis: Any, shape: Any) -> None:
    with pytest.raises(ValueError, match=r"axis=.* must name axes of the input other than the batch"):
        layers.BatchNormalization(axis=axis)._build_from(shape)


def test_size_of_the_axis_must_be_known() -> None:
    with pytest.raises(ValueError, match="size of axis 1 of the input must be known"):
        layers.BatchNormalization(axis=1)._build_from((None, None, 3))


def test_images_are_never_copied() -> None:
    x = torch.randn(2, 4, 4, 3)
    layer = layers.BatchNormalization()
    assert layer(x).is_contiguous()
    assert layer(x, training=True).is_contiguous()
    assert keras.layers.BatchNormalization(axis=1)(x).is_contiguous()
