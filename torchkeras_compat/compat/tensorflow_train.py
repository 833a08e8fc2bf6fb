"""`tf.train`, as far as it needs no graph: checkpoints of objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


TRAIN: dict[str, Any] = {
    "Checkpoint": Checkpoint,
    "CheckpointManager": CheckpointManager,
    "CheckpointOptions": CheckpointOptions,
    "get_checkpoint_state": get_checkpoint_state,
    "latest_checkpoint": latest_checkpoint,
    "list_variables": list_variables,
    "load_checkpoint": load_checkpoint,
    "load_variable": load_variable,
}
