"""Which executor runs the training steps of a model."""

from __future__ import annotations

import warnings

import torch

from ..._core.border import user_stacklevel
from ..compile_config import CompileConfig
from ..step.forward import ForwardStep
from ..step.step import Executor, Step
from .cuda_graph import GraphStep, record_by_stream
from .forward_graph import ForwardGraphs
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


def choose_forward(step: ForwardStep, config: CompileConfig | None) -> ForwardGraphs | None:
    """Return what runs the forward passes of `predict` on CUDA; `None` where they run eagerly, as they stand.

    Args:
        step: The forward pass.
        config: What `compile` was told, `None` before.
    """
    refused = config is not None and (config.run_eagerly or config.jit_compile is False)
    if refused or step.overrides.predict_step or step.model.stateful or not torch.cuda.is_available():
        return None
    return ForwardGraphs(step, record_by_stream, "cuda")
