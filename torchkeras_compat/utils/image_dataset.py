"""Data sets of pictures in folders."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .._core.border import translated
from .._core.errors import argument_error, choice, int_tuple
from ..backend import resampling
from .dataset_utils import FileRows, FolderOptions
from .images import decoded

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


class _Pictures(FileRows):
    """Pictures in one size.

    Args:
        paths: The files.
        labels: A label each.
        color_mode: One of `CHANNELS`.
        resize: Brings `(rows, columns, channels)` to that size.
    """

    def __init__(self, paths: Sequence[str], labels: Tensor | None, color_mode: str, resize: Any) -> None:
        super().__init__(paths, labels)
        self.color_mode, self.resize = color_mode, resize

    def read(self, path: str) -> Tensor:
        try:
            contents = Path(path).read_bytes()
            pixels = torch.from_numpy(decoded("image_dataset_from_directory", contents, CHANNELS[self.color_mode]))
        except OSError as error:
            raise OSError(f"{path} cannot be read as a picture: {error}") from error
        resized: Tensor = self.resize(pixels)
        return resized

    def stack(self, contents: list[Any]) -> Tensor:
        return torch.stack(contents)


def _resized(pixels: Tensor, size: tuple[int, int], interpolation: str, crop: bool) -> Tensor:
    """Return a picture in another size, as bytes where each pixel is one of its own."""
    change = resampling.resize_and_crop if crop else resampling.resize
    resized = change(pixels.float(), *size, interpolation)
    return resized.to(torch.uint8) if interpolation == "nearest" else resized


@translated("image_dataset_from_directory")
def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
) -> Any:
    """Return a data set of the pictures in a folder, whose folders are the classes.

    The files, their order for a seed and the pixels are those of Keras 2.15.

    Args:
        directory: The folder.
        labels: `'inferred'` from the folders, `None` for none, or a list with a label for each file, in the order of
            their paths.
        label_mode: `'int'`, `'categorical'`, `'binary'`, or `None` for no labels.
        class_names: The names of the folders, in the order that the classes are to have.
        color_mode: `'rgb'`, `'rgba'` or `'grayscale'`.
        batch_size: Pictures in a batch; one by one if `None`.
        image_size: `(rows, columns)` of the pictures.
        shuffle: Whether the files are shuffled, and batches anew in each epoch.
        seed: The seed of that; drawn from numpy if `None`.
        validation_split: The share of the files, the last ones, to validate on.
        subset: `'training'`, `'validation'`, or `'both'` for a list of the two.
        interpolation: `'bilinear'`, `'nearest'`, `'bicubic'`, `'area'`, `'lanczos3'`, `'lanczos5'`, `'gaussian'` or
            `'mitchellcubic'`.
        follow_links: Accepted: links to folders are followed in any case, as TensorFlow does.
        crop_to_aspect_ratio: Whether the centre is cut out before resizing, instead of stretching.

    Shape:
        Batches of `(batch, rows, columns, channels)`, and labels of `(batch,)`, `(batch, classes)` or `(batch, 1)`.

    Raises:
        ValueError: An argument out of its range, or no pictures.
        ImportError: Pillow is missing.

    Example:
        >>> import os, tempfile, numpy as np, torchkeras_compat as keras
        >>> folder = tempfile.mkdtemp()
        >>> for name in ('cats', 'dogs'):
        ...     os.makedirs(f'{folder}/{name}')
        ...     keras.utils.save_img(f'{folder}/{name}/1.png', np.ones((6, 8, 3)))
        >>> data = image_dataset_from_directory(folder, image_size=(4, 4), shuffle=False)
        Found 2 files belonging to 2 classes.
        >>> [(tuple(x.shape), y.tolist()) for x, y in data], data.class_names
        ([((2, 4, 4, 3), [0, 1])], ['cats', 'dogs'])
    """
    owner = "image_dataset_from_directory"
    choice(owner, "color_mode", color_mode, CHANNELS)
    if not isinstance(interpolation, str) or interpolation.lower() not in resampling.METHODS:
        raise argument_error(owner, "interpolation", f"one of {', '.join(resampling.METHODS)}", interpolation)
    rows, columns = int_tuple(owner, "image_size", image_size, 2)
    resize = functools.partial(
        _resized, size=(rows, columns), interpolation=interpolation.lower(), crop=bool(crop_to_aspect_ratio)
    )
    options = FolderOptions(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset
    )
    return options.datasets(owner, FORMATS, lambda paths, targets: _Pictures(paths, targets, color_mode, resize))
