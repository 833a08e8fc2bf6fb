"""Layers that disturb their input in training: noise, and the kinds of dropout beside `Dropout`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from .. import regularizers
from .._core import registry, settings, shapes
from .._core.errors import fraction, number
from .._core.graph_capture import not_in_graphs
from .._core.shapes import Shape
from .base import ROW_WISE, Layer
from .core import Dropout, expect_floats, seeded_uniform

_ALPHA = 1.6732632423543772  # of the SELU activation (Klambauer, Unterthiner, Mayr & Hochreiter, 2017)
_SCALE = 1.0507009873554805


def seeded_normal(layer: Any, like: Tensor) -> Tensor:
    """Return standard normal numbers in the shape of `like`, from the layer's own generator where it has a seed."""
    if layer.seed is None:
        return torch.randn_like(like)
    not_in_graphs(layer, "it draws from a generator of its own (seed=…)")
    if layer._generator is None or layer._generator.device != like.device:
        layer._generator = torch.Generator(like.device).manual_seed(int(layer.seed))
    return torch.randn(like.shape, generator=layer._generator, device=like.device, dtype=like.dtype)


class NoiseLayer(Layer):
    """Base of the layers that draw random numbers in training and keep the shape."""

    _class_traits = ROW_WISE
    _keeps_integers = True
    supports_masking = True
    seed: int | None
    _generator: torch.Generator | None = None

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)


@registry.register("layer")
class GaussianNoise(NoiseLayer):
    """Adds normal noise in training.

    Args:
        stddev: The standard deviation of the noise.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `stddev` is negative.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.GaussianNoise(.1)(np.ones((1, 2))).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = number("GaussianNoise", "stddev", stddev, 0)
        self.seed = seed

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the input, with noise in training."""
        if not training:
            return inputs
        expect_floats(self, inputs)
        return torch.add(inputs, seeded_normal(self, inputs), alpha=self.stddev)


@registry.register("layer")
class GaussianDropout(NoiseLayer):
    """Multiplies by normal noise around 1 in training, of variance rate / (1 − rate).

    Args:
        rate: The fraction of `Dropout` whose variance the noise has.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `rate` lies outside [0, 1].

    Source:
        Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, 2014.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.GaussianDropout(.1)(np.ones((1, 2))).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = fraction("GaussianDropout", "rate", rate)
        self.seed = seed

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the input, multiplied by noise in training."""
        if not training or not 0 < self.rate < 1:
            return inputs
        expect_floats(self, inputs)
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return inputs * (seeded_normal(self, inputs) * stddev + 1)


@registry.register("layer")
class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance of the input, for networks of `selu`.

    Args:
        rate: The fraction set to the activation's lower bound.
        noise_shape: Shape of the mask; axes of 1 share one draw, `None` is the input's size.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `rate` lies outside [0, 1].

    Source:
        Klambauer, Unterthiner, Mayr & Hochreiter, 2017.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.AlphaDropout(.1)(np.ones((1, 2))).tolist()
        [[1.0, 1.0]]
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the input, thinned in training."""
        if not training or not 0 < self.rate < 1:
            return inputs
        expect_floats(self, inputs)
        shape = self.mask_shape(inputs.shape)
        uniform = torch.rand(shape, device=inputs.device) if self.seed is None else seeded_uniform(self, shape, inputs)
        low = -_ALPHA * _SCALE
        a = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        kept = torch.where(uniform >= self.rate, inputs, torch.full((), low, dtype=inputs.dtype, device=inputs.device))
        thinned: Tensor = a * kept - a * low * self.rate
        return thinned


class SpatialDropout(Dropout):
    """Base of the layers that drop whole channels in training.

    Args:
        rate: The fraction of channels.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: `seed`, and the arguments of every layer.
    """

    rank: ClassVar[int] = 2

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._input_rank = cls.rank + 2

    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = shapes.data_format(type(self).__name__, data_format, settings.image_data_format())

    def mask_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the mask: one draw for each channel of each sample."""
        if self.data_format == "channels_first":
            return (*shape[:2], *(1,) * self.rank)
        return (shape[0], *(1,) * self.rank, shape[-1])


@registry.register("layer")
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of a sequence in training.

    Args:
        rate: The fraction of channels.
        kwargs: `seed`, and the arguments of every layer.

    Shape:
        Input and output: `(batch, steps, channels)`, unchanged.

    Raises:
        ValueError: `rate` lies outside [0, 1].

    Source:
        Tompson, Goroshin, Jain, LeCun & Bregler, 2015.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.SpatialDropout1D(.5).mask_shape((2, 7, 3))
        (2, 1, 3)
    """

    rank = 1
    _sequence_input = True

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        return {k: v for k, v in super().get_config().items() if k != "data_format"}


@registry.register("layer")
class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of images in training.

    Args:
        rate: The fraction of channels.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: `seed`, and the arguments of every layer.

    Shape:
        Input and output: `(batch, rows, columns, channels)`, unchanged.

    Raises:
        ValueError: `rate` lies outside [0, 1].

    Source:
        Tompson, Goroshin, Jain, LeCun & Bregler, 2015.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.SpatialDropout2D(.5, data_format='channels_first').mask_shape((2, 3, 7, 7))
        (2, 3, 1, 1)
    """

    rank = 2


@registry.register("layer")
class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of volumes in training.

    Args:
        rate: The fraction of channels.
        data_format: `'channels_last'` or `'channels_first'`; `None` is `image_data_format()`.
        kwargs: `seed`, and the arguments of every layer.

    Shape:
        Input and output: `(batch, depth, rows, columns, channels)`, unchanged.

    Raises:
        ValueError: `rate` lies outside [0, 1].

    Source:
        Tompson, Goroshin, Jain, LeCun & Bregler, 2015.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.SpatialDropout3D(.5).mask_shape((2, 5, 5, 5, 3))
        (2, 1, 1, 1, 3)
    """

    rank = 3


@registry.register("layer")
class ActivityRegularization(Layer):
    """Gives its input on, and adds a penalty on it to the loss.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: A factor is not a number.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.ActivityRegularization(l2=.1).get_config()['l2']
        0.1
    """

    _class_traits = ROW_WISE
    _keeps_integers = True
    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        self.l1, self.l2 = (number("ActivityRegularization", name, value) for name, value in (("l1", l1), ("l2", l2)))
        super().__init__(activity_regularizer=regularizers.L1L2(l1=self.l1, l2=self.l2), **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)
