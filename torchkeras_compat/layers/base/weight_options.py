"""What layers with weights share: options such as `kernel_initializer`, and weights entered under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ... import constraints, initializers, regularizers
from ..._core import settings
from ..._core.weights import IDENTITY, Codec, Weight
from . import Layer

M = TypeVar("M", bound=nn.Module)
_GET = {"initializer": initializers.get, "regularizer": regularizers.get, "constraint": constraints.get}


def keep_options(layer: Layer, **options: Any) -> None:
    """Store arguments such as `kernel_initializer` or `bias_constraint` as the objects they name."""
    for name, value in options.items():
        setattr(layer, name, _GET[name.rpartition("_")[2]](value))


def options_of(layer: Layer, name: str) -> dict[str, Any]:
    """Return the initializer, regularizer and constraint that `keep_options` stored for a weight."""
    return {option: getattr(layer, f"{name}_{option}", None) for option in _GET}


class _Uninitialized(TorchFunctionMode):
    """Leaves new parameters as they are where torch would draw numbers for them.

    `nn.utils.skip_init` goes by way of meta tensors, for which torch imports SymPy and its compiler: half a second to
    one, and some 30 MB, for the first layer of a process.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init" or func in _DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


_DRAWS = {Tensor.uniform_, Tensor.normal_}


def bare(module: Callable[..., M], *args: Any, **kwargs: Any) -> M:
    """Return a new torch module on the default device with empty parameters, which the layer's initialisers fill."""
    with _Uninitialized():
        return module(*args, **kwargs)


def enter_weight(
    layer: Layer,
    name: str,
    module: nn.Module,
    attribute: str,
    codec: Codec = IDENTITY,
    *,
    trainable: bool = True,
    options: str | None = None,
) -> Weight:
    """Enter a weight into the table of `layer`, under the options that `keep_options` stored for it.

    Args:
        layer: Whose weight it is.
        name: The Keras name.
        module: The module that holds the parameter.
        attribute: Its name there.
        codec: The way between the two layouts.
        trainable: `False` for what training never changes.
        options: What the options are named after, where it is not the weight: `depthwise_initializer`.
    """
    chosen = options_of(layer, options or name)
    return layer._enter_weight(name, module, attribute, codec, trainable=trainable, **chosen)


def make_weight(layer: Layer, name: str, module: nn.Module, shape: Sequence[int]) -> Weight:
    """Make a parameter of `module` for a weight that no module of torch has, and enter it under its options."""
    dtype = settings.torch_dtype(layer.dtype)
    module.register_parameter(name, nn.Parameter(torch.empty(tuple(shape), dtype=dtype)))
    return enter_weight(layer, name, module, name)
