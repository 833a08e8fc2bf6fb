"""What torch does to operations beside running them: records, recasts, compiles, differentiates or maps them.

Gradients that are written out by hand, and kernels that torch knows no derivative of, stand in its way there; what is
composed of torch's own operations does not.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

from .graph_capture import tracing


def is_recorded() -> bool:
    """Tell whether `torch.jit.trace` records."""
    return torch._C._get_tracing_state() is not None


def in_torch_func() -> bool:
    """Tell whether a function is differentiated or mapped by `torch.func`, or forward, without autograd's tape."""
    return torch._C._functorch.peek_interpreter_stack() is not None or forward_ad._current_level >= 0


def is_transformed(x: Tensor) -> bool:
    """Tell whether operations on a tensor are recorded, recast, compiled, differentiated or mapped.

    Args:
        x: The tensor; recasting depends on its device.
    """
    return torch.compiler.is_compiling() or _is_recast(x) or is_recorded() or in_torch_func()


def _is_recast(x: Tensor) -> bool:
    kind = x.device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def is_only_run(x: Tensor) -> bool:
    """Tell whether operations on a tensor are run and recorded by autograd at most, so that kernels of our own may be.

    Args:
        x: The tensor.
    """
    return not tracing() and not is_transformed(x)
