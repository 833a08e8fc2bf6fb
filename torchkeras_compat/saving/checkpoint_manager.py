"""`tf.train.CheckpointManager`: numbered checkpoints in a folder, of which the latest are kept."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Any

from .._core.errors import argument_error
from .checkpoints import CheckpointState, checkpoint_exists, get_checkpoint_state, write_state
from .object_checkpoints import Checkpoint


class CheckpointManager:
    """Keeps several checkpoints in a folder and removes old ones.

    Args:
        checkpoint: What is written.
        directory: The folder; the checkpoints that it has are known from its file `checkpoint`.
        max_to_keep: How many are kept; all if `None`.
        keep_checkpoint_every_n_hours: One in so many hours is kept beside these.
        checkpoint_name: What files are called before their number.
        step_counter: A variable that counts steps.
        checkpoint_interval: How many steps there are at least between two checkpoints.
        init_fn: Called by `restore_or_initialize` where there is no checkpoint.

    Raises:
        ValueError: `max_to_keep` below 1, or an interval without a counter.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Any = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise argument_error("CheckpointManager", "max_to_keep", "a positive integer or None", max_to_keep)
        if checkpoint_interval is not None and step_counter is None:
            raise argument_error("CheckpointManager", "step_counter", "a variable beside checkpoint_interval", None)
        self.checkpoint = checkpoint
        self.directory = os.fspath(directory)
        self.checkpoint_interval = checkpoint_interval
        self._most, self._hours, self._name = max_to_keep, keep_checkpoint_every_n_hours, checkpoint_name
        self._step_counter, self._init_fn = step_counter, init_fn
        self._last_step: int | None = None
        self._times: dict[str, float] = {}  # path → when it was written, the oldest first
        self._preserved = time.time()
        self._latest: str | None = None
        self._take_over()

    def _take_over(self) -> None:
        """Take on the checkpoints that the folder has."""
        state = get_checkpoint_state(self.directory)
        if state is None:
            return
        times = state.all_model_checkpoint_timestamps
        if len(times) != len(state.all_model_checkpoint_paths):
            times = [self._preserved] * len(state.all_model_checkpoint_paths)
        kept = {path: at for path, at in zip(state.all_model_checkpoint_paths, times) if checkpoint_exists(path)}
        self._times = dict(sorted(kept.items(), key=lambda item: item[1]))
        self._preserved = state.last_preserved_timestamp or self._preserved
        if checkpoint_exists(state.model_checkpoint_path):
            self._latest = state.model_checkpoint_path
        self._sweep()

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the latest checkpoint, for `restore`; `None` where there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The paths of those that are kept, the oldest first."""
        return list(self._times)

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None) -> str | None:
        """Write a checkpoint, remove those that are too many, and return its path.

        Args:
            checkpoint_number: The number in its name, such as the step; the next one if `None`.
            check_interval: Whether `checkpoint_interval` counts.
            options: As in `Checkpoint.write`.

        Returns:
            The path; `None` where too few steps have passed.
        """
        if self.checkpoint_interval is not None:
            step = int(self._step_counter)
            if check_interval and self._last_step is not None and step < self._last_step + self.checkpoint_interval:
                return None
            self._last_step = step
        counter = self.checkpoint.save_counter
        counter.assign_add(1)
        number = int(counter if checkpoint_number is None else checkpoint_number)
        path = self.checkpoint.write(os.path.join(self.directory, f"{self._name}-{number}"), options)
        self._times.pop(path, None)
        self._times[path] = time.time()
        self._latest = path
        # The folder's file names the new one before old ones go, so that it never names one that is gone.
        self._note()
        if self._sweep():
            self._note()
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the latest checkpoint, or call `init_fn` where there is none.

        Returns:
            The path of what was restored, or `None`.
        """
        if self._latest is None:
            if self._init_fn is not None:
                self._init_fn()
            return None
        self.checkpoint.restore(self._latest)
        if self._step_counter is not None:
            self._last_step = int(self._step_counter)
        return self._latest

    def _note(self) -> None:
        folder = os.path.expanduser(self.directory)
        names = [os.path.relpath(path, self.directory) for path in self._times]
        latest = os.path.relpath(self._latest or "", self.directory)
        write_state(folder, CheckpointState(latest, names, list(self._times.values()), self._preserved))

    def _sweep(self) -> bool:
        """Remove the oldest that are too many, and tell whether there were any."""
        swept = False
        while self._most and len(self._times) > self._most:
            path = next(iter(self._times))
            at = self._times.pop(path)
            swept = True
            if self._hours is not None and at - 3600 * self._hours >= self._preserved:
                self._preserved = at
                continue
            with contextlib.suppress(FileNotFoundError):  # somebody has removed it already
                os.unlink(os.path.expanduser(path))
        return swept
