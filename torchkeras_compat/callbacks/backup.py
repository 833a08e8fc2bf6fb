"""`BackupAndRestore`: training that was interrupted goes on where it stood."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from .._core import registry
from .._core.errors import positive_int
from .base import Callback


@registry.register("callback")
class BackupAndRestore(Callback):
    """Keeps backups of a training, and lets the next `fit` with the same folder go on from the newest one.

    A resumed training equals one that was never interrupted, on the CPU bit for bit: a backup has the weights, the
    optimizer, the random numbers, the place in the data, and what the other callbacks know, all of one step.  `History`
    has the epochs that its own `fit` ended, as in Keras.  The hooks of this callback follow those of all others.

    The last two backups are kept, so that one that turns out to be damaged costs no training.  A generator, which
    cannot be rewound, has to be a new one in a new process, and is advanced by the batches that were taken; a
    `Sequence` is told of each epoch that has ended once more.

    Args:
        backup_dir: The folder; of no other training at the same time.
        save_freq: `'epoch'`, a number of batches after which a backup is written, or `False` for none.
        delete_checkpoint: Whether the backups are removed when training has come to its end.
        save_before_preemption: Whether a backup is written, too, when the process is told to end by SIGTERM.

    Raises:
        ValueError: No backup is ever to be written; or, when training begins, that in the folder is another training's.

    Example:
        >>> import os, tempfile
        >>> import numpy as np, torchkeras_compat as keras
        >>> folder, x, y = tempfile.mkdtemp(), np.ones((8, 2)), np.ones(8)
        >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
        >>> model.compile('sgd', 'mse')
        >>> class Cut(keras.callbacks.Callback):
        ...     def on_epoch_begin(self, epoch, logs=None):
        ...         if epoch == 4:
        ...             raise RuntimeError('power cut')
        >>> def fit(*others):
        ...     backup = keras.callbacks.BackupAndRestore(folder)
        ...     return model.fit(x, y, epochs=10, verbose=0, callbacks=[backup, *others])
        >>> try:
        ...     _ = fit(Cut())
        ... except RuntimeError as error:
        ...     print(error)
        power cut
        >>> fit().epoch
        [4, 5, 6, 7, 8, 9]
    """

    _runs_last = True
    _training_state: Any = None  # of the `fit` that runs, which hands it out

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
    ) -> None:
        super().__init__()
        self.backup_dir = os.fspath(backup_dir)
        often = save_freq in ("epoch", False, None)
        self.save_freq = save_freq if often else positive_int("BackupAndRestore", "save_freq", save_freq)
        self.delete_checkpoint = bool(delete_checkpoint)
        self.save_before_preemption = bool(save_before_preemption)
        if not save_freq and not save_before_preemption:
            raise ValueError(
                "BackupAndRestore: no backup would be written; give save_freq='epoch' or a number of batches, or "
                "save_before_preemption=True."
            )
        self._epoch = 0
        self._batches = 0  # since the last backup
        self._restored: Any = None
        self._preemption = Preemption()
        self._counts_batches = not often or self.save_before_preemption  # only then are hooks of batches called

    def _idle_hooks(self) -> tuple[Any, ...]:
        return () if self._counts_batches else (BackupAndRestore.on_train_batch_end,)

    def _reads_logs(self, size: int) -> bool:
        hooks = (type(self).on_batch_end, type(self).on_train_batch_end)
        return hooks != (Callback.on_batch_end, BackupAndRestore.on_train_batch_end)

    def _state_of_fit(self) -> Any:
        if self._training_state is None:
            raise RuntimeError("BackupAndRestore works inside fit alone; pass it to fit(callbacks=[…]).")
        return self._training_state

    def on_train_begin(self, logs: Any = None) -> None:
        """Go on from a backup, if there is one."""
        self._batches = 0
        self._restored = self._state_of_fit().restore(self.backup_dir)
        if self.save_before_preemption:
            self._preemption.watch()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch; where it had begun before, undo what hooks have done at its beginning for a second time."""
        self._epoch = epoch
        restored, self._restored = self._restored, None
        if restored is not None and restored["batches"] is not None:
            self._state_of_fit().put_back(restored)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write a backup when it is time."""
        super().on_train_batch_end(batch, logs)
        if not self._counts_batches:
            return
        self._batches += 1
        due = self.save_freq not in ("epoch", False, None) and self._batches >= self.save_freq
        if due or self._preemption.told:
            self._back_up(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a backup when it is time."""
        if self.save_freq == "epoch" or self._preemption.told:
            self._back_up(epoch + 1, None)

    def _back_up(self, epoch: int, batches: int | None) -> None:
        self._batches = 0
        self._state_of_fit().back_up(self.backup_dir, epoch, batches)
        self._preemption.obey()

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the backups of a training that has come to its end; those of an interrupted one stay."""
        self._preemption.stop()
        state = self._state_of_fit()
        if self.delete_checkpoint and state.finished:
            state.delete_backups(self.backup_dir)


class Preemption:
    """Takes a SIGTERM as the announcement that the process has to end, so that something can be saved before it does.

    Only the main thread can; elsewhere, and in place of a handler of the application's, nothing is watched.

    Attributes:
        told: Whether one has come.
    """

    def __init__(self) -> None:
        self.told = False
        self._previous: Any = None

    def watch(self) -> None:
        """Begin to watch."""
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._previous = signal.signal(signal.SIGTERM, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.told = True

    def obey(self) -> None:
        """End the process as it was told to, if it was."""
        if self.told:
            self.stop()
            signal.raise_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Watch no longer."""
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)
            self._previous = None
