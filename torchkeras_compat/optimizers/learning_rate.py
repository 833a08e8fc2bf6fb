"""The learning rate of each step: a number, a schedule, or a function that is asked before each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._core import registry
from .._core.weights import Variable
from .hyperparameters import usual_number
from .schedules import LearningRateSchedule

Rate = float | LearningRateSchedule | Callable[[], Any] | Mapping[str, Any]


class Followed:
    """A variable of the user's that is the learning rate, whatever it is set to.

    Args:
        variable: The variable.
    """

    def __init__(self, variable: Variable) -> None:
        self.variable = variable

    def __call__(self) -> float:
        """Return its value."""
        return float(self.variable.numpy())


class LearningRate:
    """The learning rate of one optimizer.

    The number stands in torch's parameter group, where torch's schedulers set it and callbacks read it; under a
    schedule the rate of the last step is written there.

    Args:
        owner: The name of the optimizer's class, for errors.
        group: The parameter group, with an entry `'lr'`.

    Attributes:
        schedule: What the rate follows, `None` for a number.
    """

    def __init__(self, owner: str, group: dict[str, Any]) -> None:
        self.owner, self.group = owner, group
        self.schedule: LearningRateSchedule | Callable[[], Any] | None = None

    def set(self, value: Any, iteration: int) -> None:
        """Set the rate.

        Args:
            value: A number, a schedule or its configuration, or a function without arguments.
            iteration: The next step.
        """
        if isinstance(value, Mapping):
            value = registry.get("schedule", dict(value))
        if isinstance(self.schedule, Followed) and not callable(value):
            self.schedule.variable.assign(value)
            self.group["lr"] = self.current(iteration)
        elif isinstance(value, LearningRateSchedule) or callable(value):
            self.schedule = value
            self.group["lr"] = self.current(iteration)
        else:
            self.group["lr"] = usual_number(self.owner, "learning_rate", value)
            self.schedule = None

    def current(self, iteration: int) -> float:
        """Return the rate of a step before `decay`."""
        schedule = self.schedule
        if schedule is None:
            return float(self.group["lr"])
        return float(schedule(iteration) if isinstance(schedule, LearningRateSchedule) else schedule())

    def of_step(self, iteration: int, decay: float) -> float:
        """Return the rate that a step uses.

        Args:
            iteration: The step, from 0.
            decay: The rate is divided by `1 + decay * iteration`.
        """
        if self.schedule is not None:
            self.group["lr"] = self.current(iteration)
        rate = float(self.group["lr"])
        return rate / (1.0 + decay * iteration) if decay else rate
