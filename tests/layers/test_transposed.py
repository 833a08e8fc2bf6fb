"""Transposed convolutions: the adjoint of the convolution with the same kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import layers as L

CONVOLUTIONS: dict[int, tuple[Any, Any]] = {
    1: (L.Conv1D, L.Conv1DTranspose),
    2: (L.Conv2D, L.Conv2DTranspose),
    3: (L.Conv3D, L.Conv3DTranspose),
}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_it_is_the_adjoint_of_the_convolution(
    rank: int, kernel: int, strides: int, dilation: int, padding: str
) -> None:
    """<conv(y), x> = <y, transposed(x)> for every x and y, which defines the one by the other."""
    shared = {"kernel_size": kernel, "strides": strides, "dilation_rate": dilation, "padding": padding}
    direct, transposed = CONVOLUTIONS[rank]
    shape = (None, *(4, 3, 2)[:rank], 2)
    back = transposed(3, **shared, use_bias=False, dtype="float64", kernel_initializer="uniform")
    back.build(shape)
    x = torch.randn(2, *shape[1:], dtype=torch.float64)
    image = torch.randn(2, *back.compute_output_shape(shape)[1:], dtype=torch.float64)
    there = direct(2, **shared, use_bias=False, dtype="float64")
    there.build(tuple(image.shape))
    there.set_weights(back.get_weights())  # (*window, outputs of the one, which are the inputs of the other, ...)
    torch.testing.assert_close((there(image) * x).sum(), (image * back(x)).sum())


def test_a_size_that_no_convolution_has_is_refused() -> None:
    layer = L.Conv2DTranspose(3, 3, strides=2, output_size=(11, 9))
    with pytest.raises(ValueError, match="an output of 9 to 10 can be made along axis 1; got output_size=\\(11, 9\\)"):
        layer(np.zeros((1, 4, 4, 2)))


def test_configurations_of_keras() -> None:
    """What Keras 2.15 writes is read, and what is written here has no argument that Keras 2.15 refuses."""
    config = {"name": "up", "filters": 3, "kernel_size": [3, 3], "groups": 1, "output_padding": None}
    layer = L.deserialize({"class_name": "Conv2DTranspose", "config": config})
    assert layer.get_config()["groups"] == 1
    assert "output_size" not in layer.get_config()


def test_sizes_may_differ_from_call_to_call() -> None:
    layer = L.Conv2DTranspose(2, 3, strides=2, padding="same", output_size=(None, 8))
    for rows in (3, 5):
        assert layer(np.zeros((1, rows, 4, 1))).shape == (1, 2 * rows, 8, 2)


def test_weights_and_images_lie_channels_last() -> None:
    layer = L.Conv2DTranspose(4, 3, strides=2)
    y = layer(torch.randn(2, 5, 5, 3))
    assert layer.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert y.is_contiguous()
    layer.kernel.assign(np.ones((3, 3, 4, 3)))
    assert (layer.conv.weight == 1).all()


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2)])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_kernel_of_full_floats_is_that_of_doubles(
    rank: int, kernel: int, strides: int, dilation: int, padding: str, data_format: str
) -> None:
    """oneDNN's kernel cuts the last cells and adds the bias itself; doubles take the way of torch's operations."""
    shared = {"kernel_size": kernel, "strides": strides, "dilation_rate": dilation, "padding": padding}
    make = CONVOLUTIONS[rank][1]
    space = (5, 4, 3)[:rank]
    shape = (2, *space, 2) if data_format == "channels_last" else (2, 2, *space)
    start = torch.randn(shape, dtype=torch.float64)
    results, weights = [], None
    for dtype in ("float64", "float32"):
        layer = make(3, **shared, data_format=data_format, dtype=dtype, bias_initializer="uniform")
        layer.build((None, *shape[1:]))
        weights = weights or layer.get_weights()
        layer.set_weights(weights)
        x = start.to(getattr(torch, dtype)).requires_grad_()
        y = layer(x)
        ahead = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
        results.append([y, *torch.autograd.grad(y, [x, layer.conv.weight, layer.conv.bias], ahead)])
    for doubled, full in zip(*results):
        torch.testing.assert_close(
            full, doubled.to(torch.float32), rtol=1e-4, atol=5e-4
        )  # sums of up to 2,000 full floats


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_gradient_of_its_gradient(use_bias: bool) -> None:
    """A penalty on gradients, as WGANs have it, trains a generator too."""
    norms = []
    for dtype in (torch.float64, torch.float32):
        layer = L.Conv2DTranspose(
            2, 3, strides=2, padding="same", activation="tanh", use_bias=use_bias, dtype=str(dtype)[6:]
        )
        layer.build((None, 3, 3, 2))
        layer.set_weights([np.linspace(-1, 1, w.size).reshape(w.shape) for w in layer.get_weights()])
        x = torch.linspace(-1, 1, 36, dtype=dtype).view(2, 3, 3, 2).requires_grad_()
        (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
        norms.append(torch.autograd.grad(slope.square().sum(), [x, *layer.conv.parameters()]))
    for doubled, full in zip(*norms):
        torch.testing.assert_close(full, doubled.to(torch.float32), rtol=1e-4, atol=1e-3)  # numbers of some hundreds


def test_only_what_trains_gets_a_gradient() -> None:
    layer = L.Conv2DTranspose(2, 3, strides=2, padding="same")
    layer.build((None, 3, 3, 2))
    layer.conv.weight.requires_grad_(False)
    layer(torch.randn(2, 3, 3, 2)).sum().backward()
    assert layer.conv.weight.grad is None
    assert layer.conv.bias is not None
    torch.testing.assert_close(layer.conv.bias.grad, torch.full((2,), 72.0))
