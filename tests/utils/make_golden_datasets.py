"""The numbers of Keras 2.15 for the data sets from folders and time series, and the cases they are for.

Run in an environment with Pillow, which writes the pictures, and then in one with
`tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'`, which computes:

    python tests/utils/make_golden_datasets.py pictures
    python tests/utils/make_golden_datasets.py golden

`compute` runs the cases with the functions it is given; the tests call it with this project's.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

PICTURES = Path(__file__).with_name("dataset_pictures.npz")
DATA = Path(__file__).with_name("golden_datasets.npz")

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
SMALL = {"image_size": (4, 3), "batch_size": 3}

# Name → folder and arguments.
IMAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("png", {"shuffle": False, "image_size": (20, 22)}),
    "seed": ("png", {"seed": 3, **SMALL}),
    "seed 0": ("png", {"seed": 0, **SMALL}),
    "small buffer": ("many", {"seed": 11, "image_size": (2, 2), "batch_size": 1}),
    "numpy's seed": ("many", {"image_size": (2, 2), "batch_size": 4}),
    "one by one": ("png", {"seed": 5, "image_size": (4, 3), "batch_size": None}),
    "categorical": ("png", {"seed": 1, "label_mode": "categorical", **SMALL}),
    "binary": ("png", {"seed": 1, "label_mode": "binary", **SMALL}),
    "no labels": ("png", {"seed": 1, "label_mode": None, **SMALL}),
    "labels None": ("png", {"seed": 1, "labels": None, **SMALL}),
    "labels": ("png", {"seed": 1, "labels": [2, 0, 1, 1, 0, 2, 2, 0], **SMALL}),
    "labels categorical": (
        "png",
        {"shuffle": False, "labels": [2, 0, 1, 1, 0, 2, 2, 0], "label_mode": "categorical", **SMALL},
    ),
    "numbers": ("png", {"seed": 1, "labels": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5], **SMALL}),
    "class names": ("png", {"shuffle": False, "class_names": ["dogs", "cats"], **SMALL}),
    "training": ("many", {"seed": 2, "validation_split": 0.3, "subset": "training", **SMALL}),
    "validation": ("many", {"seed": 2, "validation_split": 0.3, "subset": "validation", **SMALL}),
    "both": ("many", {"seed": 2, "validation_split": 0.3, "subset": "both", **SMALL}),
    "both in order": ("many", {"shuffle": False, "validation_split": 0.5, "subset": "both", **SMALL}),
    **{
        f"{kind} {mode}": (kind, {"shuffle": False, "color_mode": mode, "image_size": (6, 5)})
        for kind, modes in (
            ("png", ("rgb", "grayscale")),
            ("rgba", ("rgb", "rgba", "grayscale")),
            ("jpeg", ("rgb", "grayscale")),
            ("bmp", ("rgb",)),
            ("gif", ("rgb",)),
        )
        for mode in modes
    },
    **{
        f"{name} {size} {crop}": (
            "png",
            {"shuffle": False, "interpolation": name, "image_size": size, "crop_to_aspect_ratio": crop},
        )
        for name in INTERPOLATIONS
        for size in ((5, 9), (13, 4))
        for crop in (False, True)
    },
}
TEXTS: dict[str, dict[str, Any]] = {
    "in order": {"shuffle": False},
    "seed": {"seed": 3, "batch_size": 3},
    "one by one": {"seed": 3, "batch_size": None},
    "short": {"shuffle": False, "max_length": 9},
    "binary": {"seed": 4, "label_mode": "binary", "batch_size": 5},
    "categorical": {"seed": 4, "label_mode": "categorical", "batch_size": 5},
    "no labels": {"seed": 4, "labels": None, "batch_size": 5},
    "validation": {"seed": 9, "validation_split": 0.25, "subset": "validation"},
    "both": {"seed": 9, "validation_split": 0.25, "subset": "both", "batch_size": 4},
}
SOUNDS: dict[str, tuple[str, dict[str, Any]]] = {
    "in order": ("sounds", {"shuffle": False, "batch_size": 3}),
    "seed": ("sounds", {"seed": 3, "batch_size": 4}),
    "one by one": ("sounds", {"seed": 3, "batch_size": None}),
    "short": ("stereo", {"seed": 4, "output_sequence_length": 6, "label_mode": "binary", "batch_size": 1}),
    "long": ("sounds", {"shuffle": False, "output_sequence_length": 20, "label_mode": "categorical"}),
    "no samples": ("sounds", {"shuffle": False, "output_sequence_length": 0}),
    "labels": ("sounds", {"shuffle": False, "labels": [3, 1, 2, 0, 1, 2, 3, 0, 1], "output_sequence_length": 3}),
    "validation": ("sounds", {"seed": 9, "validation_split": 0.34, "subset": "validation"}),
    "both": ("sounds", {"seed": 9, "validation_split": 0.34, "subset": "both", "batch_size": 2}),
    "stereo": ("stereo", {"shuffle": False}),
    "stereo, one by one": ("stereo", {"shuffle": False, "batch_size": None, "output_sequence_length": 7}),
}
SERIES = np.random.RandomState(0).rand(40, 2)
ROW = np.arange(30)
TIMESERIES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "plain": (SERIES, None, {"sequence_length": 5}),
    "targets": (SERIES, SERIES[5:, 0], {"sequence_length": 5, "batch_size": 8}),
    "stride and rate": (ROW, ROW * 2, {"sequence_length": 4, "sequence_stride": 3, "sampling_rate": 2}),
    "seed": (ROW, ROW, {"sequence_length": 4, "shuffle": True, "seed": 7, "batch_size": 2}),
    "numpy's seed": (ROW, ROW, {"sequence_length": 4, "shuffle": True, "batch_size": 2}),
    "one by one": (ROW, ROW, {"sequence_length": 4, "shuffle": True, "seed": 7, "batch_size": None}),
    "start": (ROW, ROW, {"sequence_length": 3, "start_index": 10}),
    "end": (ROW, ROW, {"sequence_length": 3, "end_index": 12}),
    "both ends": (ROW, None, {"sequence_length": 3, "start_index": 5, "end_index": 15, "sequence_stride": 2}),
    "a list": (list(range(9)), [0.5 * n for n in range(9)], {"sequence_length": 2}),
    "none": (ROW, None, {"sequence_length": 31}),
}


def write_pictures() -> None:
    """Write the pictures of each kind."""
    from PIL import Image

    random = np.random.RandomState(0)
    files: dict[str, bytes] = {}

    def keep(path: str, image: Any, **options: Any) -> None:
        out = io.BytesIO()
        image.save(out, path.rpartition(".")[2].replace("jpg", "jpeg"), **options)
        files[path] = out.getvalue()

    def picture(rows: int, columns: int, channels: int, smooth: bool = False) -> Any:
        pixels = random.randint(0, 256, (rows, columns, channels) if channels > 1 else (rows, columns), "uint8")
        image = Image.fromarray(pixels)
        return image.resize((columns * 3, rows * 3), Image.Resampling.BICUBIC) if smooth else image

    keep("png/cats/rgb.png", picture(9, 7, 3))
    keep("png/cats/gray.png", picture(5, 8, 1))
    keep("png/cats/deep/rgba.png", picture(6, 6, 4))
    keep("png/cats/palette.PNG".replace("PNG", "png"), picture(8, 8, 3).quantize(16))
    keep("rgba/a/alpha.png", picture(7, 6, 4))
    keep("rgba/b/none.png", picture(6, 7, 3))
    keep("png/dogs/wide.png", picture(5, 14, 3))
    keep("png/dogs/tall.png", picture(15, 4, 3))
    keep("png/dogs/same.png", picture(4, 3, 3))
    keep("png/dogs/bits.png", picture(7, 7, 1).convert("1"))
    for i in range(24):
        keep(f"many/{'abc'[i % 3]}/{i}.png", picture(2, 2, 3))
    keep("jpeg/a/color.jpg", picture(8, 6, 3, True), quality=90)
    keep("jpeg/a/full.jpg", picture(7, 5, 3, True), quality=85, subsampling=0)
    keep("jpeg/b/gray.jpeg", picture(6, 6, 1, True), quality=80)
    keep("bmp/a/rgb.bmp", picture(6, 5, 3))
    keep("bmp/b/odd.bmp", picture(5, 7, 3))
    keep("gif/a/one.gif", picture(6, 5, 3).quantize(32))
    keep("gif/b/two.gif", picture(6, 5, 1), save_all=True, append_images=[picture(6, 5, 1)])
    np.savez_compressed(PICTURES, **{name: np.frombuffer(data, "uint8") for name, data in files.items()})


def sound(samples: int, channels: int = 1, rate: int = 8000, width: int = 2, seed: int = 0) -> bytes:
    """Return a WAV file of noise."""
    noise = np.random.RandomState(seed).bytes(samples * channels * width)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(noise)
    return out.getvalue()


def unpack(folder: str) -> None:
    """Write the files of all cases below a folder."""
    sounds = {f"sounds/{'abc'[i % 3]}/{i}.wav": sound(5 + i, seed=i) for i in range(9)}
    sounds |= {f"stereo/{'ab'[i % 2]}/{i}.wav": sound(4 + i, 1 + i % 3 // 2, 44100, seed=i) for i in range(5)}
    texts = {f"texts/{'neg' if i % 2 else 'pos'}/{i}.txt": f"text {i}: été ✓ {'x' * i}".encode() for i in range(20)}
    pictures = {name: data.tobytes() for name, data in np.load(PICTURES).items()}
    for name, data in {**pictures, **texts, **sounds}.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _plain(value: Any) -> Any:
    array = np.asarray(value.numpy())
    return array.astype("S") if array.dtype == object else array


def _passes(dataset: Any, count: int = 2) -> dict[str, Any]:
    """Return all elements of some passes."""
    told = {"length": np.asarray(int(dataset.cardinality()))}
    for number in range(count):
        for i, element in enumerate(dataset):
            parts = element if isinstance(element, tuple) else (element,)
            told |= {f"pass {number}/{i}/{j}": _plain(part) for j, part in enumerate(parts)}
    return told


def compute(utils: Any) -> dict[str, Any]:
    """Return the numbers of all cases.

    Args:
        utils: `keras.utils`.
    """
    told: dict[str, Any] = {}

    def add(case: str, made: Any, folder: str | None = None) -> None:
        for number, dataset in enumerate(made if isinstance(made, (list, tuple)) else [made]):
            values = _passes(dataset)
            if folder is not None:
                values["class names"] = np.asarray([str(name) for name in dataset.class_names])
                paths = getattr(dataset, "file_paths", [])  # which Keras has not for texts
                values["paths"] = np.asarray([os.path.relpath(path, folder).replace(os.sep, "/") for path in paths])
            told.update({f"{case}/{number}/{name}": value for name, value in values.items()})

    with tempfile.TemporaryDirectory() as folder:
        unpack(folder)
        for case, (part, arguments) in IMAGES.items():
            np.random.seed(12)
            add(f"image/{case}", utils.image_dataset_from_directory(f"{folder}/{part}", **arguments), folder)
        for case, options in TEXTS.items():
            add(f"text/{case}", utils.text_dataset_from_directory(f"{folder}/texts", **options), folder)
        for case, (part, options) in SOUNDS.items():
            add(f"audio/{case}", utils.audio_dataset_from_directory(f"{folder}/{part}", **options), folder)
    for case, (data, targets, options) in TIMESERIES.items():
        np.random.seed(12)
        add(f"timeseries/{case}", utils.timeseries_dataset_from_array(data, targets, **options))
    return told


if __name__ == "__main__":
    if sys.argv[1:] == ["pictures"]:
        write_pictures()
    else:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        from tensorflow import keras

        np.savez_compressed(DATA, **compute(keras.utils))
