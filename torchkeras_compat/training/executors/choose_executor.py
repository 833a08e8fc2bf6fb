"""Which executor runs the training steps of a model."""

from __future__ import annotations

import warnings

from ..._core.border import user_stacklevel
from ..step.step import Executor, Step
from .inductor import CompiledStep


def choose_executor(step: Step) -> Executor | None:
    """Return what runs a training step; `None` where it runs eagerly, as it stands.

    Args:
        step: The step. One that a user's methods have a part in runs eagerly.
    """
    if not step.config.jit_compile:
        return None
    if step.overrides.present:
        warnings.warn(
            f"compile(jit_compile=True): steps that {type(step.model).__name__} writes anew are not compiled; "
            f"the model runs eagerly.",
            stacklevel=user_stacklevel(),
        )
        return None
    return CompiledStep(step)
