"""`import keras` and `import tensorflow` reach this package while a test of this folder runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from torchkeras_compat import compat


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()
