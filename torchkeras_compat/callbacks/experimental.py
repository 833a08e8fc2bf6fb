"""The name that `BackupAndRestore` had before Keras 2.8."""

from __future__ import annotations

from .backup import BackupAndRestore

__all__ = ["BackupAndRestore"]
