"""`ImageDataGenerator` beyond the numbers: arguments, errors, files, what is loaded when."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat.preprocessing.image import (
    ImageDataGenerator,
    Iterator,
    NumpyArrayIterator,
    apply_affine_transform,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_zoom,
    smart_resize,
)


def images(n: int = 6, *shape: int) -> np.ndarray:
    return np.random.RandomState(0).rand(n, *(shape or (8, 6, 3))).astype("float32")


def test_images_and_labels_stay_together() -> None:
    x = np.arange(20.0).reshape(20, 1, 1, 1) * np.ones((1, 4, 4, 1))
    flow = ImageDataGenerator(horizontal_flip=True).flow(x, np.arange(20), batch_size=6)
    assert len(flow) == 4
    for _ in range(9):
        batch, labels = next(flow)
        np.testing.assert_array_equal(batch[:, 0, 0, 0], labels)


def test_the_data_itself_is_never_changed() -> None:
    x = images()
    before = x.copy()
    generator = ImageDataGenerator(rescale=2.0, samplewise_center=True, vertical_flip=True, zoom_range=0.5)
    next(generator.flow(x))
    generator.standardize(x[0])
    generator.random_transform(x[0])
    generator.fit(x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, lambda x: (x * 255).astype("uint8")])
def test_what_flow_takes(kind: Any) -> None:
    batch = next(ImageDataGenerator(rotation_range=10).flow(kind(images()), batch_size=4))
    assert (batch.shape, batch.dtype) == ((4, 8, 6, 3), np.float32)


def test_other_arrays_go_along() -> None:
    x = images()
    (batch, extra), y = next(ImageDataGenerator().flow((x, np.arange(6)), np.arange(6) * 2, batch_size=3))
    np.testing.assert_array_equal(extra * 2, y)
    assert batch.shape == (3, 8, 6, 3)
    batch, a, b = next(ImageDataGenerator().flow([x, [np.arange(6), np.ones(6)]], batch_size=3))
    assert len(batch) == len(a) == len(b) == 3


def test_subsets_part_images_labels_and_weights() -> None:
    x, y, w = images(10), np.arange(10) % 2, np.arange(10.0)
    generator = ImageDataGenerator(validation_split=0.4)
    parts = {
        subset: next(generator.flow(x, y, sample_weight=w, shuffle=False, subset=subset))
        for subset in ("training", "validation")
    }
    assert parts["validation"][2].tolist() == [0, 1, 2, 3]
    assert parts["training"][2].tolist() == [4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(parts["training"][0], x[4:])
    with pytest.raises(ValueError, match="have different classes; shuffle"):
        generator.flow(x, np.sort(y), subset="training")
    assert len(generator.flow(x, np.sort(y), subset="training", ignore_class_split=True)) == 1
    with pytest.raises(ValueError, match="subset must be one of 'training', 'validation'; got 'test'"):
        generator.flow(x, y, subset="test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zoom_range": "a"}, "zoom_range must be a number or two numbers"),
        ({"zoom_range": (1, 2, 3)}, "zoom_range must be"),
        ({"brightness_range": 0.5}, "brightness_range must be two numbers"),
        ({"validation_split": 1.5}, "validation_split must lie between 0 and 1; got 1.5"),
        ({"data_format": "last"}, "data_format must be one of 'channels_last', 'channels_first'"),
    ],
)
def test_bad_ranges_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator(**arguments)


def test_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match=r"ImageDataGenerator\(rotation=20\): unknown argument; did you mean"):
        ImageDataGenerator(rotation=20)  # type: ignore[call-arg]


def test_unknown_fill_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="fill_mode must be one of 'nearest', 'constant', 'reflect', 'wrap'"):
        next(ImageDataGenerator(rotation_range=10, fill_mode="black").flow(images()))


@pytest.mark.parametrize("given", [(images(6, 8, 6), None), (images(), np.arange(5))])
def test_bad_data_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="NumpyArrayIterator"):
        ImageDataGenerator().flow(*given)


def test_odd_channels_are_a_warning() -> None:
    with pytest.warns(UserWarning, match="has 2 channels"):
        ImageDataGenerator().flow(images(4, 8, 8, 2))
    with pytest.warns(UserWarning, match="has 2 channels"):
        ImageDataGenerator().fit(images(4, 8, 8, 2))


@pytest.mark.parametrize(
    ("option", "other", "value"),
    [
        ("featurewise_std_normalization", "featurewise_center", True),
        ("samplewise_std_normalization", "samplewise_center", True),
        ("zca_whitening", "featurewise_center", True),
    ],
)
def test_options_that_need_others_say_so(option: str, other: str, value: bool) -> None:
    with pytest.warns(UserWarning, match=f"{option} sets {other}={value}"):
        assert getattr(ImageDataGenerator(**{option: True}), other) is value


def test_statistics_that_were_not_learnt_are_a_warning() -> None:
    generator = ImageDataGenerator(featurewise_center=True)
    with pytest.warns(UserWarning, match="has no effect before fit"):
        next(generator.flow(images()))
    generator.fit(images())
    x = next(generator.flow(images(), batch_size=6))
    np.testing.assert_allclose(x.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    with pytest.raises(ValueError, match="must have four axes"):
        generator.fit(images()[0])


def test_whitened_data_have_no_correlations() -> None:
    x = images(200, 2, 2, 1)
    generator = ImageDataGenerator(zca_whitening=True, featurewise_center=True, zca_epsilon=0)
    generator.fit(x)
    white = next(generator.flow(x, batch_size=200, shuffle=False)).reshape(200, -1)
    np.testing.assert_allclose(white.T @ white / 200, np.eye(4), atol=1e-4)


def test_subclass_hooks_are_called() -> None:
    class Negative(ImageDataGenerator):
        def apply_transform(self, x: Any, transform_parameters: Any) -> Any:
            return -super().apply_transform(x, transform_parameters)

    x = images()
    np.testing.assert_array_equal(next(Negative().flow(x, shuffle=False)), -x)


def test_batches_by_index_and_end_of_a_round() -> None:
    flow = ImageDataGenerator().flow(images(10), np.arange(10), batch_size=4, shuffle=True, seed=1)
    seen = np.concatenate([flow[i][1] for i in range(len(flow))])
    assert sorted(seen.tolist()) == list(range(10))
    with pytest.raises(IndexError, match=r"NumpyArrayIterator\[3\]: there are 3 batches"):
        flow[3]
    flow.on_epoch_end()
    assert not np.array_equal(seen, np.concatenate([flow[i][1] for i in range(len(flow))]))
    with pytest.raises(NotImplementedError, match="must define _get_batches"):
        Iterator(4, 2, False, None).next()


def test_copies_are_saved(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    flow = ImageDataGenerator().flow(
        images(3), batch_size=2, save_to_dir=str(tmp_path), save_prefix="aug", save_format="jpeg", shuffle=False
    )
    next(flow)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.split("_")[:2] for name in names] == [["aug", "0"], ["aug", "1"]]
    assert all(name.endswith(".jpeg") for name in names)


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    Image = pytest.importorskip("PIL.Image")
    for index, x in enumerate(images(6)):
        folder = tmp_path / ("cat" if index % 2 else "dog")
        folder.mkdir(exist_ok=True)
        Image.fromarray((x * 255).astype("uint8")).save(folder / f"{index}.png")
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    return tmp_path


def test_directory_modes(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = ImageDataGenerator()
    options: dict[str, Any] = {"target_size": (8, 6), "batch_size": 6, "shuffle": False}
    flow = generator.flow_from_directory(pictures, **options)
    assert capsys.readouterr().out == "Found 6 images belonging to 2 classes.\n"
    assert flow.class_indices == {"cat": 0, "dog": 1}
    assert flow.filenames[:2] == [str(Path("cat", "1.png")), str(Path("cat", "3.png"))]
    assert next(flow)[1].tolist() == [[1, 0]] * 3 + [[0, 1]] * 3
    assert flow.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert next(generator.flow_from_directory(pictures, class_mode="binary", **options))[1].tolist() == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]
    x, y = next(generator.flow_from_directory(pictures, class_mode="input", **options))
    np.testing.assert_array_equal(x, y)
    assert next(generator.flow_from_directory(pictures, class_mode=None, **options)).shape == (6, 8, 6, 3)
    flow = generator.flow_from_directory(pictures, classes=["dog"], color_mode="grayscale", **options)
    assert next(flow)[0].shape == (3, 8, 6, 1)


def test_directory_errors(pictures: Path) -> None:
    generator = ImageDataGenerator()
    with pytest.raises(ValueError, match=r"class_mode='binry'.*did you mean 'binary'"):
        generator.flow_from_directory(pictures, class_mode="binry")
    with pytest.raises(ValueError, match="the class 'bird' has no folder"):
        generator.flow_from_directory(pictures, classes=["bird"])
    with pytest.raises(ValueError, match="color_mode must be one of"):
        generator.flow_from_directory(pictures, color_mode="hsv")
    with pytest.raises(FileNotFoundError):
        generator.flow_from_directory(pictures / "none")


def test_data_frame(pictures: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "name": [str(Path("dog", "0.png")), str(Path("cat", "1.png")), str(Path("dog", "2.png")), "none.png"],
            "kind": ["dog", "cat", "dog", "cat"],
            "tags": [["a", "b"], ["b"], ["c"], ["a"]],
            "number": [0.5, 1.5, 2.5, 3.5],
        }
    )
    options: dict[str, Any] = {"x_col": "name", "target_size": (8, 6), "shuffle": False}
    flow = ImageDataGenerator().flow_from_dataframe
    with pytest.warns(UserWarning, match="1 names in the column 'name' are no pictures"):
        x, y, w = next(flow(table, pictures, y_col="kind", weight_col="number", class_mode="binary", **options))
    assert (x.shape, y.tolist(), w.tolist()) == ((3, 8, 6, 3), [1, 0, 1], [0.5, 1.5, 2.5])
    table = table[:3]
    assert next(flow(table, pictures, y_col="tags", **options))[1].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    limited = flow(table, pictures, y_col="tags", classes=["b", "a"], **options)
    assert next(limited)[1].tolist() == [[1, 1], [1, 0]]
    assert next(flow(table, pictures, y_col="number", class_mode="raw", **options))[1].tolist() == [0.5, 1.5, 2.5]
    both = next(flow(table, pictures, y_col=["number", "kind"], class_mode="multi_output", **options))[1]
    assert both[1].tolist() == ["dog", "cat", "dog"]
    with pytest.warns(FutureWarning, match="is now 'raw'"):
        flow(table, pictures, y_col="number", class_mode="other", **options)
    with pytest.warns(FutureWarning, match="has no effect any more"):
        flow(table, pictures, y_col="kind", has_ext=True, **options)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"class_mode": "multi_output"}, TypeError, "y_col must be a list of columns"),
        ({"y_col": "number"}, TypeError, "must hold str or list or tuple; got 1"),
        ({"x_col": "number"}, TypeError, "must hold str; got 1"),
        ({"weight_col": "class"}, TypeError, "must hold numbers"),
        ({"class_mode": "binary"}, ValueError, "there must be two classes; got 1"),
        ({"sorted": True}, TypeError, r"flow_from_dataframe\(sorted=True\): unknown argument"),
    ],
)
def test_data_frame_errors(arguments: dict[str, Any], kind: type[Exception], message: str, pictures: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"filename": [str(Path("dog", "0.png"))], "class": ["dog"], "number": [1]})
    with pytest.raises(kind, match=message):
        ImageDataGenerator().flow_from_dataframe(table, pictures, **arguments)


# --- functions ------------------------------------------------------------------------------------------------------


def test_functions_check_their_images() -> None:
    x = images()[0]
    with pytest.raises(ValueError, match="must have three axes"):
        apply_affine_transform(images(), theta=3)
    with pytest.raises(ValueError, match="channels first or last"):
        apply_affine_transform(x, theta=3, row_axis=0, col_axis=2, channel_axis=1)
    with pytest.raises(ValueError, match="zoom_range must be two numbers"):
        random_zoom(x, 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="brightness_range must be two numbers"):
        random_brightness(x, 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="three axes, or four"):
        smart_resize(x[0], (2, 2))
    assert flip_axis(x, 1)[0, 0, 0] == x[0, -1, 0]
    assert apply_channel_shift(x, 0.1, 2).max() == x.max()
    assert smart_resize(torch.as_tensor(x), (4, 3)).shape == (4, 3, 3)


def test_large_batches_are_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchkeras_compat.preprocessing.image import affine

    x = images(9)
    matrices = [np.array([[1.0, 0.1, i], [0.0, 0.9, 0.5]]) if i % 3 else None for i in range(9)]
    whole = affine.warp(x, matrices, "reflect", 0, 1)
    monkeypatch.setattr(affine, "_CHUNK", 300)
    np.testing.assert_array_equal(affine.warp(x, matrices, "reflect", 0, 1), whole)
    np.testing.assert_array_equal(whole[0], x[0])


@pytest.mark.parametrize("fill_mode", ["nearest", "constant", "reflect", "wrap"])
@pytest.mark.parametrize("kind", [">f4", "float16", "uint8", "uint16", "int32", "int64"])
def test_every_kind_of_number_is_moved_as_float64_is(kind: str, fill_mode: str) -> None:
    x = (np.random.RandomState(3).rand(7, 5, 2) * 200).astype(kind)
    x.flags.writeable = False
    options = {"theta": 30, "tx": 1, "zx": 0.8, "row_axis": 0, "col_axis": 1, "channel_axis": 2, "cval": 3}
    for order in (0, 1):
        moved = apply_affine_transform(x, **options, fill_mode=fill_mode, order=order)
        expected = apply_affine_transform(x.astype("float64"), **options, fill_mode=fill_mode, order=order)
        assert moved.dtype == x.dtype.newbyteorder("=")
        wide = moved.astype("float64")
        if x.dtype.kind == "f":
            np.testing.assert_allclose(wide, expected, rtol=1e-3 if kind == "float16" else 1e-6)
        else:
            np.testing.assert_array_equal(wide, np.floor(expected + 0.5))  # as scipy does for whole numbers
    assert apply_channel_shift(x, 20.0, 2).max() == x.max()


def test_splines_without_scipy_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    x = images()[0]
    apply_affine_transform(x, theta=20, row_axis=0, col_axis=1, channel_axis=2)
    with pytest.raises(ImportError, match=r"needs scipy: pip install torchkeras_compat\[image\]"):
        apply_affine_transform(x, theta=20, row_axis=0, col_axis=1, channel_axis=2, order=3)


def test_it_is_fast_enough_not_to_hold_a_model_up() -> None:
    x = images(256, 32, 32, 3)
    flow = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True).flow(
        x, batch_size=32
    )
    next(flow)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        next(flow)
        best = min(best, time.perf_counter() - start)
    assert 32 / best > 3000  # Keras 2.15 does some 1,800 to 3,800 a second on the machines it was measured on


def test_lists_of_other_lengths_are_refused() -> None:
    """Keras 2.15 fails on a list of images, and forgets the third of three arrays."""
    images = np.ones((3, 4, 4, 1))
    for x in (list(images), [images, np.arange(3), np.arange(3)], [images]):
        with pytest.raises(ValueError, match=rf"got a list of {len(x)}\. Write np\.array\(x\)"):
            ImageDataGenerator().flow(x)


def test_the_order_of_a_round_is_set_by_a_method_of_its_own() -> None:  # as in Keras 2.15
    class Backwards(NumpyArrayIterator):
        def _set_index_array(self) -> None:
            self.index_array = np.arange(self.n)[::-1]

    pictures = np.zeros((5, 4, 4, 3))
    iterator = Backwards(pictures, np.arange(5), ImageDataGenerator(), batch_size=2, shuffle=True)
    assert [labels.tolist() for _, labels in (next(iterator) for _ in range(3))] == [[4, 3], [2, 1], [0]]
    plain = ImageDataGenerator().flow(pictures, np.arange(5), shuffle=False)
    plain._set_index_array()
    assert plain.index_array.tolist() == [0, 1, 2, 3, 4]
