"""Which executor runs the training steps of a model."""

from __future__ import annotations

import warnings

from ..._core.border import user_stacklevel
from ..step.step import Executor, Step
from .cuda_graph import GraphStep, record_by_stream
from .inductor import CompiledStep


def choose_executor(step: Step, device: str) -> Executor | None:
    """Return what runs a training step; `None` where it runs eagerly, as it stands.

    On CUDA steps become CUDA graphs unless `compile` was told otherwise: a graph of the eager step takes no compiler,
    and no waiting for one.

    Args:
        step: The step. One that a user's methods have a part in runs eagerly.
        device: The kind of device that the model is on.
    """
    asked = step.config.jit_compile
    by_default = asked is None and not step.config.run_eagerly and device == "cuda"
    if not asked and not by_default:
        return None
    if step.overrides.present:
        told = GraphStep.announces if by_default else CompiledStep.announces
        warnings.warn(
            f"{told}: steps that {type(step.model).__name__} writes anew are not compiled; the model runs eagerly.",
            stacklevel=user_stacklevel(),
        )
        return None
    return GraphStep(step, record_by_stream) if device == "cuda" else CompiledStep(step)
