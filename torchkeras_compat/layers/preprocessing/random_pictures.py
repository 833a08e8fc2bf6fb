"""Pictures changed by chance in training, so that a model sees more of them than there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..._core import registry
from ..._core.errors import argument_error, choice, number, positive_int
from ..._core.graph_capture import not_in_graphs
from ..._core.shapes import Shape
from ...backend.resampling import METHODS, resize, resize_and_crop, rounded_down
from .pictures import PictureLayer, with_size
from .projection import FILL_MODES, INTERPOLATIONS, project, transforms_of

Factor = float | Sequence[float]


def factor_range(
    owner: str, argument: str, factor: Any, low: float = -1.0, high: float = math.inf
) -> tuple[float, float]:
    """Return the range that a factor stands for: a number is that far to either side.

    Args:
        owner: The layer.
        argument: The name of the argument.
        factor: A number, or the two ends of the range.
        low: The lowest end allowed.
        high: The highest end allowed.

    Raises:
        ValueError: The ends are out of order or out of bounds.
    """
    if isinstance(factor, (tuple, list)):
        expected = f"a number, or two in order between {low:g} and {high:g}"
        if len(factor) != 2:
            raise argument_error(owner, argument, expected, factor)
        ends = tuple(number(owner, argument, end) for end in factor)
    else:
        expected = f"a number of which both signs lie between {low:g} and {high:g}, or two in order"
        ends = (-number(owner, argument, factor), number(owner, argument, factor))
    if not low <= ends[0] <= ends[1] <= high:
        raise argument_error(owner, argument, expected, factor)
    return ends[0], ends[1]


class RandomPictureLayer(PictureLayer):
    """Base of layers that change pictures in training; a call that nobody gives a mode is training, as in Keras.

    Args:
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.
    """

    _generator: torch.Generator | None = None

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def _trains_unasked(self) -> bool:
        return True

    def draw(self, shape: Sequence[int], ends: tuple[float, float], device: torch.device | str) -> Tensor:
        """Return uniform numbers, from the layer's own generator where it has a seed.

        Args:
            shape: The shape.
            ends: The range.
            device: Where they lie.
        """
        device = torch.device(device)
        if self.seed is not None:
            not_in_graphs(self, "it draws from a generator of its own (seed=…)")
            if self._generator is None or self._generator.device != device:
                self._generator = torch.Generator(device).manual_seed(int(self.seed))
        uniform = torch.rand(tuple(shape), generator=self._generator, device=device)
        return uniform * (ends[1] - ends[0]) + ends[0]

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the pictures, changed in training."""
        images = self.as_pictures(inputs)
        if not training:
            return self.at_rest(images)
        batch = images if images.dim() == 4 else images.unsqueeze(0)
        changed = self.changed(self.in_float32(batch)).to(images.dtype)
        return changed if images.dim() == 4 else changed.squeeze(0)

    def at_rest(self, images: Tensor) -> Tensor:
        """Return what inference gives."""
        return images

    def changed(self, images: Tensor) -> Tensor:
        """Return what training gives.

        Args:
            images: `(batch, height, width, channels)`.
        """
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)


@registry.register("layer")
class RandomFlip(RandomPictureLayer):
    """Mirrors each picture, or not, in training.

    Args:
        mode: `'horizontal'`, `'vertical'` or `'horizontal_and_vertical'`.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, rows, columns, channels)`, or one picture without `batch`.

    Raises:
        ValueError: An unknown mode.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.RandomFlip('horizontal')(np.zeros((1, 2, 3, 1)), training=True).shape
        (1, 2, 3, 1)
    """

    def __init__(self, mode: str = "horizontal_and_vertical", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.mode = choice("RandomFlip", "mode", mode, ("horizontal", "vertical", "horizontal_and_vertical"))

    def changed(self, images: Tensor) -> Tensor:
        """Return the pictures, half of them mirrored."""
        for axis, word in ((2, "horizontal"), (1, "vertical")):
            if word in self.mode:
                mirrored = self.draw((len(images), 1, 1, 1), (0.0, 1.0), images.device) < 0.5
                images = torch.where(mirrored, images.flip(axis), images)
        return images


class ProjectingLayer(RandomPictureLayer):
    """Base of layers that move, turn or zoom pictures.

    Args:
        fill_mode: What lies outside: `'reflect'`, `'wrap'`, `'constant'` or `'nearest'`.
        interpolation: `'bilinear'` or `'nearest'`.
        seed: Makes the layer's draws repeat.
        fill_value: With `'constant'`, the number that lies outside.
        kwargs: The arguments of every layer.
    """

    def __init__(self, fill_mode: str, interpolation: str, seed: int | None, fill_value: float, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        owner = type(self).__name__
        self.fill_mode = choice(owner, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation = choice(owner, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = number(owner, "fill_value", fill_value)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The ranges that the numbers for each picture are drawn from."""
        raise NotImplementedError

    def transforms(self, images: Tensor) -> Tensor:
        """Return the numbers of `project` for each picture."""
        raise NotImplementedError

    def changed(self, images: Tensor) -> Tensor:
        """Return the pictures, projected."""
        return project(images, self.transforms(images), self.fill_mode, self.fill_value, self.interpolation)


@registry.register("layer")
class RandomTranslation(ProjectingLayer):
    """Moves each picture in training.

    Args:
        height_factor: How far down, as a fraction of the height: a number for either side, or the two ends of a range.
        width_factor: How far to the right, likewise.
        fill_mode: What lies outside: `'reflect'`, `'wrap'`, `'constant'` or `'nearest'`.
        interpolation: `'bilinear'` or `'nearest'`.
        seed: Makes the layer's draws repeat.
        fill_value: With `'constant'`, the number that lies outside.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, rows, columns, channels)`, or one picture without `batch`.

    Raises:
        ValueError: A factor outside [-1, 1], or an unknown mode.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.RandomTranslation((0., 0.), (.5, .5), 'constant')
        >>> layer(np.array([[[[1.], [2.]]]]), training=True).flatten().tolist()
        [0.0, 1.0]
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height_range = factor_range("RandomTranslation", "height_factor", height_factor, -1, 1)
        self._width_range = factor_range("RandomTranslation", "width_factor", width_factor, -1, 1)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The ranges that the numbers for each picture are drawn from."""
        return self._height_range, self._width_range

    def transforms(self, images: Tensor) -> Tensor:
        """Return the moves of the pictures."""
        size, (height, width) = (len(images),), images.shape[1:3]
        down = self.draw(size, self._height_range, images.device) * height
        right = self.draw(size, self._width_range, images.device) * width
        one, zero = torch.ones_like(down), torch.zeros_like(down)
        return transforms_of(one, zero, -right, zero, one, -down)


@registry.register("layer")
class RandomRotation(ProjectingLayer):
    """Turns each picture about its middle in training.

    Args:
        factor: The angle as a fraction of a full turn, counter-clockwise: a number for either side, or two ends.
        fill_mode: What lies outside: `'reflect'`, `'wrap'`, `'constant'` or `'nearest'`.
        interpolation: `'bilinear'` or `'nearest'`.
        seed: Makes the layer's draws repeat.
        fill_value: With `'constant'`, the number that lies outside.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, rows, columns, channels)`, or one picture without `batch`.

    Raises:
        ValueError: The ends are out of order, or an unknown mode.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.RandomRotation((.5, .5), interpolation='nearest')
        >>> layer(np.array([[[[1.], [2.]]]]), training=True).flatten().tolist()
        [2.0, 1.0]
    """

    def __init__(
        self,
        factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, **kwargs)
        self.factor = factor
        self._range = factor_range("RandomRotation", "factor", factor, -math.inf)

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The ranges that the numbers for each picture are drawn from."""
        return (self._range,)

    def transforms(self, images: Tensor) -> Tensor:
        """Return the turns of the pictures."""
        height, width = images.shape[1] - 1, images.shape[2] - 1
        angle = self.draw((len(images),), self._range, images.device) * (2 * math.pi)
        cos, sin = angle.cos(), angle.sin()
        x = (width - (cos * width - sin * height)) / 2
        y = (height - (sin * width + cos * height)) / 2
        return transforms_of(cos, -sin, x, sin, cos, y)


@registry.register("layer")
class RandomZoom(ProjectingLayer):
    """Zooms each picture about its middle in training: above 0 out, below 0 in.

    Args:
        height_factor: How far, in height: a number for either side, or the two ends of a range.
        width_factor: The same in width; `None` takes what is drawn for the height.
        fill_mode: What lies outside: `'reflect'`, `'wrap'`, `'constant'` or `'nearest'`.
        interpolation: `'bilinear'` or `'nearest'`.
        seed: Makes the layer's draws repeat.
        fill_value: With `'constant'`, the number that lies outside.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, rows, columns, channels)`, or one picture without `batch`.

    Raises:
        ValueError: A factor below -1 or, of the height, above 1; an unknown mode.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.RandomZoom((0., 0.), (1., 1.), 'constant')
        >>> layer(np.array([[[[1.], [2.], [3.]]]]), training=True).flatten().tolist()
        [0.0, 2.0, 0.0]
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height_range = factor_range("RandomZoom", "height_factor", _unsigned(height_factor), -1, 1)
        self._width_range = None
        if width_factor is not None:
            self._width_range = factor_range("RandomZoom", "width_factor", _unsigned(width_factor))

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The ranges that the numbers for each picture are drawn from."""
        return (self._height_range,) if self._width_range is None else (self._height_range, self._width_range)

    def transforms(self, images: Tensor) -> Tensor:
        """Return the zooms of the pictures."""
        size, (height, width) = (len(images),), images.shape[1:3]
        rows = 1 + self.draw(size, self._height_range, images.device)
        columns = rows if self._width_range is None else 1 + self.draw(size, self._width_range, images.device)
        zero = torch.zeros_like(rows)
        x, y = (width - 1) / 2 * (1 - columns), (height - 1) / 2 * (1 - rows)
        return transforms_of(columns, zero, x, zero, rows, y)


def _unsigned(factor: Any) -> Any:
    """Return a single number without its sign: scripts write -0.2 for both sides, too."""
    return abs(factor) if isinstance(factor, (int, float)) else factor


@registry.register("layer")
class RandomCrop(RandomPictureLayer):
    """Cuts a window out of the pictures of a batch, by chance in training; in inference they are resized to fit.

    Args:
        height: The height of the output.
        width: The width of the output.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`, or one picture without `batch`.
        Output: `(batch, height, width, channels)`.

    Raises:
        ValueError: A size that is not positive.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.RandomCrop(2, 1)(np.zeros((5, 4, 3, 1)), training=True).shape
        (5, 2, 1, 1)
    """

    def __init__(self, height: int, width: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.height = positive_int("RandomCrop", "height", height)
        self.width = positive_int("RandomCrop", "width", width)

    def at_rest(self, images: Tensor) -> Tensor:
        """Return the largest window of the proportions, in the size."""
        return resize_and_crop(self.in_float32(images), self.height, self.width).to(images.dtype)

    def changed(self, images: Tensor) -> Tensor:
        """Return a window, the same of each picture."""
        room = (images.shape[1] - self.height, images.shape[2] - self.width)
        if min(room) < 0:
            return self.at_rest(images)
        for axis, (more, size) in enumerate(zip(room, (self.height, self.width)), 1):
            first = self.draw((1,), (0.0, more + 1.0), images.device).floor().clamp_max(more).long()
            images = images.index_select(axis, first + torch.arange(size, device=images.device))
        return images

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the windows."""
        return with_size(input_shape, self.height, self.width)


@registry.register("layer")
class RandomContrast(RandomPictureLayer):
    """Draws the values of each channel apart from their mean, or together, in training: one factor for the batch.

    What comes out is clipped to [0, 255].

    Args:
        factor: The factor lies between `1 - factor` and `1 + factor`; of two numbers, between `1 - first` and
            `1 + second`.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, rows, columns, channels)`, or one picture without `batch`.

    Raises:
        ValueError: A negative factor, or a first one above 1.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.RandomContrast(.5)(np.full((1, 2, 2, 1), 7.), training=True).flatten().tolist()
        [7.0, 7.0, 7.0, 7.0]
    """

    def __init__(self, factor: Factor, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.factor = factor
        ends = factor if isinstance(factor, (tuple, list)) else (factor, factor)
        expected = "a number in [0, 1], or two of which the second is ≥ 0"
        if len(ends) != 2:
            raise argument_error("RandomContrast", "factor", expected, factor)
        lower, upper = (number("RandomContrast", "factor", end) for end in ends)
        if not 0 <= lower <= 1 or upper < 0:
            raise argument_error("RandomContrast", "factor", expected, factor)
        self._range = (1 - lower, 1 + upper)

    def changed(self, images: Tensor) -> Tensor:
        """Return the pictures in another contrast."""
        mean = images.mean((1, 2), keepdim=True)
        return ((images - mean) * self.draw((), self._range, images.device) + mean).clamp(0, 255)


@registry.register("layer")
class RandomBrightness(RandomPictureLayer):
    """Adds a number to each picture in training, and clips to the range of values.

    Args:
        factor: What is added, as a fraction of that range: a number for either side, or the two ends.
        value_range: The lowest and the highest value.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, rows, columns, channels)`, or one picture without `batch`.

    Raises:
        ValueError: A factor outside [-1, 1], or a range that is not two numbers.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.RandomBrightness((.5, .5), value_range=(0, 1))
        >>> layer(np.array([[[[.25], [.75]]]]), training=True).flatten().tolist()
        [0.75, 1.0]
    """

    def __init__(
        self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, **kwargs)
        self.factor, self.value_range = factor, value_range
        ends = (
            sorted(factor) if isinstance(factor, (tuple, list)) else abs(number("RandomBrightness", "factor", factor))
        )
        self._range = factor_range("RandomBrightness", "factor", ends, -1, 1)
        if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
            raise argument_error("RandomBrightness", "value_range", "two numbers", value_range)
        low, high = sorted(number("RandomBrightness", "value_range", end) for end in value_range)
        self._values = (low, high)

    def changed(self, images: Tensor) -> Tensor:
        """Return the pictures, brighter or darker."""
        low, high = self._values
        added = self.draw((len(images), 1, 1, 1), self._range, images.device) * (high - low)
        return (images + added).clamp(low, high)


class RandomSize(RandomPictureLayer):
    """Base of layers that stretch the pictures of a batch along one axis in training.

    Args:
        factor: By how much, as a fraction: a number for either side, or the two ends of a range.
        interpolation: One of those of `Resizing`.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.
    """

    def __init__(self, factor: Factor, interpolation: str = "bilinear", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        owner = type(self).__name__
        self.factor = factor
        self.interpolation = choice(owner, "interpolation", interpolation, METHODS)
        self._range = factor_range(owner, "factor", factor)

    def new_size(self, size: int) -> int:
        """Return another size, drawn on the host: the shape of the output depends on it."""
        not_in_graphs(self, "it draws the size of its output")
        return rounded_down(1 + float(self.draw((), self._range, "cpu")), size)


@registry.register("layer")
class RandomHeight(RandomSize):
    """Stretches the pictures of a batch in height in training.

    Args:
        factor: By how much, as a fraction: a number for either side, or the two ends of a range.
        interpolation: One of those of `Resizing`.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`, or one picture without `batch`.
        Output: `(batch, None, columns, channels)`.

    Raises:
        ValueError: A factor below -1, or an unknown interpolation.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.RandomHeight((.5, .5))(np.zeros((1, 4, 3, 1)), training=True).shape
        (1, 6, 3, 1)
    """

    def changed(self, images: Tensor) -> Tensor:
        """Return the pictures in another height."""
        return resize(images, self.new_size(images.shape[1]), images.shape[2], self.interpolation)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape, the height of which is not known."""
        return with_size(input_shape, None, input_shape[-2])


@registry.register("layer")
class RandomWidth(RandomSize):
    """Stretches the pictures of a batch in width in training.

    Args:
        factor: By how much, as a fraction: a number for either side, or the two ends of a range.
        interpolation: One of those of `Resizing`.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, rows, columns, channels)`, or one picture without `batch`.
        Output: `(batch, rows, None, channels)`.

    Raises:
        ValueError: A factor below -1, or an unknown interpolation.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.RandomWidth((.5, .5))(np.zeros((1, 4, 2, 1)), training=True).shape
        (1, 4, 3, 1)
    """

    def changed(self, images: Tensor) -> Tensor:
        """Return the pictures in another width."""
        return resize(images, images.shape[1], self.new_size(images.shape[2]), self.interpolation)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape, the width of which is not known."""
        return with_size(input_shape, input_shape[-3], None)
