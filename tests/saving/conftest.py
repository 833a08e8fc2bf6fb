"""Settings and fixtures of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

# They run in the oracle's environment, which has TensorFlow.
collect_ignore = ["make_function_graphs.py", "make_keras_files.py", "make_classic_weights.py", "make_safetensors.py"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test puts its file of weights."""
    return tmp_path / "weights.h5"
