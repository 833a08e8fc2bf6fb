"""Padding, cropping and up-sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import layers

FORMS_2D = [
    (1, ((1, 1), (1, 1))),
    ((1, 2), ((1, 1), (2, 2))),
    ([1, 2], ((1, 1), (2, 2))),
    (((1, 2), (0, 3)), ((1, 2), (0, 3))),
    ([[1, 2], [0, 3]], ((1, 2), (0, 3))),
    (np.int64(2), ((2, 2), (2, 2))),
]


@pytest.mark.parametrize(("given", "meant"), FORMS_2D, ids=str)
def test_forms_of_padding(given: Any, meant: Any) -> None:
    assert layers.ZeroPadding2D(given).padding == meant
    assert layers.Cropping2D(given).cropping == meant


def test_forms_of_padding_of_sequences() -> None:
    assert layers.ZeroPadding1D(2).padding == ((2, 2),)
    assert layers.ZeroPadding1D((1, 2)).padding == ((1, 2),)
    assert layers.ZeroPadding1D(((1, 2),)).padding == ((1, 2),)


@pytest.mark.parametrize("bad", [(1, 2, 3), ((1, 2), (3,)), 1.5, "1", ((1, -2), (0, 0)), (True, 1)], ids=str)
def test_bad_padding(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"ZeroPadding2D\(padding=.*\): padding must be an integer ≥ 0, 2 of them or"):
        layers.ZeroPadding2D(bad)


def test_padding_and_cropping_are_inverse() -> None:
    x = torch.randn(2, 4, 3, 2)
    padded = layers.ZeroPadding2D(((1, 2), (0, 3)))(x)
    np.testing.assert_array_equal(padded, np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0))))
    torch.testing.assert_close(layers.Cropping2D(((1, 2), (0, 3)))(padded), x)


def test_cropping_everything_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Cropping1D 'cropping1d_1': an output of size \(0,\) is less than one cell"):
        layers.Cropping1D(2)._build_from((None, 4, 3))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_nearest_repeats(rank: int) -> None:
    size = (2, 3, 1)[:rank]
    x = np.random.RandomState(0).standard_normal((2, 3, 4, 2)[: rank + 1] + (5,)).astype("float32")
    expected = x
    for axis, factor in enumerate(size, 1):
        expected = np.repeat(expected, factor, axis)
    np.testing.assert_array_equal(getattr(layers, f"UpSampling{rank}D")(size)(x), expected)


def test_bilinear_takes_half_pixel_centres() -> None:
    x = np.arange(2.0, dtype="float32").reshape(1, 1, 2, 1)
    y = layers.UpSampling2D((1, 4), interpolation="bilinear")(x)
    # measured on Keras 2.15
    np.testing.assert_allclose(y.flatten(), [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1], atol=1e-6)


def test_one_number_in_the_config_of_a_sequence() -> None:
    assert layers.UpSampling1D(3).get_config()["size"] == 3


@pytest.mark.parametrize("kind", [torch.int32, torch.int64, torch.uint8, torch.bool])
@pytest.mark.parametrize(("rank", "first"), [(1, False), (2, False), (2, True), (3, False)])
def test_upsampling_of_a_map_of_classes(rank: int, first: bool, kind: torch.dtype) -> None:
    """Whole numbers are repeated and keep their type, as in Keras 2.15; between them stand floats."""
    x = torch.arange(2 * 3**rank * 2).reshape(2, *[3] * rank, 2).movedim(-1, 1 if first else -1).to(kind)
    options = {"data_format": "channels_first"} if first else {}
    y = getattr(layers, f"UpSampling{rank}D")(2, **options)(x)
    expected = x.numpy()
    for axis in range(rank):
        expected = expected.repeat(2, axis + (2 if first else 1))
    assert y.dtype == kind
    np.testing.assert_array_equal(y, expected)
    if rank == 2 and not first:
        between = layers.UpSampling2D(2, interpolation="bilinear")
        torch.testing.assert_close(between(x), between(x.float()))
