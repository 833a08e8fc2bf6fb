"""`ImageDataGenerator`: batches of images, changed at random and standardised."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._core import settings, shapes
from ..._core.config import Configurable
from ..._core.errors import show
from . import functions
from .affine import MOVES, transform_matrices, warp
from .arrays import NumpyArrayIterator
from .draws import Columns, Even, columns, shift
from .files import DataFrameIterator, DirectoryIterator

Array = NDArray[Any]
Transform = dict[str, Any]
FLIPS = {"flip_vertical": 1, "flip_horizontal": 2}  # and the axis that is turned round
_DEPRECATED = ("has_ext", "sort", "drop_duplicates")


class ImageDataGenerator(Configurable):
    """Give batches of images, each changed at random, with the numbers of Keras 2.15 for a seed of numpy.

    Args:
        featurewise_center: Subtract the mean of the data that `fit` saw.
        samplewise_center: Subtract each image's own mean.
        featurewise_std_normalization: Divide by the standard deviation of the data that `fit` saw.
        samplewise_std_normalization: Divide by each image's own.
        zca_whitening: Remove the correlations that `fit` saw.
        zca_epsilon: Guards the division there.
        rotation_range: Largest rotation in degrees.
        width_shift_range: Largest shift: a fraction below 1, pixels from 1 on, or a list of pixels to choose from.
        height_shift_range: The same along the other axis.
        brightness_range: Two factors; needs Pillow.
        shear_range: Largest shear in degrees.
        zoom_range: Two factors, or z for [1 − z, 1 + z].
        channel_shift_range: Largest number that is added to every value.
        fill_mode: What lies outside an image: `'nearest'`, `'constant'`, `'reflect'` or `'wrap'`.
        cval: The value there with `'constant'`.
        horizontal_flip: Mirror every second image, by chance.
        vertical_flip: Turn every second image upside down, by chance.
        rescale: Factor for all values, after the changes.
        preprocessing_function: Called with each image after the changes and before the rest.
        data_format: `'channels_last'` or `'channels_first'`; the process's default when `None`.
        validation_split: Fraction that `subset='validation'` takes.
        interpolation_order: 0 nearest pixel, 1 linear, 2 to 5 splines (these need scipy).
        dtype: Type of the batches; `floatx()` when `None`.

    Raises:
        ValueError: A range or a fraction that is none.

    Example:
        >>> np.random.seed(0)
        >>> images, labels = np.random.rand(8, 16, 16, 3), np.arange(8)
        >>> batches = ImageDataGenerator(rotation_range=20, horizontal_flip=True).flow(images, labels, batch_size=4)
        >>> x, y = next(batches)
        >>> x.shape, y.shape
        ((4, 16, 16, 3), (4,))
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Array], Array] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = _range("brightness_range", brightness_range)
        self.shear_range = shear_range
        self.zoom_range = _zoom(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.interpolation_order = interpolation_order
        self.dtype = dtype or settings.floatx()
        self.data_format = shapes.data_format("ImageDataGenerator", data_format, settings.image_data_format())
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                f"ImageDataGenerator(validation_split={validation_split}): validation_split must lie between 0 and 1; "
                f"got {validation_split}."
            )
        self.validation_split = self._validation_split = validation_split
        self.mean: Array | None = None
        self.std: Array | None = None
        self.zca_whitening_matrix: Array | None = None
        self.featurewise_center = featurewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_center = samplewise_center
        self.samplewise_std_normalization = samplewise_std_normalization
        self._settle()

    def _settle(self) -> None:
        """Let the options that need or exclude others have their way, as Keras does."""
        rules = (
            ("zca_whitening", "featurewise_center", True),
            ("zca_whitening", "featurewise_std_normalization", False),
            ("featurewise_std_normalization", "featurewise_center", True),
            ("samplewise_std_normalization", "samplewise_center", True),
        )
        for option, other, value in rules:
            if getattr(self, option) and bool(getattr(self, other)) != value:
                setattr(self, other, value)
                warnings.warn(f"ImageDataGenerator: {option} sets {other}={value}.", UserWarning, stacklevel=4)

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Return batches of an array of images without end.

        Args:
            x: The images, or a pair of them and other arrays that go along unchanged.
            y: Labels.
            batch_size: Images in a batch.
            shuffle: Whether the order is drawn anew for each round.
            sample_weight: Weights of the images.
            seed: Seed of order and changes.
            save_to_dir: Folder for copies of what is given out.
            save_prefix: First part of their names.
            save_format: Their format.
            ignore_class_split: Whether the two subsets may have different classes.
            subset: `'training'` or `'validation'`, with `validation_split`.
        """
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            ignore_class_split=ignore_class_split,
            subset=subset,
            dtype=self.dtype,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Return batches of the pictures in a folder, each of whose folders is a class; see `DirectoryIterator`."""
        options = {k: v for k, v in locals().items() if k not in ("self", "directory")}
        return DirectoryIterator(directory, self, data_format=self.data_format, dtype=self.dtype, **options)

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
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
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Return batches of the pictures that a pandas table names; see `DataFrameIterator`."""
        options = {k: v for k, v in locals().items() if k not in ("self", "dataframe", "directory", "kwargs")}
        for name, value in kwargs.items():
            if name not in _DEPRECATED:
                raise TypeError(f"flow_from_dataframe({name}={show(value)}): unknown argument.")
            warnings.warn(f"flow_from_dataframe({name}=…): has no effect any more.", FutureWarning, stacklevel=2)
        if class_mode == "other":
            warnings.warn("flow_from_dataframe(class_mode='other'): is now 'raw'.", FutureWarning, stacklevel=2)
            options["class_mode"] = "raw"
        options.update(data_format=self.data_format, dtype=self.dtype)
        return DataFrameIterator(dataframe, directory, self, **options)

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> Transform:
        """Draw the changes of one image.

        Args:
            img_shape: Shape of the image.
            seed: Seeds numpy's global generator first.
        """
        if seed is not None:
            np.random.seed(seed)
        drawn = {name: column[0].item() for name, column in self._drawn(img_shape, 1).items()}
        flips = {name: int(drawn.get(name, 0)) for name in FLIPS}
        return {**MOVES, "channel_shift_intensity": None, "brightness": None, **drawn, **flips}

    def _drawn(self, img_shape: Sequence[int], count: int) -> Columns:
        """Draw the changes of some images of one shape."""
        rotation, shear, channel = self.rotation_range, self.shear_range, self.channel_shift_range
        zoom = None if self.zoom_range[0] == self.zoom_range[1] == 1 else Even(*self.zoom_range)
        # The order of the draws is Keras's: a seed gives the same changes.
        order = {
            "theta": Even(-rotation, rotation) if rotation else None,
            "tx": shift(self.height_shift_range, img_shape[self.row_axis - 1]),
            "ty": shift(self.width_shift_range, img_shape[self.col_axis - 1]),
            "shear": Even(-shear, shear) if shear else None,
            "zx": zoom,
            "zy": zoom,
            "flip_horizontal": Even(0, 1),
            "flip_vertical": Even(0, 1),
            "channel_shift_intensity": Even(-channel, channel) if channel != 0 else None,
            "brightness": Even(*self.brightness_range) if self.brightness_range is not None else None,
        }
        drawn = columns({name: draw for name, draw in order.items() if draw is not None}, count)
        wished = {"flip_horizontal": self.horizontal_flip, "flip_vertical": self.vertical_flip}
        return {**drawn, **{name: (drawn[name] < 0.5) * wish for name, wish in wished.items()}}

    def apply_transform(self, x: Any, transform_parameters: Mapping[str, Any]) -> Array:
        """Change one image as told.

        Args:
            x: The image.
            transform_parameters: What `get_random_transform` returns; what is missing changes nothing.

        Shape:
            Unchanged.
        """
        drawn = {name: np.array([value]) for name, value in transform_parameters.items() if value is not None}
        changed: Array = self._transformed(np.asarray(x)[None], drawn)[0]
        return changed

    def random_transform(self, x: Any, seed: int | None = None) -> Array:
        """Change one image at random.

        Args:
            x: The image.
            seed: Seeds numpy's global generator first.
        """
        x = np.asarray(x)
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x: Any) -> Array:
        """Apply `preprocessing_function`, `rescale` and the normalisations to one image; `x` itself stays."""
        x = np.array(x)
        if self.preprocessing_function:
            x = np.array(self.preprocessing_function(x))
        done: Array = self._standardized((x if x.dtype.kind == "f" else x.astype(self.dtype))[None])[0]
        return done

    def batch(self, images: Array) -> Array:
        """Return images changed at random and standardised; what iterators call."""
        overridden = any(
            getattr(type(self), name) is not getattr(ImageDataGenerator, name)
            for name in ("get_random_transform", "apply_transform", "standardize")
        )
        images = np.asarray(images, dtype=self.dtype)
        if not overridden and self.preprocessing_function is None:
            drawn = self._drawn(images.shape[1:], len(images))
            return self._standardized(self._transformed(images, drawn))
        result = np.empty_like(images)
        for i, image in enumerate(images):  # the user's function may draw numbers too: one image after the other
            parameters = self.get_random_transform(image.shape)
            result[i] = self.standardize(self.apply_transform(image, parameters))
        return result

    def _transformed(self, images: Array, drawn: Columns) -> Array:
        """Return a changed copy of images, all of one shape."""
        last = np.moveaxis(images, self.channel_axis, -1)
        moves = np.empty((len(images), len(MOVES)))
        for i, (name, usual) in enumerate(MOVES.items()):
            moves[:, i] = drawn.get(name, usual)
        matrices = transform_matrices(moves, last.shape[1], last.shape[2], swap=True)
        last = warp(last, matrices, self.fill_mode, self.cval, self.interpolation_order)
        if "channel_shift_intensity" in drawn:
            functions.shift_values(last, drawn["channel_shift_intensity"])
        for name, axis in FLIPS.items():
            if name in drawn:
                functions.flip_some(last, drawn[name], axis)
        for image, factor in zip(last, drawn.get("brightness", ())):
            image[:] = functions.brightened(image, factor, False, "channels_last")
        return np.moveaxis(last, -1, self.channel_axis)

    def _standardized(self, x: Array) -> Array:
        own = tuple(range(1, x.ndim))
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, axis=own, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, axis=own, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted("featurewise_std_normalization", self.std):
            x /= np.asarray(self.std) + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            flat = x.reshape(-1, int(np.prod(x.shape[-3:])))
            x = (flat @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    @staticmethod
    def _fitted(option: str, value: Any) -> bool:
        if value is None:
            warnings.warn(
                f"ImageDataGenerator: {option} has no effect before fit(x) was called.", UserWarning, stacklevel=6
            )
        return value is not None

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn what the featurewise options need.

        Args:
            x: Images, shape `(n, rows, cols, channels)` or as `data_format` says.
            augment: Whether to learn from changed images.
            rounds: How many of each.
            seed: Seeds numpy's global generator first.

        Raises:
            ValueError: Data of another number of axes.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError(f"ImageDataGenerator.fit(x={show(x)}): x must have four axes.")
        if x.shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn(
                f"ImageDataGenerator.fit: {show(x)} has {x.shape[self.channel_axis]} channels with "
                f"data_format={self.data_format!r}; images have 1, 3 or 4.",
                UserWarning,
                stacklevel=2,
            )
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.concatenate([np.stack([self.random_transform(image) for image in x]) for _ in range(rounds)])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T


def _range(argument: str, value: Any) -> Any:
    if value is not None and (not isinstance(value, (tuple, list)) or len(value) != 2):
        raise ValueError(f"ImageDataGenerator({argument}={show(value)}): {argument} must be two numbers.")
    return value


def _zoom(value: Any) -> list[float]:
    if isinstance(value, (int, float)):
        return [1 - value, 1 + value]
    pair = isinstance(value, (tuple, list)) and len(value) == 2
    if not pair or not all(isinstance(item, (int, float)) for item in value):
        raise ValueError(
            f"ImageDataGenerator(zoom_range={show(value)}): zoom_range must be a number or two "
            f"numbers; got {show(value)}."
        )
    return [value[0], value[1]]
