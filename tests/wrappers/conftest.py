"""Estimators are imported here as their time imported them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from torchkeras_compat import compat

collect_ignore_glob = ["cases.py", "make_*.py", "tutorials/*"]  # they import Keras, and have no doctests


@pytest.fixture(autouse=True, scope="package")
def facades() -> Iterator[None]:
    """Let `import keras` and `import tensorflow` reach this package."""
    compat.install()
    yield
    compat.uninstall()
