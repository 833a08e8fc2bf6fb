"""A batch draws what its images would draw one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from torchkeras_compat.preprocessing.image import ImageDataGenerator

SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "shifts": {"width_shift_range": 0.1, "height_shift_range": 0.3},
    "pixels": {"width_shift_range": 2.5, "height_shift_range": 3.0},
    "whole pixels": {"width_shift_range": 3, "height_shift_range": 2},
    "one of some": {"width_shift_range": [0.1, 0.2], "height_shift_range": [1, 2]},
    "some and even": {"width_shift_range": [1, 2], "height_shift_range": 0.2, "rotation_range": 10, "zoom_range": 0.1},
    "flips": {"horizontal_flip": True, "vertical_flip": True},
    "colours": {"channel_shift_range": 0.2, "horizontal_flip": True},
    "brightness": {"brightness_range": (0.5, 1.5), "vertical_flip": True},
    "everything": {
        "rotation_range": 30,
        "width_shift_range": 0.2,
        "height_shift_range": 1.5,
        "shear_range": 7,
        "zoom_range": (0.7, 1.1),
        "channel_shift_range": 0.3,
        "horizontal_flip": True,
        "vertical_flip": True,
        "fill_mode": "reflect",
    },
}
IMAGES = np.random.default_rng(0).random((7, 9, 12, 3)).astype("float32")


def drawn_in_keras_order(generator: ImageDataGenerator, rows: int, columns: int) -> dict[str, Any]:
    """Draw the changes of one image by numpy's functions for one number, in the order of Keras 2.15's draws."""

    def shift(limit: Any, size: int) -> float:
        if not isinstance(limit, float) and np.any(limit):
            try:
                pixels = np.random.choice(limit) * np.random.choice([-1, 1])
            except ValueError:
                pixels = np.random.uniform(-limit, limit)
            return pixels * size if np.max(limit) < 1 else pixels
        pixels = np.random.uniform(-limit, limit) if limit else 0
        return pixels * size if np.max(limit) < 1 else pixels

    def even(low: float, high: float, wished: bool) -> Any:
        return np.random.uniform(low, high) if wished else None

    g = generator
    theta = even(-g.rotation_range, g.rotation_range, bool(g.rotation_range)) or 0
    tx, ty = shift(g.height_shift_range, rows), shift(g.width_shift_range, columns)
    shear = even(-g.shear_range, g.shear_range, bool(g.shear_range)) or 0
    zx, zy = (1, 1) if list(g.zoom_range) == [1, 1] else np.random.uniform(*g.zoom_range, 2)
    return {
        "theta": theta,
        "tx": tx,
        "ty": ty,
        "shear": shear,
        "zx": zx,
        "zy": zy,
        "flip_horizontal": (np.random.random() < 0.5) * g.horizontal_flip,
        "flip_vertical": (np.random.random() < 0.5) * g.vertical_flip,
        "channel_shift_intensity": even(-g.channel_shift_range, g.channel_shift_range, g.channel_shift_range != 0),
        "brightness": even(*(g.brightness_range or (0, 0)), g.brightness_range is not None),
    }


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", SETTINGS)
def test_one_image_draws_in_keras_order(name: str, data_format: str) -> None:
    generator = ImageDataGenerator(**SETTINGS[name], data_format=data_format)
    np.random.seed(3)
    expected = [drawn_in_keras_order(generator, 9, 12) for _ in range(5)]
    np.random.seed(3)
    shape = (9, 12, 3) if data_format == "channels_last" else (3, 9, 12)
    got = [generator.get_random_transform(shape) for _ in range(5)]
    assert got == expected
    assert generator.get_random_transform(shape, seed=3) == expected[0]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_batch_is_its_images(name: str, data_format: str) -> None:
    generator = ImageDataGenerator(**SETTINGS[name], data_format=data_format)
    images = IMAGES if data_format == "channels_last" else IMAGES.transpose(0, 3, 1, 2)
    np.random.seed(5)
    drawn = [drawn_in_keras_order(generator, 9, 12) for _ in images]
    after = np.random.random()
    expected = [generator.apply_transform(image, parameters) for image, parameters in zip(images, drawn)]
    np.random.seed(5)
    batch = next(generator.flow(images, batch_size=7, shuffle=False))
    assert np.random.random() == after
    np.testing.assert_array_equal(batch, expected)
    assert batch.dtype == "float32"


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32"])
def test_colours_of_images_of_any_numbers(dtype: str) -> None:
    image = (IMAGES[0] * 200).astype(dtype)
    changed = ImageDataGenerator().apply_transform(image, {"channel_shift_intensity": 20.7, "flip_vertical": True})
    added = np.clip(image + np.array(20.7).astype(dtype), image.min(), image.max())
    np.testing.assert_array_equal(changed, added[::-1])
    assert changed.dtype == dtype


def test_batches_of_no_images() -> None:
    generator = ImageDataGenerator(**SETTINGS["everything"])
    assert generator.batch(IMAGES[:0]).shape == (0, 9, 12, 3)
