"""LayerNormalization, GroupNormalization and UnitNormalization: axes, masks, traits, and what Keras refuses too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L

RNG = np.random.default_rng(4)


def test_steps_that_a_mask_leaves_out_do_not_count_in_a_group() -> None:
    x = RNG.normal(size=(3, 5, 4)).astype("float32")
    valid = np.arange(5)[None] < np.array([[5], [3], [1]])
    y = L.GroupNormalization(groups=2)(torch.tensor(x), mask=torch.tensor(valid)).detach().numpy()
    for row, counts, out in zip(x, valid, y):
        for group in (slice(0, 2), slice(2, 4)):
            part = row[counts][:, group]
            expected = (row[:, group] - part.mean()) / np.sqrt(part.var() + 1e-3)
            np.testing.assert_allclose(out[:, group], expected, rtol=1e-4, atol=1e-5)


def test_a_sample_of_which_no_step_counts() -> None:
    valid = torch.tensor([[True, True], [False, False]])
    x = torch.randn(2, 2, 4, requires_grad=True)
    y = L.GroupNormalization(groups=2)(x, mask=valid)
    torch.testing.assert_close(y[1], x[1] / 1e-3**0.5, rtol=1e-4, atol=1e-4)
    (grad,) = torch.autograd.grad(y.sum(), x)
    assert torch.isfinite(grad).all()


def test_a_mask_in_the_shape_of_the_input() -> None:
    x = torch.tensor(RNG.normal(size=(2, 4, 3)))
    layer = L.GroupNormalization(groups=1, axis=1, dtype="float64")
    ones = torch.ones(2, 4, 3, dtype=torch.bool)
    torch.testing.assert_close(layer(x, mask=ones), layer(x))
    alone = layer(x, mask=ones & (torch.arange(3) < 2))
    torch.testing.assert_close(alone[..., :2], layer(x[..., :2]))


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"center": False, "scale": False}])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("of_input", [False, True])
def test_gradients_of_images_in_groups(options: dict[str, Any], frozen: bool, of_input: bool) -> None:
    """torch's kernel ends the process for some of these."""
    layer = L.GroupNormalization(groups=3, **options)
    x = torch.tensor(RNG.normal(size=(2, 3, 4, 6)).astype("float32"), requires_grad=of_input)
    layer._build_from((None, 3, 4, 6))
    layer.trainable = not frozen
    direction = torch.tensor(RNG.normal(size=(2, 3, 4, 6)).astype("float32"))
    y = layer(x)
    if y.requires_grad:
        (y * direction).sum().backward()
    if of_input:
        assert x.grad is not None
    if not frozen and layer.center:
        np.testing.assert_allclose(layer.beta.grad, direction.sum((0, 1, 2)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(5, 6), (3, 4, 6), (2, 3, 4, 6)])
def test_gradients_of_the_weights_of_groups_alone(size: tuple[int, ...]) -> None:
    """torch's kernel ends the process where a discriminator's step asks for no gradient of its pictures."""
    layer = L.GroupNormalization(groups=3)
    x = torch.tensor(RNG.normal(size=(2, *size)).astype("float32"), requires_grad=True)
    direction = torch.tensor(RNG.normal(size=x.shape).astype("float32"))
    y = layer(x)
    places = tuple(range(x.dim() - 1))
    of_gamma, of_beta = torch.autograd.grad((y * direction).sum(), [layer.gamma, layer.beta])
    np.testing.assert_allclose(of_beta, direction.sum(places), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(of_gamma, (y.detach() * direction).sum(places), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("axis", "row_wise"), [(-1, True), (1, True), ([1, 2], True), (0, False), ([-3, -1], False)])
def test_an_axis_of_samples_mixes_them(axis: Any, row_wise: bool) -> None:
    model = keras.Sequential([L.InputLayer((4, 3)), L.UnitNormalization(axis=axis)])
    assert model._traits.row_wise is row_wise
    x = RNG.normal(size=(5, 4, 3)).astype("float32")
    axes = tuple(axis) if isinstance(axis, list) else axis
    expected = x / np.sqrt(np.square(x).sum(axes, keepdims=True))
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: L.LayerNormalization(axis=3), r"axis=3 must name axes of the input; got an input with 3 axes"),
        (lambda: L.LayerNormalization(axis=[1, -2]), r"axis=\[1, -2\] must name axes"),
        (lambda: L.LayerNormalization(axis=1), r"the size of axis 1 of the input must be known"),
        (lambda: L.GroupNormalization(groups=4), r"must be a multiple of groups=4; got 6 channels"),
        (lambda: L.GroupNormalization(), r"must be a multiple of groups=32; got 6 channels"),
        (lambda: L.UnitNormalization(axis=5), r"axis=5 must name axes"),
    ],
)
def test_what_does_not_fit_the_input(layer: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layer()(L.Input((None, 6)))
