"""What this package writes for Keras 3 is what that Keras was shown, and computes here what it computed there."""

from __future__ import annotations

import functools
import gzip
import json
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import stored_configs
from torchkeras_compat.compat.operations_in_files import operation_of_keras_3

from . import answers
from .support import DATA, builders, users_classes
from .writing import COMPILED, DIALECT, WEIGHTS, compiled, evaluated, small_model, written

LOOSER = {"frozen_and_mixed": 0.02}  # a sum in bfloat16 ends in another last bit


@functools.cache
def answered() -> dict[str, dict[str, dict[str, Any]]]:
    """Return what Keras 3 was shown, and what it answered."""
    with gzip.open(DATA / "written-for-keras-3.15.json.gz", "rt") as file:
        read: dict[str, dict[str, dict[str, Any]]] = json.load(file)
    return read


@pytest.mark.filterwarnings("ignore:.*add_loss was given is not in the configuration")  # of a function
@pytest.mark.parametrize("name", answered()["models"])
def test_what_is_written_for_keras_3(name: str) -> None:
    entry = answered()["models"][name]
    model, config, problems = written(builders()[name])
    assert config == entry["written"], "Keras 3 was shown another configuration: make_keras3_answers.py"
    assert [str(problem) for problem in problems] == entry["problems"]
    if "outputs" in entry:
        seen = answers.answer(model)
        for here, there in zip(seen["outputs"], entry["outputs"]):
            np.testing.assert_allclose(here, there, rtol=1e-4, atol=LOOSER.get(name, 2e-5))


@pytest.mark.filterwarnings("ignore:.*add_loss was given is not in the configuration")  # of a function
@pytest.mark.parametrize("name", answered()["models"])
def test_what_is_written_for_keras_3_is_read_here(name: str) -> None:
    model, config, _ = written(builders()[name])
    if '"__lambda__"' in json.dumps(config) or not model.built:
        return
    here = answers.answer(model)
    with stored_configs.reading(config, "3.15.0", DIALECT):
        again = tk.models.model_from_config(config, users_classes(name, {"keras": config}, always=True))
    there = answers.answer(again, *answers.like(here, again))
    assert there["names"] == here["names"]
    for first, second in zip(here["outputs"], there["outputs"]):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", COMPILED)
def test_how_a_model_is_compiled_for_keras_3(name: str) -> None:
    entry = answered()["compiled"][name]
    _, config, problems, seen = compiled(name)
    assert config == entry["written"], "Keras 3 was shown another configuration: make_keras3_answers.py"
    assert problems == []
    np.testing.assert_allclose(seen, entry["evaluated"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", COMPILED)
def test_what_keras_3_was_compiled_with_compiles_here(name: str) -> None:
    entry = answered()["compiled"][name]
    tk.set_dialect(DIALECT)
    model = small_model(tk, name)
    model.set_weights(WEIGHTS)
    with stored_configs.reading(entry["written"], "3.15.0", DIALECT):
        model.compile_from_config(entry["written"])
    np.testing.assert_allclose(evaluated(model), entry["evaluated"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "told", "served"),
    [
        ("Round", {"decimals": 0}, True),
        ("Round", {"decimals": 2}, False),
        ("Max", {"axis": 1, "initial": None}, True),
        ("Max", {"axis": 1, "initial": 0}, False),
        ("Normalize", {"axis": 1, "order": 2, "epsilon": None}, True),
        ("Normalize", {"axis": 1, "order": 1}, False),
    ],
)
def test_arguments_of_operations_that_have_no_place_here(name: str, told: dict[str, Any], served: bool) -> None:
    if served:
        operation_of_keras_3(name, told)
        return
    with pytest.raises(ValueError, match="is not served here"):
        operation_of_keras_3(name, told)
