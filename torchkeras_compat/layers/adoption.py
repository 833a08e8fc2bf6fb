"""What a user's layer holds beside `add_weight`: torch modules, parameters, and lists of layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


def adopt(layer: Any, device: torch.device) -> tuple[nn.Module, ...]:
    """Enter all that a user's layer holds into its weight table, and return the torch modules in it.

    Keras tracks lists of layers and torch tracks parameters; here both train, count and are saved.

    Args:
        layer: The layer, just built.
        device: Where it was built.
    """
    _register_lists(layer)
    parts = dict(_torch_modules(layer, ""))
    known = {id(p) for weight in layer.table() for p in weight.parameters}
    for path, module in {"": layer, **parts}.items():
        for name, tensor in [*_own(module._parameters), *_own(module._buffers)]:
            if id(tensor) in known:
                continue
            if tensor.device != device:
                tensor.data = tensor.data.to(device)
            learns = isinstance(tensor, nn.Parameter) and tensor.requires_grad
            layer.weight(f"{path}{name}", module, name, trainable=learns)
    return tuple(parts.values())


def _own(tensors: dict[str, Any]) -> list[tuple[str, torch.Tensor]]:
    return [(name, tensor) for name, tensor in tensors.items() if tensor is not None]


def _register_lists(layer: Any) -> None:
    for name, value in list(vars(layer).items()):
        if name.startswith("_") or not isinstance(value, (list, tuple, dict)):
            continue
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if isinstance(item, nn.Module) and all(item is not known for known in layer._modules.values()):
                layer._modules[f"{name}_{key}"] = item


def _torch_modules(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the torch modules below `module`, without going into layers, which speak for themselves."""
    for name, child in module.named_children():
        if not getattr(child, "is_layer", False):
            yield f"{path}{name}.", child
            yield from _torch_modules(child, f"{path}{name}.")
