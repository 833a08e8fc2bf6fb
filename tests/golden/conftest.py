"""Fixtures of the golden tests; `device` is in the conftest.py at the root."""

from __future__ import annotations

import pytest

from .support import WAYS


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> str:
    """Name one way of running the training step."""
    return str(request.param)
