"""Keras 1's dense layers of several products: MaxoutDense and Highway."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .. import activations
from .._core import registry
from .._core.errors import positive_int
from .._core.shapes import Shape
from .._core.user_tensors import calling
from ..initializers import Constant
from .base import ROW_WISE, Layer
from .base.weight_options import keep_options, options_of


class SeveralProducts(Layer):
    """Base of the layers that multiply their input by several kernels, of which `W` and `b` have options.

    Args:
        kernel_initializer: Fills the kernels.
        kernel_regularizer: Penalty on `W`.
        bias_regularizer: Penalty on `b`.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to `W` after each update.
        bias_constraint: Applied to `b` after each update.
        use_bias: Whether there are biases.
        kwargs: The arguments of every layer.
    """

    _class_traits = ROW_WISE
    _input_rank = 2

    kernel_initializer: Any

    def __init__(
        self,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.use_bias = bool(use_bias)
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def _make_kernel(self, *shape: int) -> None:
        self.add_weight(name="W", shape=shape, **options_of(self, "kernel"))

    def _make_bias(self, *shape: int) -> None:
        self.add_weight(name="b", shape=shape, **{**options_of(self, "bias"), "initializer": "zeros"})


@registry.register("layer")
class MaxoutDense(SeveralProducts):
    """The largest of several linear functions of the input, for each unit.

    Args:
        units: Size of the output.
        nb_feature: The number of functions.
        kernel_initializer: Fills the kernels; the biases begin at zero.
        kernel_regularizer: Penalty on the kernels.
        bias_regularizer: Penalty on the biases.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernels after each update.
        bias_constraint: Applied to the biases after each update.
        use_bias: Whether there are biases.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, input_dim)`. Output: `(batch, units)`.

    Raises:
        ValueError: `units` or `nb_feature` is not positive, or the input has not two axes.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.MaxoutDense(3, nb_feature=2, input_dim=5)
        >>> layer.build((None, 5))
        >>> [weight.shape for weight in layer.get_weights()]
        [(2, 5, 3), (2, 3)]

    Source:
        Goodfellow, Warde-Farley, Mirza, Courville & Bengio, 2013; `keras.layers.MaxoutDense` of Keras 1.2.2.
    """

    def __init__(
        self,
        units: int,
        nb_feature: int = 4,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            use_bias,
            **kwargs,
        )
        self.units = positive_int("MaxoutDense", "units", units)
        self.nb_feature = positive_int("MaxoutDense", "nb_feature", nb_feature)

    def build(self, input_shape: Any) -> None:
        """Make the kernels of all functions, and their biases."""
        self._make_kernel(self.nb_feature, self._last_axis(input_shape), self.units)
        if self.use_bias:
            self._make_bias(self.nb_feature, self.units)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the largest value for each unit."""
        kernels: Tensor = self.W
        every = inputs @ kernels.permute(1, 0, 2).flatten(1)
        if self.use_bias:
            every = every + self.b.flatten()
        # Where several are equal, each gets its share of the gradient, as in Keras.
        return every.view(-1, self.nb_feature, self.units).amax(1)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `(batch, units)`."""
        return (input_shape[0], self.units)


@registry.register("layer")
class Highway(SeveralProducts):
    """A dense layer whose output is mixed with its input, by a gate for each number: `t · h + (1 − t) · inputs`.

    `h` is `activation(inputs · W + b)` and `t` is `sigmoid(inputs · W_carry + b_carry)`.

    Args:
        kernel_initializer: Fills both kernels; `b` begins at zero.
        activation: Of `h`, by name or function; `None` is linear.
        kernel_regularizer: Penalty on `W`.
        bias_regularizer: Penalty on `b`.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to `W` after each update.
        bias_constraint: Applied to `b` after each update.
        use_bias: Whether there are biases.
        transform_bias: What `b_carry` begins at; one as in Keras 1.2, where Keras up to 1.1 has -2.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, input_dim)`.

    Raises:
        ValueError: The input has not two axes.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.Highway(activation='tanh', input_dim=5)
        >>> layer.build((None, 5))
        >>> [weight.shape for weight in layer.get_weights()]
        [(5, 5), (5, 5), (5,), (5,)]

    Source:
        Srivastava, Greff & Schmidhuber, 2015; `keras.layers.Highway` of Keras 1.2.2, and of 1.0.0 for `transform_bias`.
    """

    def __init__(
        self,
        kernel_initializer: Any = "glorot_uniform",
        activation: Any = None,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_bias: bool = True,
        transform_bias: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            use_bias,
            **kwargs,
        )
        self.activation = activations.get(activation)
        self.transform_bias = transform_bias

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias of the layer, and of its gate."""
        size = self._last_axis(input_shape)
        self._make_kernel(size, size)
        self.add_weight(name="W_carry", shape=(size, size), initializer=self.kernel_initializer)
        if self.use_bias:
            self._make_bias(size)
            self.add_weight(name="b_carry", shape=(size,), initializer=Constant(self.transform_bias))

    def call(self, inputs: Tensor) -> Tensor:
        """Return what is new, and what is carried."""
        h, t = inputs @ self.W, inputs @ self.W_carry
        if self.use_bias:
            h, t = h + self.b, t + self.b_carry
        return torch.lerp(inputs, calling(self.activation)(h), t.sigmoid())

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)
