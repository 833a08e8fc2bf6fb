"""Where a tensor is, for the few places that compute in another way there.

The functions are called by their module (`devices.on_cuda`), so that tests can walk the ways of CUDA on the CPU.
"""

from __future__ import annotations

import torch
from torch import Tensor

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
