"""The numbers of Keras 2.15 for `keras.preprocessing`, and the cases they are for.

Run in an environment with `tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2' scipy pillow`:

    python tests/preprocessing/make_golden.py

`compute` runs the cases with the modules it is given; the tests call it with this project's.
"""

from __future__ import annotations

import random
import sys
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

DATA = Path(__file__).with_name("golden.npz")

AFFINE: dict[str, dict[str, Any]] = {
    "rotate": {"theta": 30},
    "shift": {"tx": 1.5, "ty": -0.75},
    "shift_whole": {"tx": 2, "ty": -1},
    "shear": {"shear": 20},
    "zoom": {"zx": 0.7, "zy": 1.6},
    "all": {"theta": -40, "tx": 0.8, "ty": 2.2, "shear": 15, "zx": 1.3, "zy": 0.8},
}
MODES = ("nearest", "constant", "reflect", "wrap")

FLOWS: dict[str, dict[str, Any]] = {
    "plain": {},
    "example": {"width_shift_range": 0.1, "height_shift_range": 0.1, "horizontal_flip": True},
    "heavy": {
        "rotation_range": 20,
        "width_shift_range": 0.2,
        "height_shift_range": 0.1,
        "shear_range": 10,
        "zoom_range": 0.2,
        "channel_shift_range": 0.1,
        "horizontal_flip": True,
        "vertical_flip": True,
        "fill_mode": "reflect",
    },
    "pixels": {"width_shift_range": 3, "height_shift_range": [1, 2], "fill_mode": "constant", "cval": 0.5},
    "pixels_float": {"width_shift_range": 2.5, "zoom_range": [0.8, 1.1], "interpolation_order": 0},
    "spline": {"rotation_range": 30, "interpolation_order": 3, "fill_mode": "wrap"},
    "samplewise": {"samplewise_std_normalization": True, "samplewise_center": True, "rescale": 2.0},
    "featurewise": {"featurewise_center": True, "featurewise_std_normalization": True, "rotation_range": 9},
    "zca": {"zca_whitening": True, "featurewise_center": True, "zca_epsilon": 0.1},
    "function": {"preprocessing_function": lambda x: x + np.random.rand(), "rotation_range": 10, "rescale": 0.5},
    "first": {"data_format": "channels_first", "rotation_range": 20, "width_shift_range": 0.2},
    "halves": {"validation_split": 0.4, "horizontal_flip": True},
}
RESIZE = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
TEXTS = ("The cat sat on the mat.", "The dog, the cat & the bird!", "a bird sat", "")


def images(n: int, *shape: int) -> Any:
    """Return the same images everywhere."""
    return np.random.RandomState(5).rand(n, *shape).astype("float32")


def _affine(image: ModuleType, out: dict[str, Any]) -> None:
    x = images(1, 7, 9, 3)[0]
    last = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    for name, moves in AFFINE.items():
        for mode in MODES:
            for order in (0, 1):
                out[f"affine/{name}/{mode}/{order}"] = image.apply_affine_transform(
                    x, **moves, **last, fill_mode=mode, cval=0.3, order=order
                )
    out["affine/first"] = image.apply_affine_transform(images(1, 3, 7, 9)[0], theta=25, tx=1)
    out["affine/columns_first"] = image.apply_affine_transform(
        x, theta=25, tx=1, row_axis=1, col_axis=0, channel_axis=2
    )
    whole = (x * 255).astype("uint8")
    out["affine/uint8"] = image.apply_affine_transform(whole, theta=25, **last)
    out["affine/spline"] = image.apply_affine_transform(x, theta=25, **last, order=3, fill_mode="reflect")
    np.random.seed(3)
    out["random/rotation"] = image.random_rotation(x, 30, **last)
    out["random/shift"] = image.random_shift(x, 0.3, 0.2, **last)
    out["random/shear"] = image.random_shear(x, 30, **last)
    out["random/zoom"] = image.random_zoom(x, (0.6, 1.4), **last)
    out["random/channel"] = image.random_channel_shift(x, 0.4, 2)
    out["random/brightness"] = image.random_brightness(x * 255, (0.5, 1.5))
    out["brightness/scale"] = image.apply_brightness_shift(x, 0.7)
    out["brightness/plain"] = image.apply_brightness_shift(x * 255, 1.3, False)
    out["brightness/outside"] = image.apply_brightness_shift(x * 400 - 100, 1.3, False)


def _flows(image: ModuleType, out: dict[str, Any]) -> None:
    y = np.arange(10) % 2
    for name, settings in FLOWS.items():
        x = images(10, 3, 8, 8) if name == "first" else images(10, 8, 6, 3)
        generator = image.ImageDataGenerator(**settings)
        np.random.seed(11)
        if name in ("featurewise", "zca"):
            generator.fit(x, augment=name == "featurewise", rounds=2, seed=1)
        for subset in ("training", "validation") if name == "halves" else (None,):
            flow = generator.flow(x, y, batch_size=4, subset=subset)
            for step in range(4):
                got = next(flow)
                out[f"flow/{name}/{subset}/{step}/x"], out[f"flow/{name}/{subset}/{step}/y"] = got
    flow = image.ImageDataGenerator(rotation_range=20).flow(images(10, 8, 8, 3), batch_size=4, seed=4, shuffle=True)
    for index in (2, 0):
        out[f"flow/index/{index}"] = flow[index]
    flow.on_epoch_end()
    out["flow/index/next"] = flow[1]
    weighted = image.ImageDataGenerator().flow(images(5, 8, 8, 3), y[:5], sample_weight=np.arange(5.0), shuffle=False)
    out["flow/weights"] = next(weighted)[2]
    bright = image.ImageDataGenerator(brightness_range=(0.5, 1.5), samplewise_center=True)
    np.random.seed(2)
    out["flow/brightness"] = next(bright.flow(images(3, 8, 8, 3) * 255))


def _files(image: ModuleType, out: dict[str, Any]) -> None:
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        for index, x in enumerate(images(9, 8, 6, 3)):
            place = Path(folder, "b" if index % 2 else "a", *(("deep",) if index == 6 else ()))
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray((x * 255).astype("uint8")).save(place / f"{index}.png")
        for name, options in {
            "plain": {"target_size": (8, 6), "class_mode": "binary"},
            "square": {"target_size": (5, 5), "class_mode": "categorical", "keep_aspect_ratio": True},
            "gray": {"target_size": (8, 6), "class_mode": "sparse", "color_mode": "grayscale", "subset": "validation"},
        }.items():
            generator = image.ImageDataGenerator(horizontal_flip=True, rescale=1 / 255, validation_split=0.5)
            flow = generator.flow_from_directory(folder, batch_size=4, seed=6, **options)
            for step in range(3):
                out[f"files/{name}/{step}/x"], out[f"files/{name}/{step}/y"] = next(flow)
            out[f"files/{name}/names"] = np.array([name.replace("\\", "/") for name in flow.filenames])


def _resize(image: ModuleType, out: dict[str, Any]) -> None:
    for method in RESIZE:
        for size in ((13, 10), (5, 4), (4, 9)):
            x = images(2, 9, 11, 2)
            out[f"resize/{method}/{size}"] = np.asarray(image.smart_resize(x, size, interpolation=method))
        # Here the last bit of float32 decides which pixel is meant.
        for old, size in (((35, 36), (10, 18)), ((36, 28), (23, 23))):
            x = images(1, *old, 1)
            out[f"resize/{method}/{old}/{size}"] = np.asarray(image.smart_resize(x, size, interpolation=method))


def _sequences(sequence: ModuleType, out: dict[str, Any]) -> None:
    out["table"] = sequence.make_sampling_table(50)
    for seed, options in enumerate(
        (
            {},
            {"negative_samples": 0.5, "categorical": True, "window_size": 2},
            {"seed": 9, "sampling_table": sequence.make_sampling_table(20, 0.01)},
            {"shuffle": False},
        )
    ):
        random.seed(seed)
        for time in range(2):
            couples, labels = sequence.skipgrams([3, 1, 0, 4, 15, 9, 2, 6], 20, **options)
            out[f"skipgrams/{seed}/{time}/couples"], out[f"skipgrams/{seed}/{time}/labels"] = (
                np.array(couples),
                np.array(labels),
            )
    series = np.arange(40).reshape(20, 2)
    for index, options in enumerate(
        (
            {"length": 4, "batch_size": 3},
            {"length": 5, "sampling_rate": 2, "stride": 3, "start_index": 2, "end_index": 17, "batch_size": 2},
            {"length": 4, "reverse": True, "shuffle": True, "batch_size": 3},
        )
    ):
        np.random.seed(8)
        windows = sequence.TimeseriesGenerator(series, series[:, 0] * 10, **options)
        for batch in range(len(windows)):
            out[f"windows/{index}/{batch}/x"], out[f"windows/{index}/{batch}/y"] = windows[batch]


def _texts(text: ModuleType, out: dict[str, Any]) -> None:
    for name, options in {
        "plain": {},
        "limited": {"num_words": 4},
        "oov": {"num_words": 5, "oov_token": "<oov>"},
        "chars": {"char_level": True, "num_words": 8},
        "split": {"split": "a", "lower": False, "filters": "T"},
    }.items():
        tokenizer = text.Tokenizer(**options)
        tokenizer.fit_on_texts(TEXTS)
        unseen = [*TEXTS, "a zebra sat"]
        found = tokenizer.texts_to_sequences(unseen)
        out[f"text/{name}/json"] = np.array(_ordered(tokenizer))
        out[f"text/{name}/sequences"] = np.array(repr(found))
        out[f"text/{name}/back"] = np.array(tokenizer.sequences_to_texts([*found, [1, 2, 3, 99]]))
        for mode in ("binary", "count", "freq", "tfidf"):
            out[f"text/{name}/{mode}"] = tokenizer.texts_to_matrix(unseen, mode)
    out["text/words"] = np.array(text.text_to_word_sequence("A-b, c\td\ne", filters=",-", lower=False))
    out["text/md5"] = np.array(text.hashing_trick(TEXTS[0], 7, "md5"))
    tokenizer = text.Tokenizer(num_words=6)
    tokenizer.fit_on_sequences([[1, 2, 2], [2, 5], []])
    out["text/fitted_sequences"] = tokenizer.sequences_to_matrix([[1, 2, 2], [5, 9]], "tfidf")


def _ordered(tokenizer: Any) -> str:
    import json

    config = tokenizer.get_config()
    learnt = {k: json.loads(v) for k, v in config.items() if isinstance(v, str) and v.startswith("{")}
    return json.dumps({**config, **learnt}, sort_keys=True)


def compute(image: ModuleType, sequence: ModuleType, text: ModuleType) -> dict[str, Any]:
    """Return the arrays of all cases, by name."""
    out: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _affine(image, out)
        _flows(image, out)
        _files(image, out)
    _resize(image, out)
    _sequences(sequence, out)
    _texts(text, out)
    return {name: np.asarray(value) for name, value in out.items()}


if __name__ == "__main__":
    from keras.preprocessing import image, sequence, text

    arrays = compute(image, sequence, text)
    np.savez_compressed(DATA, **arrays)
    print(f"{len(arrays)} arrays, {DATA.stat().st_size // 1024} KiB", file=sys.stderr)
