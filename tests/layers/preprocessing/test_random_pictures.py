"""Pictures changed by chance: how the draws are distributed, and who decides on the mode."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L

MANY = 400
STEPS = np.tile(np.arange(12, dtype="float32").reshape(1, 3, 4, 1), (MANY, 1, 1, 1))
LAYERS: list[Any] = [
    L.RandomFlip(seed=1),
    L.RandomRotation(0.2, seed=1),
    L.RandomTranslation(0.3, 0.3, seed=1),
    L.RandomZoom(0.5, seed=1),
    L.RandomContrast(0.5, seed=1),
    L.RandomBrightness(0.5, seed=1),
    L.RandomCrop(2, 2, seed=1),
]


def changed(layer: Any, x: Any = STEPS) -> np.ndarray[Any, Any]:
    return layer(x, training=True).numpy()  # type: ignore[no-any-return]


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_half_of_the_pictures_are_mirrored(mode: str) -> None:
    y = changed(L.RandomFlip(mode, seed=2))
    across = (y[:, 1, 0] > y[:, 1, 1])[:, 0]
    down = (y[:, 0, 1] > y[:, 1, 1])[:, 0]
    for axis, found in (("horizontal", across), ("vertical", down)):
        share = found.mean()
        assert abs(share - 0.5) < 0.08 if axis in mode.split("_and_") else share == 0
    if mode == "horizontal_and_vertical":
        assert abs((across & down).mean() - 0.25) < 0.08  # one says nothing of the other
    np.testing.assert_array_equal(np.sort(y.reshape(MANY, -1)), STEPS.reshape(MANY, -1))


def test_brightness_is_uniform_and_of_each_picture() -> None:
    x = np.full((MANY, 2, 3, 2), 100.0, "float32")
    y = changed(L.RandomBrightness((-0.1, 0.3), seed=2), x) - x
    assert np.ptp(y, axis=(1, 2, 3)).max() == 0
    assert_uniform(y[:, 0, 0, 0] / 255, -0.1, 0.3)


def assert_uniform(values: Any, low: float, high: float) -> None:
    width = high - low
    assert low - 1e-3 <= values.min() < low + 0.03 * width
    assert high - 0.03 * width < values.max() <= high + 1e-3
    assert abs(values.mean() - (low + high) / 2) < 0.07 * width
    assert abs(values.std() - width / 12**0.5) < 0.03 * width


def test_translation_is_uniform() -> None:
    ramp = np.tile(np.arange(100, dtype="float32").reshape(1, 100, 1, 1), (MANY, 1, 100, 1))
    y = changed(L.RandomTranslation((-0.1, 0.3), 0.0, "constant", seed=2), ramp)
    assert_uniform((50 - y[:, 50, 50, 0]) / 100, -0.1, 0.3)


def test_zoom_is_uniform_and_one_for_both_axes() -> None:
    rows, columns = np.meshgrid(np.arange(101.0) - 50, np.arange(101.0) - 50, indexing="ij")
    x = np.tile(np.stack([rows, columns], -1)[None].astype("float32"), (MANY, 1, 1, 1))
    y = changed(L.RandomZoom((-0.4, 0.2), seed=2), x)
    assert_uniform(y[:, 60, 60, 0] / 10 - 1, -0.4, 0.2)
    np.testing.assert_allclose(y[:, 60, 60, 0], y[:, 60, 60, 1], rtol=1e-4)
    apart = changed(L.RandomZoom(0.3, 0.3, seed=2), x)
    assert np.abs(apart[:, 60, 60, 0] - apart[:, 60, 60, 1]).mean() > 0.5
    assert_uniform(changed(L.RandomZoom(-0.2, seed=2), x)[:, 60, 60, 0] / 10 - 1, -0.2, 0.2)


def test_rotation_is_uniform() -> None:
    rows, columns = np.meshgrid(np.arange(101.0) - 50, np.arange(101.0) - 50, indexing="ij")
    x = np.tile(np.stack([rows, columns], -1)[None].astype("float32"), (MANY, 1, 1, 1))
    y = changed(L.RandomRotation((-0.05, 0.2), seed=2), x)
    angle = np.arctan2(y[:, 50, 60, 0], y[:, 50, 60, 1]) / (2 * np.pi)
    assert_uniform(angle, -0.05, 0.2)


def test_contrast_has_one_factor_for_a_batch() -> None:
    x = np.random.default_rng(1).uniform(100, 150, (5, 3, 4, 2)).astype("float32")
    layer, factors = L.RandomContrast((0.5, 0.3), seed=2), []
    for _ in range(MANY):
        ratio = (changed(layer, x) - x.mean((1, 2), keepdims=True)) / (x - x.mean((1, 2), keepdims=True))
        assert np.ptp(ratio) < 1e-2
        factors.append(ratio.mean())
    assert_uniform(np.array(factors), 0.5, 1.3)


def test_crop_takes_each_window_as_often_and_one_for_a_batch() -> None:
    layer = L.RandomCrop(2, 3, seed=2)
    firsts = []
    for _ in range(MANY):
        y = changed(layer, STEPS[:2])
        np.testing.assert_array_equal(y[0], y[1])
        first = int(y[0, 0, 0, 0])
        np.testing.assert_array_equal(y[0, :, :, 0], first + np.array([[0, 1, 2], [4, 5, 6]]))
        firsts.append(first)
    assert np.bincount(firsts, minlength=6)[[0, 1, 4, 5]].min() > MANY / 4 - 40


@pytest.mark.parametrize("cls", [L.RandomHeight, L.RandomWidth])
def test_sizes_are_drawn_and_have_no_graph(cls: Any) -> None:
    axis = 1 if cls is L.RandomHeight else 2
    layer = cls((-0.5, 1.0), interpolation="nearest", seed=2)
    x = np.zeros((2, 10, 10, 1), "float32")
    sizes = {changed(layer, x).shape[axis] for _ in range(MANY)}
    assert sizes == set(range(5, 20))
    assert layer(x, training=False).shape == (2, 10, 10, 1)
    shape = [None, 10, 10, 1]
    shape[axis] = None
    assert layer.compute_output_shape((None, 10, 10, 1)) == tuple(shape)
    again = cls.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert copy.deepcopy(layer)(x, training=True).shape[0] == 2
    model = keras.Sequential([L.Input((10, 10, 1)), cls(0.5), L.GlobalAveragePooling2D(), L.Dense(1)])
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.warns(UserWarning, match="draws the size of its output"):
        model.fit(x, np.zeros(2), verbose=0)
    with pytest.raises(ValueError, match="factor must be"):
        cls(-0.5)
    with pytest.raises(ValueError, match="did you mean 'bilinear'"):
        cls(0.5, interpolation="bilinea")


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_a_call_without_a_mode_is_training(layer: Any) -> None:
    layer = type(layer).from_config({**layer.get_config(), "seed": None})
    rest = layer(STEPS, training=False).numpy()
    assert not np.array_equal(layer(STEPS).numpy(), rest)
    augment = keras.Sequential([layer, L.Rescaling(1.0)])
    assert not np.array_equal(augment(STEPS).numpy(), rest)
    np.testing.assert_array_equal(augment.predict(STEPS, verbose=0), rest)
    np.testing.assert_array_equal(augment(STEPS, training=False).numpy(), rest)
    keras.backend.set_learning_phase(0)
    np.testing.assert_array_equal(augment(STEPS).numpy(), rest)


def test_a_model_with_other_modes_infers() -> None:
    model = keras.Sequential([L.RandomFlip("horizontal"), L.Dropout(0.5), L.Flatten()])
    np.testing.assert_array_equal(model(STEPS).numpy(), STEPS.reshape(MANY, -1))
    nested = keras.Sequential([keras.Sequential([L.RandomFlip("horizontal")])])
    assert not np.array_equal(nested(STEPS).numpy(), STEPS)


def test_one_picture() -> None:
    for layer in LAYERS:
        fresh = type(layer).from_config(layer.get_config())
        y = fresh(STEPS[0], training=True)
        assert y.dim() == 3
        assert fresh(STEPS[0], training=False).dim() == 3


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_a_seed_repeats_and_goes_on(layer: Any) -> None:
    one, other = (type(layer).from_config(layer.get_config()) for _ in range(2))
    first, second = changed(one), changed(one)
    np.testing.assert_array_equal(changed(other), first)
    np.testing.assert_array_equal(changed(other), second)
    if type(layer) is not L.RandomCrop:  # of four windows one comes twice
        assert not np.array_equal(first, second)


def test_fit_changes_and_predict_does_not() -> None:
    seen: list[Any] = []
    model = keras.Sequential([L.Input((3, 4, 1)), L.RandomFlip("horizontal"), L.Flatten(), L.Dense(1)])
    model.layers[0].register_forward_hook(lambda module, inputs, y: seen.append(torch.equal(y, inputs[0])))
    model.compile("sgd", "mse")
    model.fit(STEPS[:64] / 12, np.zeros(64), verbose=0)
    assert not any(seen)
    seen.clear()
    model.predict(STEPS[:64], verbose=0)
    assert all(seen)
