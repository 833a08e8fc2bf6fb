"""Pooling against a plain definition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import layers

SHAPES = {1: (7, 2), 2: (7, 6, 2), 3: (5, 4, 6, 2)}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"pool_size": 3, "strides": 1},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 2, "padding": "same"},
    {"pool_size": 2, "strides": 1, "padding": "same"},
    {"pool_size": 4, "strides": 1, "padding": "same"},
    {"pool_size": 2, "strides": 3, "padding": "same"},
    {"pool_size": 4, "strides": 3, "padding": "same"},
]


def pool(x: np.ndarray, layer: Any, reduce: Any) -> np.ndarray:
    """Pool window by window, over the cells that are really there."""
    starts = []
    for n, k, s in zip(x.shape[1:-1], layer.pool_size, layer.strides):
        if layer.padding == "same":
            before = max((-(-n // s) - 1) * s + k - n, 0) // 2
            starts.append([i * s - before for i in range(-(-n // s))])
        else:
            starts.append([i * s for i in range((n - k) // s + 1)])
    y = np.zeros((len(x), *map(len, starts), x.shape[-1]))
    for cell in itertools.product(*(range(len(s)) for s in starts)):
        window = tuple(
            slice(max(s[i], 0), min(s[i] + k, n)) for i, s, k, n in zip(cell, starts, layer.pool_size, x.shape[1:-1])
        )
        y[(slice(None), *cell)] = reduce(x[(slice(None), *window)], tuple(range(1, x.ndim - 1)))
    return y


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize(("name", "reduce"), [("Max", np.max), ("Average", np.mean)])
def test_definition(name: str, reduce: Any, rank: int, options: dict[str, Any], data_format: str) -> None:
    layer = getattr(layers, f"{name}Pooling{rank}D")(**options, data_format=data_format)
    x = np.random.RandomState(0).standard_normal((2, *SHAPES[rank])).astype("float32") - 3
    given = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    y = layer(given).numpy()
    y = y if data_format == "channels_last" else np.moveaxis(y, 1, -1)
    np.testing.assert_allclose(y, pool(x, layer, reduce), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize(("name", "reduce"), [("Max", np.max), ("Average", np.mean)])
def test_global(name: str, reduce: Any, rank: int, data_format: str, keepdims: bool) -> None:
    layer = getattr(layers, f"Global{name}Pooling{rank}D")(data_format=data_format, keepdims=keepdims)
    x = np.random.RandomState(0).standard_normal((2, *SHAPES[rank])).astype("float32")
    first = 1 if data_format == "channels_last" else 2
    expected = reduce(x, tuple(range(first, first + rank)), keepdims=keepdims)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_strides_are_the_window_unless_said() -> None:
    assert layers.MaxPooling2D((2, 3)).strides == (2, 3)
    assert layers.MaxPooling2D((2, 3), strides=1).strides == (1, 1)


def test_average_over_valid_steps() -> None:
    x = torch.randn(3, 4, 2)
    mask = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], dtype=torch.bool)
    expected = torch.stack([x[0, :2].mean(0), x[1, 2:].mean(0), x[2].mean(0)])
    torch.testing.assert_close(layers.GlobalAveragePooling1D()(x, mask=mask), expected)
    first = layers.GlobalAveragePooling1D(data_format="channels_first", keepdims=True)
    torch.testing.assert_close(first(x.movedim(1, 2), mask=mask), expected.unsqueeze(-1))


def test_a_sample_without_valid_steps_is_no_number() -> None:
    y = layers.GlobalAveragePooling1D()(torch.ones(1, 3, 2), mask=torch.zeros(1, 3, dtype=torch.bool))
    assert torch.isnan(y).all()  # as in Keras, whose mean is 0 / 0 too


def test_gradient_of_a_tie_goes_to_one_place() -> None:
    x = torch.tensor([[[1.0], [1.0], [0.0]]], requires_grad=True)
    for layer in (layers.MaxPooling1D(3), layers.GlobalMaxPooling1D()):
        (gradient,) = torch.autograd.grad(layer(x).sum(), x)
        assert gradient.flatten().tolist() == [1.0, 0.0, 0.0]


def test_the_window_must_fit() -> None:
    with pytest.raises(ValueError, match=r"MaxPooling2D 'max_pooling2d_1': an output of size \(0, 1\)"):
        layers.MaxPooling2D(5)._build_from((None, 3, 8, 1))


def test_short_names() -> None:
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool1D is layers.AveragePooling1D
    assert layers.GlobalAvgPool2D is layers.GlobalAveragePooling2D
    assert layers.deserialize({"class_name": "MaxPool2D", "config": {}}).pool_size == (2, 2)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("name", "reduce"), [("MaxPooling", np.max), ("AveragePooling", np.mean)])
def test_windows_longer_than_the_input(name: str, reduce: Any, rank: int) -> None:
    for length, window, stride in itertools.product((1, 2, 3, 4), (2, 3, 5), (1, 2, 3)):
        x = np.random.RandomState(length).standard_normal((2, length, *[4] * (rank - 1), 2)).astype("float32")
        others = [1] * (rank - 1)
        layer = getattr(layers, f"{name}{rank}D")([window, *others], [stride, *others], padding="same")
        expected = pool(x, layer, reduce)
        np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-5, atol=1e-6, err_msg=f"{window} {stride}")
        short = layer(torch.tensor(x).bfloat16()).float().numpy()
        np.testing.assert_allclose(short, expected, rtol=0.02, atol=0.02)
