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
