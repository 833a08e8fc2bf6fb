"""Activation functions that are layers, with arguments or weights of their own."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import activations, initializers
from .._core import registry
from .._core.errors import axis_tuple, int_tuple, number
from .._core.shapes import Shape
from .base import ROW_WISE, ActivatedLayer, Layer, Traits
from .base.traits import reach_samples
from .base.weight_options import keep_options, options_of


class ElementwiseLayer(Layer):
    """Base of the layers that apply a function to each number."""

    _class_traits = ROW_WISE
    _casts_integers = True
    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)


@registry.register("layer")
class LeakyReLU(ElementwiseLayer):
    """`x` above zero, `alpha * x` below.

    Args:
        alpha: The slope below zero.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        TypeError: `alpha` is not a number.

    Source:
        Maas, Hannun & Ng, 2013.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.LeakyReLU(alpha=.5)(np.array([-2., 4.])).tolist()
        [-1.0, 4.0]
    """

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number("LeakyReLU", "alpha", alpha)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the rectified input."""
        return F.leaky_relu(inputs, self.alpha)


@registry.register("layer")
class ReLU(ElementwiseLayer):
    """The rectified linear unit, with a bound, a slope and a threshold.

    Args:
        max_value: Upper bound, `None` for none.
        negative_slope: Slope below the threshold.
        threshold: Where the unit begins.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: An argument is negative.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.ReLU(6.)(np.array([-2., 4., 8.])).tolist()
        [0.0, 4.0, 6.0]
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number("ReLU", "max_value", max_value, 0)
        self.negative_slope = number("ReLU", "negative_slope", negative_slope, 0)
        self.threshold = number("ReLU", "threshold", threshold, 0)

    @property
    def _keeps_integers(self) -> bool:  # type: ignore[override]
        return self.negative_slope == 0

    @property
    def _casts_integers(self) -> bool:  # type: ignore[override]
        return not self._keeps_integers

    def call(self, inputs: Tensor) -> Tensor:
        """Return the rectified input."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@registry.register("layer")
class ELU(ElementwiseLayer):
    """`x` above zero, `alpha * (exp(x) - 1)` below.

    Args:
        alpha: What the value tends to, with the sign turned, far below zero.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        TypeError: `alpha` is not a number.

    Source:
        Clevert, Unterthiner & Hochreiter, 2015.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.ELU()(np.array([0., 3.])).tolist()
        [0.0, 3.0]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number("ELU", "alpha", alpha)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the activated input."""
        return activations.elu(inputs, self.alpha)


class LearnedActivation(ElementwiseLayer):
    """Base of the activation functions with weights: one of each kind for each number of a sample, or shared by axes.

    Args:
        shared_axes: Axes, counted from 1 behind the batch, along which the weights are shared.
        kwargs: The arguments of every layer.
    """

    def __init__(self, shared_axes: int | Sequence[int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        count = len(shared_axes) if isinstance(shared_axes, (tuple, list)) else 1
        owner = type(self).__name__
        self.shared_axes = None if shared_axes is None else list(int_tuple(owner, "shared_axes", shared_axes, count))

    def _make_weights(self, input_shape: Any, *names: str) -> None:
        """Make the weights of these names, under the options stored for them."""
        shared = self.shared_axes or []
        if any(axis >= len(input_shape) for axis in shared):
            raise ValueError(f"{self}: shared_axes={shared} must be axes of the input; got shape {tuple(input_shape)}.")
        sizes = [1 if axis in shared else self._last_axis(input_shape, axis) for axis in range(1, len(input_shape))]
        for name in names:
            self.add_weight(name=name, shape=sizes, **options_of(self, name))


@registry.register("layer")
class PReLU(LearnedActivation):
    """`x` above zero, `alpha * x` below, with slopes that are learned.

    Args:
        alpha_initializer: Fills the slopes.
        alpha_regularizer: Penalty on the slopes.
        alpha_constraint: Applied to the slopes after each update.
        shared_axes: Axes, counted from 1 behind the batch, along which the slopes are shared.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: A shared axis is not an axis of the input, or a size that the slopes need is unknown.

    Source:
        He, Zhang, Ren & Sun, 2015.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.PReLU(shared_axes=[1, 2], input_shape=(8, 8, 3))
        >>> layer.build((None, 8, 8, 3))
        >>> layer.get_weights()[0].shape
        (1, 1, 3)
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(shared_axes, **kwargs)
        keep_options(
            self,
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Make the slopes."""
        self._make_weights(input_shape, "alpha")

    def call(self, inputs: Tensor) -> Tensor:
        """Return the rectified input."""
        slopes: Tensor = self.alpha
        return F.relu(inputs) - slopes * F.relu(-inputs)


@registry.register("layer")
class SReLU(LearnedActivation):
    """Three straight pieces: the input between two thresholds, a slope of its own below and above them.

    `t_right` counts from `t_left`, so that the right threshold is `t_left + |t_right|`.

    Args:
        t_left_initializer: Fills the left thresholds.
        a_left_initializer: Fills the slopes below them.
        t_right_initializer: Fills the distances of the right thresholds.
        a_right_initializer: Fills the slopes above them.
        shared_axes: Axes, counted from 1 behind the batch, along which the weights are shared.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: A shared axis is not an axis of the input, or a size that the weights need is unknown.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.SReLU('zeros', 'zeros', 'ones', 'zeros')
        >>> layer(np.array([[-3., .5, 2.]])).tolist()
        [[0.0, 0.5, 1.0]]

    Source:
        Jin et al., 2015; `keras.layers.SReLU` of Keras 1.2.2.
    """

    def __init__(
        self,
        t_left_initializer: Any = "zeros",
        a_left_initializer: Any = "glorot_uniform",
        t_right_initializer: Any = "glorot_uniform",
        a_right_initializer: Any = "ones",
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(shared_axes, **kwargs)
        keep_options(
            self,
            t_left_initializer=t_left_initializer,
            a_left_initializer=a_left_initializer,
            t_right_initializer=t_right_initializer,
            a_right_initializer=a_right_initializer,
        )

    def build(self, input_shape: Any) -> None:
        """Make thresholds and slopes."""
        self._make_weights(input_shape, "t_left", "a_left", "t_right", "a_right")

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input bent at both thresholds."""
        distance, above_left = self.t_right.abs(), inputs - self.t_left
        between = torch.minimum(F.relu(above_left), distance) - self.a_left * F.relu(-above_left)
        y: Tensor = self.t_left + between + self.a_right * F.relu(above_left - distance)
        return y


@registry.register("layer")
class ParametricSoftplus(LearnedActivation):
    """`alpha * log(1 + exp(beta * x))`, with factors that are learned.

    Args:
        alpha_init: What the outer factors begin at.
        beta_init: What the inner factors begin at.
        shared_axes: Axes, counted from 1 behind the batch, along which the factors are shared.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: A shared axis is not an axis of the input, or a size that the factors need is unknown.
        TypeError: A factor is not a number.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.ParametricSoftplus(1., 2.)(np.array([[0.]])).tolist()
        [[0.6931471824645996]]

    Source:
        McFarland, Cui & Butts, 2013; `keras.layers.ParametricSoftplus` of Keras 1.2.2.
    """

    def __init__(
        self,
        alpha_init: float = 0.2,
        beta_init: float = 5.0,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(shared_axes, **kwargs)
        self.alpha_init = number("ParametricSoftplus", "alpha_init", alpha_init)
        self.beta_init = number("ParametricSoftplus", "beta_init", beta_init)
        keep_options(
            self,
            alphas_initializer=initializers.Constant(alpha_init),
            betas_initializer=initializers.Constant(beta_init),
        )

    def build(self, input_shape: Any) -> None:
        """Make the factors."""
        self._make_weights(input_shape, "alphas", "betas")

    def call(self, inputs: Tensor) -> Tensor:
        """Return the scaled softplus."""
        factors: Tensor = self.alphas
        return factors * F.softplus(self.betas * inputs)


@registry.register("layer")
class ThresholdedReLU(ElementwiseLayer):
    """`x` above a threshold, zero elsewhere.

    Args:
        theta: The threshold.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `theta` is negative.

    Source:
        Konda, Memisevic & Krueger, 2014.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.ThresholdedReLU(theta=1.)(np.array([.5, 1., 2.])).tolist()
        [0.0, 0.0, 2.0]
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = number("ThresholdedReLU", "theta", theta, 0)

    def call(self, inputs: Tensor) -> Tensor:
        """Return what lies above the threshold."""
        return F.threshold(inputs, self.theta, 0.0)


@registry.register("layer")
class Softmax(ActivatedLayer, ElementwiseLayer):
    """Probabilities that sum to 1 along an axis.

    Args:
        axis: The axis, or several.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        TypeError: `axis` is not an integer or several.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> keras.layers.Softmax()(np.array([[1., 1.]])).tolist()
        [[0.5, 0.5]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axis_tuple("Softmax", axis)
        self.axis = axis
        # The plain function over the last axis is the one that the loss can be fused with.
        self.activation = activations.softmax if axis == -1 else functools.partial(activations.softmax, axis=axis)

    def _own_traits(self) -> Traits:
        mixes = reach_samples(axis_tuple("Softmax", self.axis), len(self._built_shape or ()))
        return replace(super()._own_traits(), row_wise=not mixes, runs_user_code=False)

    def pre_activation(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the input; what a mask leaves out is made small, and not equal: where nothing counts, all does."""
        if mask is None or not _fits(mask, inputs):
            return inputs
        return inputs + (1 - mask.to(inputs.dtype)) * max(-1e9, torch.finfo(inputs.dtype).min)

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the probabilities; a mask that fits the input leaves numbers out, one of steps changes nothing."""
        return super().call(self.pre_activation(inputs, mask))


def _fits(mask: Tensor, inputs: Tensor) -> bool:
    """Tell whether a mask says of single numbers which count, by its shape or by one that broadcasts to the input's."""
    sizes = zip(reversed(mask.shape), reversed(inputs.shape))
    return mask.dim() <= inputs.dim() and all(m in (1, n) for m, n in sizes)
