"""Callbacks: what runs between the batches and epochs of training."""

from __future__ import annotations

from .base import Callback, CallbackList
from .logging import (
    BaseLogger,
    CSVLogger,
    History,
    LambdaCallback,
    ProgbarLogger,
    RemoteMonitor,
    TerminateOnNaN,
)
from .monitor import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from .schedules import LearningRateScheduler

__all__ = [
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
    "TerminateOnNaN",
]
