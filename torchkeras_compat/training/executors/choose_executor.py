"""Which executor runs the training steps of a model."""

from __future__ import annotations

from ..step.step import Executor, Step
from .inductor import CompiledStep


def choose_executor(step: Step) -> Executor | None:
    """Return what runs a training step; `None` where it runs eagerly, as it stands.

    Args:
        step: The step. One that a user's methods have a part in runs eagerly.
    """
    return CompiledStep(step) if step.config.jit_compile and not step.overrides.present else None
