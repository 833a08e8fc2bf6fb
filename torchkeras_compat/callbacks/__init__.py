"""Callbacks: what runs between the batches and epochs of training."""

from __future__ import annotations

from . import experimental
from .backup import BackupAndRestore
from .base import Callback, CallbackList
from .checkpoint import ModelCheckpoint
from .files import CSVLogger, RemoteMonitor
from .logging import BaseLogger, History, LambdaCallback, ProgbarLogger, TerminateOnNaN
from .monitor import EarlyStopping
from .schedules import LearningRateScheduler, ReduceLROnPlateau
from .tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "TensorBoard",
    "TerminateOnNaN",
    "experimental",
]
