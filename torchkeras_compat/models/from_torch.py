"""A chain of torch modules as a Sequential of Keras layers, with their weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .. import layers
from .._core import settings
from .._core.errors import argument_error
from ..layers.base import Layer
from ..layers.torch_module import TorchModuleWrapper
from .sequential import Sequential

# Layers in a row, each with its weights in Keras's order; a module that has no counterpart gives `None`.
Counterpart = list[tuple[Layer, list[Tensor]]] | None
FIRST: dict[str, Any] = {"data_format": "channels_first"}


def from_torch(module: nn.Module, input_shape: Sequence[int | None] | None = None, name: str | None = None) -> Any:
    """Return a Sequential of Keras layers with the weights and outputs of a chain of torch modules.

    It takes what the modules take: images have their channels first. A module without a counterpart, or set in a way
    that Keras has not, stands in it as it is. Of a recurrent module the layers give the sequence of outputs, which is
    the first of what it returns. Weights are copied, and those that require no gradient do not train.

    Args:
        module: An `nn.Sequential`, chains in it included, or a single module.
        input_shape: The shape of a sample as the first module takes it; found from that module where it says it all.
        name: The model's name.

    Shape:
        Input and output: those of the module.

    Raises:
        TypeError: No module.
        ValueError: The shape of a sample is needed and was not given.

    Example:
        >>> import torch, torchkeras_compat as keras
        >>> chain = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        >>> model = keras.models.from_torch(chain)
        >>> [type(layer).__name__ for layer in model.layers], model.output_shape
        (['Dense', 'Activation', 'Dense'], (None, 2))
        >>> x = torch.rand(3, 4)
        >>> torch.allclose(model(x), chain(x))
        True
    """
    if not isinstance(module, nn.Module):
        raise argument_error("from_torch", "module", "a torch.nn.Module", module, TypeError)
    parts = list(_parts(module, ""))
    if not parts:
        raise argument_error("from_torch", "module", "a chain of at least one module", module)
    shape = _shape_of_first(parts[0][1]) if input_shape is None else tuple(input_shape)
    model = Sequential(name=name)
    kind = _kind_of_input(parts[0][1], module)
    model.add(layers.InputLayer(batch_input_shape=(None, *shape), dtype=kind))
    for part_name, part in parts:
        _append(model, part, part_name)
    own = next(module.parameters(), None)
    return model if own is None else model.to(own.device)


def _parts(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of a chain with the names that somebody gave them."""
    if type(module) is not nn.Sequential:
        yield name, module
        return
    for key, part in module.named_children():
        own = "" if key.isdigit() else key
        yield from _parts(part, "_".join(filter(None, (name, own))))


def _append(model: Any, part: nn.Module, name: str) -> None:
    write = COUNTERPARTS.get(type(part))
    shape = tuple(model.output_shape if model.layers else model.batch_input_shape)
    made = None if write is None else write(part, shape)
    if made is None:
        made = _same_order(part)
    if made is None:
        made = [(TorchModuleWrapper(copy.deepcopy(part), channels_first=False, **_dtype(part)), [])]
    frozen = not any(parameter.requires_grad for parameter in part.parameters())
    for i, (layer, weights) in enumerate(made):
        if name and not any(layer.name == name for layer in model.layers):
            layer.name = name if len(made) == 1 else f"{name}_{i + 1}"
        model.add(layer)
        if weights:
            layer.set_weights([weight.detach().cpu().numpy() for weight in weights])
        if frozen and layer.weights:
            layer.trainable = False


def _same_order(part: nn.Module) -> Counterpart:
    """Return the layer for a module that puts the axes of a sample into another order, as exported models have one."""
    order = getattr(part, "order", None)
    if type(part).__name__ != "Permute" or not isinstance(order, tuple) or order[:1] != (0,):
        return None
    return [(layers.Permute(order[1:]), [])]


def _dtype(part: nn.Module) -> dict[str, Any]:
    own = next((p.dtype for p in part.parameters() if p.is_floating_point()), torch.float32)
    return {} if own == torch.float32 else {"dtype": settings.dtype_name(own)}


def _kind_of_input(first: nn.Module, module: nn.Module) -> str:
    return "int64" if isinstance(first, (nn.Embedding, nn.EmbeddingBag)) else _dtype(module).get("dtype", "float32")


def _shape_of_first(first: nn.Module) -> tuple[int | None, ...]:
    """Return the shape of a sample that the first module takes.

    Raises:
        ValueError: It leaves one open that weights may depend on.
    """
    if isinstance(first, nn.Linear):
        return (first.in_features,)
    if isinstance(first, nn.RNNBase):
        return (None, first.input_size)
    if isinstance(first, nn.Embedding):
        return (None,)
    raise ValueError(
        f"from_torch: {type(first).__name__} takes samples of several shapes; give that of yours, as in "
        f"from_torch(module, input_shape=(3, 32, 32)), channels first."
    )


# --- products and indices --------------------------------------------------------------------------------------------


def _linear(m: nn.Linear, shape: Any) -> Counterpart:
    weights = [m.weight.t(), *_if(m.bias)]
    return [(layers.Dense(m.out_features, use_bias=m.bias is not None, **_dtype(m)), weights)]


def _embedding(m: nn.Embedding, shape: Any) -> Counterpart:
    if m.padding_idx is not None or m.max_norm is not None or m.sparse or m.scale_grad_by_freq:
        return None
    return [(layers.Embedding(m.num_embeddings, m.embedding_dim, **_dtype(m)), [m.weight])]


def _if(*tensors: Any) -> list[Tensor]:
    return [tensor for tensor in tensors if tensor is not None]


# --- convolutions ----------------------------------------------------------------------------------------------------

CONVOLUTIONS: dict[int, Any] = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}
TRANSPOSED: dict[int, Any] = {
    1: layers.Conv1DTranspose,
    2: layers.Conv2DTranspose,
    3: layers.Conv3DTranspose,
}
ZEROS: dict[int, Any] = {1: layers.ZeroPadding1D, 2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}
CROPPING: dict[int, Any] = {1: layers.Cropping1D, 2: layers.Cropping2D, 3: layers.Cropping3D}


def _kernel(weight: Tensor) -> Tensor:
    return weight.movedim((0, 1), (-1, -2))


def _pairs(sizes: Sequence[int]) -> Any:
    pairs = tuple((n, n) for n in sizes)
    return pairs[0] if len(pairs) == 1 else pairs


def _convolution(m: Any, shape: Any) -> Counterpart:
    rank = len(m.kernel_size)
    if m.padding_mode != "zeros" or (max(m.stride) > 1 and max(m.dilation) > 1):
        return None
    padding = "valid" if isinstance(m.padding, tuple) else m.padding
    before: list[tuple[Layer, list[Tensor]]] = []
    if isinstance(m.padding, tuple) and any(m.padding):
        before = [(ZEROS[rank](_pairs(m.padding), **FIRST), [])]
    layer = CONVOLUTIONS[rank](
        m.out_channels,
        m.kernel_size,
        m.stride,
        padding,
        dilation_rate=m.dilation,
        groups=m.groups,
        use_bias=m.bias is not None,
        **FIRST,
        **_dtype(m),
    )
    return [*before, (layer, [_kernel(m.weight), *_if(m.bias)])]


def _transposed(m: Any, shape: Any) -> Counterpart:
    rank = len(m.kernel_size)
    if m.groups != 1 or (max(m.stride) > 1 and max(m.dilation) > 1) or m.padding_mode != "zeros":
        return None
    if any(more >= stride for more, stride in zip(m.output_padding, m.stride)):
        return None
    layer = TRANSPOSED[rank](
        m.out_channels,
        m.kernel_size,
        m.stride,
        output_padding=m.output_padding,
        dilation_rate=m.dilation,
        use_bias=m.bias is not None,
        **FIRST,
        **_dtype(m),
    )
    made: list[tuple[Layer, list[Tensor]]] = [(layer, [_kernel(m.weight), *_if(m.bias)])]
    return [*made, (CROPPING[rank](_pairs(m.padding), **FIRST), [])] if any(m.padding) else made


# --- pooling, sizes and shapes ---------------------------------------------------------------------------------------

MAX: dict[int, Any] = {1: layers.MaxPooling1D, 2: layers.MaxPooling2D, 3: layers.MaxPooling3D}
AVERAGE: dict[int, Any] = {1: layers.AveragePooling1D, 2: layers.AveragePooling2D, 3: layers.AveragePooling3D}
GLOBAL_MAX: dict[int, Any] = {1: layers.GlobalMaxPooling1D, 2: layers.GlobalMaxPooling2D, 3: layers.GlobalMaxPooling3D}
GLOBAL_AVERAGE: dict[int, Any] = {
    1: layers.GlobalAveragePooling1D,
    2: layers.GlobalAveragePooling2D,
    3: layers.GlobalAveragePooling3D,
}
UPSAMPLING: dict[int, Any] = {1: layers.UpSampling1D, 2: layers.UpSampling2D, 3: layers.UpSampling3D}


def _whole(value: Any, rank: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def _pooling(kinds: dict[int, Any], rank: int) -> Callable[[Any, Any], Counterpart]:
    def write(m: Any, shape: Any) -> Counterpart:
        usual_window = not any(_whole(m.padding, rank)) and not m.ceil_mode
        usual = not getattr(m, "return_indices", False) and getattr(m, "divisor_override", None) is None
        if not usual_window or not usual or set(_whole(getattr(m, "dilation", 1), rank)) != {1}:
            return None
        window, stride = _whole(m.kernel_size, rank), _whole(m.stride, rank)
        return [(kinds[rank](window, stride, **FIRST), [])]

    return write


def _global(kinds: Any, rank: int) -> Callable[[Any, Any], Counterpart]:
    def write(m: Any, shape: Any) -> Counterpart:
        if set(_whole(m.output_size, rank)) != {1} or getattr(m, "return_indices", False):
            return None
        return [(kinds[rank](keepdims=True, **FIRST), [])]

    return write


def _upsample(m: nn.Upsample, shape: Any) -> Counterpart:
    rank, factor = len(shape) - 2, m.scale_factor
    factors = () if factor is None else _whole(factor, rank)
    known = rank in UPSAMPLING and factors and all(float(f).is_integer() for f in factors)
    if not known or m.mode not in ("nearest", "bilinear") or m.align_corners:
        return None
    options = {"interpolation": m.mode} if rank == 2 else {}
    if rank != 2 and m.mode != "nearest":
        return None
    size: Any = tuple(int(f) for f in factors)
    return [(UPSAMPLING[rank](size if rank > 1 else size[0], **FIRST, **options), [])]


def _zeros(m: Any, shape: Any) -> Counterpart:
    sizes = list(m.padding)
    pairs = tuple((sizes[i], sizes[i + 1]) for i in range(len(sizes) - 2, -1, -2))
    rank = len(pairs)
    if any(n < 0 for n in sizes):
        return None
    return [(ZEROS[rank](pairs[0] if rank == 1 else pairs, **FIRST), [])]


def _flatten(m: nn.Flatten, shape: Any) -> Counterpart:
    if m.start_dim != 1 or m.end_dim not in (-1, len(shape) - 1):
        return None
    return [(layers.Flatten(data_format="channels_last"), [])]


def _unflatten(m: nn.Unflatten, shape: Any) -> Counterpart:
    sizes = m.unflattened_size
    if m.dim not in (1, -1) or len(shape) != 2 or not all(isinstance(n, int) for n in sizes):
        return None
    return [(layers.Reshape(tuple(sizes)), [])]


# --- normalisation and chance ----------------------------------------------------------------------------------------


def _batch_norm(m: Any, shape: Any) -> Counterpart:
    if m.momentum is None or not m.track_running_stats:
        return None
    layer = layers.BatchNormalization(
        axis=1, momentum=1 - m.momentum, epsilon=m.eps, center=m.affine, scale=m.affine, **_dtype(m)
    )
    return [(layer, _if(m.weight, m.bias, m.running_mean, m.running_var))]


def _layer_norm(m: nn.LayerNorm, shape: Any) -> Counterpart:
    axes = list(range(-len(m.normalized_shape), 0))
    scale, center = m.weight is not None, m.bias is not None
    axis = axes[0] if len(axes) == 1 else axes
    layer = layers.LayerNormalization(axis=axis, epsilon=m.eps, center=center, scale=scale, **_dtype(m))
    return [(layer, _if(m.weight, m.bias))]


def _group_norm(m: nn.GroupNorm, shape: Any) -> Counterpart:
    layer = layers.GroupNormalization(m.num_groups, axis=1, epsilon=m.eps, center=m.affine, scale=m.affine, **_dtype(m))
    return [(layer, _if(m.weight, m.bias))]


def _dropout(m: nn.Dropout, shape: Any) -> Counterpart:
    return [(layers.Dropout(m.p), [])] if m.p < 1 else None


# --- recurrent modules -----------------------------------------------------------------------------------------------

GATES = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}  # torch's gates in Keras's order


def _gates(m: nn.RNNBase, weight: Tensor) -> Tensor:
    parts = weight.chunk(len(GATES[m.mode.split("_")[0]]))
    return torch.cat([parts[i] for i in GATES[m.mode.split("_")[0]]])


def _weights_of(m: nn.RNNBase, depth: int, suffix: str) -> list[Tensor]:
    kernel, recurrent = (_gates(m, getattr(m, f"weight_{n}_l{depth}{suffix}")).t() for n in ("ih", "hh"))
    if not m.bias:
        return [kernel, recurrent]
    one, other = (_gates(m, getattr(m, f"bias_{n}_l{depth}{suffix}")) for n in ("ih", "hh"))
    return [kernel, recurrent, torch.stack([one, other]) if m.mode == "GRU" else one + other]


def _recurrent_layer(m: nn.RNNBase) -> Any:
    options = {"use_bias": m.bias, "return_sequences": True, **_dtype(m)}
    if m.mode == "LSTM":
        return layers.LSTM(m.hidden_size, recurrent_activation="sigmoid", **options)
    if m.mode == "GRU":
        return layers.GRU(m.hidden_size, recurrent_activation="sigmoid", reset_after=True, **options)
    return layers.SimpleRNN(m.hidden_size, activation=m.mode.split("_")[1].lower(), **options)


def _recurrent(m: Any, shape: Any) -> Counterpart:
    if not m.batch_first or m.proj_size:
        return [(TorchModuleWrapper(copy.deepcopy(m), output_index=0, channels_first=False), [])]
    made: list[tuple[Layer, list[Tensor]]] = []
    for depth in range(m.num_layers):
        if depth and m.dropout:
            made.append((layers.Dropout(m.dropout), []))
        layer, weights = _recurrent_layer(m), _weights_of(m, depth, "")
        if m.bidirectional:
            layer, weights = layers.Bidirectional(layer), [*weights, *_weights_of(m, depth, "_reverse")]
        made.append((layer, weights))
    return made


# --- activations -----------------------------------------------------------------------------------------------------

ACTIVATIONS: dict[type, str] = {
    nn.ReLU: "relu",
    nn.SELU: "selu",
    nn.Mish: "mish",
    nn.SiLU: "swish",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.Softsign: "softsign",
}


def _activation(m: nn.Module, shape: Any) -> Counterpart:
    return [(layers.Activation(ACTIVATIONS[type(m)]), [])]


def _softplus(m: nn.Softplus, shape: Any) -> Counterpart:
    return [(layers.Activation("softplus"), [])] if (m.beta, m.threshold) == (1.0, 20.0) else None


def _gelu(m: nn.GELU, shape: Any) -> Counterpart:
    return [(layers.Activation("gelu"), [])] if m.approximate == "none" else None


def _softmax(m: nn.Softmax, shape: Any) -> Counterpart:
    if m.dim is None or m.dim % len(shape) == 0:
        return None
    axis = -1 if m.dim % len(shape) == len(shape) - 1 else m.dim
    return [(layers.Activation("softmax") if axis == -1 else layers.Softmax(axis=axis), [])]


def _prelu(m: nn.PReLU, shape: Any) -> Counterpart:
    rank = len(shape)
    shared = list(range(1 if m.num_parameters == 1 else 2, rank))
    sizes = [1] * (rank - 1) if m.num_parameters == 1 else [m.num_parameters, *[1] * (rank - 2)]
    return [(layers.PReLU(shared_axes=shared or None, **_dtype(m)), [m.weight.reshape(sizes)])]


COUNTERPARTS: dict[type, Callable[[Any, Any], Counterpart]] = {
    nn.Linear: _linear,
    nn.Embedding: _embedding,
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), _convolution),
    **dict.fromkeys((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), _transposed),
    **{kind: _pooling(MAX, rank) for rank, kind in enumerate((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), 1)},
    **{kind: _pooling(AVERAGE, rank) for rank, kind in enumerate((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), 1)},
    nn.AdaptiveMaxPool1d: _global(GLOBAL_MAX, 1),
    nn.AdaptiveMaxPool2d: _global(GLOBAL_MAX, 2),
    nn.AdaptiveMaxPool3d: _global(GLOBAL_MAX, 3),
    nn.AdaptiveAvgPool1d: _global(GLOBAL_AVERAGE, 1),
    nn.AdaptiveAvgPool2d: _global(GLOBAL_AVERAGE, 2),
    nn.AdaptiveAvgPool3d: _global(GLOBAL_AVERAGE, 3),
    **dict.fromkeys((nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d), _zeros),
    nn.Upsample: _upsample,
    nn.Flatten: _flatten,
    nn.Unflatten: _unflatten,
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), _batch_norm),
    nn.LayerNorm: _layer_norm,
    nn.GroupNorm: _group_norm,
    nn.Dropout: _dropout,
    nn.Dropout2d: lambda m, shape: [(layers.SpatialDropout2D(m.p, **FIRST), [])],
    nn.Dropout3d: lambda m, shape: [(layers.SpatialDropout3D(m.p, **FIRST), [])],
    nn.AlphaDropout: lambda m, shape: [(layers.AlphaDropout(m.p), [])],
    **dict.fromkeys((nn.LSTM, nn.GRU, nn.RNN), _recurrent),
    **dict.fromkeys(ACTIVATIONS, _activation),
    nn.Softplus: _softplus,
    nn.GELU: _gelu,
    nn.Softmax: _softmax,
    nn.PReLU: _prelu,
    nn.LeakyReLU: lambda m, shape: [(layers.LeakyReLU(m.negative_slope), [])],
    nn.ELU: lambda m, shape: [(layers.ELU(m.alpha), [])],
    nn.ReLU6: lambda m, shape: [(layers.ReLU(max_value=6.0), [])],
    nn.Identity: lambda m, shape: [(layers.Activation("linear"), [])],
}
