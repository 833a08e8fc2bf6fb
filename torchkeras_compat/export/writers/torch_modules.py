"""Modules of torch in a model: by the call that makes them where they are torch's own, else as they are."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from ... import layers
from ..emission import Emission, ModuleText, NotExportable, Value, arguments, sizes, writes

NOT_KEPT = object()  # stands for an argument that a module does not keep


@writes(layers.TorchModuleWrapper, masks=True)
def torch_module(emission: Emission, layer: Any, x: Value) -> Value:
    """A module of torch, as it is."""
    module, shape = layer.module, layer.compute_output_shape(x.shape)
    if layer.output_index is not None:
        raise NotExportable(f"{layer}: output_index={layer.output_index} has no form in plain torch yet.")
    x = emission.turned(x, bool(layer.channels_first))
    name = emission.name(layer)
    if name not in emission.modules:
        state = {key: value.detach().clone() for key, value in module.state_dict().items()}
        still = frozenset(key for key, parameter in module.named_parameters() if not parameter.requires_grad)
        constructor = constructor_of(module)
        instance = None if constructor else copy.deepcopy(module)
        emission.modules[name] = ModuleText(constructor or "nn.Identity()", state, still, instance=instance)
    return emission.apply(name, x, shape, x.channels_first, layer)


def constructor_of(module: nn.Module) -> str | None:
    """Return the call that makes a module of torch's own; `None` where what the module keeps does not say it."""
    kind = type(module)
    if getattr(nn, kind.__name__, None) is not kind:
        return None
    if kind is nn.Sequential:
        parts = [constructor_of(part) for part in module.children()]
        named = [name for name, _ in module.named_children()] != [str(i) for i in range(len(parts))]
        return None if None in parts or named else f"nn.Sequential({', '.join(filter(None, parts))})"
    parameters = _parameters(kind)
    values = {name: _argument(module, name) for name in parameters}
    required = [values[name] for name, parameter in parameters.items() if parameter.default is parameter.empty]
    if any(module.children()) or NOT_KEPT in required:
        return None
    options = {
        name: values[name]
        for name, parameter in parameters.items()
        if parameter.default is not parameter.empty and values[name] not in (NOT_KEPT, parameter.default)
    }
    with torch.device("meta"):
        made = kind(*required, **options)
    return f"nn.{kind.__name__}({arguments(*required, **options)})" if _settings(made) == _settings(module) else None


def _parameters(kind: type[nn.Module]) -> dict[str, inspect.Parameter]:
    """Return the parameters by which a kind of modules is made; recurrent ones have most of them in their base."""
    if issubclass(kind, nn.RNNBase):
        shared = dict(inspect.signature(nn.RNNBase).parameters)
        del shared["mode"]
        own = {"nonlinearity": inspect.signature(nn.RNNCell).parameters["nonlinearity"]} if kind is nn.RNN else {}
        return shared | own
    parameters = inspect.signature(kind).parameters
    return {name: p for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def _argument(module: nn.Module, name: str) -> Any:
    """Return what a module was made with, as far as it keeps that by the name of the argument."""
    value = getattr(module, name, NOT_KEPT)
    if name == "bias" and (value is None or isinstance(value, nn.Parameter)):
        return value is not None or getattr(module, "weight", None) is None  # without a weight there is none either
    if isinstance(value, tuple) and isinstance(module, _ConvNd):
        return sizes(value)
    return value


def _settings(module: nn.Module) -> tuple[dict[str, Any], dict[str, torch.Size]]:
    """Return what a module computes by: the attributes that are its own, and the shapes of its weights by name."""
    attributes = {k: v for k, v in vars(module).items() if not k.startswith("_") and k != "training"}
    return attributes, {name: value.shape for name, value in module.state_dict().items()}
