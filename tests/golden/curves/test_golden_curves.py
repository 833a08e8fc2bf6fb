"""Forty steps of random models against Keras 2.15: losses, metrics and predictions."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

from .build import Builder, observe
from .describe import COUNTS, Description, describe, digest
from .directed import DIRECTED

DATA = Path(__file__).resolve().parent / "data"
FILES = (*COUNTS, "directed")
# Forty steps of sums in another order; Keras holds itself to 1e-3 when the first weights move by 1e-7.
TOLERANCE = 5e-4
BY_SIGNS = 2e-3  # the step of Lion is a sign, which the last bit of a gradient near 0 may turn


@functools.cache
def archive(file: str) -> Mapping[str, np.ndarray]:
    """Read a file of the oracle."""
    with np.load(DATA / f"{file}.npz") as stored:
        return {key: stored[key] for key in stored.files}


def names(file: str) -> list[str]:
    """List the models of a file: seeds, or names of those written by hand."""
    return [key.partition("/")[0] for key in archive(file) if key.endswith("/spec")]


def described(file: str, name: str) -> Description:
    """Return the description of a model of a file."""
    return DIRECTED[name] if file == "directed" else describe(int(name), file)


def spec(file: str, name: str) -> dict[str, Any]:
    """Return what is stored of a model beside its arrays."""
    read: dict[str, Any] = json.loads(str(archive(file)[f"{name}/spec"]))
    return read


def expected(file: str, name: str) -> dict[str, np.ndarray]:
    """Return what Keras saw of a model."""
    flat, index = archive(file)[f"{name}/data"], spec(file, name)["arrays_index"]
    return {key: flat[at : at + math.prod(shape)].reshape(shape) for key, (at, shape, _) in index.items()}


EVERY = [pytest.param(file, name, id=f"{file}-{name}") for file in FILES for name in names(file)]


@pytest.mark.parametrize(("file", "name"), EVERY)
def test_curve(file: str, name: str) -> None:
    description = described(file, name)
    tk.set_dialect(description["dialect"])
    seen, wanted = observe(Builder(tk), description), expected(file, name)
    tolerance = BY_SIGNS if description["compile"]["optimizer"]["$"] == "optimizers.Lion" else TOLERANCE
    assert list(seen) == list(wanted)
    for key, array in wanted.items():
        assert seen[key].shape == array.shape, f"{key}: {seen[key].shape}, in Keras {array.shape}"
        np.testing.assert_allclose(seen[key], array, rtol=tolerance, atol=tolerance, err_msg=key)


@pytest.mark.parametrize("file", FILES)
def test_file_is_that_of_the_generator(file: str) -> None:
    listed, passed_over = names(file), json.loads(str(archive(file)["passed_over"]))
    if file == "directed":
        assert listed == list(DIRECTED)
    else:
        assert len(listed) == COUNTS[file]
        assert sorted(map(int, [*listed, *passed_over])) == list(range(max(map(int, listed)) + 1))
    for name in listed:
        assert spec(file, name)["digest"] == digest(described(file, name)), f"{name} has changed; make the file anew"
        assert spec(file, name)["keras"].startswith("2.15.")
    for name, (mark, reason) in passed_over.items():
        assert mark == digest(described(file, name)), f"{name} has changed; make the file anew"
        assert reason
    assert (DATA / f"{file}.npz").stat().st_size < 400_000


@pytest.mark.parametrize("dialect", COUNTS)
def test_a_seed_gives_one_model_and_another_seed_another(dialect: str) -> None:
    drawn = [describe(seed, dialect) for seed in range(1000, 1100)]
    assert len({digest(description) for description in drawn}) == len(drawn)
    for seed, description in zip(range(1000, 1100), drawn):
        assert json.loads(json.dumps(description)) == describe(seed, dialect)
