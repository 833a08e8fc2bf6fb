"""What Keras 2.15 refuses is refused here: `make_keras_2_15.py` holds the table against it."""

from __future__ import annotations

import pytest

import torchkeras_compat.backend as K
from tests.backend.cases.failures import FAILURES


@pytest.mark.parametrize("name", FAILURES)
def test_refused(name: str) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError, IndexError), match=r"."):
        FAILURES[name](K)
