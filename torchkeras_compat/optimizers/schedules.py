"""Learning-rate schedules: functions of the step, as Keras 2.15 defines them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import registry, settings
from .._core.config import Configurable
from .._core.errors import argument_error, show
from .._core.user_tensors import hand_out, take_back
from .float_scalars import FloatScalar


@registry.base("schedule")
class LearningRateSchedule(Configurable):
    """Base of schedules: `schedule(step)` is the learning rate of a step.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import LearningRateSchedule
        >>> class Halving(LearningRateSchedule):
        ...     def __init__(self, start):
        ...         self.start = start
        ...     def __call__(self, step):
        ...         return self.start * 0.5 ** int(step)
        >>> Halving(1.0)(2)
        0.25
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of `step`, an int or a tensor of one number."""
        raise NotImplementedError(f"{type(self).__name__} must write __call__(self, step).")


def of_each_step(rate: Callable[[Any, Any], float]) -> Callable[[Any, Any], Any]:
    """Let a formula for one step take arrays and tensors of them: it gives a tensor of rates then, as in Keras.

    Args:
        rate: Computes the rate of a step, given the schedule and the step.
    """

    @functools.wraps(rate)
    def call(self: Any, step: Any) -> Any:
        if not getattr(step, "ndim", 0):
            return FloatScalar(rate(self, step))
        steps = np.asarray(take_back(step).detach().cpu() if isinstance(step, Tensor) else step)
        rates = np.reshape([rate(self, one) for one in steps.ravel()], steps.shape)
        return hand_out(torch.as_tensor(rates, dtype=settings.torch_dtype(settings.floatx())))

    return call


def _steps(owner: str, argument: str, value: Any) -> Any:
    if float(value) <= 0:
        raise argument_error(owner, argument, "a positive number", value)
    return value


@registry.register("schedule")
class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate · decay_rate^(step / decay_steps)`.

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: The number of steps in which the rate is multiplied by `decay_rate`.
        decay_rate: That factor.
        staircase: Whether to round the exponent down.
        name: Kept for the configuration.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import ExponentialDecay
        >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _steps("ExponentialDecay", "decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    @of_each_step
    def __call__(self, step: Any) -> Any:
        """Return the learning rate of `step`, or those of an array or tensor of steps, as a tensor."""
        periods = float(step) / self.decay_steps
        periods = math.floor(periods) if self.staircase else periods
        return float(self.initial_learning_rate * self.decay_rate**periods)


@registry.register("schedule")
class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate · step / decay_steps)`.

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: The unit of time, in steps.
        decay_rate: How much the denominator grows in it.
        staircase: Whether to count whole units only.
        name: Kept for the configuration.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import InverseTimeDecay
        >>> InverseTimeDecay(0.1, decay_steps=1, decay_rate=1.0)(3)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _steps("InverseTimeDecay", "decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    @of_each_step
    def __call__(self, step: Any) -> Any:
        """Return the learning rate of `step`, or those of an array or tensor of steps, as a tensor."""
        periods = float(step) / self.decay_steps
        periods = math.floor(periods) if self.staircase else periods
        return float(self.initial_learning_rate / (1.0 + self.decay_rate * periods))


@registry.register("schedule", "PiecewiseConstant")
class PiecewiseConstantDecay(LearningRateSchedule):
    """One value up to and with each boundary, the last one after them.

    Args:
        boundaries: Increasing steps.
        values: One value more than boundaries.
        name: Kept for the configuration.

    Raises:
        ValueError: The two lengths do not fit.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import PiecewiseConstantDecay
        >>> schedule = PiecewiseConstantDecay([10], [0.1, 0.01])
        >>> schedule(10), schedule(11)
        (0.1, 0.01)
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str | None = None) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay: values must be one more than boundaries; got {len(values)} values for "
                f"{len(boundaries)} boundaries, {show(boundaries)}."
            )
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    @of_each_step
    def __call__(self, step: Any) -> Any:
        """Return the learning rate of `step`, or those of an array or tensor of steps, as a tensor."""
        passed = sum(float(step) > float(boundary) for boundary in self.boundaries)
        return float(self.values[passed])


@registry.register("schedule")
class PolynomialDecay(LearningRateSchedule):
    """`(initial − end) · (1 − step / decay_steps)^power + end`, constant after `decay_steps`.

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: When the end is reached.
        end_learning_rate: The rate from there on.
        power: The exponent; 1 is a straight line.
        cycle: Whether to stretch `decay_steps` to its next multiple instead of staying at the end.
        name: Kept for the configuration.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import PolynomialDecay
        >>> PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _steps("PolynomialDecay", "decay_steps", decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    @of_each_step
    def __call__(self, step: Any) -> Any:
        """Return the learning rate of `step`, or those of an array or tensor of steps, as a tensor."""
        now, length = float(step), float(self.decay_steps)
        if self.cycle:
            length *= max(1, math.ceil(now / length))
        else:
            now = min(now, length)
        fall = self.initial_learning_rate - self.end_learning_rate
        return float(fall * (1.0 - now / length) ** self.power + self.end_learning_rate)


@registry.register("schedule")
class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to `alpha` times it, after an optional linear warm-up (Loshchilov, 2016).

    Args:
        initial_learning_rate: The rate of step 0.
        decay_steps: The length of the half cosine.
        alpha: What share of the rate remains at its end.
        name: Kept for the configuration.
        warmup_target: The rate that the warm-up reaches and the cosine starts from; `None` for no warm-up.
        warmup_steps: The length of the warm-up.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import CosineDecay
        >>> round(CosineDecay(0.1, decay_steps=10)(5), 6)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str | None = None,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _steps("CosineDecay", "decay_steps", decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    @of_each_step
    def __call__(self, step: Any) -> Any:
        """Return the learning rate of `step`, or those of an array or tensor of steps, as a tensor."""
        now, start = float(step), self.initial_learning_rate
        if self.warmup_target is not None:
            if now < self.warmup_steps:
                return float((self.warmup_target - start) * now / self.warmup_steps + start)
            now, start = now - self.warmup_steps, self.warmup_target
        fraction = min(now, float(self.decay_steps)) / self.decay_steps
        return float(start * _cosine(fraction, self.alpha))


@registry.register("schedule")
class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each `t_mul` times as long and starting `m_mul` times as high (SGDR, 2016).

    Args:
        initial_learning_rate: The rate of step 0.
        first_decay_steps: The length of the first half cosine.
        t_mul: How much longer each is than the one before.
        m_mul: How much higher it starts.
        alpha: What share of the rate remains at the end of each.
        name: Kept for the configuration.

    Example:
        >>> from torchkeras_compat.optimizers.schedules import CosineDecayRestarts
        >>> CosineDecayRestarts(0.1, first_decay_steps=10)(10)
        0.1
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _steps("CosineDecayRestarts", "first_decay_steps", first_decay_steps)
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    @of_each_step
    def __call__(self, step: Any) -> Any:
        """Return the learning rate of `step`, or those of an array or tensor of steps, as a tensor."""
        fraction = float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restarts = math.floor(fraction)
            fraction -= restarts
        else:
            # the rounding keeps a step on a boundary from falling into the period before
            passed = math.log(1.0 - fraction * (1.0 - self.t_mul)) / math.log(self.t_mul)
            restarts = math.floor(round(passed, 9))
            length = self.t_mul**restarts
            fraction = (fraction - (1.0 - length) / (1.0 - self.t_mul)) / length
        return float(self.initial_learning_rate * _cosine(fraction, self.alpha, self.m_mul**restarts))


def _cosine(fraction: float, alpha: float, height: float = 1.0) -> float:
    return (1.0 - alpha) * 0.5 * height * (1.0 + math.cos(math.pi * fraction)) + alpha


def serialize(learning_rate_schedule: LearningRateSchedule, use_legacy_format: bool = False) -> dict[str, Any]:
    """Return the configuration of a schedule; both formats of Keras 2.15 are one here."""
    config: dict[str, Any] = registry.serialize("schedule", learning_rate_schedule)
    return config


def deserialize(
    config: dict[str, Any], custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False
) -> LearningRateSchedule:
    """Make the schedule that a configuration describes.

    Args:
        config: `{'class_name': …, 'config': …}`.
        custom_objects: The user's classes by name.
        use_legacy_format: Accepted; both formats of Keras 2.15 are one here.
    """
    with registry.custom_object_scope(custom_objects):
        schedule: LearningRateSchedule = registry.get("schedule", config)
        return schedule
