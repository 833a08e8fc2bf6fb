"""Matrices copied from rows to columns hold what they held."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat._core import transposing
from torchkeras_compat._core.transposing import copy_into

# Around the size of a tile, tall, wide, and with rows that fall on each other in a cache.
SHAPES = [(1100, 1000), (1024, 1024), (512, 2049), (2049, 513), (4096, 257), (257, 4096), (100_001, 11), (11, 100_001)]
TYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.bool]


def numbers(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    return torch.arange(int(np.prod(shape))).remainder(2003).reshape(shape).to(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_from_columns_to_rows_and_back(shape: tuple[int, int], dtype: torch.dtype) -> None:
    source = numbers(shape, dtype)
    for target in (torch.empty(shape[::-1], dtype=dtype).t(), torch.empty(shape, dtype=dtype)):
        assert copy_into(target, source) is target
        assert torch.equal(target, source)
        turned = source.t().contiguous().t()
        target.zero_()
        assert torch.equal(copy_into(target, turned), source)


@pytest.mark.parametrize("part", [slice(0, 1050), slice(7, 1090), slice(500, 1100)])
def test_parts_of_a_matrix(part: slice) -> None:
    source = numbers((1000, 1100), torch.float32)
    target = torch.zeros(1100, 1000)
    copy_into(target[part], source.t()[part])
    expected = torch.zeros(1100, 1000)
    expected[part] = source.t()[part]
    assert torch.equal(target, expected)


def test_another_type_is_converted() -> None:
    source = numbers((1200, 1000), torch.float64) / 7
    assert torch.equal(copy_into(torch.empty(1000, 1200), source.t()), source.t().float())


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (0, 5)])
def test_whatever_is_no_large_matrix(shape: tuple[int, ...]) -> None:
    source = numbers(shape, torch.float32)
    assert torch.equal(copy_into(torch.ones(shape), source), source)


def test_rows_are_broadcast_as_torch_does() -> None:
    assert torch.equal(copy_into(torch.ones(2048, 1024), torch.arange(1024.0)), torch.arange(1024.0).expand(2048, 1024))


def test_a_value_that_a_gradient_needs_is_known_to_have_changed() -> None:
    weight = torch.ones(1100, 1000, requires_grad=True)
    loss = (weight**2).sum()
    with torch.no_grad():
        copy_into(weight, numbers((1000, 1100), torch.float32).t())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("units", [1100, 1024])
def test_weights_of_a_layer(units: int) -> None:
    model = keras.Sequential([keras.layers.Dense(units, input_dim=1000)])
    kernel = np.random.default_rng(0).standard_normal((1000, units)).astype("float32")
    model.set_weights([kernel, np.arange(units)])
    read = model.get_weights()[0]
    np.testing.assert_array_equal(read, kernel)
    assert read.flags.c_contiguous
    assert read.flags.writeable
    assert read.flags.owndata
    read[:] = 0  # a copy
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernel)
    x = np.random.default_rng(1).standard_normal((2, 1000)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), x @ kernel + np.arange(units), rtol=1e-4, atol=1e-3)


def test_a_large_matrix_is_what_is_copied_by_tiles() -> None:
    """The shapes above are on both sides of the bound."""
    sizes = [int(np.prod(shape)) for shape in SHAPES]
    assert min(sizes) >= transposing.LARGE > 1000 * 1000
