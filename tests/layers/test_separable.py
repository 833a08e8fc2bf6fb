"""Depthwise and separable convolutions beside what they stand for: a convolution with a group for each channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import layers as L

CONVOLUTIONS: dict[int, tuple[Any, Any, Any]] = {
    1: (L.Conv1D, L.DepthwiseConv1D, L.SeparableConv1D),
    2: (L.Conv2D, L.DepthwiseConv2D, L.SeparableConv2D),
}
OPTIONS: list[dict[str, Any]] = [
    {"kernel_size": 3},
    {"kernel_size": 1, "strides": 2},
    {"kernel_size": 4, "strides": 3, "padding": "same"},
    {"kernel_size": 2, "dilation_rate": 3, "padding": "same"},
]
IMAGES: list[dict[str, Any]] = [
    {"kernel_size": (2, 3), "strides": (2, 1)},
    {"kernel_size": (3, 2), "strides": (1, 3), "padding": "same"},
    {"kernel_size": 3, "dilation_rate": (2, 1)},
]


@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize(("rank", "options"), [*((n, o) for n in (1, 2) for o in OPTIONS), *((2, o) for o in IMAGES)])
def test_they_are_convolutions_by_group(rank: int, options: dict[str, Any], multiplier: int) -> None:
    direct, depthwise, separable = CONVOLUTIONS[rank]
    x = torch.randn(2, *(9, 8)[:rank], 3)
    layer = depthwise(**options, depth_multiplier=multiplier, bias_initializer="uniform")
    y = layer(x)
    groups = direct(3 * multiplier, **options, groups=3)
    groups.build(tuple(x.shape))
    kernel, bias = layer.get_weights()
    assert kernel.shape[-2:] == (3, multiplier)
    groups.set_weights([kernel.reshape(*kernel.shape[:-2], 1, 3 * multiplier), bias])
    torch.testing.assert_close(y, groups(x))
    both = separable(4, **options, depth_multiplier=multiplier)
    both.build(tuple(x.shape))
    both.set_weights([kernel, *both.get_weights()[1:]])
    mixing = both.get_weights()[1].reshape(3 * multiplier, 4)
    torch.testing.assert_close(both(x), (y - torch.tensor(bias)) @ torch.tensor(mixing))


def test_the_kernel_is_a_view_and_images_lie_channels_last() -> None:
    layer = L.SeparableConv2D(4, 3, depth_multiplier=2)
    assert layer(torch.randn(2, 5, 5, 3)).is_contiguous()
    layer.depthwise_kernel.assign(np.ones((3, 3, 3, 2)))
    assert (layer.depthwise.weight == 1).all()


@pytest.mark.parametrize("name", ["DepthwiseConv1D", "DepthwiseConv2D"])
def test_configurations_of_keras(name: str) -> None:
    """Keras 2.15 writes `groups` too, and no `filters`, which the number of channels decides."""
    layer = L.deserialize({"class_name": name, "config": {"kernel_size": 3, "groups": 1, "depth_multiplier": 2}})
    layer(np.zeros((1, *(4, 4)[: layer.rank], 3)))
    assert layer.get_config()["groups"] == 1
    assert not {"filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"} & set(layer.get_config())
