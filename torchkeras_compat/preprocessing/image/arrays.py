"""Batches of images that are in memory."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._core import settings, shapes
from ..._core.errors import choice, show
from .iterator import Iterator, save_batch

Array = NDArray[Any]


def _host(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


class NumpyArrayIterator(Iterator):
    """Batches of an array of images, changed by an `ImageDataGenerator`.

    Args:
        x: The images, or a pair of them and other arrays that go along unchanged.
        y: Labels, or `None`.
        image_data_generator: Changes the images.
        batch_size: Images in a batch.
        shuffle: Whether the order is drawn anew for each round.
        sample_weight: Weights of the images.
        seed: Seed of order and changes.
        data_format: Order of the image axes; the process's default when `None`.
        save_to_dir: Folder for copies of what is given out.
        save_prefix: First part of their names.
        save_format: Their format.
        subset: `'training'` or `'validation'`, by the generator's `validation_split`.
        ignore_class_split: Whether the two subsets may have different classes.
        dtype: Type of the batches; `floatx()` when `None`.

    Shape:
        x `(n, rows, cols, channels)`, or as `data_format` says.

    Raises:
        ValueError: Arrays of different lengths, images without four axes, or subsets with different classes.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or settings.floatx()
        self.data_format = shapes.data_format("NumpyArrayIterator", data_format, settings.image_data_format())
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        others: list[Any] = []
        if isinstance(x, (tuple, list)):
            if len(x) != 2:
                raise ValueError(
                    f"NumpyArrayIterator: x must be an array of images, or (images, [what goes with them]); got a "
                    f"{type(x).__name__} of {len(x)}. Write np.array(x) where it lists images."
                )
            x, second = x
            others = list(second) if isinstance(second, list) else [second]
        arrays = {"x": x, "y": y, "sample_weight": sample_weight, **{f"x[1][{i}]": o for i, o in enumerate(others)}}
        arrays = {name: np.asarray(_host(array)) for name, array in arrays.items() if array is not None}
        for name, array in arrays.items():
            if len(array) != len(arrays["x"]):
                raise ValueError(
                    f"NumpyArrayIterator: x and {name} must have one length; got {len(arrays['x'])} and {len(array)}."
                )
        if subset is not None:
            arrays = self._subset(arrays, subset, ignore_class_split)
        self.x = arrays["x"].astype(self.dtype, copy=False)
        self.x_misc = [array for name, array in arrays.items() if name.startswith("x[1]")]
        self.y, self.sample_weight = arrays.get("y"), arrays.get("sample_weight")
        self._check_images()
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _subset(self, arrays: dict[str, Array], subset: str, ignore_class_split: bool) -> dict[str, Array]:
        subset = choice("NumpyArrayIterator", "subset", subset, ("training", "validation"))
        split = int(len(arrays["x"]) * self.image_data_generator._validation_split)
        y = arrays.get("y")
        if y is not None and not ignore_class_split and not np.array_equal(np.unique(y[:split]), np.unique(y[split:])):
            raise ValueError(
                "NumpyArrayIterator: the training and the validation subset have different classes; shuffle x and y "
                "first, or give ignore_class_split=True."
            )
        part = slice(split) if subset == "validation" else slice(split, None)
        # Keras splits the images and labels but leaves sample_weight whole, which then belongs to other images.
        return {name: array[part] for name, array in arrays.items()}

    def _check_images(self) -> None:
        if self.x.ndim != 4:
            raise ValueError(f"NumpyArrayIterator(x={show(self.x)}): x must have four axes.")
        channels = self.x.shape[3 if self.data_format == "channels_last" else 1]
        if channels not in (1, 3, 4):
            warnings.warn(
                f"NumpyArrayIterator: {show(self.x)} has {channels} channels with data_format={self.data_format!r}; "
                "images have 1, 3 or 4.",
                UserWarning,
                stacklevel=4,
            )

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        batch = self.image_data_generator.batch(self.x[index_array]).astype(self.dtype, copy=False)
        if self.save_to_dir:
            place = (self.save_to_dir, self.save_prefix, self.save_format)
            save_batch(batch, index_array, *place, self.data_format, 10_000)
        images = [batch, *(array[index_array] for array in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return images
        weights = () if self.sample_weight is None else (self.sample_weight[index_array],)
        return (images, self.y[index_array], *weights)
