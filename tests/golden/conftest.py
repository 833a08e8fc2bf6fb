"""Fixtures of the golden tests; `device` is in the conftest.py at the root."""

from __future__ import annotations

import warnings

import pytest

from .support import WAYS, marks_of


@pytest.fixture(params=[pytest.param(way, marks=marks_of(way)) for way in WAYS])
def way(request: pytest.FixtureRequest) -> str:
    """Name one way of running the training step."""
    if request.param != "default":  # the one kind of step in the golden cases that runs eagerly, and says so
        warnings.filterwarnings("ignore", r".* rows are clipped together")
        warnings.filterwarnings("ignore", r".*ConvLSTM\dD.* its steps run one by one in Python")
    if request.param == "captured":
        request.getfixturevalue("uncompiled")
    if request.param == "replayed":
        request.getfixturevalue("replayed")
    return str(request.param)
