"""Numbers brought to another range: Rescaling and Normalization."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core import registry, settings
from ..._core.errors import argument_error, axis_tuple
from ..._core.shapes import Shape
from ..._core.user_tensors import hand_out
from ..base import ROW_WISE, Layer
from .base import PreprocessingLayer, as_numbers, host_array


@registry.register("layer")
class Rescaling(Layer):
    """Multiplies by a number and adds another one: `inputs * scale + offset`.

    Args:
        scale: What is multiplied: a number, or a list with a number for each channel.
        offset: What is added, likewise.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        TypeError: `scale` or `offset` is neither a number nor a list of numbers.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Rescaling(1 / 127.5, offset=-1)(np.array([[0, 255]])).tolist()
        [[-1.0, 1.0]]
    """

    _class_traits = ROW_WISE

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = _numbers("scale", scale), _numbers("offset", offset)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input in its new range."""
        x = as_numbers(inputs, self._kind)
        scale, offset = (
            value if isinstance(value, float) else torch.tensor(value, dtype=x.dtype, device=x.device)
            for value in (self.scale, self.offset)
        )
        scaled: Tensor = x * scale + offset
        return scaled

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)


def _numbers(argument: str, value: Any) -> Any:
    """Return a number as a float, and numbers as nested lists."""
    try:
        array = np.asarray(host_array(value), dtype="float64")
    except (TypeError, ValueError):
        raise argument_error("Rescaling", argument, "a number or a list of numbers", value, TypeError) from None
    if value is None or isinstance(value, (str, bool)) or not array.size:
        raise argument_error("Rescaling", argument, "a number or a list of numbers", value, TypeError)
    return float(array) if not array.ndim else array.tolist()


@registry.register("layer")
class Normalization(PreprocessingLayer):
    """Takes the mean away and divides by the standard deviation, which `adapt` computes or the caller gives.

    `(inputs - mean) / max(sqrt(variance), epsilon)`; with `invert`, the way back.

    Args:
        axis: The axis, or several, with a mean and variance for each place; `None` has a single one of each.
        mean: The mean, where it is known: a number or an array that fits the kept axes.
        variance: The variance, likewise; one comes with the other.
        invert: Whether normalised numbers are brought back to their range.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: One of `mean` and `variance` without the other; when it is built, an axis that the input has not.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.Normalization()
        >>> layer.adapt(np.array([[1., 5.], [3., 9.]]))
        >>> layer(np.array([[3., 5.]])).tolist()
        [[1.0, -1.0]]
    """

    _weights_read_cast = False  # squares of large numbers leave the range of a short float

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = _axes(axis)
        if (mean is None) != (variance is None):
            missing, other = ("mean", "variance") if mean is None else ("variance", "mean")
            raise argument_error("Normalization", missing, f"given together with {other}", None)
        self.input_mean = None if mean is None else host_array(mean).tolist()
        self.input_variance = None if variance is None else host_array(variance).tolist()
        self.invert = bool(invert)
        self._over_axes: tuple[int, ...] = ()
        self._reduced: tuple[int, ...] = ()

    def _config_of(self, name: str) -> Any:
        """Return an argument; the mean and variance are those that the layer was made with."""
        return getattr(self, f"input_{name}") if name in ("mean", "variance") else super()._config_of(name)

    def build(self, input_shape: Any) -> None:
        """Make the weights that `adapt` fills, or the constants that were given."""
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(f"{self}: axis={self.axis} must name axes of the input; got shape {tuple(input_shape)}.")
        kept = sorted({axis % rank for axis in self.axis})
        sizes = {axis: self._last_axis(input_shape, axis - rank) for axis in kept}  # other ranks count from the end
        self._reduced = tuple(axis for axis in range(rank) if axis not in sizes)
        self._over_axes = tuple(sizes.get(axis, 1) for axis in range(rank))
        shape = tuple(sizes.values())
        if self.input_mean is not None:
            for name, value in (("mean", self.input_mean), ("variance", self.input_variance)):
                self.register_buffer(f"_{name}", self._constant(name, value, shape), persistent=False)
            return
        self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
        self.add_weight(name="variance", shape=shape, initializer="ones", trainable=False)
        self.add_weight(name="count", shape=(), dtype="int64", initializer="zeros", trainable=False)

    def _constant(self, name: str, value: Any, shape: tuple[int, ...]) -> Tensor:
        try:
            array = np.broadcast_to(np.asarray(value, "float64"), shape)
        except ValueError:
            raise ValueError(
                f"{self}: {name} must be a number or fit the shape {shape} of the kept axes; got shape "
                f"{np.shape(value)}."
            ) from None
        return torch.tensor(array.reshape(self._over_axes), dtype=settings.torch_dtype(self.dtype))

    def _statistic(self, name: str) -> Tensor:
        """Return the mean or variance in a shape that goes with the input."""
        if self.input_mean is not None:
            return self._buffers[f"_{name}"]  # type: ignore[return-value]
        index = ("mean", "variance").index(name)
        return self._table[index].parameters[0].view(self._over_axes)

    def _shown(self, name: str) -> Any:
        if not self.built:
            return getattr(self, f"input_{name}")
        return hand_out(self._statistic(name).detach().clone())

    @property
    def mean(self) -> Any:
        """The mean, in the shape in which it is taken away."""
        return self._shown("mean")

    @property
    def variance(self) -> Any:
        """The variance, in the same shape."""
        return self._shown("variance")

    @torch.no_grad()
    def update_state(self, data: Any) -> None:
        """Take a batch into the mean and variance.

        Args:
            data: The batch.

        Raises:
            ValueError: The mean and variance are given.

        Source:
            Chan, Golub & LeVeque, 1979, for the variance of two samples joined.
        """
        if self.input_mean is not None:
            raise ValueError(f"{self}: adapt has nothing to learn, the layer was made with mean and variance.")
        if not self.built:
            raise RuntimeError(f"{self}: call adapt(data), or build(input_shape) before update_state(data).")
        mean, variance, count = (line.parameters[0] for line in self._table)
        x = torch.tensor(host_array(data)).to(mean.device, mean.dtype)
        added = math.prod(x.shape[axis] for axis in self._reduced)
        if not added:
            return
        total = int(count) + added
        share = added / total
        batch_variance, batch_mean = torch.var_mean(x, self._reduced, correction=0) if self._reduced else (0 * x, x)
        new_mean = mean * (1 - share) + batch_mean * share
        between = (mean - new_mean).square() * (1 - share) + (batch_mean - new_mean).square() * share
        variance.copy_(variance * (1 - share) + batch_variance * share + between)
        mean.copy_(new_mean)
        count.fill_(total)

    @torch.no_grad()
    def reset_state(self) -> None:
        """Forget the mean and variance that `adapt` found."""
        if self.input_mean is None and self.built:
            for line, value in zip(self._table, (0, 1, 0)):
                line.parameters[0].fill_(value)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the normalised input, or the way back."""
        x = as_numbers(inputs, self._kind)
        mean = self._statistic("mean").to(x.dtype)
        deviation = self._statistic("variance").sqrt().clamp_min(settings.epsilon()).to(x.dtype)
        return mean + x * deviation if self.invert else (x - mean) / deviation

    def _refits(self, shape: Shape) -> bool:
        """Tell whether the mean and variance go with another shape: they are stretched over further axes before."""
        if not self._weight_table():
            return super()._refits(shape)
        return len(shape) >= len(self._over_axes) and self._sizes_fit(shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`, with the sizes that the mean has."""
        known = [self._sizes_of_weights.get(axis, size) for axis, size in zip(range(-len(input_shape), 0), input_shape)]
        return tuple(known)


def _axes(axis: Any) -> tuple[int, ...]:
    expected = "an integer, a list of integers or None"
    return () if axis is None else axis_tuple("Normalization", axis, expected=expected, least=0)
