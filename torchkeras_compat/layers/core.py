"""The core layers: Dense, Activation, Dropout and those that only rearrange."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
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
from .._core.stored_functions import with_functions
from .._core.symbolic import sizes_in
from .._core.tree import flatten_shapes, map_shapes
from .._core.user_tensors import calling
from .._core.weights import TRANSPOSED
from .activation_gradients import IN_PLACE
from .base import ROW_WISE, ActivatedLayer, Layer, Traits, as_told
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

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        items = tuple(target_shape) if hasattr(target_shape, "__iter__") else None
        if items is None or any(not hasattr(i, "__index__") for i in items) or items.count(-1) > 1:
            raise argument_error("Reshape", "target_shape", "a tuple of integers with at most one -1", target_shape)
        self.target_shape = tuple(int(i) for i in items)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the input in the new shape."""
        shape = self.target_shape if inputs.numel() else self.compute_output_shape(inputs.shape)[1:]  # -1 of nothing
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
class Lambda(Layer):
    """Applies a function of tensors.

    Args:
        function: Called with the input, with `arguments`, and with `mask` or `training` where it names them.
        output_shape: The shape without the batch, or a function of the input shape; found by running when `None`.
        mask: The mask for the next layer, or a function of input and mask.
        arguments: Further keyword arguments of the function.
        kwargs: The arguments of every layer.

    Shape:
        Input: any. Output: what the function makes.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.Lambda(lambda x: x ** 2)(np.array([3.])).tolist()
        [9.0]
    """

    _class_traits = Traits(runs_user_code=True)
    _takes_trees = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise argument_error("Lambda", "function", "a function of tensors", function, TypeError)
        self.function = function
        self.arguments = dict(arguments or {})
        self._output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        self._named = frozenset(inspect.signature(function).parameters) if _has_signature(function) else frozenset()

    def call(self, inputs: Any, mask: Tensor | None = None, training: bool = False) -> Any:
        """Return `function(inputs, **arguments)`."""
        extra = {k: v for k, v in (("mask", mask), ("training", training)) if k in self._named}
        return calling(self.function)(inputs, **{**extra, **self.arguments})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask given, or what the mask function makes; without either a mask ends here, as in Keras 2."""
        return calling(self.mask)(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape given, or find it by running."""
        if callable(self._output_shape):
            return map_shapes(tuple, self._output_shape(as_told(input_shape, self._rules)))
        if self._output_shape is not None:
            first = flatten_shapes(input_shape)[0]
            return map_shapes(lambda shape: (first[0], *shape), self._output_shape)
        return super().compute_output_shape(input_shape)

    def _symbolic_outputs(self, inputs: Any, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Any:
        if self._output_shape is None:
            return self._output_by_running(inputs, args, call_arguments)
        return super()._symbolic_outputs(inputs, args, call_arguments)

    def _sizes_in_code(self) -> set[int]:
        return super()._sizes_in_code() | sizes_in(self.arguments) | _sizes_in_function(self.function)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; the function and a shape function stand there as they are."""
        base = {k: v for k, v in super().get_config().items() if k not in ("function", "output_shape", "mask")}
        return {**base, "function": self.function, "output_shape": self._output_shape, "mask": self.mask}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a layer from what `get_config` returned, here or in any Keras; the dictionary is not changed.

        Args:
            config: The configuration.
            custom_objects: The user's own functions by name, or by the name of the layer.

        Raises:
            ValueError: The function stands there as code, which is not run, or only by a name that nobody knows.
        """
        with registry.custom_object_scope(custom_objects):
            return cls(**with_functions("Lambda", config, ("function", "output_shape", "mask")))

    def _config_of(self, name: str) -> Any:
        return getattr(self, f"_{name}" if name == "output_shape" else name)


def _sizes_in_function(function: Any) -> set[int]:
    """Return the sizes that a function written in Python names: its constants, and variables such as `batch_size`."""
    if not inspect.isfunction(function):
        return set()
    code = function.__code__
    variables = inspect.getclosurevars(function)
    return sizes_in([*code.co_consts, *variables.globals.values(), *variables.nonlocals.values()])


def _has_signature(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function)
    except ValueError:  # builtins written in C have none; they take no mask
        return False
    return True


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
