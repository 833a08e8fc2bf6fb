"""The moving average of weights (`use_ema`): kept in a slot, it replaces them every so many steps or at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from . import foreach
from .foreach import Tensors
from .slots import Scalars

SLOT = "average"


def average_scalars(momentum: float, every: int | None, iteration: int) -> dict[str, float]:
    """Return the numbers of a step: the share of the new weights, and 1 where the average replaces them.

    Args:
        momentum: The share of the old average.
        every: The number of steps after which it replaces the weights, again and again; never if `None`.
        iteration: The step, from 0.
    """
    return {"ema": 1.0 - momentum, "overwrite": 1.0 if every and (iteration + 1) % every == 0 else 0.0}


def follow(averages: Tensors, params: Tensors, scalars: Scalars, every: int | None) -> None:
    """Let averages follow parameters that have been stepped, and replace them where it is time."""
    foreach.lerp_(averages, params, scalars["ema"])
    overwrite = scalars["overwrite"]
    if every and (isinstance(overwrite, Tensor) or overwrite):
        foreach.lerp_(params, averages, overwrite)


def replace_by_averages(params: Iterable[Tensor], state: Mapping[Tensor, Mapping[str, Tensor]]) -> None:
    """Put the averages in place of the parameters that have one."""
    for param in params:
        if SLOT in state.get(param, {}):
            param.copy_(state[param][SLOT])
