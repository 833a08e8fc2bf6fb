"""The files hold the tables' cases, no fewer and no more, and stay small."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from .support import DATA, load

TABLES = {
    "activations": ("activations", ["CASES"]),
    "initializers": ("initializers", ["CASES"]),
    "regularizers": ("regularizers", ["CASES"]),
    "losses": ("losses", ["LOSSES"]),
    "metrics": ("losses", ["METRICS"]),
    "schedules": ("optimizers", ["SCHEDULE_CASES"]),
    "optimizers": ("optimizers", ["CASES"]),
    "layers_core": ("layers_core", ["DENSE", "CORE"]),
    "layers_norm": ("layers_core", ["NORMALIZATION"]),
    "layers_conv": ("layers_conv", ["CONVOLUTIONAL"]),
    "layers_transposed": ("layers_conv", ["TRANSPOSED"]),
    "layers_separable": ("layers_conv", ["SEPARABLE"]),
    "layers_local": ("layers_local", ["LOCAL", "EINSUM", "IDENTITY"]),
    "layers_recurrent": ("layers_recurrent", ["RECURRENT"]),
    "layers_cudnn": ("layers_cudnn", ["CUDNN"]),
    "layers_conv_lstm": ("layers_conv_lstm", ["CONV_LSTM"]),
    "layers_cells": ("layers_cells", ["CELLS"]),
    "layers_calls": ("layers_calls", ["CALLS"]),
    "layers_options": ("layers_options", ["OPTIONS"]),
    "layers_spatial": ("layers_spatial", ["SPATIAL"]),
    "layers_pointwise": ("layers_pointwise", ["POINTWISE"]),
    "layers_scaling": ("layers_preprocessing", ["SCALING"]),
    "preparing": ("layers_preprocessing", ["PREPARING"]),
    "training": ("training training_more", ["CASES"]),
}


def _tabled(family: str) -> dict[str, dict[str, Any]]:
    modules, lists = TABLES[family]
    tables = [importlib.import_module(f"{__package__}.cases.{module}") for module in modules.split()]
    return {case["name"]: case for table in tables for name in lists for case in getattr(table, name)}


@pytest.mark.parametrize("family", list(TABLES))
def test_file_is_that_of_the_table(family: str) -> None:
    tabled = _tabled(family)
    stored = {golden.name: golden.spec for golden in load(family)}
    refused = {name for name in set(tabled) - set(stored) if name.startswith("string_")}
    assert set(stored) == set(tabled) - refused
    for name, spec in stored.items():
        wanted = json.loads(json.dumps(tabled[name]))
        assert {key: spec[key] for key in wanted} == wanted, name


@pytest.mark.parametrize("family", list(TABLES))
def test_every_case_names_its_dialect_and_its_oracle(family: str) -> None:
    for golden in load(family):
        assert golden.dialect in ("tf.keras", "keras-2.15")
        assert golden.spec["keras"].startswith("2.15.")


def test_every_file_has_a_table_and_all_are_small() -> None:
    assert {path.stem for path in DATA.glob("*.npz")} == set(TABLES)
    sizes = [path.stat().st_size for path in DATA.glob("*.npz")]
    assert max(sizes) < 700_000
    assert sum(sizes) < 6_000_000
