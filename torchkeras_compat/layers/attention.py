"""Attention of one head: Attention by products, AdditiveAttention by sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .._core import randomness, registry
from .._core.errors import choice, fraction
from .._core.shapes import Shape
from .._core.transforms import is_only_run
from .._core.tree import is_shape
from .additive_scores import additive_scores, scores_in_parts, worth_parts
from .base import ROW_WISE, Layer
from .base.masks import carry_mask


def lower_triangle(queries: int, keys: int, device: torch.device) -> Tensor:
    """Return where a query may look at a key that does not come later, `(queries, keys)`."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril()


def summed_tanh(query: Tensor, key: Tensor, scale: Tensor | None) -> Tensor:
    """Return `additive_scores` of all pairs, in parts where that is faster."""
    if not is_only_run(query) or not worth_parts(query, key):
        return additive_scores(query, key, scale)
    return scores_in_parts(query, key, query.new_ones(query.shape[-1]) if scale is None else scale)


def dropped(weights: Tensor, rate: float) -> Tensor:
    """Return weights with a fraction set to zero and the others scaled by 1 / (1 − rate)."""
    if weights.device.type == "cpu":
        return weights * randomness.keep_mask(weights.shape, rate, weights.dtype)
    return F.dropout(weights, rate, True)


class DenseAttention(Layer):
    """Base of the layers that attend to a sequence with one head, Keras's `BaseDenseAttention`.

    Subclasses compute `_calculate_scores(query, key)`.

    Args:
        dropout: The fraction of the attention weights that training sets to zero.
        causal: Whether no step attends to later ones; `use_causal_mask` of the call says so for one call.
        kwargs: The arguments of every layer.
    """

    _class_traits = ROW_WISE
    _takes_trees = True
    _needs_list = True
    _masks_in_call = True
    supports_masking = True

    def __init__(self, *, dropout: float = 0.0, causal: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropout = fraction(type(self).__name__, "dropout", dropout)
        self.causal = bool(causal)

    def _checked_shapes(self, input_shape: Any) -> list[Shape]:
        """Return the shapes of query, value and key.

        Raises:
            ValueError: Not two or three inputs, or shapes that do not fit together.
        """
        if is_shape(input_shape) or not isinstance(input_shape, (list, tuple)) or len(input_shape) not in (2, 3):
            raise ValueError(
                f"{self}: it takes a list of two or three inputs, layer([query, value]) or layer([query, value, key]); "
                f"got the shape {input_shape}."
            )
        query, value, *rest = [tuple(shape) for shape in input_shape]
        key = rest[0] if rest else value
        for what, one, other in (
            ("query and key must have as many features", query[-1], key[-1]),
            ("value and key must have as many steps", value[-2], key[-2]),
        ):
            if None not in (one, other) and one != other:
                raise ValueError(f"{self}: {what}; got the shapes {', '.join(map(str, input_shape))}.")
        return [query, value, key]

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        self._checked_shapes(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return that of the query, with the features of the value."""
        query, value, _ = self._checked_shapes(input_shape)
        return (*query[:-1], value[-1])

    def _symbolic_outputs(self, inputs: Any, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Any:
        if call_arguments.get("return_attention_scores"):
            return self._output_by_running(inputs, args, call_arguments)
        return super()._symbolic_outputs(inputs, args, call_arguments)

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Return how much each query, `(batch, queries, features)`, looks at each key."""
        raise NotImplementedError(f"{type(self).__name__} must define _calculate_scores(query, key).")

    def call(
        self,
        inputs: Sequence[Tensor],
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return the values that each query attends to; with `return_attention_scores` the weights too.

        Args:
            inputs: Query, value and perhaps key; the value is the key, too, where there is none.
            mask: For query and value which steps count: others of the value get no weight, others of the query are zero
                in the output.
            training: The mode.
            return_attention_scores: Whether the weights are returned behind the output.
            use_causal_mask: Whether no step attends to later ones.
        """
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = self._masks(mask, len(inputs))
        scores = self._calculate_scores(query, key)
        allowed = None if value_mask is None else value_mask.bool().unsqueeze(-2)
        if self.causal or use_causal_mask:
            triangle = lower_triangle(scores.shape[-2], scores.shape[-1], scores.device)
            allowed = triangle if allowed is None else allowed & triangle
        if allowed is not None:
            # Subtracted and not put in its place: where nothing is allowed, Keras's weights are near those without.
            scores = scores - (~allowed).to(scores.dtype) * (65504.0 if scores.dtype is torch.float16 else 1e9)
        weights = scores.softmax(-1)
        if training and self.dropout:
            weights = dropped(weights, self.dropout)
        output = torch.matmul(weights, value)
        if query_mask is not None:
            output = output * query_mask.unsqueeze(-1).to(output.dtype)
            carry_mask(output, query_mask)
        return (output, weights) if return_attention_scores else output

    def _masks(self, mask: Any, count: int) -> tuple[Tensor | None, Tensor | None]:
        """Return the masks of query and value.

        Raises:
            ValueError: No list of two, or of one for each input.
        """
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= count:
            got = f"{len(mask)}" if isinstance(mask, (list, tuple)) else type(mask).__name__
            raise ValueError(f"{self}: mask must be a list of two masks, [query_mask, value_mask]; got {got}.")
        return mask[0], mask[1]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the query."""
        return self._masks(mask, len(inputs))[0]


@registry.register("layer")
class Attention(DenseAttention):
    """Attends to values by the products of queries and keys (Luong's attention).

    Args:
        use_scale: Whether the scores are multiplied by a weight.
        score_mode: `'dot'` for products, `'concat'` for `Σ tanh(query + key)`, times a weight.
        dropout: The fraction of the attention weights that training sets to zero.
        causal: Whether no step attends to later ones; `use_causal_mask` of the call says so for one call.
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of query `(batch, queries, features)`, value `(batch, keys, width)` and perhaps key `(batch, keys,
        features)`. Output: `(batch, queries, width)`; with `return_attention_scores` a tuple of that and `(batch,
        queries, keys)`.

    Raises:
        ValueError: Inputs that do not fit together, or an unknown `score_mode`.

    Source:
        Luong, Pham & Manning, 2015.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Attention
        >>> Attention()([np.array([[[1., 0.]]]), np.array([[[9., 0.], [0., 9.]]])]).round().tolist()
        [[[9.0, 0.0]]]
    """

    scale: Tensor | None
    concat_score_weight: Tensor | None

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        *,
        dropout: float = 0.0,
        causal: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout=dropout, causal=causal, **kwargs)
        self.use_scale = bool(use_scale)
        self.score_mode = choice("Attention", "score_mode", score_mode, ("dot", "concat"))

    def build(self, input_shape: Any) -> None:
        """Make the weights, one number each."""
        super().build(input_shape)
        for name, wanted in (("scale", self.use_scale), ("concat_score_weight", self.score_mode == "concat")):
            if wanted:
                self.add_weight(name=name, shape=(), initializer="ones")
            else:
                self.register_parameter(name, None)

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Tensor:
        scale = self.scale
        if self.concat_score_weight is None:
            scores = torch.matmul(query, key.transpose(-1, -2))
            return scores if scale is None else scores * scale
        if scale is not None:
            query, key = query * scale, key * scale
        return self.concat_score_weight * summed_tanh(query, key, None)


@registry.register("layer")
class AdditiveAttention(DenseAttention):
    """Attends to values by `Σ scale · tanh(query + key)` (Bahdanau's attention).

    Args:
        use_scale: Whether the sum has a weight for each feature.
        dropout: The fraction of the attention weights that training sets to zero.
        causal: Whether no step attends to later ones; `use_causal_mask` of the call says so for one call.
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of query `(batch, queries, features)`, value `(batch, keys, width)` and perhaps key `(batch, keys,
        features)`. Output: `(batch, queries, width)`; with `return_attention_scores` a tuple of that and `(batch,
        queries, keys)`.

    Raises:
        ValueError: Inputs that do not fit together, or an unknown number of features.

    Source:
        Bahdanau, Cho & Bengio, 2014.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import AdditiveAttention
        >>> AdditiveAttention(use_scale=False)([np.zeros((1, 1, 2)), np.array([[[9., 0.], [0., 9.]]])]).tolist()
        [[[4.5, 4.5]]]
    """

    scale: Tensor | None

    def __init__(self, use_scale: bool = True, *, dropout: float = 0.0, causal: bool = False, **kwargs: Any) -> None:
        super().__init__(dropout=dropout, causal=causal, **kwargs)
        self.use_scale = bool(use_scale)

    def build(self, input_shape: Any) -> None:
        """Make the weights, one a feature."""
        _, value, key = self._checked_shapes(input_shape)
        if not self.use_scale:
            self.register_parameter("scale", None)
            return
        if value[-1] is None or value[-1] != key[-1]:
            raise ValueError(
                f"{self}: value and key must have the same known number of features with use_scale=True; got the "
                f"shapes {', '.join(map(str, input_shape))}."
            )
        self.add_weight(name="scale", shape=(value[-1],), initializer="glorot_uniform")

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Tensor:
        return summed_tanh(query, key, self.scale)
