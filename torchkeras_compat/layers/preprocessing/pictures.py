"""Pictures in a fixed size: Resizing and CenterCrop."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..._core import registry
from ..._core.errors import choice, positive_int
from ..._core.precision import SHORT
from ..._core.shapes import Shape
from ...backend.resampling import METHODS, crop, resize, resize_and_crop
from ..base import ROW_WISE, Layer
from .base import as_numbers


class PictureLayer(Layer):
    """Base of layers that take pictures, channels last: a batch of them, or one without the axis of the batch.

    Args:
        kwargs: The arguments of every layer.
    """

    _class_traits = ROW_WISE
    _input_rank = (3, 4)

    def as_pictures(self, inputs: Tensor) -> Tensor:
        """Return pictures as floats of the type that the layer computes in."""
        return as_numbers(inputs, self._kind)

    def in_float32(self, images: Tensor) -> Tensor:
        """Return pictures in a type that interpolation does not lose digits in."""
        return images.float() if images.dtype in SHORT else images


def with_size(shape: Any, height: int | None, width: int | None) -> Shape:
    """Return the shape of pictures with another size.

    Args:
        shape: `(…, height, width, channels)`.
        height: The new height.
        width: The new width.
    """
    return (*tuple(shape)[:-3], height, width, tuple(shape)[-1])


@registry.register("layer")
class Resizing(PictureLayer):
    """Brings pictures to one size.

    Args:
        height: The height of the output.
        width: The width of the output.
        interpolation: `'bilinear'`, `'nearest'`, `'bicubic'`, `'area'`, `'lanczos3'`, `'lanczos5'`, `'gaussian'` or
            `'mitchellcubic'`.
        crop_to_aspect_ratio: Whether the sides are cropped so that nothing is stretched.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`, or one picture without `batch`.
        Output: `(batch, height, width, channels)`.

    Raises:
        ValueError: A size that is not positive, or an unknown interpolation.

    Source:
        TensorFlow 2.15, `tf.image.resize`.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.Resizing(1, 2)(np.array([[[[0.], [1.], [2.], [3.]]]])).flatten().tolist()
        [0.5, 2.5]
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height = positive_int("Resizing", "height", height)
        self.width = positive_int("Resizing", "width", width)
        self.interpolation = choice("Resizing", "interpolation", interpolation, METHODS)
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the pictures in the new size."""
        images = self.as_pictures(inputs)
        to_size = resize_and_crop if self.crop_to_aspect_ratio else resize
        y = to_size(self.in_float32(images), self.height, self.width, self.interpolation)
        return y.to(images.dtype)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the pictures in the new size."""
        return with_size(input_shape, self.height, self.width)


@registry.register("layer")
class CenterCrop(PictureLayer):
    """Cuts the middle out of pictures; those that are too small are resized to the proportions instead.

    Args:
        height: The height of the output.
        width: The width of the output.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`, or one picture without `batch`.
        Output: `(batch, height, width, channels)`.

    Raises:
        ValueError: A size that is not positive.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.CenterCrop(1, 2)(np.array([[[[0.], [1.], [2.], [3.]]]])).flatten().tolist()
        [1.0, 2.0]
    """

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height = positive_int("CenterCrop", "height", height)
        self.width = positive_int("CenterCrop", "width", width)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the middle of the pictures."""
        images = self.as_pictures(inputs)
        rows, columns = images.shape[-3] - self.height, images.shape[-2] - self.width
        if rows >= 0 and columns >= 0:
            return crop(images, rows // 2, columns // 2, self.height, self.width)
        return resize_and_crop(self.in_float32(images), self.height, self.width).to(images.dtype)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the pictures in the new size."""
        return with_size(input_shape, self.height, self.width)
