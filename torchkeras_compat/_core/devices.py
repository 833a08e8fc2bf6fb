"""Where a tensor is, for the few places that compute in another way there.

The functions are called by their module (`devices.on_cuda`), so that tests can walk the ways of CUDA on the CPU.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

HAS_ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def on_cuda(tensor: Tensor) -> bool:
    """Tell whether torch computes on a tensor by its CUDA kernels.

    Args:
        tensor: Any tensor.
    """
    return tensor.device.type == "cuda"


def on_host(tensor: Tensor) -> bool:
    """Tell whether the values of a tensor can be read without waiting for a device.

    Args:
        tensor: Any tensor.
    """
    return tensor.device.type == "cpu"


def in_full_floats_on_host(tensor: Tensor) -> bool:
    """Tell whether ways that pay on a CPU, and in no short floats, are open to a tensor.

    Args:
        tensor: Any tensor.
    """
    return tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64)


def ends_by_assertion(device: torch.device) -> bool:
    """Tell whether a kernel that meets a wrong index stops the device for the whole process instead of raising.

    Args:
        device: Where the kernel runs.
    """
    return device.type == "cuda"


def on_onednn(tensor: Tensor) -> bool:
    """Tell whether oneDNN's kernels take a tensor.

    Args:
        tensor: Any tensor.
    """
    return (
        tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and HAS_ONEDNN
        and torch._C._get_mkldnn_enabled()
        and tensor.numel() > 0
    )


def home_of(module: nn.Module) -> tuple[torch.device | None, torch.dtype | None]:
    """Return where a module is and in which floats it computes, `None` for what none of its parameters tells.

    The first parameter of floats in the modules inside tells it: what a user's layer or model holds beside them may be
    a counter, or a number of another type. A layer that casts what comes in tells it only where no other
    does. A walk over `module.parameters()` would take five times as long.

    Args:
        module: The module.
    """
    casting = None
    for child in module._modules.values():
        inside = None if child is None else _first_parameter(child, of_floats=True)
        if inside is not None and not vars(child).get("_casts"):
            return inside.device, inside.dtype
        casting = inside if casting is None else casting
    if casting is not None:
        return casting.device, casting.dtype
    own = _first_parameter(module)
    if own is None:
        return None, None
    told = own.is_floating_point() and all(getattr(child, "built", True) for child in module._modules.values())
    return own.device, own.dtype if told else None


def _first_parameter(module: nn.Module, of_floats: bool = False) -> nn.Parameter | None:
    for parameter in module._parameters.values():
        if parameter is not None and (not of_floats or parameter.is_floating_point()):
            return parameter
    for child in module._modules.values():
        inside = None if child is None else _first_parameter(child, of_floats)
        if inside is not None:
            return inside
    return None
