"""Data sets from folders and time series: the files, orders, labels and pixels of Keras 2.15, and what follows them."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers, utils
from torchkeras_compat._core import randomness
from torchkeras_compat._core.border import KerasSpellingWarning
from torchkeras_compat.utils.dataset import AUTOTUNE, Dataset
from torchkeras_compat.utils.shuffling import Order

pytest.importorskip("PIL", reason="the cases hold pictures")

# Sums of float32 in another order. TensorFlow reads JPEG files by a faster transform, whose pixels are up to 4 levels
# off those that Pillow reads exactly.
PIXELS, JPEG = 1e-3, 4.0


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_golden", Path(__file__).with_name("make_golden_datasets.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
GOLDEN = dict(np.load(SCRIPT.DATA, allow_pickle=False))
CASES = sorted({"/".join(name.split("/")[:2]) for name in GOLDEN})


@pytest.fixture(scope="module")
def ours() -> dict[str, np.ndarray]:
    np.random.seed(0)
    randomness.set_graph_seed(None)
    return SCRIPT.compute(utils)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    SCRIPT.unpack(str(tmp_path))
    return str(tmp_path)


def test_every_case_has_its_numbers(ours: dict[str, np.ndarray]) -> None:
    assert ours.keys() == GOLDEN.keys()


@pytest.mark.parametrize("case", CASES)
def test_the_numbers_of_keras(case: str, ours: dict[str, np.ndarray]) -> None:
    names = [name for name in GOLDEN if name.startswith(f"{case}/")]
    for name in names:
        if case.startswith(("text/", "audio/")) and name.endswith("/paths"):
            continue  # which the texts and sounds of Keras do not tell
        expected, value = GOLDEN[name], ours[name]
        assert (value.shape, value.dtype) == (expected.shape, expected.dtype), name
        if expected.dtype.kind == "f":
            tolerance = JPEG if case.startswith("image/jpeg") else PIXELS if case.startswith("image/") else 0
            np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance, err_msg=name)
        else:
            np.testing.assert_array_equal(value, expected, err_msg=name)


def test_sounds_without_labels(folder: str) -> None:
    """Keras 2.15 fails over them."""
    data = utils.audio_dataset_from_directory(f"{folder}/sounds", labels=None, shuffle=False, sampling_rate=8000)
    (batch,) = list(data)
    assert batch.shape == (9, 13, 1)
    assert not batch[0, 5:].any()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (SCRIPT.sound(5, width=1), {}, "has 8 bits a sample; WAV files of 16 bits"),
        (SCRIPT.sound(5, width=3), {}, "has 24 bits a sample"),
        (SCRIPT.sound(5), {"sampling_rate": 4000}, "has 8000 samples a second; .*resample_poly"),
        (b"hello", {}, "is no WAV file"),
        (b"", {}, "is no WAV file"),
        (b"RIFF\x04\0\0\0WAVE", {}, "is no WAV file"),
        (SCRIPT.sound(5)[:30], {}, "is no WAV file"),
    ],
)
def test_files_that_are_no_sounds(tmp_path: Path, content: bytes, options: dict[str, Any], message: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.wav").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(utils.audio_dataset_from_directory(tmp_path, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"ragged": True},
        {"sampling_rate": 0},
        {"sampling_rate": -3},
        {"output_sequence_length": -1},
        {"label_mode": "x"},
    ],
)
def test_bad_arguments_of_sounds(folder: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"audio_dataset_from_directory.*{next(iter(options))}"):
        utils.audio_dataset_from_directory(f"{folder}/sounds", **options)


def test_a_net_learns_from_sounds(folder: str) -> None:
    data = utils.audio_dataset_from_directory(f"{folder}/sounds", seed=1, output_sequence_length=12, batch_size=4)
    model = keras.Sequential([layers.Conv1D(3, 5, input_shape=(12, 1)), layers.GlobalMaxPooling1D(), layers.Dense(3)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(data, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()


# Orders of TensorFlow 2.15: Dataset.range(12).shuffle(8, seed=3), two passes.
SHUFFLED = {
    None: ([4, 7, 2, 3, 0, 8, 6, 10, 5, 9, 1, 11], [0, 4, 1, 8, 9, 11, 10, 7, 2, 5, 3, 6]),
    5: ([4, 7, 8, 0, 9, 11, 3, 6, 2, 1, 10, 5], [6, 1, 4, 0, 2, 7, 3, 9, 10, 11, 8, 5]),
}


@pytest.mark.parametrize("graph_seed", SHUFFLED)
def test_orders_of_tensorflow(graph_seed: int | None) -> None:
    if graph_seed is not None:
        utils.set_random_seed(graph_seed)
    data = Dataset.range(12).shuffle(8, seed=3)
    assert ([int(x) for x in data], [int(x) for x in data]) == SHUFFLED[graph_seed]


def test_an_order_that_stays() -> None:
    # TensorFlow 2.15: Dataset.range(12).shuffle(8, seed=3, reshuffle_each_iteration=False).
    data = Dataset.range(12).shuffle(8, seed=3, reshuffle_each_iteration=False)
    expected = [7, 8, 6, 3, 11, 1, 5, 9, 0, 4, 10, 2]
    assert [int(x) for x in data.repeat(2)] == 2 * expected


def test_seeds_of_zero_and_large_buffers() -> None:
    # TensorFlow 2.15, as above.
    assert list(Order(4, seed=0).shuffled(range(10))) == [0, 3, 2, 6, 5, 1, 9, 7, 8, 4]
    large = [4, 16, 14, 11, 12, 18, 6, 17, 1, 8, 0, 13, 19, 3, 10, 9, 7, 15, 5, 2]
    assert list(Order(100, seed=3).shuffled(range(20))) == large


def test_without_a_seed_numpys_decides() -> None:
    def drawn(seed: int) -> list[int]:
        np.random.seed(seed)
        return [int(x) for x in Dataset.range(50).shuffle(50)]

    assert drawn(1) == drawn(1) != drawn(2)


# --- in fit ---------------------------------------------------------------------------------------------------------


class Noting(keras.Model):
    """Writes down the batches that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(1)
        self.seen: list[list[int]] = []

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)

    def train_step(self, data: Any) -> Any:
        self.seen.append([int(v) for v in data[0].numpy().ravel()])
        return {"loss": 0.0}

    test_step = train_step


def twelve() -> Any:
    x = np.arange(12.0)[:, None]
    return Dataset.from_tensor_slices((x, x)).shuffle(12, seed=3).batch(6)


FIRST, SECOND, THIRD, FOURTH = (
    [[0, 8, 4, 9, 2, 1], [6, 10, 5, 3, 7, 11]],
    [[0, 6, 2, 5, 9, 11], [10, 7, 4, 3, 8, 1]],
    [[8, 2, 11, 6, 7, 4], [5, 9, 1, 0, 3, 10]],
    [[8, 4, 2, 1, 10, 6], [11, 5, 7, 9, 0, 3]],
)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda m: m.fit(twelve(), epochs=3, verbose=0), [*SECOND, *THIRD, *FOURTH]),
        (lambda m: m.evaluate(twelve(), verbose=0), SECOND),
        (
            lambda m: m.fit(twelve(), epochs=2, verbose=0, validation_data=twelve()),
            [*SECOND, *SECOND, *THIRD, *FOURTH],
        ),
        (lambda m: m.fit(twelve().repeat(), epochs=2, steps_per_epoch=2, verbose=0), [*FIRST, *SECOND]),
        (lambda m: m.fit(twelve(), epochs=2, steps_per_epoch=2, verbose=0), [*SECOND, *THIRD]),
        (lambda m: m.fit(twelve(), epochs=2, steps_per_epoch=1, verbose=0), FIRST),
    ],
    ids=["fit", "evaluate", "validation", "repeat", "all steps", "some steps"],
)
def test_fit_sees_the_batches_that_it_sees_in_keras(call: Any, expected: Any) -> None:
    # Keras 2.15 makes an iterator that it does not use, wherever each epoch has one of its own.
    model = Noting()
    model.compile("sgd", "mse", run_eagerly=True)
    call(model)
    assert model.seen == expected


def of_pictures() -> Any:
    model = keras.Sequential(
        [layers.Rescaling(1 / 255, input_shape=(6, 5, 3)), layers.Flatten(), layers.Dense(3, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_pictures_as_the_tutorial_feeds_them(folder: str) -> None:
    before = threading.active_count()
    options = {"validation_split": 0.25, "subset": "both", "seed": 1, "image_size": (6, 5), "batch_size": 5}
    train, valid = utils.image_dataset_from_directory(f"{folder}/many", **options)
    assert train.class_names == ["a", "b", "c"]
    images, labels = next(iter(train.take(1)))
    assert (images.shape, labels.shape, images[0].numpy().dtype) == ((5, 6, 5, 3), (5,), np.float32)
    assert train.class_names[labels[0]] in "abc"
    scale = layers.Rescaling(1 / 255)
    scaled = train.map(lambda x, y: (scale(x), y))
    batch, _ = next(iter(scaled))
    assert 0 <= np.min(batch[0]) < np.max(batch[0]) <= 1
    model = of_pictures()
    done = model.fit(
        train.cache().shuffle(100).prefetch(buffer_size=AUTOTUNE), validation_data=valid, epochs=2, verbose=0
    )
    assert sorted(done.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert model.predict(valid, verbose=0).shape == (6, 3)
    del batch, images, labels
    assert threading.active_count() == before


def test_texts_as_the_tutorial_feeds_them(folder: str) -> None:
    train = utils.text_dataset_from_directory(f"{folder}/texts", batch_size=4, seed=1)
    texts, _ = next(iter(train))
    assert isinstance(texts.numpy()[0], bytes)
    assert texts[0].numpy() == texts.numpy()[0]
    vectors = layers.TextVectorization(output_sequence_length=6)
    vectors.adapt(train.map(lambda text, label: text))
    assert "text" in vectors.get_vocabulary()
    model = keras.Sequential([layers.Embedding(60, 4), layers.GlobalAveragePooling1D(), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(train.map(lambda text, label: (vectors(text), label)).cache().prefetch(AUTOTUNE), epochs=2, verbose=0)
    assert model.predict(train.map(lambda text, label: vectors(text)), verbose=0).shape == (20, 1)


def test_nobody_is_left_behind_after_an_error(folder: str) -> None:
    before = threading.active_count()

    def fail(batch: int, logs: Any) -> None:
        raise InterruptedError

    data = utils.image_dataset_from_directory(f"{folder}/many", image_size=(6, 5), batch_size=2)
    with pytest.raises(InterruptedError) as caught:
        of_pictures().fit(
            data.repeat(), steps_per_epoch=3, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_batch_end=fail)]
        )
    assert (threading.active_count(), caught.type) == (before, InterruptedError)
    assert multiprocessing.active_children() == []


def test_a_damaged_picture_is_named_by_its_reader(folder: str) -> None:
    Path(folder, "many/a/0.png").write_bytes(b"no picture")
    data = utils.image_dataset_from_directory(f"{folder}/many", image_size=(6, 5))
    with pytest.raises(OSError, match=r"a/0\.png cannot be read as a picture"):
        list(data)


def test_a_resumed_training_goes_on_in_its_order(tmp_path: Path) -> None:
    class Cut(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen += 1
            if self.seen == 8:
                raise InterruptedError

    def train(name: str, seed: int | None, *more: Any) -> Any:
        x = np.random.RandomState(0).rand(12, 3).astype("float32")
        data = Dataset.from_tensor_slices((x, x[:, :1])).shuffle(12, seed=seed).batch(2)
        np.random.seed(4)
        model = keras.Sequential([layers.Dense(1, input_shape=(3,))])
        model.compile("adam", "mse")
        backup = keras.callbacks.BackupAndRestore(tmp_path / name, save_freq=1)
        model.fit(data, epochs=3, verbose=0, callbacks=[backup, *more])
        return model.get_weights()

    for seed in (3, None):
        straight = train(f"whole {seed}", seed)
        with pytest.raises(InterruptedError):
            train(f"cut {seed}", seed, Cut())
        for a, b in zip(train(f"cut {seed}", seed), straight):
            np.testing.assert_array_equal(a, b)


# --- what a data set can ------------------------------------------------------------------------------------------


def test_a_chain_of_all_methods() -> None:
    x = np.arange(10, dtype="float32")
    data = Dataset.from_tensor_slices({"x": x, "y": ["a", "b"] * 5}).batch(4)
    assert [tuple(batch["x"].shape) for batch in data] == [(4,), (4,), (2,)]
    assert data.unbatch().batch(5, drop_remainder=True).cardinality() == -2
    assert [item["y"] for item in data.unbatch().take(2).as_numpy_iterator()] == [b"a", b"b"]
    assert data.element_spec["x"].shape == (None,)
    assert (data.element_spec["x"].dtype, data.element_spec["y"].dtype) == ("float32", "string")
    assert Dataset.range(3).element_spec.shape == ()
    assert [int(n) for n in Dataset.range(8).skip(2).filter(lambda n: n % 2 == 0).repeat(2)] == [2, 4, 6, 2, 4, 6]
    assert [(int(i), int(n)) for i, n in Dataset.range(5, 7).enumerate()] == [(0, 5), (1, 6)]
    both = Dataset.zip((Dataset.range(3), Dataset.range(3, 9))).concatenate(Dataset.zip((Dataset.range(1),) * 2))
    assert [[int(n) for n in pair] for pair in both] == [[0, 3], [1, 4], [2, 5], [0, 0]]
    assert len(both) == 4
    with pytest.raises(AttributeError, match=r"has no 'sparse_batch' here, only: .*shuffle, skip, snapshot, take"):
        Dataset.range(3).sparse_batch(2)
    with pytest.raises(ValueError, match="the data set is empty"):
        _ = Dataset.range(0).element_spec


def test_the_shape_of_an_element_costs_no_order() -> None:
    data = Dataset.range(12).shuffle(8, seed=3)
    assert data.element_spec.shape == ()
    assert [int(x) for x in data] == SHUFFLED[None][0]


def test_functions_get_tensors_with_the_manners_of_keras() -> None:
    source = np.ones(4, "float32")

    def double(x: Any) -> Any:
        x *= 2
        return x

    assert [float(x) for x in Dataset.from_tensor_slices(source).map(double)] == [2.0] * 4
    np.testing.assert_array_equal(source, 1)


# --- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": "folders"}, "labels must be 'inferred', None, or a list"),
        ({"labels": [1, 2]}, "labels must be 24 labels, one for each file"),
        ({"labels": [1] * 24, "class_names": ["a"]}, "class_names must be None where labels are given"),
        ({"class_names": ["a", "b"]}, r"class_names must be the names of the folders, \['a', 'b', 'c'\]"),
        ({"label_mode": "float"}, "label_mode"),
        ({"label_mode": "binary"}, "'binary' with two classes alone"),
        ({"color_mode": "hsv"}, "color_mode"),
        ({"interpolation": "cubic"}, "interpolation must be one of bilinear"),
        ({"batch_size": 0}, "batch_size"),
        ({"validation_split": 2, "subset": "training", "seed": 1}, "validation_split must be between 0 and 1"),
        ({"validation_split": 0.2}, "validation_split and subset go together"),
        ({"subset": "training"}, "validation_split and subset go together"),
        ({"validation_split": 0.2, "subset": "test", "seed": 1}, "subset"),
        ({"validation_split": 0.2, "subset": "training"}, "needs a seed"),
        ({"validation_split": 0.01, "subset": "both", "seed": 1}, "a part has no files"),
    ],
    ids=str,
)
def test_arguments_that_are_refused(folder: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        utils.image_dataset_from_directory(f"{folder}/many", **arguments)


def test_folders_without_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match=r"names must end in \.txt"):
        utils.text_dataset_from_directory(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequence_length": 0}, "sequence_length must be a positive integer"),
        ({"sampling_rate": 30}, "sampling_rate must be less than the 30 steps of data"),
        ({"sequence_stride": 0}, "sequence_stride must be a positive integer"),
        ({"start_index": 30}, "start_index must be at least 0 and less than the 30 steps"),
        ({"start_index": -1}, "start_index must be at least 0"),
        ({"start_index": 5, "end_index": 4}, "end_index must be more than start_index=5"),
        ({"end_index": 30}, "end_index must be more than start_index=0 and less than 30"),
        ({"targets": range(5), "start_index": 2}, "there must be a target for each window"),
    ],
    ids=str,
)
def test_series_that_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        utils.timeseries_dataset_from_array(**{"data": range(30), "targets": None, "sequence_length": 3, **arguments})


@pytest.mark.skipif(os.name != "posix", reason="links are made as POSIX has them")
def test_links_are_followed_as_in_tensorflow(folder: str) -> None:
    # TensorFlow 2.15 walks into linked folders whether follow_links is told or not.
    os.symlink(f"{folder}/png/cats", f"{folder}/bmp/a/link")
    for follow in (False, True):
        data = utils.image_dataset_from_directory(f"{folder}/bmp", shuffle=False, follow_links=follow)
        assert len(data.file_paths) == 6


def test_the_older_name_of_cropping(folder: str) -> None:
    with pytest.warns(KerasSpellingWarning, match="crop_to_aspect_ratio"):
        data = utils.image_dataset_from_directory(f"{folder}/png", smart_resize=True, shuffle=False, image_size=(5, 9))
    expected = GOLDEN["image/bilinear (5, 9) True/0/pass 0/0/0"]
    np.testing.assert_allclose(next(iter(data))[0].numpy(), expected, atol=PIXELS)


def test_grids_of_tensors_are_taken(folder: str) -> None:
    series = torch.arange(12.0).reshape(6, 2)
    ((windows, targets),) = utils.timeseries_dataset_from_array(series, series[2:, 0], 3)
    assert (windows.shape, targets.tolist()) == ((4, 3, 2), [4.0, 6.0, 8.0, 10.0])
