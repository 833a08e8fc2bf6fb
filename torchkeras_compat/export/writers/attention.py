"""Attention over steps, with one head and with several."""

from __future__ import annotations

from functools import reduce
from typing import Any

from torch import Tensor

from ... import layers
from ..._core.ownership import origin
from ..emission import Emission, NotExportable, Value, arguments, parameters_of, text, weight, weight_if, writes


def _causal(emission: Emission, query: Value, key: Value) -> Value:
    """Write down which keys are no later than each query."""
    steps = "{0}.shape[1], {1}.shape[1]"
    expression = f"torch.ones({steps}, dtype=torch.bool, device={{0}}.device).tril()"
    return emission.compute(expression, [query, key], (query.shape[1], key.shape[1]), hint="allowed")


def _both(emission: Emission, masks: list[Value]) -> Value | None:
    def join(one: Value, other: Value) -> Value:
        return emission.compute("{0} & {1}", [one, other], other.shape, hint="allowed")

    return reduce(join, masks) if masks else None


def _beside(emission: Emission, mask: Value, axes: str, shape: Any) -> Value:
    return emission.compute(f"{{0}}{axes}", mask, shape, hint="allowed")


@writes(layers.Attention, layers.AdditiveAttention, masks=True, several=True)
def attention(
    emission: Emission,
    layer: Any,
    inputs: list[Value],
    return_attention_scores: bool = False,
    use_causal_mask: bool = False,
) -> Value:
    """Attention with one head: scores, and what they weigh."""
    if return_attention_scores:
        raise NotExportable(f"{layer}(return_attention_scores=True): it has no form in plain torch.")
    query, value, *more = (emission.as_keras(x) for x in inputs)
    key = more[0] if more else value
    if query.rank != 3:
        raise NotExportable(f"{layer}: inputs with {query.rank} axes have no form in plain torch; they must have 3.")
    shape = layer.compute_output_shape([x.shape for x in inputs])
    scores = _scores(emission, layer, query, key)
    masks = [] if value.mask is None else [_beside(emission, value.mask, "[:, None]", (None, 1, key.shape[1]))]
    if layer.causal or use_causal_mask:
        masks.append(_causal(emission, query, key))
    allowed, places, operands = _both(emission, masks), "{0}, {1}", [scores, value]
    if allowed is not None:
        places, operands = places + ", {2}", [*operands, allowed]
    if layer.dropout:
        name = emission.module(layer, f"nn.Dropout({text(layer.dropout)})", suffix="dropout")
        places += f", dropout=self.{name}"
    y = emission.compute(f"attend({places})", operands, shape, layer=layer)
    y.mask = None
    if query.mask is not None:
        y = emission.compute("{0} * {1}.unsqueeze(-1)", [y, query.mask], shape, layer=layer)
        y.mask = query.mask
    return y


def _scores(emission: Emission, layer: Any, query: Value, key: Value) -> Value:
    shape = (query.shape[0], query.shape[1], key.shape[1])
    if origin(type(layer)) is layers.Attention and layer.score_mode == "concat":
        scale, factor = weight_if(layer, "scale"), weight(layer, "concat_score_weight")
        sums = "{0}[:, :, None] + {1}[:, None]"
        sums = sums if scale is None else f"{{2}} * ({sums})"
        expression = f"{emission.parameter(layer, 'weight', factor)} * torch.tanh({sums}).sum(-1)"
    elif origin(type(layer)) is layers.Attention:
        scale, expression = weight_if(layer, "scale"), "{0} @ {1}.transpose(1, 2)"
        expression += "" if scale is None else " * {2}"
    else:
        scale, expression = weight_if(layer, "scale"), "torch.tanh({0}[:, :, None] + {1}[:, None])"
        expression += ".sum(-1)" if scale is None else " @ {2}"
    if scale is not None:
        expression = expression.replace("{2}", emission.parameter(layer, "scale", scale))
    return emission.compute(expression, [query, key], shape, hint="scores")


@writes(layers.MultiHeadAttention, masks=True, several=True)
def multi_head_attention(
    emission: Emission,
    layer: Any,
    inputs: list[Value],
    attention_mask: Value | None = None,
    return_attention_scores: bool = False,
    use_causal_mask: bool = False,
) -> Value:
    """Attention with several heads."""
    query, value, *more = (emission.as_keras(x) for x in inputs)
    key = more[0] if more else value
    if return_attention_scores or len(layer._output_sizes) > 1 or query.rank != 3 or attention_mask is not None:
        raise NotExportable(
            f"{layer}: attention scores as outputs, an attention_mask, an output of several axes and inputs with other "
            f"than 3 axes have no form in plain torch."
        )
    state: dict[str, Tensor] = {}
    for ours, theirs in (("query", "query"), ("key", "key"), ("value", "value"), ("attention_output", "output")):
        own = parameters_of(layer._modules[f"{ours}_projection"], layer)
        state |= {f"{theirs}.{name}": value for name, value in own.items()}
    features = tuple(x.shape[-1] for x in (query, key, value))
    shape = layer.compute_output_shape([x.shape for x in inputs])
    options = {} if layer.use_bias else {"bias": False}
    options |= {"dropout": layer.dropout} if layer.dropout else {}
    numbers = arguments(features, layer.num_heads, layer.key_dim, layer.value_dim, shape[-1], **options)
    name = emission.module(layer, f"MultiHeadAttention({numbers})", state)
    sources = [(query, "[:, None, :, None]"), (value, "[:, None, None]"), *((x, "[:, None, None]") for x in more)]
    masks = [_beside(emission, x.mask, axes, (None, 1, 1, x.shape[1])) for x, axes in sources if x.mask is not None]
    if use_causal_mask:
        masks.append(_causal(emission, query, key))
    allowed = _both(emission, masks)
    values, places = [query, value, key], "{0}, {1}, {2}"
    if allowed is not None:
        values, places = [*values, allowed], places + ", {3}"
    y = emission.compute(f"self.{name}({places})", values, shape, layer=layer)
    y.mask = query.mask
    return y
