"""Layers that prepare data, in `to_torch`: pictures in another size, or changed by chance, and integers as vectors."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import layers
from torchkeras_compat.export import NotExportable

PICTURES = np.random.RandomState(0).rand(4, 6, 9, 3).astype("float32")
WHERE = [("reflect", "bilinear"), ("nearest", "bilinear"), ("constant", "bilinear"), ("reflect", "nearest")]


def exported(*chain: Any, shape: tuple[int, ...] = (6, 9, 3), dtype: str | None = None) -> tuple[Any, Any]:
    model = tk.Sequential([tk.Input(shape, dtype=dtype), *chain])
    return model, model.to_torch().eval()


def expect_equal(model: Any, net: Any, x: Any) -> None:
    expected = model.predict(x, verbose=0)
    with torch.no_grad():
        output = net(torch.tensor(x)).numpy()
    assert output.dtype == expected.dtype
    np.testing.assert_allclose(output, expected, atol=1e-6)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(4, 5), (13, 12)])
def test_sizes(size: tuple[int, int], interpolation: str) -> None:
    expect_equal(*exported(layers.Resizing(*size, interpolation), layers.CenterCrop(3, 4)), PICTURES)


@pytest.mark.parametrize(("fill_mode", "interpolation"), WHERE)
def test_chance_in_training(fill_mode: str, interpolation: str) -> None:
    """Ranges of one number leave nothing to chance."""
    how = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 0.7}
    for layer in (
        layers.RandomRotation((0.13, 0.13), **how),
        layers.RandomZoom((0.3, 0.3), **how),
        layers.RandomZoom((0.3, 0.3), (-0.2, -0.2), **how),
        layers.RandomTranslation((0.3, 0.3), (-0.2, -0.2), **how),
        layers.RandomContrast((0.0, 0.0)),
        layers.RandomBrightness((0.2, 0.2), value_range=(0, 1)),
    ):
        model, net = exported(layer)
        expect_equal(model, net, PICTURES)
        expected = np.asarray(model(PICTURES, training=True))
        np.testing.assert_allclose(net.train()(torch.tensor(PICTURES)).numpy(), expected, atol=2e-6)


def test_windows_of_pictures() -> None:
    model, net = exported(layers.RandomCrop(4, 5))
    expect_equal(model, net, PICTURES)
    small, resized = exported(layers.RandomCrop(9, 4))
    expect_equal(small, resized, PICTURES)
    expect_equal(small, resized.train(), PICTURES)  # there is no such window in them
    windows = [PICTURES[:, i : i + 4, j : j + 5] for i in range(3) for j in range(5)]
    torch.manual_seed(0)
    drawn = [net.train()(torch.tensor(PICTURES)).numpy() for _ in range(100)]
    numbers = {next(i for i, window in enumerate(windows) if np.array_equal(window, one)) for one in drawn}
    assert len(numbers) == 15


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_stretched_pictures(interpolation: str) -> None:
    for layer in layers.RandomHeight((0.5, 0.5), interpolation), layers.RandomWidth((-0.4, -0.4), interpolation):
        model, net = exported(layer)
        expect_equal(model, net, PICTURES)
        expected = np.asarray(model(PICTURES, training=True))
        np.testing.assert_allclose(net.train()(torch.tensor(PICTURES)).numpy(), expected, atol=1e-6)


def test_mirrored_pictures_are_mirrored_one_by_one() -> None:
    _, net = exported(layers.RandomFlip())
    torch.manual_seed(0)
    x = torch.tensor(PICTURES[:1]).repeat(64, 1, 1, 1)
    y = net.train()(x)
    ways = [x[0], x[0].flip(0), x[0].flip(1), x[0].flip(0, 1)]
    counts = [sum(torch.equal(one, way) for one in y) for way in ways]
    assert sum(counts) == 64
    assert min(counts) > 4


def test_a_model_with_its_changes_of_pictures_inside() -> None:
    """As tutorials on transfer learning put them: a Sequential of them before the network."""
    changes = tk.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.1)])
    network = [layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(4, 3, activation="relu"), layers.Flatten()]
    model, net = exported(changes, *network, layers.Dense(2))
    expect_equal(model, net, PICTURES)
    again = pickle.loads(pickle.dumps(net))
    expect_equal(model, again, PICTURES)
    program = torch.export.export(net, (torch.tensor(PICTURES),)).module()
    expect_equal(model, program, PICTURES)


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("integers", [1, 3])
def test_integers(integers: int, mode: str) -> None:
    if integers > 1 and mode == "one_hot":
        pytest.skip("three axes")
    x = np.random.RandomState(1).randint(0, 10, (5, integers)).astype("int32")
    expect_equal(
        *exported(layers.CategoryEncoding(10, output_mode=mode), layers.Dense(2), shape=(integers,), dtype="int32"), x
    )


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_intervals(mode: str) -> None:
    x = np.array([[-1.0], [-0.5], [0.2], [7.0]], "float32")
    expect_equal(*exported(layers.Discretization([-0.5, 0.0, 0.5], output_mode=mode), shape=(1,)), x)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (lambda: layers.Resizing(4, 4, "bicubic"), "bicubic"),
        (lambda: layers.Resizing(4, 4, crop_to_aspect_ratio=True), "crop_to_aspect_ratio"),
        (lambda: layers.CenterCrop(8, 8), "may be smaller"),
        (lambda: layers.RandomZoom(0.1, fill_mode="wrap"), "'wrap'"),
        (lambda: layers.RandomHeight(0.1, "bicubic"), "'bicubic'"),
    ],
)
def test_what_is_refused(layer: Any, reason: str) -> None:
    with pytest.raises(NotExportable, match=reason):
        exported(layer())
