"""Layers that pad, cut and enlarge the axes in space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from .._core import registry
from .._core.errors import argument_error, choice, int_tuple
from .._core.shapes import Shape
from ..backend import resampling
from ..backend.convolution import resize_images
from .spatial import SpatialLayer, torch_pads

Pairs = tuple[tuple[int, int], ...]


def pairs(owner: str, argument: str, value: Any, rank: int) -> Pairs:
    """Return `value` as one pair (before, after) for each axis.

    Args:
        owner: The layer's class.
        argument: The argument's name.
        value: One integer for all; for one axis a pair; for several one integer, or one pair, for each.
        rank: The number of axes.
    """
    several = f"an integer ≥ 0, {rank} of them or {rank} pairs of them"
    expected = "an integer ≥ 0 or a pair of them" if rank == 1 else several
    if hasattr(value, "__index__"):
        items: tuple[Any, ...] = ((value, value),) * rank
    elif isinstance(value, (tuple, list)):
        items = (tuple(value),) if rank == 1 and len(value) == 2 and hasattr(value[0], "__index__") else tuple(value)
    else:
        raise argument_error(owner, argument, expected, value)
    if len(items) != rank:
        raise argument_error(owner, argument, expected, value)
    try:
        pairs = [int_tuple(owner, argument, item, 2, minimum=0) for item in items]
    except ValueError:
        raise argument_error(owner, argument, expected, value) from None
    return tuple((before, after) for before, after in pairs)


class ZeroPadding(SpatialLayer):
    """Base of the layers that put zeros around their input.

    Args:
        padding: How many, before and after each axis in space.
        data_format: `'channels_last'` or `'channels_first'`.
        kwargs: The arguments of every layer.
    """

    _keeps_integers = True

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = pairs(type(self).__name__, "padding", padding, self.rank)
        self.keep_format(data_format)

    def _config_of(self, name: str) -> Any:
        # Keras has one pair, and no list of pairs, for one axis.
        return self.padding[0] if name == "padding" and self.rank == 1 else super()._config_of(name)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input with zeros around it."""
        behind = [(0, 0)] if self.data_format == "channels_last" else []
        return F.pad(inputs, torch_pads([*self.padding, *behind]))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the enlarged shape."""
        sizes = zip(self.lengths(input_shape), self.padding)
        space = [None if n is None else n + before + after for n, (before, after) in sizes]
        return self.assemble(input_shape[0], space, input_shape[self.channel_axis])


class Cropping(SpatialLayer):
    """Base of the layers that cut the edges of their input off.

    Args:
        cropping: How many cells, before and after each axis in space.
        data_format: `'channels_last'` or `'channels_first'`.
        kwargs: The arguments of every layer.
    """

    _keeps_integers = True

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = pairs(type(self).__name__, "cropping", cropping, self.rank)
        self.keep_format(data_format)

    def _config_of(self, name: str) -> Any:
        # Keras has one pair, and no list of pairs, for one axis.
        return self.cropping[0] if name == "cropping" and self.rank == 1 else super()._config_of(name)

    def build(self, input_shape: Any) -> None:
        """Check that something is left."""
        self.compute_output_shape(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input without its edges (a view)."""
        for axis, (before, after) in zip(self.space, self.cropping):
            inputs = inputs.narrow(axis, before, inputs.shape[axis] - before - after)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the reduced shape."""
        sizes = zip(self.lengths(input_shape), self.cropping)
        space = [None if n is None else n - before - after for n, (before, after) in sizes]
        return self.assemble(input_shape[0], space, input_shape[self.channel_axis])


class UpSampling(SpatialLayer):
    """Base of the layers that enlarge their input by whole factors.

    Args:
        size: The factor for each axis in space.
        data_format: `'channels_last'` or `'channels_first'`.
        kwargs: The arguments of every layer.
    """

    interpolation: str = "nearest"

    @property
    def _keeps_integers(self) -> bool:  # type: ignore[override]
        return self.interpolation == "nearest"

    @property
    def _casts_integers(self) -> bool:  # type: ignore[override]
        return not self._keeps_integers

    def __init__(self, size: int | Sequence[int] = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = int_tuple(type(self).__name__, "size", size, self.rank)
        self.keep_format(data_format)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the enlarged input."""
        if not inputs.is_floating_point():  # which torch's kernels do not take
            for axis, factor in zip(self.space, self.size):
                inputs = inputs.repeat_interleave(factor, axis)
            return inputs
        size = [n * factor for n, factor in zip(self.lengths(inputs.shape), self.size) if n is not None]
        size = [1, *size] if self.rank == 1 else size
        # torch's bilinear takes half-pixel centres unless told otherwise, as tf.image.resize does.
        return self.to_keras(F.interpolate(self.to_torch(inputs), size=size, mode=self.interpolation))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the enlarged shape."""
        space = [None if n is None else n * factor for n, factor in zip(self.lengths(input_shape), self.size)]
        return self.assemble(input_shape[0], space, input_shape[self.channel_axis])


@registry.register("layer")
class ZeroPadding1D(ZeroPadding):
    """Puts zeros before and after a sequence.

    Args:
        padding: How many steps: an integer, or a pair (before, after).
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, padded_steps, channels)`.

    Raises:
        ValueError: `padding` is neither.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.ZeroPadding1D((1, 2))(np.ones((1, 1, 1))).flatten().tolist()
        [0.0, 1.0, 0.0, 0.0]
    """

    rank = 1


@registry.register("layer")
class ZeroPadding2D(ZeroPadding):
    """Puts zeros around images.

    Args:
        padding: An integer for all sides, a pair (rows, columns), or ((top, bottom), (left, right)).
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: the same axes, enlarged.

    Raises:
        ValueError: `padding` is none of these.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.ZeroPadding2D((1, 2)).compute_output_shape((None, 28, 28, 3))
        (None, 30, 32, 3)
    """

    rank = 2


@registry.register("layer")
class ZeroPadding3D(ZeroPadding):
    """Puts zeros around volumes.

    Args:
        padding: An integer for all sides, three of them, or three pairs.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: the same axes, enlarged.

    Raises:
        ValueError: `padding` is none of these.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.ZeroPadding3D(2).compute_output_shape((None, 4, 4, 4, 3))
        (None, 8, 8, 8, 3)
    """

    rank = 3


@registry.register("layer")
class Cropping1D(Cropping):
    """Cuts the ends of a sequence off.

    Args:
        cropping: How many steps: an integer, or a pair (before, after).
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, remaining_steps, channels)`.

    Raises:
        ValueError: `cropping` is neither, or nothing is left.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Cropping1D((1, 2)).compute_output_shape((None, 10, 3))
        (None, 7, 3)
    """

    rank = 1


@registry.register("layer")
class Cropping2D(Cropping):
    """Cuts the edges of images off.

    Args:
        cropping: An integer for all sides, a pair (rows, columns), or ((top, bottom), (left, right)).
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: the same axes, reduced.

    Raises:
        ValueError: `cropping` is none of these, or nothing is left.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Cropping2D(((2, 2), (4, 4))).compute_output_shape((None, 28, 28, 3))
        (None, 24, 20, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


@registry.register("layer")
class Cropping3D(Cropping):
    """Cuts the sides of volumes off.

    Args:
        cropping: An integer for all sides, three of them, or three pairs.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: the same axes, reduced.

    Raises:
        ValueError: `cropping` is none of these, or nothing is left.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Cropping3D(1).compute_output_shape((None, 4, 4, 4, 3))
        (None, 2, 2, 2, 3)
    """

    rank = 3


@registry.register("layer")
class UpSampling1D(UpSampling):
    """Repeats each step of a sequence.

    Args:
        size: How often.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, size * steps, channels)`.

    Raises:
        ValueError: `size` is not positive.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.UpSampling1D(2)(np.array([[[1.], [2.]]])).flatten().tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    rank = 1

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; the factor stands there as one integer, as in Keras."""
        return {**super().get_config(), "size": self.size[0]}


@registry.register("layer")
class UpSampling2D(UpSampling):
    """Enlarges images by whole factors.

    Args:
        size: The factors of rows and columns, or one for both.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        interpolation: `'nearest'`, `'bilinear'`, `'area'`, `'bicubic'`, `'lanczos3'`, `'lanczos5'`, `'gaussian'` or
            `'mitchellcubic'`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: the same axes, enlarged.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.UpSampling2D((2, 3)).compute_output_shape((None, 4, 4, 3))
        (None, 8, 12, 3)
    """

    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = choice("UpSampling2D", "interpolation", interpolation, resampling.METHODS)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the enlarged images."""
        if self.interpolation in ("nearest", "bilinear"):  # which torch has
            return super().call(inputs)
        height, width = self.size
        return resize_images(inputs, height, width, self.data_format, self.interpolation)


@registry.register("layer")
class UpSampling3D(UpSampling):
    """Repeats the cells of volumes along each axis.

    Args:
        size: The factors of depth, rows and columns, or one for all.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: the same axes, enlarged.

    Raises:
        ValueError: `size` is not positive.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.UpSampling3D(2).compute_output_shape((None, 2, 2, 2, 3))
        (None, 4, 4, 4, 3)
    """

    rank = 3
