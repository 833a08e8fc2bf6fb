"""The networks, layer by layer and number by number, against what Keras 2.15 wrote down (`make_architectures.py`)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import applications
from torchkeras_compat import backend as K
from torchkeras_compat._core import dialects

from . import describing, drawn_numbers

RECORD = json.loads(gzip.decompress((Path(__file__).parent / "architectures.json.gz").read_bytes()))


@pytest.fixture(autouse=True)
def dialect() -> Iterator[None]:
    K.clear_session()
    with dialects.using("keras-2.15"):
        yield
    K.clear_session()


def cases() -> list[Any]:
    """Return the graphs, those with a hundred megabytes of weights and more as slow, and variations of deep ones."""
    large = {
        case
        for case, graph in RECORD["graphs"].items()
        if graph["parameters"] > 3e7 or (":" in case and graph["layers"] > 400)
    }
    return [pytest.param(case, marks=[pytest.mark.slow] if case in large else []) for case in describing.cases()]


@pytest.mark.parametrize("case", cases())
def test_the_graph_is_that_of_keras(case: str) -> None:
    name, arguments = describing.cases()[case]
    model = getattr(applications, name)(weights=None, **arguments)
    expected = RECORD["graphs"][case]
    text = describing.lines(model)
    if "lines" in expected:
        assert text == expected.pop("lines")
    assert text[-3:] == expected["last"]
    assert json.loads(json.dumps(describing.digest(model))) == expected


@pytest.mark.parametrize(("name", "arguments"), drawn_numbers.CASES)
def test_it_computes_what_keras_does(name: str, arguments: dict[str, Any]) -> None:
    model = getattr(applications, name)(weights=None, **arguments)
    expected = np.array(RECORD["outputs"][name])
    # Sums of thousands of products over up to 120 layers, in another order
    np.testing.assert_allclose(drawn_numbers.outputs(model), expected, rtol=2e-3, atol=2e-4)
