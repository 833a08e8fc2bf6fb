from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from torchkeras_compat._core import settings
from torchkeras_compat.utils import array_to_img, img_to_array, load_img, save_img

Image = pytest.importorskip("PIL.Image")


def picture(rows: int = 4, columns: int = 6, channels: int = 3) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (rows, columns, channels)).astype("float32")


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_array_to_image_and_back(channels: int, mode: str) -> None:
    x = picture(channels=channels)
    img = array_to_img(x, scale=False)
    assert (img.mode, img.size) == (mode, (6, 4))
    back = img_to_array(img)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, x)
    np.testing.assert_array_equal(img_to_array(img, "channels_first"), x.transpose(2, 0, 1))
    first = array_to_img(x.transpose(2, 0, 1), "channels_first", scale=False)
    np.testing.assert_array_equal(np.asarray(first), np.asarray(img))


def test_values_are_stretched() -> None:
    img = array_to_img([[[-1.0], [0.0], [1.0]]])
    assert np.asarray(img).tolist() == [[0, 127, 255]]
    assert np.asarray(array_to_img(np.full((1, 2, 1), 3.0))).tolist() == [[0, 0]]


def test_deep_grey() -> None:
    assert array_to_img(np.full((2, 2, 1), 1000.0), scale=False).mode == "I"


def test_process_format_and_type() -> None:
    settings.set_image_data_format("channels_first")
    settings.set_floatx("float64")
    back = img_to_array(Image.new("RGB", (6, 4)))
    assert (back.shape, back.dtype) == ((3, 4, 6), np.float64)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (1, 4, 4, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="array_to_img"):
        array_to_img(np.zeros(shape))


def test_load_and_save(tmp_path: Path) -> None:
    x = picture()
    path = tmp_path / "x.png"
    save_img(path, x, scale=False)
    for source in (path, str(path), str(path).encode(), io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(img_to_array(load_img(source)), x)
    assert load_img(path, color_mode="rgba").mode == "RGBA"
    assert load_img(path, color_mode="grayscale").mode == "L"
    assert load_img(path, target_size=(2, 3), interpolation="bilinear").size == (3, 2)
    square = load_img(path, target_size=(4, 4), keep_aspect_ratio=True)
    np.testing.assert_array_equal(img_to_array(square), x[:, 1:5])
    with pytest.warns(FutureWarning, match="color_mode='grayscale'"):
        assert load_img(path, grayscale=True).mode == "L"


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    save_img(path, picture())
    with pytest.raises(TypeError, match="path must be a path"):
        load_img(3)
    with pytest.raises(ValueError, match="color_mode must be one of"):
        load_img(path, color_mode="hsv")
    with pytest.raises(ValueError, match="interpolation must be one of"):
        load_img(path, target_size=(2, 2), interpolation="cubist")
    with pytest.raises(FileNotFoundError):
        load_img(tmp_path / "none.png")


def test_jpeg_loses_transparency_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        save_img(tmp_path / "x.jpg", picture(channels=4))
    assert load_img(tmp_path / "x.jpg").mode == "RGB"


def test_missing_pillow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"array_to_img needs Pillow: pip install torchkeras_compat\[image\]"):
        array_to_img(picture())
