"""The ways of the locally connected layers beside each other, and trees through the identity."""

from __future__ import annotations

import pytest
import torch

from torchkeras_compat import layers as L


@pytest.mark.parametrize("n", [1, 2])
def test_the_three_ways_of_locally_connected_layers_are_one_function(n: int) -> None:
    """A weight for every pair, and one for every pair in reach, hold the kernels of the places."""
    shape = (6, 5)[:n]
    x = torch.randn(3, *shape, 2)
    ways = [getattr(L, f"LocallyConnected{n}D")(4, 3, strides=2, implementation=way) for way in (1, 2, 3)]
    ys = [layer(x) for layer in ways]
    kernels = ways[0].kernels().detach()
    for layer in ways[1:]:
        flat = torch.zeros(layer.kernel.numpy().size + 1)
        flat[layer._index_of_kernels] = kernels
        layer.kernel.assign(flat[:-1].reshape(layer.kernel.shape).numpy())
        torch.testing.assert_close(layer(x), ys[0])


def test_identity_passes_trees_on() -> None:
    x, y = torch.randn(2, 3), torch.randn(2, 4, 1)
    passed = L.Identity()({"a": x, "b": [y]})
    assert torch.equal(passed["a"], x)
    assert torch.equal(passed["b"][0], y)
