"""Computing in a short type with weights in float32: policies, and the optimizer that scales losses for it."""

from __future__ import annotations

from .loss_scale_optimizer import LossScaleOptimizer
from .policy import Policy, global_policy, set_global_policy

__all__ = ["LossScaleOptimizer", "Policy", "global_policy", "set_global_policy"]
