"""Functional, subclassed and wrapped models against Keras 2.15: names, outputs, gradients and fifty steps."""

from __future__ import annotations

import json

import pytest

from .case import Case
from .cases import FAMILIES
from .observe import ASPECTS, OPTIMIZERS
from .support import DATA, DIALECT, archive, every_case, hold_to_keras, spec


@pytest.mark.parametrize("aspect", [aspect for aspect in ASPECTS if aspect not in OPTIMIZERS])
@every_case
def test_model(family: str, case: Case, aspect: str) -> None:
    hold_to_keras(family, case, aspect)


RUNS = [("sgd", "default"), ("adam", "default"), ("adam", "captured"), ("adam", "replayed"), ("adam", "compiled")]
FIXTURES = {"captured": "uncompiled", "replayed": "replayed"}


# Models of users' own code run eagerly, and say so.
@pytest.mark.filterwarnings(r"ignore:compile\(jit_compile=True\)", "ignore:steps cannot run as CUDA graphs")
@pytest.mark.filterwarnings(r"ignore:.*trainable was changed after compile")  # as the tutorials of GANs do
@pytest.mark.parametrize(
    ("optimizer", "way"), [pytest.param(*run, marks=pytest.mark.slow if run[1] == "compiled" else ()) for run in RUNS]
)
@every_case
def test_fifty_steps(family: str, case: Case, optimizer: str, way: str, request: pytest.FixtureRequest) -> None:
    if way in FIXTURES:
        request.getfixturevalue(FIXTURES[way])
    hold_to_keras(family, case, optimizer, way)


@pytest.mark.parametrize("family", FAMILIES)
def test_file_is_that_of_the_table(family: str) -> None:
    names = [case.name for case in FAMILIES[family]]
    assert len(names) == len(set(names))
    assert {key.rpartition("/")[0] for key in archive(family)} == set(names)
    for case in FAMILIES[family]:
        assert spec(family, case)["dialect"] == DIALECT
        assert spec(family, case)["keras"].startswith("2.15.")
        assert (case.tolerance is None) == (case.reason == ""), "a looser tolerance gives its reason"


def test_every_file_has_a_table_and_all_are_small() -> None:
    assert {path.stem for path in DATA.glob("*.npz")} == set(FAMILIES)
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 3_000_000
    json.loads((DATA / "facts.json").read_text())
