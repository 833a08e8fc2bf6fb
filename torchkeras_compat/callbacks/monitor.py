"""What callbacks that watch one value share, and `EarlyStopping`."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._core import registry
from .._core.border import user_stacklevel
from .._core.progress import say
from .base import Callback

# Words in the name of a metric of which more, or less, is better when `mode='auto'`. Keras itself knows `acc` alone in
# some callbacks, and so lowers the rate or keeps the worst model where an AUC is watched.
MAXIMISED = frozenset(
    "auc auroc auprc precision recall sensitivity specificity f1 fbeta fmeasure iou miou dice jaccard kappa r2 mcc "
    "matthews psnr ssim".split()
)
MINIMISED = frozenset("loss error distance divergence".split())
MODES = ("auto", "min", "max")


class Monitor(Callback):
    """What they share: which value, whether it improved, and what to say when it is not there.

    Args:
        monitor: The name of the value in `logs`.
        mode: `'min'`, `'max'` or `'auto'`, which goes by the name.

    Attributes:
        monitor_op: Whether its first argument is better than its second one; subclasses of users' call and replace it.
    """

    monitor_op: Callable[[Any, Any], Any]

    def __init__(self, monitor: str, mode: str = "auto") -> None:
        super().__init__()
        self.monitor = monitor
        self.mode = mode if mode in MODES else "auto"
        if mode not in MODES:
            warnings.warn(
                f"{type(self).__name__}(mode={mode!r}): mode must be 'auto', 'min' or 'max'; it is taken as 'auto'.",
                stacklevel=user_stacklevel(),
            )
        maximise = self.mode == "max" or (self.mode == "auto" and more_is_better(monitor))
        self.monitor_op = np.greater if maximise else np.less
        self.best = self.worst

    @property
    def maximise(self) -> bool:
        """Whether more is better."""
        return self.monitor_op == np.greater

    @property
    def worst(self) -> float:
        """The value that everything improves on."""
        return -math.inf if self.maximise else math.inf

    def improved(self, value: float, best: float) -> bool:
        """Tell whether `value` is better than `best`; NaN never is."""
        return bool(self.monitor_op(value, best))

    def get_monitor_value(self, logs: Mapping[str, Any] | None) -> float | None:
        """Return the monitored value; `None`, with a warning, when there is none."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            known = ", ".join(logs or ())
            warnings.warn(
                f"{type(self).__name__}(monitor={self.monitor!r}): no such value in logs; there are: {known}.",
                stacklevel=user_stacklevel(),
            )
        return None if value is None else float(value)


def more_is_better(name: str) -> bool:
    """Tell whether more of a metric is better, by its name.

    Example:
        >>> [more_is_better(name) for name in ('val_acc', 'auc_1', 'f1_score', 'val_loss', 'mae', 'accuracy_loss')]
        [True, True, True, False, False, False]
    """
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    if words & MINIMISED:
        return False
    return "acc" in name.lower() or "io_u" in name.lower() or bool(words & MAXIMISED)


@registry.register("callback")
class EarlyStopping(Monitor):
    """Stops training when a value has not improved for some epochs.

    Args:
        monitor: The value.
        min_delta: The least change that counts.
        patience: Epochs without improvement after which training stops.
        verbose: Whether to say so.
        mode: `'min'`, `'max'` or `'auto'`.
        baseline: A value that has to be beaten.
        restore_best_weights: Whether the model gets the weights of its best epoch at the end, however it ends.
        start_from_epoch: Epochs before the first that counts.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.callbacks.EarlyStopping(monitor='val_acc', patience=2).maximise
        True
    """

    _backed_up = ("best", "wait", "stopped_epoch", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode)
        self.min_delta = abs(float(min_delta)) * (1 if self.maximise else -1)  # what Keras's own formula takes off
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def improved(self, value: float, best: float) -> bool:
        """Tell whether `value` is better than `best` by more than `min_delta`; NaN never is."""
        return bool(self.monitor_op(value - self.min_delta, best))

    def _begin(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = self.worst
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Start afresh."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the value with the best so far."""
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
        self.wait += 1
        if self.improved(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improved(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            self._restore()

    def _restore(self) -> None:
        """Give the model its best weights, once."""
        if self.best_weights is None:
            return
        if self.verbose:
            say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
        self.model.set_weights(self.best_weights)
        self.best_weights = None

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights where that has not been done yet, and say where training stopped."""
        self._restore()
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
