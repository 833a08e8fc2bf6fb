"""Pooling over sequences, images and volumes, by window and over everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from .._core import devices, registry
from .._core.errors import choice, int_tuple
from .._core.shapes import Shape, conv_length, same_padding
from ..backend.convolution import average_pool_same
from ..backend.math import mean
from .base.gradient_facts import AverageFacts, MaxPoolingFacts
from .spatial import SpatialLayer, over_height

_SHORT = (torch.float16, torch.bfloat16)


class Pooling(SpatialLayer):
    """Base of the pooling layers with a window.

    Args:
        pool_size: Size of the window: one integer, or one for each axis.
        strides: Steps of the window; `None` is `pool_size`.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` or `'channels_first'`.
        kwargs: The arguments of every layer.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.pool_size = int_tuple(owner, "pool_size", pool_size, self.rank)
        self.strides = int_tuple(owner, "strides", pool_size if strides is None else strides, self.rank)
        self.padding = choice(owner, "padding", padding, ("valid", "same"))
        self.keep_format(data_format)
        self._window, self._stride = over_height(self.pool_size, 1), over_height(self.strides, 1)

    def build(self, input_shape: Any) -> None:
        """Check that the window fits."""
        self.compute_output_shape(input_shape)

    def pool(self, x: Tensor, padding: list[int], ceil: bool) -> Tensor:
        """Pool `(batch, channels, *space)`, padded on both sides; with `ceil`, windows may hang over the end."""
        raise NotImplementedError(f"{type(self).__name__} must define pool(x, padding, ceil).")

    def call(self, inputs: Tensor) -> Tensor:
        """Return what the windows hold."""
        x = self.to_torch(inputs)
        if self.padding == "valid":
            return self.to_keras(self.pool(x, [0] * len(self._window), False))
        padding, surplus = self._same(self.lengths(inputs.shape))  # type: ignore[arg-type]
        y = self.pool(x, padding, True)
        for axis in surplus:
            y = y.narrow(axis, 1, y.shape[axis] - 1)
        return self.to_keras(y)

    def _same(self, lengths: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return torch's padding for Keras's `'same'`, and the axes whose first window is one too many.

        Keras puts the odd cell after the input.  Where windows move by more than one cell, `ceil_mode` does just that;
        where they move by one, the odd cell is put on both sides and the window that it adds in front is dropped.
        """
        padding, surplus = [0] * (len(self._window) - self.rank), []
        for length, window, stride in zip(lengths, self.pool_size, self.strides):
            before, after = same_padding(length, window, stride)
            odd = stride == 1 and after > before
            if odd:
                surplus.append(2 + len(padding))
            padding.append(after if odd else before)
        return padding, surplus

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape with the sizes that the windows leave."""
        sizes = zip(self.lengths(input_shape), self.pool_size, self.strides)
        space = [conv_length(n, window, stride, self.padding) for n, window, stride in sizes]
        return self.assemble(input_shape[0], space, input_shape[self.channel_axis])


class MaxPooling(Pooling):
    """Base of the layers that keep the largest value of each window."""

    _keeps_integers = True
    _functions: ClassVar[dict[int, Callable[..., Tensor]]] = {1: F.max_pool2d, 2: F.max_pool2d, 3: F.max_pool3d}

    def pool(self, x: Tensor, padding: list[int], ceil: bool) -> Tensor:
        """Return the largest value of each window.

        Raises:
            TypeError: Truth values, which Keras refuses too.
        """
        if x.dtype == torch.bool:
            raise TypeError(f"{self}: it takes numbers; got truth values. Write tf.cast(x, 'float32') before it.")
        return self._functions[self.rank](x, self._window, self._stride, padding, ceil_mode=ceil)

    def _window_facts(self) -> MaxPoolingFacts | None:
        """Return what a written-out gradient needs, where no window hangs over an edge."""
        if self.padding != "valid":
            return None
        return MaxPoolingFacts(window=self._window, stride=self._stride, to_torch=self.to_torch, to_keras=self.to_keras)


class AveragePooling(Pooling):
    """Base of the layers that average each window, over the cells that are really there."""

    _casts_integers = True
    _functions: ClassVar[dict[int, Callable[..., Tensor]]] = {1: F.avg_pool2d, 2: F.avg_pool2d, 3: F.avg_pool3d}

    def call(self, inputs: Tensor) -> Tensor:
        """Return the means of the windows."""
        if self.padding == "same" and (self._overhangs(inputs) if self.rank == 3 else devices.on_cuda(inputs)):
            x = self.to_torch(inputs)
            y = average_pool_same(x.float() if self._has_no_kernel(x) else x, self._window, self._stride)
            return self.to_keras(y.to(x.dtype))
        return super().call(inputs)

    def _has_no_kernel(self, x: Tensor) -> bool:
        """Tell whether torch has no kernel for the type of an input."""
        return self.rank == 3 and x.device.type == "cpu" and x.dtype in _SHORT

    def _overhangs(self, inputs: Tensor) -> bool:
        """Tell whether a window is longer than the input, which torch's kernel for volumes refuses."""
        lengths = self.lengths(inputs.shape)
        return any(length < window for length, window in zip(lengths, self.pool_size))  # type: ignore[operator]

    def pool(self, x: Tensor, padding: list[int], ceil: bool) -> Tensor:
        """Return the mean of each window."""
        if self._has_no_kernel(x):
            return self.pool(x.float(), padding, ceil).to(x.dtype)
        return self._functions[self.rank](x, self._window, self._stride, padding, ceil, count_include_pad=False)


class GlobalPooling(SpatialLayer):
    """Base of the layers that pool over all axes in space.

    Args:
        data_format: `'channels_last'` or `'channels_first'`.
        keepdims: Whether the axes stay, with size 1.
        kwargs: The arguments of every layer.
    """

    _keeps_integers = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keep_format(data_format)
        self.keepdims = bool(keepdims)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `(batch, channels)`, with axes of size 1 between them where they are kept."""
        channels = input_shape[self.channel_axis]
        return self.assemble(input_shape[0], (1,) * self.rank if self.keepdims else (), channels)


class GlobalMaxPooling(GlobalPooling):
    """Base of the layers that keep the largest value of each channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest value of each channel."""
        first = self.space[0]
        # `max` over one axis hands the gradient to one place and is three times as fast as `amax`, which shares it.
        y = inputs.flatten(first, self.space[-1]).max(first).values
        return y.reshape(self.assemble(y.shape[0], (1,) * self.rank, y.shape[1])) if self.keepdims else y  # type: ignore[arg-type]


class GlobalAveragePooling(GlobalPooling):
    """Base of the layers that average each channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the mean of each channel: of integers an integer, cut, as `K.mean` gives it."""
        if not inputs.is_floating_point():
            return mean(inputs, self.space, self.keepdims)
        return inputs.mean(self.space, self.keepdims)

    def _output_dtype(self, input_dtype: str) -> str:
        return self.compute_dtype if input_dtype == "bool" else super()._output_dtype(input_dtype)

    def _average_facts(self) -> AverageFacts | None:
        """Return what a written-out gradient needs, where the axes that are averaged go."""
        return None if self.keepdims else AverageFacts(axes=self.space)


@registry.register("layer", "MaxPool1D")
class MaxPooling1D(MaxPooling):
    """Keeps the largest value of each window of a sequence.

    Args:
        pool_size: Steps under the window.
        strides: Steps from one window to the next; `None` is `pool_size`.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, new_steps, channels)`.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.MaxPooling1D(2)(np.arange(4.).reshape(1, 4, 1)).flatten().tolist()
        [1.0, 3.0]
    """

    rank = 1
    _gradient_facts = MaxPooling._window_facts


@registry.register("layer", "MaxPool2D")
class MaxPooling2D(MaxPooling):
    """Keeps the largest value of each window of an image.

    Args:
        pool_size: Height and width of the window, or one integer for both.
        strides: Cells from one window to the next; `None` is `pool_size`.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: the same axes, reduced.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.MaxPooling2D((2, 2)).compute_output_shape((None, 27, 28, 3))
        (None, 13, 14, 3)
    """

    rank = 2
    _gradient_facts = MaxPooling._window_facts


@registry.register("layer", "MaxPool3D")
class MaxPooling3D(MaxPooling):
    """Keeps the largest value of each window of a volume.

    Args:
        pool_size: Depth, height and width of the window, or one integer for all.
        strides: Cells from one window to the next; `None` is `pool_size`.
        padding: `'valid'` or `'same'`.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: the same axes, reduced.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.MaxPooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
        (None, 4, 4, 4, 3)
    """

    rank = 3


@registry.register("layer", "AvgPool1D")
class AveragePooling1D(AveragePooling):
    """Averages each window of a sequence.

    Args:
        pool_size: Steps under the window.
        strides: Steps from one window to the next; `None` is `pool_size`.
        padding: `'valid'`, or `'same'`: the mean is over the steps that are really there.
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, new_steps, channels)`.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.AveragePooling1D(2, padding='same')(np.arange(3.).reshape(1, 3, 1)).flatten().tolist()
        [0.5, 2.0]
    """

    rank = 1


@registry.register("layer", "AvgPool2D")
class AveragePooling2D(AveragePooling):
    """Averages each window of an image.

    Args:
        pool_size: Height and width of the window, or one integer for both.
        strides: Cells from one window to the next; `None` is `pool_size`.
        padding: `'valid'`, or `'same'`: the mean is over the cells that are really there.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: the same axes, reduced.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.AveragePooling2D(2, padding='same').compute_output_shape((None, 27, 28, 3))
        (None, 14, 14, 3)
    """

    rank = 2


@registry.register("layer", "AvgPool3D")
class AveragePooling3D(AveragePooling):
    """Averages each window of a volume.

    Args:
        pool_size: Depth, height and width of the window, or one integer for all.
        strides: Cells from one window to the next; `None` is `pool_size`.
        padding: `'valid'`, or `'same'`: the mean is over the cells that are really there.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: the same axes, reduced.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.AveragePooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
        (None, 4, 4, 4, 3)
    """

    rank = 3


@registry.register("layer", "GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalMaxPooling):
    """Keeps the largest value of each channel of a sequence.

    Args:
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        keepdims: Whether the axis of the steps stays, with size 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, channels)`, or `(batch, 1, channels)`.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.GlobalMaxPooling1D()(np.array([[[1., 4.], [3., 2.]]])).tolist()
        [[3.0, 4.0]]
    """

    rank = 1


@registry.register("layer", "GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalMaxPooling):
    """Keeps the largest value of each channel of an image.

    Args:
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        keepdims: Whether the axes in space stay, with size 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: `(batch, channels)`, or `(batch, 1, 1, channels)`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.GlobalMaxPooling2D().compute_output_shape((None, 7, 7, 64))
        (None, 64)
    """

    rank = 2


@registry.register("layer", "GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalMaxPooling):
    """Keeps the largest value of each channel of a volume.

    Args:
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        keepdims: Whether the axes in space stay, with size 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: `(batch, channels)`, or `(batch, 1, 1, 1, channels)`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.GlobalMaxPooling3D().compute_output_shape((None, 7, 7, 7, 64))
        (None, 64)
    """

    rank = 3


@registry.register("layer", "GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalAveragePooling):
    """Averages each channel of a sequence, over the steps that a mask leaves.

    Args:
        data_format: `'channels_last'` (for `None` too) or `'channels_first'`.
        keepdims: Whether the axis of the steps stays, with size 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, channels)`. Output: `(batch, channels)`, or `(batch, 1, channels)`; the mask ends here.

    Example:
        >>> import numpy as np
        >>> import torch
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.GlobalAveragePooling1D()
        >>> layer(np.array([[[1.], [3.], [8.]]]), mask=torch.tensor([[True, True, False]])).tolist()
        [[2.0]]
    """

    rank = 1
    _gradient_facts = GlobalAveragePooling._average_facts
    supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the mean of each channel over the valid steps."""
        if mask is None:
            return super().call(inputs)
        weights = mask.to(inputs.dtype).unsqueeze(self.channel_axis)
        return (inputs * weights).sum(self.space, self.keepdims) / weights.sum(self.space, self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return `None`: no steps are left to mask."""
        return None


@registry.register("layer", "GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalAveragePooling):
    """Averages each channel of an image.

    Args:
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        keepdims: Whether the axes in space stay, with size 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`. Output: `(batch, channels)`, or `(batch, 1, 1, channels)`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.GlobalAveragePooling2D(keepdims=True).compute_output_shape((None, 7, 7, 64))
        (None, 1, 1, 64)
    """

    rank = 2
    _gradient_facts = GlobalAveragePooling._average_facts


@registry.register("layer", "GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalAveragePooling):
    """Averages each channel of a volume.

    Args:
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        keepdims: Whether the axes in space stay, with size 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, depth, rows, columns, channels)`. Output: `(batch, channels)`, or `(batch, 1, 1, 1, channels)`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.GlobalAveragePooling3D().compute_output_shape((None, 7, 7, 7, 64))
        (None, 64)
    """

    rank = 3
