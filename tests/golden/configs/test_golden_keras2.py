"""Graphs with functions of tensors, as `to_json` writes them, are what Keras 2.15 was shown and computed."""

from __future__ import annotations

import functools
import gzip
import json
from typing import Any

import numpy as np
import pytest

from . import answers
from .support import DATA, builders
from .writing import json_of

# What Keras 2.15 has no function for, or no form, and refuses by the name.
REFUSED = {"functions_of_tensorflow/einsum"}


@functools.cache
def answered() -> dict[str, dict[str, Any]]:
    """Return what Keras 2.15 was shown, and what it answered."""
    with gzip.open(DATA / "written-for-keras-2.15.json.gz", "rt") as file:
        read: dict[str, dict[str, Any]] = json.load(file)
    return read


@pytest.mark.parametrize("name", answered())
def test_what_is_written_for_keras_2_15(name: str) -> None:
    entry = answered()[name]
    model, text = json_of(builders()[name])
    assert json.loads(text) == entry["written"], "Keras 2.15 was shown another configuration: make_keras2_answers.py"
    assert ("refused" in entry) == (name in REFUSED)
    for here, there in zip(answers.answer(model)["outputs"], entry["outputs"]):
        np.testing.assert_allclose(here, there, rtol=1e-4, atol=2e-5)
