"""The core layers: Dense, Activation, Dropout and those that only rearrange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .. import activations
from .._core import randomness, registry, settings, shapes
from .._core.errors import argument_error, fraction, positive_int
from .._core.graph_capture import not_in_graphs
from .._core.shapes import Shape
from .._core.tree import map_shapes
from .._core.user_tensors import calling
from .._core.weights import TRANSPOSED
from .activation_gradients import IN_PLACE
from .base import ROW_WISE, ActivatedLayer, Layer, Traits
from .base.gradient_facts import ActivationFacts, DenseFacts, DropoutFacts, FlattenFacts
from .base.linear import linear_for
from .base.weight_options import bare, enter_weight, keep_options


@registry.register("layer")
class Dense(ActivatedLayer):
    """`activation(inputs · kernel + bias)`, on a `torch.nn.Linear`.

    Args:
        units: Size of the output.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, …, input_dim)`. Output: `(batch, …, units)`.

    Raises:
        ValueError: `units` is not positive, or the last axis of the input is unknown.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Dense(32, activation='relu', input_dim=784).units
        32
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int(type(self).__name__, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def _check_rank(self, shape: Shape) -> None:
        """Raise when there is no axis beside the batch."""
        if len(shape) < 2:
            raise ValueError(f"{self}: the input must have at least 2 axes, the batch included; got shape {shape}.")

    def build(self, input_shape: Any) -> None:
        """Make the `nn.Linear`."""
        features = self._last_axis(input_shape)
        dtype = settings.torch_dtype(self.dtype)
        self.linear = bare(linear_for(features, self.units), features, self.units, bias=self.use_bias, dtype=dtype)
        enter_weight(self, "kernel", self.linear, "weight", TRANSPOSED)
        if self.use_bias:
            enter_weight(self, "bias", self.linear, "bias")

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return `inputs · kernel + bias`."""
        linear: Any = self._modules["linear"]  # found at once, as an attribute that is a module is not
        if not inputs.is_floating_point():  # multi-hot rows of integers, in a layer or model of a user's
            inputs = inputs.to(linear.weight.dtype)
        return linear(inputs)  # type: ignore[no-any-return]

    def call(self, inputs: Tensor) -> Tensor:
        """Return `activation(inputs · kernel + bias)`."""
        y, activation = self.pre_activation(inputs), self.activation
        if activation is activations.linear:
            return y
        # In place, unless a hook on the `nn.Linear` may keep the product.
        linear: Any = self._modules["linear"]
        in_place = None if linear._forward_hooks else IN_PLACE.get(activation)
        return calling(activation)(y) if in_place is None else in_place(y)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `(…, units)`."""
        return (*input_shape[:-1], self.units)

    def _gradient_facts(self) -> DenseFacts | None:
        if len(self._built_shape or ()) != 2:
            return None
        return DenseFacts(weight=self.linear.weight, bias=self.linear.bias, activation=self.activation)


@registry.register("layer")
class Activation(ActivatedLayer):
    """Applies an activation function.

    Args:
        activation: By name or function.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Activation('relu')(np.array([-1., 2.])).tolist()
        [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    @property
    def _keeps_integers(self) -> bool:  # type: ignore[override]
        return self.activation in (activations.relu, activations.linear)

    @property
    def _casts_integers(self) -> bool:  # type: ignore[override]
        return not self._keeps_integers and registry.name_of("activation", self.activation) is not None

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return the input."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)

    def _gradient_facts(self) -> ActivationFacts:
        return ActivationFacts(activation=self.activation)


@registry.register("layer")
class Identity(Layer):
    """Returns its input: a place where another layer may stand.

    Args:
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, or a tree of any, unchanged.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Identity()(np.array([-1., 2.])).tolist()
        [-1.0, 2.0]
    """

    _class_traits = ROW_WISE
    _keeps_integers = True
    _takes_trees = True

    def call(self, inputs: Any) -> Any:
        """Return the input."""
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """End any mask, as Keras does."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `input_shape`."""
        return map_shapes(tuple, input_shape)


@registry.register("layer")
class Dropout(Layer):
    """Sets a fraction of the input to zero in training and scales the rest by 1 / (1 − rate).

    Args:
        rate: The fraction, in [0, 1).
        noise_shape: Shape of the mask; axes of 1 share one draw, `None` is the input's size.
        seed: Makes the layer's draws repeat.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: any, unchanged.

    Raises:
        ValueError: `rate` lies outside [0, 1].

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Dropout(.5)(np.ones((1, 3))).tolist()
        [[1.0, 1.0, 1.0]]
    """

    _class_traits = ROW_WISE
    _keeps_integers = True
    supports_masking = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = fraction(type(self).__name__, "rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self._generator: torch.Generator | None = None

    def mask_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the mask for an input of this shape."""
        noise = self.noise_shape or (None,) * len(shape)
        return tuple(size if n is None else n for n, size in zip(noise, shape))

    def draw_mask(self, inputs: Tensor) -> Tensor:
        """Return a new mask for this input: 0, or 1 / (1 − rate)."""
        shape = self.mask_shape(inputs.shape)
        if self.seed is not None:
            keep = seeded_uniform(self, shape, inputs) >= self.rate
            return keep.to(inputs.dtype) / max(1 - self.rate, 1e-12)
        return randomness.dropout_mask(inputs, shape, self.rate)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the input, thinned in training."""
        if not training or self.rate == 0:
            return inputs
        expect_floats(self, inputs)
        if self.seed is None and self.noise_shape is None and inputs.device.type != "cpu":
            return F.dropout(inputs, self.rate, True)
        return inputs * self.draw_mask(inputs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)

    def _gradient_facts(self) -> DropoutFacts | None:
        if self.noise_shape is not None or self.seed is not None:
            return None
        return DropoutFacts(draw_mask=self.draw_mask if self.rate else None)


def expect_floats(layer: Layer, inputs: Tensor) -> None:
    """Raise where a layer of chance got integers in training."""
    if not inputs.is_floating_point():
        kind = str(inputs.dtype).partition(".")[2]
        raise ValueError(
            f"{layer}: in training it takes floats; got {kind}. Write backend.cast(x, 'float32') before it."
        )


def seeded_uniform(layer: Any, shape: Sequence[int], like: Tensor) -> Tensor:
    """Return uniform numbers from a layer's own generator, which its `seed` starts."""
    not_in_graphs(layer, "it draws from a generator of its own (seed=…)")
    if layer._generator is None or layer._generator.device != like.device:
        layer._generator = torch.Generator(like.device).manual_seed(int(layer.seed))
    return torch.rand(tuple(shape), generator=layer._generator, device=like.device)


@registry.register("layer")
class Flatten(Layer):
    """Makes one axis of all axes but the batch.

    Args:
        data_format: With `'channels_first'` the channels are moved to the end first, so that weights after it fit
            either.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, …)`. Output: `(batch, product)`.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Flatten().compute_output_shape((None, 4, 5))
        (None, 20)
    """

    _class_traits = ROW_WISE
    _keeps_integers = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = shapes.data_format("Flatten", data_format, settings.image_data_format())

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input with two axes."""
        if inputs.dim() < 2:
            return inputs.unsqueeze(1)
        if self.data_format == "channels_first" and inputs.dim() > 2:
            inputs = inputs.movedim(1, -1)
        return inputs.flatten(1)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `(batch, product)`."""
        rest = tuple(input_shape[1:])
        return (input_shape[0], None if None in rest else int(np.prod(rest, dtype=np.int64)))

    def _gradient_facts(self) -> FlattenFacts | None:
        return FlattenFacts(flatten=self.call) if self.data_format == "channels_last" else None


@registry.register("layer")
class Reshape(Layer):
    """Gives the axes behind the batch another shape.

    Args:
        target_shape: The new shape without the batch; one entry may be -1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, …)`. Output: `(batch, *target_shape)`.

    Raises:
        ValueError: The sizes do not agree.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Reshape((3, 4)).compute_output_shape((None, 12))
        (None, 3, 4)
    """

    _class_traits = ROW_WISE
    _keeps_integers = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        items = tuple(target_shape) if hasattr(target_shape, "__iter__") else None
        if items is None or any(not hasattr(i, "__index__") for i in items) or items.count(-1) > 1:
            raise argument_error("Reshape", "target_shape", "a tuple of integers with at most one -1", target_shape)
        self.target_shape = tuple(int(i) for i in items)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input in the new shape."""
        shape: Sequence[Any] = self.target_shape
        if not inputs.numel():  # what -1 stands for does not follow from nothing
            shape = self.compute_output_shape(inputs.shape)[1:]
        return inputs.reshape(inputs.shape[0], *shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `(batch, *target_shape)` with -1 resolved where the input is known."""
        rest = tuple(input_shape[1:])
        target = list(self.target_shape)
        if None in rest:
            return (input_shape[0], *(None if n == -1 else n for n in target))
        total, fixed = int(np.prod(rest, dtype=np.int64)), int(np.prod([n for n in target if n != -1], dtype=np.int64))
        if (total % fixed if -1 in target else total - fixed) != 0:
            raise ValueError(f"{self}: {rest} has {total} elements and cannot become target_shape {self.target_shape}.")
        return (input_shape[0], *(total // fixed if n == -1 else n for n in target))

    def build(self, input_shape: Any) -> None:
        """Check that the sizes agree."""
        self.compute_output_shape(input_shape)


@registry.register("layer")
class Permute(Layer):
    """Puts the axes behind the batch in another order.

    Args:
        dims: The new order, counted from 1.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, …)`. Output: the same axes in the order `dims`.

    Raises:
        ValueError: `dims` is no permutation of 1, 2, ….

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Permute((2, 1)).compute_output_shape((None, 10, 64))
        (None, 64, 10)
    """

    _class_traits = ROW_WISE
    _keeps_integers = True

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise argument_error("Permute", "dims", "a permutation of 1, 2, …", dims)

    def _check_rank(self, shape: Shape) -> None:
        """Raise when the input has another number of axes than `dims`."""
        if len(shape) != len(self.dims) + 1:
            wanted = len(self.dims) + 1
            raise ValueError(f"{self}: dims={self.dims} needs {wanted} axes with the batch; got shape {shape}.")

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input with its axes permuted."""
        return inputs.permute(0, *self.dims)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the permuted shape."""
        return (input_shape[0], *(input_shape[d] for d in self.dims))


@registry.register("layer")
class RepeatVector(Layer):
    """Repeats a vector as the steps of a sequence.

    Args:
        n: How often.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, features)`. Output: `(batch, n, features)`.

    Raises:
        ValueError: `n` is not positive.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.RepeatVector(3).compute_output_shape((None, 32))
        (None, 3, 32)
    """

    _class_traits = ROW_WISE
    _keeps_integers = True
    _input_rank = 2

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive_int("RepeatVector", "n", n)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input `n` times along a new axis."""
        return inputs.unsqueeze(1).expand(-1, self.n, -1)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `(batch, n, features)`."""
        return (input_shape[0], self.n, input_shape[1])


@registry.register("layer")
class Masking(Layer):
    """Masks the time steps whose features all equal a value.

    Args:
        mask_value: The value.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: `(batch, steps, features)`; masked steps become zero.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.Masking(mask_value=0.)
        >>> layer.compute_mask(torch.tensor([[[1., 0.], [0., 0.]]])).tolist()
        [[True, False]]
    """

    _class_traits = Traits(row_wise=True, makes_mask=True)
    _keeps_integers = True
    supports_masking = True
    _sequence_input = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input with masked steps set to zero."""
        return inputs * (inputs != self.mask_value).any(-1, keepdim=True).to(inputs.dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return which steps are valid."""
        return (inputs != self.mask_value).any(-1)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return `input_shape`."""
        return tuple(input_shape)
