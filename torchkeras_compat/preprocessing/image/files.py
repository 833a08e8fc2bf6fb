"""Batches of pictures that are on the disk: in a folder for each class, or named by a table."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator as IteratorOf
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..._core import settings, shapes
from ..._core.errors import choice, did_you_mean, int_tuple, show
from ..._core.progress import say
from ...utils.images import img_to_array, load_img
from .iterator import Iterator, save_batch

Array = NDArray[Any]
_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}
_UNLABELLED = ("input", "multi_output", "raw", None)


class FileIterator(Iterator):
    """Base of batches of pictures from files; a subclass fills `filenames`, `_filepaths` and the labels."""

    allowed_class_modes: ClassVar[tuple[str | None, ...]] = ()
    classes: Any
    class_indices: dict[str, int]
    filenames: list[str]
    _filepaths: list[str]
    _targets: Any = None
    _sample_weight: Array | None = None

    def _prepare(
        self,
        image_data_generator: Any,
        target_size: tuple[int, int],
        color_mode: str,
        class_mode: str | None,
        data_format: str | None,
        saving: tuple[str | None, str, str],
        subset: str | None,
        interpolation: str,
        keep_aspect_ratio: bool,
        dtype: Any,
    ) -> None:
        owner = type(self).__name__
        self.image_data_generator = image_data_generator
        rows, columns = int_tuple(owner, "target_size", target_size, 2)
        self.target_size = (rows, columns)
        self.color_mode = choice(owner, "color_mode", color_mode, _CHANNELS)
        self.data_format = shapes.data_format(owner, data_format, settings.image_data_format())
        channels = _CHANNELS[self.color_mode]
        last = self.data_format == "channels_last"
        self.image_shape = (rows, columns, channels) if last else (channels, rows, columns)
        if class_mode not in self.allowed_class_modes:
            hint = did_you_mean(str(class_mode), [str(mode) for mode in self.allowed_class_modes])
            raise ValueError(f"{owner}(class_mode={show(class_mode)}): no such class_mode; {hint}")
        self.class_mode = class_mode
        self.save_to_dir, self.save_prefix, self.save_format = saving
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.dtype = dtype or settings.floatx()
        self.subset = subset
        self.split = None
        if subset is not None:
            cut = image_data_generator._validation_split if image_data_generator else 0.0
            parts = {"validation": (0, cut), "training": (cut, 1)}
            self.split = parts[choice(owner, "subset", subset, parts)]

    def _part(self, items: Any) -> Any:
        if self.split is None:
            return items
        n = len(items)
        return items[int(self.split[0] * n) : int(self.split[1] * n)]

    @property
    def filepaths(self) -> list[str]:
        """The paths of the pictures."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The labels of the pictures: class indices, or the columns of the table."""
        return self._targets if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self) -> Array | None:
        """The weights of the pictures."""
        return self._sample_weight

    def _load(self, path: str) -> Array:
        img = load_img(
            path,
            color_mode=self.color_mode,
            target_size=self.target_size,
            interpolation=self.interpolation,
            keep_aspect_ratio=self.keep_aspect_ratio,
        )
        return img_to_array(img, data_format=self.data_format)

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        batch = np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        for row, index in enumerate(index_array):
            batch[row] = self._load(self._filepaths[index])
        if self.image_data_generator is not None:
            batch = self.image_data_generator.batch(batch).astype(self.dtype, copy=False)
        if self.save_to_dir:
            place = (self.save_to_dir, self.save_prefix, self.save_format)
            save_batch(batch, index_array, *place, self.data_format, 10_000_000)
        if self.class_mode is None:
            return batch
        labels = self._batch_labels(batch, index_array)
        return (batch, labels) if self._sample_weight is None else (batch, labels, self._sample_weight[index_array])

    def _batch_labels(self, batch: Array, index_array: Array) -> Any:
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode == "multi_output":
            return [output[index_array] for output in self._targets]
        if self.class_mode == "raw":
            return self._targets[index_array]
        if self.class_mode in ("binary", "sparse"):
            return np.array([self.classes[index] for index in index_array], dtype=self.dtype)
        rows = np.zeros((len(batch), len(self.class_indices)), dtype=self.dtype)
        for row, index in enumerate(index_array):
            rows[row, self.classes[index]] = 1
        return rows


class DirectoryIterator(FileIterator):
    """Batches of the pictures in a folder, each of whose folders is a class.

    Args:
        directory: The folder.
        image_data_generator: Changes the pictures.
        target_size: `(rows, cols)` that every picture is brought to.
        color_mode: `'rgb'`, `'rgba'` or `'grayscale'`.
        classes: Names of the classes' folders; all, in the order of the alphabet, when `None`.
        class_mode: `'categorical'`, `'binary'`, `'sparse'`, `'input'` (the pictures themselves) or `None`.
        batch_size: Pictures in a batch.
        shuffle: Whether the order is drawn anew for each round.
        seed: Seed of order and changes.
        data_format: Order of the image axes; the process's default when `None`.
        save_to_dir: Folder for copies of what is given out.
        save_prefix: First part of their names.
        save_format: Their format.
        follow_links: Whether links to folders are followed.
        subset: `'training'` or `'validation'`, by the generator's `validation_split`.
        interpolation: How pictures are resized; see `load_img`.
        keep_aspect_ratio: Whether the centre is cut out before resizing, instead of stretching.
        dtype: Type of the batches; `floatx()` when `None`.

    Raises:
        ValueError: An unknown mode, or a class without a folder.
        ImportError: Pillow is missing.
    """

    allowed_class_modes: ClassVar[tuple[str | None, ...]] = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        saving = (save_to_dir, save_prefix, save_format)
        sizes = (image_data_generator, target_size, color_mode, class_mode, data_format)
        self._prepare(*sizes, saving, subset, interpolation, keep_aspect_ratio, dtype)
        self.directory = os.fspath(directory)
        names = list(classes) if classes else self._class_folders()
        self.num_classes = len(names)
        self.class_indices = {name: index for index, name in enumerate(names)}
        self.filenames, indices = [], []
        for name, index in self.class_indices.items():
            names_of_class = self._part(self._pictures(name, follow_links))
            self.filenames += names_of_class
            indices += [index] * len(names_of_class)
        self.classes = np.array(indices, dtype=np.int32)
        self.samples = len(self.filenames)
        say(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _class_folders(self) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self.directory) if entry.is_dir())

    def _pictures(self, name: str, follow_links: bool) -> list[str]:
        folder = os.path.join(self.directory, name)
        if not os.path.isdir(folder):
            raise ValueError(f"DirectoryIterator(classes=…): the class {name!r} has no folder in {self.directory!r}.")
        paths = list(_pictures_below(folder, self.white_list_formats, follow_links))
        if any(path.lower().endswith(".tiff") for path in paths):
            warnings.warn(
                "DirectoryIterator: a '.tiff' picture with several bands may come out distorted.",
                UserWarning,
                stacklevel=4,
            )
        return [os.path.join(name, os.path.relpath(path, folder)) for path in paths]


def _pictures_below(folder: str, suffixes: tuple[str, ...], follow_links: bool) -> IteratorOf[str]:
    for root, _, files in sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0]):
        for name in sorted(files):
            if name.lower().endswith(suffixes):
                yield os.path.join(root, name)


class DataFrameIterator(FileIterator):
    """Batches of the pictures that a pandas table names.

    Args:
        dataframe: The table.
        directory: The folder that the names are relative to; `None` when they are whole paths.
        image_data_generator: Changes the pictures.
        x_col: Column of the names.
        y_col: Column, or list of columns, of the labels.
        weight_col: Column of the weights.
        target_size: `(rows, cols)` that every picture is brought to.
        color_mode: `'rgb'`, `'rgba'` or `'grayscale'`.
        classes: The classes; those of the table, in the order of the alphabet, when `None`.
        class_mode: `'categorical'`, `'binary'`, `'sparse'`, `'input'`, `'multi_output'`, `'raw'` or `None`.
        batch_size: Pictures in a batch.
        shuffle: Whether the order is drawn anew for each round.
        seed: Seed of order and changes.
        data_format: Order of the image axes.
        save_to_dir: Folder for copies of what is given out.
        save_prefix: First part of their names.
        save_format: Their format.
        subset: `'training'` or `'validation'`, by the generator's `validation_split`.
        interpolation: How pictures are resized; see `load_img`.
        keep_aspect_ratio: Whether the centre is cut out before resizing, instead of stretching.
        dtype: Type of the batches.
        validate_filenames: Whether names without a picture are left out, with a warning.

    Raises:
        ValueError: An unknown mode, or `'binary'` without exactly two classes.
        TypeError: A column of another type than the mode needs.
        ImportError: Pillow is missing.
    """

    allowed_class_modes: ClassVar[tuple[str | None, ...]] = (
        *("binary", "categorical", "input", "multi_output", "raw", "sparse"),
        None,
    )

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ) -> None:
        saving = (save_to_dir, save_prefix, save_format)
        sizes = (image_data_generator, target_size, color_mode, class_mode, data_format)
        self._prepare(*sizes, saving, subset, interpolation, keep_aspect_ratio, dtype)
        self.directory = os.fspath(directory or "")
        self._check_columns(dataframe, x_col, y_col, weight_col, classes)
        table = self._with_pictures(dataframe, x_col) if validate_filenames else dataframe
        labelled = class_mode not in _UNLABELLED
        if labelled:
            table, names = _with_classes(table, y_col, classes)
            self.class_indices = {name: index for index, name in enumerate(names)}
        table = self._part(table)
        if labelled:
            self.classes = [self._indices(label) for label in table[y_col]]
        self.filenames = table[x_col].tolist()
        self._sample_weight = table[weight_col].to_numpy() if weight_col else None
        if class_mode == "multi_output":
            self._targets = [np.array(table[column].tolist()) for column in y_col]
        elif class_mode == "raw":
            self._targets = table[y_col].to_numpy()
        self.samples = len(self.filenames)
        checked = "validated" if validate_filenames else "non-validated"
        of_classes = f" belonging to {len(self.class_indices)} classes" if labelled else ""
        say(f"Found {self.samples} {checked} image filenames{of_classes}.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _indices(self, label: Any) -> Any:
        return [self.class_indices[one] for one in label] if _several(label) else self.class_indices[label]

    def _check_columns(self, table: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Any) -> None:
        mode = self.class_mode
        owner = f"DataFrameIterator(class_mode={mode!r})"
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f"{owner}: y_col must be a list of columns; got {show(y_col)}.")
        _check_types(owner, "x_col", table[x_col], (str,))
        if mode in ("binary", "sparse"):
            _check_types(owner, "y_col", table[y_col], (str,))
        if mode == "categorical":
            _check_types(owner, "y_col", table[y_col], (str, list, tuple))
        if mode == "binary":
            count = len(set(classes)) if classes else table[y_col].nunique()
            if count != 2:
                raise ValueError(f"{owner}: there must be two classes; got {count}.")
        if classes and mode in _UNLABELLED:
            warnings.warn(f"{owner}: classes has no effect.", UserWarning, stacklevel=4)
        if weight_col and not np.issubdtype(table[weight_col].to_numpy().dtype, np.number):
            raise TypeError(f"{owner}: the column weight_col={weight_col!r} must hold numbers.")

    def _with_pictures(self, table: Any, x_col: str) -> Any:
        paths = (os.path.join(self.directory, name) for name in table[x_col])
        mask = np.array([p.lower().endswith(self.white_list_formats) and os.path.isfile(p) for p in paths], dtype=bool)
        if not mask.all():
            warnings.warn(
                f"DataFrameIterator: {int((~mask).sum())} names in the column {x_col!r} are no pictures "
                "and are left out.",
                UserWarning,
                stacklevel=4,
            )
        return table[mask]


def _several(label: Any) -> bool:
    return isinstance(label, (list, tuple))


def _check_types(owner: str, argument: str, column: Any, types: tuple[type, ...]) -> None:
    for value in column:
        if not isinstance(value, types):
            expected = " or ".join(kind.__name__ for kind in types)
            raise TypeError(f"{owner}: the column {argument}={column.name!r} must hold {expected}; got {show(value)}.")


def _with_classes(table: Any, y_col: str, classes: Sequence[str] | None) -> tuple[Any, list[str]]:
    """Return the rows whose label is among the classes, and the classes."""
    column = table[y_col]
    if not classes:
        labels = {one for label in column for one in (label if _several(label) else [label])}
        return table, sorted(labels)
    names = list(dict.fromkeys(classes))
    kept = [[one for one in label if one in names] if _several(label) else label for label in column]
    mask = np.array([bool(label) if _several(label) else label in names for label in kept], dtype=bool)
    limited = table.copy()
    limited[y_col] = kept
    return limited[mask], names
