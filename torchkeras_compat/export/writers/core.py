"""Dense and its like, dropout and noise, embeddings, masks, and the order and shape of axes."""

from __future__ import annotations

from typing import Any

import torch

from ... import layers
from ..._core import settings
from ..emission import Emission, NotExportable, Value, arguments, kept, text, weight, weight_if, writes
from .activations import activate

# --- products --------------------------------------------------------------------------------------------------------


@writes(layers.Dense, layers.TimeDistributedDense)
def dense(emission: Emission, layer: Any, x: Value) -> Value:
    """A linear map of the last axis."""
    x = emission.as_keras(x)
    kernel, bias = weight(layer, "kernel"), weight_if(layer, "bias")
    options = {} if layer.use_bias else {"bias": False}
    constructor = f"nn.Linear({arguments(*kernel.shape, **options)})"
    name = emission.module(layer, constructor, {"weight": kept(torch.t, kernel), "bias": bias})
    y = emission.apply(name, x, layer.compute_output_shape(x.shape), layer=layer)
    return activate(emission, layer, layer.activation, y)


@writes(layers.EinsumDense)
def einsum_dense(emission: Emission, layer: Any, x: Value) -> Value:
    """A product by an equation."""
    x = emission.as_keras(x)
    expression = f"torch.einsum({text(layer.equation)}, {{0}}, {emission.weight(layer, 'kernel')})"
    if layer.bias_axes is not None:
        expression += f" + {emission.weight(layer, 'bias')}"
    y = emission.compute(expression, x, layer.compute_output_shape(x.shape), layer=layer)
    y.mask = None
    return activate(emission, layer, layer.activation, y)


@writes(layers.MaxoutDense)
def maxout_dense(emission: Emission, layer: Any, x: Value) -> Value:
    """The largest of several linear maps."""
    kernels = f'torch.einsum("ni,kio->nko", {{0}}, {emission.weight(layer, "W")})'
    expression = f"({kernels} + {emission.weight(layer, 'b')})" if layer.use_bias else kernels
    return emission.compute(f"{expression}.amax(1)", x, layer.compute_output_shape(x.shape), layer=layer)


@writes(layers.Highway)
def highway(emission: Emission, layer: Any, x: Value) -> Value:
    """A linear map, mixed with its input by a gate."""
    size = x.shape[-1]
    parts = []
    for suffix, kernel, bias in (("", "W", "b"), ("carry", "W_carry", "b_carry")):
        options = {} if layer.use_bias else {"bias": False}
        state = {"weight": kept(torch.t, weight(layer, kernel)), "bias": weight_if(layer, bias)}
        name = emission.module(layer, f"nn.Linear({arguments(size, size, **options)})", state, suffix)
        parts.append(emission.apply(name, x, x.shape, layer=layer))
    new = activate(emission, layer, layer.activation, parts[0])
    return emission.compute("torch.lerp({0}, {1}, {2}.sigmoid())", [x, new, parts[1]], x.shape, layer=layer)


# --- chance ----------------------------------------------------------------------------------------------------------


def _seed(layer: Any) -> str:
    return "" if getattr(layer, "seed", None) is None else "torch's dropout takes no seed of its own"


@writes(layers.Dropout, modes=True)
def dropout(emission: Emission, layer: Any, x: Value) -> Value:
    """Dropout of single elements, or of all along some axes at once."""
    if emission.infers or layer.rate == 0:
        return x
    if layer.noise_shape is not None:
        shape = layer.mask_shape((None, *x.shape[1:]))
        if len(shape) != x.rank or any(n not in (1, size) for n, size in zip(shape[1:], x.shape[1:])):
            raise NotExportable(f"{layer}: noise_shape={layer.noise_shape} has no form in plain torch.")
        dims = tuple(sorted(x.axis(axis) for axis, n in enumerate(shape) if n == 1))
        name = emission.module(layer, f"SharedDropout({text(layer.rate)}, {text(dims)})", note=_seed(layer))
        return emission.apply(name, x, x.shape, x.channels_first, layer)
    name = emission.module(layer, f"nn.Dropout({text(layer.rate)})", note=_seed(layer))
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D, modes=True)
def spatial_dropout(emission: Emission, layer: Any, x: Value) -> Value:
    """Dropout of whole channels."""
    if emission.infers or layer.rate == 0:
        return x
    rank = layer.rank
    x = emission.turned(x, layer.data_format == "channels_last")
    name = emission.module(layer, f"nn.Dropout{rank}d({text(layer.rate)})", note=_seed(layer))
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.GaussianNoise, modes=True)
def gaussian_noise(emission: Emission, layer: Any, x: Value) -> Value:
    """Normal noise in training."""
    if emission.infers:
        return x
    name = emission.module(layer, f"GaussianNoise({text(layer.stddev)})", note=_seed(layer))
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.GaussianDropout, modes=True)
def gaussian_dropout(emission: Emission, layer: Any, x: Value) -> Value:
    """Multiplication by normal noise in training."""
    if emission.infers or not 0 < layer.rate < 1:
        return x
    name = emission.module(layer, f"GaussianDropout({text(layer.rate)})", note=_seed(layer))
    return emission.apply(name, x, x.shape, x.channels_first, layer)


@writes(layers.AlphaDropout, modes=True)
def alpha_dropout(emission: Emission, layer: Any, x: Value) -> Value:
    """Dropout for networks of SELU."""
    if emission.infers or not 0 < layer.rate < 1:
        return x
    if layer.noise_shape is not None:
        raise NotExportable(f"{layer}: noise_shape={layer.noise_shape} has no form in plain torch.")
    name = emission.module(layer, f"nn.AlphaDropout({text(layer.rate)})", note=_seed(layer))
    return emission.apply(name, x, x.shape, x.channels_first, layer)


# --- indices and masks -----------------------------------------------------------------------------------------------


@writes(layers.Embedding)
def embedding(emission: Emission, layer: Any, x: Value) -> Value:
    """A vector for each index."""
    if layer.word_dropout:
        raise NotExportable(f"{layer}: word_dropout has no form in plain torch; write SpatialDropout1D behind it.")
    table = weight(layer, "embeddings")
    constructor = f"nn.Embedding({arguments(layer.input_dim, layer.output_dim)})"
    name = emission.module(layer, constructor, {"weight": table})
    mask = emission.compute("{0} != 0", x, x.shape, hint="mask") if layer.mask_zero else None
    y = emission.apply(name, x, layer.compute_output_shape(x.shape), layer=layer)
    y.mask = mask
    return y


@writes(layers.Masking, masks=True)
def masking(emission: Emission, layer: Any, x: Value) -> Value:
    """Steps of one value throughout do not count, and become zero."""
    x = emission.as_keras(x)
    mask = emission.compute(f"({{0}} != {text(layer.mask_value)}).any(-1)", x, x.shape[:-1], hint="mask")
    y = emission.compute("{0} * {1}.unsqueeze(-1)", [x, mask], x.shape, layer=layer)
    y.mask = mask
    return y


# --- shapes ----------------------------------------------------------------------------------------------------------


@writes(layers.InputLayer)
def input_layer(emission: Emission, layer: Any, x: Value) -> Value:
    """The input itself."""
    return x


@writes(layers.Flatten)
def flatten(emission: Emission, layer: Any, x: Value) -> Value:
    """One axis of all axes but the batch."""
    shape = layer.compute_output_shape(x.shape)
    if x.rank == 1:
        return emission.compute("{0}.unsqueeze(1)", x, shape, ["nn.Unflatten(0, (-1, 1))"], layer=layer)
    x = emission.as_keras(x)
    if layer.data_format == "channels_first" and x.rank > 2:
        order = ", ".join(map(str, (0, *range(2, x.rank), 1)))
        x = emission.compute(f"{{0}}.permute({order})", x, x.shape, [f"Permute({order})"], layer=layer)
    if x.rank == 2:
        return x
    return emission.compute("{0}.flatten(1)", x, shape, ["nn.Flatten()"], layer=layer)


@writes(layers.Reshape)
def reshape(emission: Emission, layer: Any, x: Value) -> Value:
    """Another shape of a sample."""
    x = emission.as_keras(x)
    shape, target = layer.compute_output_shape(x.shape), layer.target_shape
    made = ["nn.Flatten()"] if x.rank > 2 else []
    if target != (-1,):
        made.append(f"nn.Unflatten(1, {text(target)})")
    batch = "{0}.shape[0]" if -1 in target or not target else "-1"
    return emission.compute(f"{{0}}.reshape({batch}, {arguments(*target)})", x, shape, made, layer=layer)


@writes(layers.Permute)
def permute(emission: Emission, layer: Any, x: Value) -> Value:
    """Another order of axes."""
    x = emission.as_keras(x)
    order = arguments(0, *layer.dims)
    shape = layer.compute_output_shape(x.shape)
    return emission.compute(f"{{0}}.permute({order})", x, shape, [f"Permute({order})"], layer=layer)


@writes(layers.RepeatVector)
def repeat_vector(emission: Emission, layer: Any, x: Value) -> Value:
    """The same vector at each step."""
    shape = layer.compute_output_shape(x.shape)
    return emission.compute(f"{{0}}.unsqueeze(1).expand(-1, {layer.n}, -1)", x, shape, layer=layer)


# --- numbers ---------------------------------------------------------------------------------------------------------


def _number(emission: Emission, layer: Any, name: str, value: Any) -> str:
    """Return the text of a number, or of several that are kept as a parameter which does not train."""
    if isinstance(value, (int, float)):
        return text(value)
    return emission.parameter(layer, name, torch.as_tensor(value, dtype=settings.torch_dtype(layer.dtype)))


@writes(layers.Rescaling)
def rescaling(emission: Emission, layer: Any, x: Value) -> Value:
    """A factor and an offset."""
    if not all(isinstance(number, (int, float)) for number in (layer.scale, layer.offset)):
        x = emission.as_keras(x)
    scale, offset = (_number(emission, layer, name, getattr(layer, name)) for name in ("scale", "offset"))
    expression = f"{{0}} * {scale}" + ("" if offset == "0.0" else f" + {offset}")
    return emission.compute(expression, x, x.shape, (), x.channels_first, layer)


@writes(layers.Normalization)
def normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """A mean that is taken away, and a deviation that is divided by."""
    x = emission.as_keras(x)
    mean = layer._statistic("mean").detach().clone()
    deviation = layer._statistic("variance").detach().sqrt().clamp_min(settings.epsilon())
    m, d = (emission.parameter(layer, n, v) for n, v in (("mean", mean), ("deviation", deviation)))
    expression = f"{m} + {{0}} * {d}" if layer.invert else f"({{0}} - {m}) / {d}"
    return emission.compute(expression, x, x.shape, layer=layer)
