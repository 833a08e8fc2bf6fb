"""`tf.train`, as far as it needs no graph: checkpoints of objects, and averages of variables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .._core.errors import argument_error
from .._core.weights import Variable, Weight
from ..backend import variable
from ..saving.checkpoint_manager import CheckpointManager
from ..saving.checkpoints import get_checkpoint_state, latest_checkpoint
from ..saving.object_checkpoints import Checkpoint, list_variables, load_checkpoint, load_variable


@dataclass(frozen=True)
class CheckpointOptions:
    """How TensorFlow writes checkpoints; what is asked for here has no effect on one machine.

    Attributes:
        experimental_io_device: Where it runs what writes.
    """

    experimental_io_device: str | None = None


class ExponentialMovingAverage:
    """Averages of variables, in which later values weigh more, as `tf.train` has them.

    Args:
        decay: What the average keeps of itself when it moves.
        num_updates: So many updates have been made: `(1 + n) / (10 + n)` bounds the decay, so that early averages
            move faster.
        zero_debias: Counts for tensors of a graph alone; averages of variables begin with their values.
        name: What stands behind a variable's name in that of its average.

    Example:
        >>> from torchkeras_compat.backend import variable
        >>> v, averages = variable(1.0), ExponentialMovingAverage(0.75)
        >>> averages.apply([v])
        >>> v.assign(5.0).numpy(), averages.apply([v]), float(averages.average(v))
        (np.float32(5.0), None, 2.0)
    """

    def __init__(
        self,
        decay: float,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ) -> None:
        self.decay, self.num_updates, self.zero_debias, self.name = decay, num_updates, zero_debias, name
        self._averages: dict[tuple[int, tuple[str, ...]], tuple[Weight, Variable]] = {}  # by the place of the weight

    def apply(self, var_list: Iterable[Any]) -> None:
        """Move the averages towards the values of the variables; at the first time they begin with these.

        Args:
            var_list: Variables, such as `model.trainable_variables`.

        Raises:
            TypeError: One of them is no variable.
        """
        decay = float(self.decay)
        if self.num_updates is not None:
            updates = float(self.num_updates)
            decay = min(decay, (1 + updates) / (10 + updates))
        for one in var_list:
            weight = self._weight_of(one)
            if weight.place not in self._averages:
                value = one.numpy()
                self._averages[weight.place] = weight, variable(value, str(value.dtype), self.average_name(one))
            average = self._averages[weight.place][1]
            average.assign(average - (average - one) * (1 - decay))

    def average(self, var: Any) -> Variable | None:
        """Return the variable that holds the average of another one, `None` before `apply`.

        Args:
            var: The variable.
        """
        known = self._averages.get(self._weight_of(var).place)
        return None if known is None else known[1]

    def average_name(self, var: Any) -> str:
        """Return what the average of a variable is called.

        Args:
            var: The variable.
        """
        return f"{var.name.partition(':')[0]}/{self.name}"

    def _weight_of(self, var: Any) -> Weight:
        if not isinstance(var, Variable):
            raise argument_error("ExponentialMovingAverage", "var_list", "a list of variables", var, TypeError)
        return var._weight


TRAIN: dict[str, Any] = {
    "Checkpoint": Checkpoint,
    "CheckpointManager": CheckpointManager,
    "CheckpointOptions": CheckpointOptions,
    "ExponentialMovingAverage": ExponentialMovingAverage,
    "get_checkpoint_state": get_checkpoint_state,
    "latest_checkpoint": latest_checkpoint,
    "list_variables": list_variables,
    "load_checkpoint": load_checkpoint,
    "load_variable": load_variable,
}
