"""MultiHeadAttention."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .._core import registry, settings
from .._core.errors import axis_tuple, fraction, positive_int
from .._core.shapes import Shape
from .._core.tree import Tree, is_shape
from .._core.weights import Codec
from .advanced_activations import Softmax
from .attention import lower_triangle
from .attention_kernel import attend
from .base import ROW_WISE, Layer
from .base.linear import linear_for
from .base.masks import carry_mask
from .base.weight_options import bare, keep_options, options_of
from .core import Dropout


def _read_kernel(weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    return weight.t().reshape(shape)


def _write_kernel(kernel: Tensor, inputs: int) -> tuple[Tensor]:
    return (kernel.reshape(inputs, -1).t(),)


def _read_bias(bias: Tensor, shape: tuple[int, ...]) -> Tensor:
    return bias.reshape(shape)


def _write_bias(bias: Tensor) -> tuple[Tensor]:
    return (bias.reshape(-1),)


@registry.register("layer")
class MultiHeadAttention(Layer):
    """Attends to values with several heads, each by the products of its own projections of queries and keys.

    Args:
        num_heads: The number of heads.
        key_dim: The size of a head's queries and keys.
        value_dim: That of its values; `key_dim` if `None`.
        dropout: The fraction of the attention weights that training sets to zero.
        use_bias: Whether the projections have a bias.
        output_shape: The size of the output's features, or several sizes; that of the query's if `None`.
        attention_axes: The axes that are attended over; all between batch and features if `None`.
        kernel_initializer: Fills the kernels.
        bias_initializer: Fills the biases.
        kernel_regularizer: Penalty on the kernels.
        bias_regularizer: Penalty on the biases.
        activity_regularizer: Penalty on what the layer gives.
        kernel_constraint: Applied to the kernels after each update.
        bias_constraint: Applied to the biases after each update.
        kwargs: The arguments of every layer.

    Shape:
        Input: query `(batch, queries, features)`, value `(batch, keys, …)` and perhaps key `(batch, keys, …)`, each an
        argument of the call. Output: `(batch, queries, features)`; with `return_attention_scores` a tuple of that and
        `(batch, heads, queries, keys)`.

    Raises:
        ValueError: A size is not positive, or the inputs do not fit together.

    Source:
        Vaswani et al., 2017.

    Example:
        >>> import torchkeras_compat as keras
        >>> query, value = keras.Input((8, 16)), keras.Input((4, 12))
        >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3)
        >>> output, scores = layer(query, value, return_attention_scores=True)
        >>> output.shape.as_list(), scores.shape.as_list()
        ([None, 8, 16], [None, 2, 8, 4])
    """

    _class_traits = ROW_WISE
    _takes_trees = True
    _masks_in_call = True
    _positional_arguments = (
        "value",
        "key",
        "attention_mask",
        "return_attention_scores",
        "training",
        "use_causal_mask",
    )
    supports_masking = True
    _axes: tuple[int, ...] = ()

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
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
        owner = type(self).__name__
        self.num_heads = positive_int(owner, "num_heads", num_heads)
        self.key_dim = positive_int(owner, "key_dim", key_dim)
        self.value_dim = positive_int(owner, "value_dim", value_dim) if value_dim else self.key_dim
        self.dropout = fraction(owner, "dropout", dropout)
        self.use_bias = bool(use_bias)
        sizes = output_shape if isinstance(output_shape, (list, tuple)) else [output_shape] if output_shape else []
        self._output_sizes = tuple(positive_int(owner, "output_shape", size) for size in sizes)
        self.attention_axes = (
            None
            if attention_axes is None
            else axis_tuple(owner, attention_axes, "attention_axes", "an integer or a list of them", least=0)
        )
        self._output_shape_argument = output_shape
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    # --- building ------------------------------------------------------------------------------------------------

    def _checked_shapes(self, input_shape: Any) -> list[Shape]:
        """Return the shapes of query, value and key.

        Raises:
            ValueError: There is no value, or they do not fit together.
        """
        if is_shape(input_shape) or len(input_shape) not in (2, 3):
            raise ValueError(f"{self}: it takes a query and a value, layer(query, value); got the shape {input_shape}.")
        query, value, *rest = [tuple(shape) for shape in input_shape]
        key = rest[0] if rest else value
        fits = len(query) == len(value) == len(key) >= 3
        if not fits or any(None not in pair and pair[0] != pair[1] for pair in zip(value[:-1], key[:-1])):
            raise ValueError(
                f"{self}: query, value and key must have as many axes, 3 or more, and value and key as many steps; got "
                f"the shapes {', '.join(map(str, input_shape))}."
            )
        return [query, value, key]

    def build(self, input_shape: Any) -> None:
        """Make the projections."""
        query, value, key = self._checked_shapes(input_shape)
        rank = len(query)
        # Axes below zero count in the projections, which have one axis more.
        axes = self.attention_axes or tuple(range(1, rank - 1))
        self._axes = tuple(a if a >= 0 else a + rank + 1 for a in axes)
        if any(not 0 < a < rank - 1 for a in self._axes) or len(set(self._axes)) < len(self._axes):
            raise ValueError(
                f"{self}: attention_axes={axes} must be axes between batch and features; got a query of shape {query}."
            )
        heads = self.num_heads
        query_size, key_size, value_size = (self._features(shape) for shape in (query, key, value))
        self._project("query", (query_size,), (heads, self.key_dim))
        self._project("key", (key_size,), (heads, self.key_dim))
        self._project("value", (value_size,), (heads, self.value_dim))
        self.softmax = Softmax(dtype=self.dtype_policy)
        self.dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy)
        self._project("attention_output", (heads, self.value_dim), self._output_sizes or (query_size,))

    def _features(self, shape: Shape) -> int:
        if shape[-1] is None:
            raise ValueError(
                f"{self}: the number of features of query, value and key must be known; got the shape {shape}."
            )
        return shape[-1]

    def _project(self, name: str, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
        """Make a projection: an `nn.Linear`, whose weights Keras has with the heads as an axis of their own."""
        into, out = math.prod(inputs), math.prod(outputs)
        linear = bare(linear_for(into, out), into, out, bias=self.use_bias, dtype=settings.torch_dtype(self.dtype))
        self.add_module(f"{name}_projection", linear)
        kernel = Codec(
            functools.partial(_read_kernel, shape=(*inputs, *outputs)), functools.partial(_write_kernel, inputs=into)
        )
        self._enter_weight(f"{name}/kernel", linear, "weight", kernel, **options_of(self, "kernel"))
        if self.use_bias:
            bias = Codec(functools.partial(_read_bias, shape=outputs), _write_bias)
            self._enter_weight(f"{name}/bias", linear, "bias", bias, **options_of(self, "bias"))

    # --- calling -------------------------------------------------------------------------------------------------

    def _first_argument(self, keywords: Mapping[str, Any]) -> str:
        if "query" not in keywords:
            raise TypeError(f"{self}: the first argument of a call, query, is missing.")
        return "query"

    def _normalised_call(self, inputs: Any, call_arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return query, value and perhaps key as the inputs, so that their masks come with them."""
        more = [call_arguments.pop(name, None) for name in ("value", "key")]
        if isinstance(inputs, (list, tuple)) and more[0] is None and more[1] is None:
            return list(inputs), call_arguments  # they were one by one before
        if more[0] is None:
            raise TypeError(f"{self}: value is missing; write layer(query, value).")
        return [inputs, *(tensor for tensor in more if tensor is not None)], call_arguments

    def _inputs_in_config(self, inputs: Tree, keywords: Mapping[str, Any]) -> tuple[Tree, Mapping[str, Any]]:
        """Return the query as the input and the others as arguments, as Keras's configurations have them."""
        return inputs[0], {**dict(zip(("value", "key"), inputs[1:])), **keywords}

    def _symbolic_outputs(self, inputs: Any, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Any:
        if call_arguments.get("return_attention_scores"):
            return self._output_by_running(inputs, args, call_arguments)
        return super()._symbolic_outputs(inputs, args, call_arguments)

    def call(
        self,
        inputs: Sequence[Tensor],
        mask: Any = None,
        training: bool = False,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return what the queries attend to; with `return_attention_scores` the weights of each head too.

        Args:
            inputs: Query, value and perhaps key; the value is the key, too, where there is none.
            mask: For each of them which steps count.
            training: The mode.
            attention_mask: Which keys each query may look at, `(batch, queries, keys)`, or with the heads behind the
                batch.
            return_attention_scores: Whether the weights are returned behind the output.
            use_causal_mask: Whether no query looks at later keys.
        """
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        masks = [None] * 3 if mask is None else [*mask, *mask[1:]][:3]
        allowed = self._allowed(query, value, attention_mask, masks, use_causal_mask)
        q, k, v = (self._heads(n, x) for n, x in (("query", query), ("key", key), ("value", value)))
        bias = self._bias(allowed, query, value)
        may_hide_all = attention_mask is not None or any(m is not None for m in masks)  # causality leaves the first key
        if return_attention_scores or (training and self.dropout > 0) or (may_hide_all and torch.is_grad_enabled()):
            output, weights = self._attend(q, k, v, bias, training)
        else:
            output, weights = attend(q, k, v, bias), None
        output = self.attention_output_projection(self._merged(output, query))
        if len(self._output_sizes) > 1:
            output = output.reshape(*output.shape[:-1], *self._output_sizes)
        carry_mask(output, masks[0])
        if weights is None or not return_attention_scores:
            return output
        return output, self._with_axes(weights, query, value)

    def _order(self, rank: int) -> tuple[list[int], list[int]]:
        """Return the axes that are attended over, and those that are not, without the features."""
        return list(self._axes), [a for a in range(rank - 1) if a not in self._axes]

    def _heads(self, name: str, x: Tensor) -> Tensor:
        """Return a projection as `(…, heads, steps, size)`, the steps those of all axes that are attended over."""
        projection: Any = self._modules[f"{name}_projection"]
        y: Tensor = projection(x)
        y = y.reshape(*x.shape[:-1], self.num_heads, y.shape[-1] // self.num_heads)
        attended, others = self._order(x.dim())
        y = y.permute(*others, x.dim() - 1, *attended, x.dim())
        return y if len(attended) == 1 else y.flatten(len(others) + 1, -2)

    def _merged(self, y: Tensor, query: Tensor) -> Tensor:
        """Return `(…, heads, steps, size)` in the axes of the query, with the heads side by side."""
        attended, others = self._order(query.dim())
        y = y.movedim(len(others), -2)  # (…, steps, heads, size)
        y = y.reshape(*(query.shape[a] for a in (*others, *attended)), y.shape[-2] * y.shape[-1])
        order = [*others, *attended]
        return y.permute(*(order.index(a) for a in range(len(order))), len(order))

    def _with_axes(self, scores: Tensor, query: Tensor, value: Tensor) -> Tensor:
        """Return weights `(…, heads, queries, keys)` with an axis for each axis that is attended over."""
        sizes = [x.shape[a] for x in (query, value) for a in self._axes]
        return scores.reshape(*scores.shape[:-2], *sizes)

    def _allowed(
        self, query: Tensor, value: Tensor, attention_mask: Tensor | None, masks: Sequence[Any], causal: bool
    ) -> Tensor | None:
        """Return which keys each query may look at by all masks together."""
        allowed = [None if m is None else m.bool().unsqueeze(axis) for m, axis in zip(masks, (-1, 1, 1))]
        if causal:
            allowed.append(lower_triangle(query.shape[1], value.shape[1], query.device).unsqueeze(0))
        told = [m for m in allowed if m is not None]
        if not told:
            return attention_mask
        both: Tensor = functools.reduce(torch.logical_and, told)
        return both if attention_mask is None else attention_mask.bool() & both

    def _bias(self, allowed: Tensor | None, query: Tensor, value: Tensor) -> Tensor | None:
        """Return what is added to the scores: 0 where a query may look, far below it elsewhere."""
        if allowed is None:
            return None
        count = len(self._axes)
        rank = query.dim() + count  # of the scores: the axes of the query, the heads, those of the keys
        while allowed.dim() < rank:
            allowed = allowed.unsqueeze(-2 * count - 1)
        bias = (1.0 - allowed.to(query.dtype)) * (-65504.0 if query.dtype is torch.float16 else -1e9)
        if count == 1:
            return bias
        sizes = [x.shape[a] for x in (query, value) for a in self._axes]
        bias = bias.expand(*bias.shape[: -2 * count], *sizes)
        return bias.flatten(-count).flatten(-count - 1, -2)

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, training: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the attended values of each head, and the weights."""
        scores = torch.matmul(query * (1 / math.sqrt(self.key_dim)), key.transpose(-1, -2))
        weights = self.softmax._run(scores if bias is None else scores + bias, None, training)[0]
        kept = self.dropout_layer._run(weights, None, training)[0] if training and self.dropout > 0 else weights
        return torch.matmul(kept, value), weights

    # --- shapes and configuration --------------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the query."""
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    def compute_output_shape(self, input_shape: Any, *more: Any) -> Shape:
        """Return that of the query, with the features of the output.

        Args:
            input_shape: The shape of the query, or a list of those of all inputs.
            more: Those of value and key, where they are given one by one.
        """
        query = tuple(input_shape) if is_shape(input_shape) else self._checked_shapes(input_shape)[0]
        return (*query[:-1], *(self._output_sizes or query[-1:]))

    def _config_of(self, name: str) -> Any:
        return self._output_shape_argument if name == "output_shape" else super()._config_of(name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, and the shapes that it was built with."""
        shapes: list[Any] = self._checked_shapes(self._built_shape) if self.built else [None] * 3
        query, value, key = shapes
        return {**super().get_config(), "query_shape": query, "key_shape": key, "value_shape": value}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what `get_config` returned; it has its weights where that knows the shapes.

        Args:
            config: The configuration, which is not changed.
        """
        arguments = dict(config)
        shapes = [_shape_in(arguments.pop(f"{name}_shape", None)) for name in ("query", "value", "key")]
        layer = cls(**arguments)
        if None not in shapes:
            layer._build_from(shapes)
        return layer


def _shape_in(value: Any) -> Shape | None:
    """Return a shape of a configuration, which Keras's files have as an object."""
    items = value.get("items") if isinstance(value, dict) else value
    return None if items is None else tuple(items)
