"""LayerNormalization, GroupNormalization and UnitNormalization: axes, masks, traits, and what Keras refuses too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.layers import channel_groups

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


def _normal_groups(x: np.ndarray, groups: int) -> np.ndarray:
    """Wu & He, 2018, with Keras's epsilon, in numpy's double precision."""
    parts = x.astype("float64").reshape(len(x), -1, groups, x.shape[-1] // groups)
    centred = parts - parts.mean((1, 3), keepdims=True)
    return (centred / np.sqrt(np.square(centred).mean((1, 3), keepdims=True) + 1e-3)).reshape(x.shape)


@pytest.mark.parametrize("offset", [0, 10, 1000])
@pytest.mark.parametrize("size", [(40, 6), (8, 9, 6), (4, 5, 3, 6)])
@pytest.mark.parametrize("way", ["step", "predict", "exported", "channels_first"])
def test_groups_far_from_zero_are_normalised_exactly(offset: float, size: tuple[int, ...], way: str) -> None:
    """torch's kernel for channels last has no digit right where the mean is a thousand deviations."""
    x = (RNG.normal(size=(3, *size)) + offset).astype("float32")
    first = way == "channels_first"
    layer = L.GroupNormalization(groups=3, axis=1 if first else -1)
    inputs = torch.tensor(np.moveaxis(x, -1, 1) if first else x)
    if first:  # as a convolution leaves it in memory
        inputs = inputs.movedim(1, -1).contiguous().movedim(-1, 1)
    with torch.set_grad_enabled(way != "predict"):
        y = layer(inputs)
        if way == "exported":
            y = torch.export.export(layer, (inputs,)).module()(inputs)
    y = y.detach().numpy()
    np.testing.assert_allclose(np.moveaxis(y, 1, -1) if first else y, _normal_groups(x, 3), atol=3e-4)


@pytest.mark.parametrize("at_once", [1, 100, 2**19])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"center": False, "scale": False}])
def test_gradients_of_groups_and_theirs(options: dict[str, Any], at_once: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(channel_groups, "NUMBERS_AT_ONCE", at_once)
    layer = L.GroupNormalization(groups=3, dtype="float64", **options)
    layer._build_from((None, 3, 2, 6))
    with torch.no_grad():
        for weight in layer.trainable_weights:
            weight += torch.tensor(RNG.normal(size=weight.shape))
    x = torch.tensor(RNG.normal(size=(5, 3, 2, 6)), requires_grad=True)

    def normalise(x: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return layer(x)  # type: ignore[no-any-return]

    assert torch.autograd.gradcheck(normalise, (x, *layer.trainable_weights))
    assert torch.autograd.gradgradcheck(normalise, (x, *layer.trainable_weights))


def test_no_sample_and_no_place_in_groups() -> None:
    layer = L.GroupNormalization(groups=3)
    for size in ((0, 4, 5, 6), (2, 0, 6)):
        x = torch.zeros(size, requires_grad=True)
        y = layer(x)
        y.sum().backward()
        assert y.shape == size
        assert x.grad is not None


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
