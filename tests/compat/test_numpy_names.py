"""Names that numpy has removed are what they were, by numpy's own documentation of that time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from torchkeras_compat.compat import numpy_names


@pytest.fixture(autouse=True)
def names() -> Iterator[None]:
    numpy_names.provide()
    yield
    numpy_names.withdraw()


def of(name: str) -> Any:
    with warnings.catch_warnings():  # numpy releases that still have a name warn of it
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(np, name)


@pytest.mark.parametrize("name", [*numpy_names.REMOVED, *numpy_names.REWRITTEN])
def test_each_name_is_there(name: str) -> None:
    assert of(name) is not None


def test_values() -> None:
    assert of("asscalar")(np.array([3])) == of("asscalar")(np.float32(3)) == 3
    assert type(of("asscalar")(np.array([[2.5]]))) is float
    assert of("asfarray")([1, 2]).dtype == of("asfarray")([1, 2], dtype=int).dtype == np.float64
    assert of("asfarray")([1, 2], dtype="float32").dtype == np.float32
    assert of("msort")(np.array([[3, 1], [2, 4]])).tolist() == [[2, 1], [3, 4]]
    assert of("math") is math
    assert (of("NINF"), of("rank")([[1]]), of("alen")([1, 2])) == (-math.inf, 2, 2)
    assert of("trapz")([1, 2, 3]) == 4
    assert of("round_")(2.567, 1) == 2.6
    assert np.zeros(1, of("int0")).dtype == np.intp
    with pytest.warns(PendingDeprecationWarning, match="matrix"):
        assert isinstance(of("mat")("1 2; 3 4"), np.matrix)
