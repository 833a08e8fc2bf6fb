"""Reading what Keras 2.15 wrote down, and holding what is seen here to it."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

from ..support import TOLERANCE, WAYS, close
from . import torch_steps
from .case import Case
from .cases import FAMILIES
from .observe import Observed, Observer

DATA = Path(__file__).resolve().parent / "data"
DIALECT = "keras-2.15"


@functools.cache
def archive(family: str) -> Mapping[str, np.ndarray]:
    """Read the file of a family."""
    with np.load(DATA / f"{family}.npz") as stored:
        return {key: stored[key] for key in stored.files}


@functools.cache
def facts() -> dict[str, dict[str, Any]]:
    """Read what is no number."""
    read: dict[str, dict[str, Any]] = json.loads((DATA / "facts.json").read_text())
    return read


def spec(family: str, case: Case) -> dict[str, Any]:
    """Return what is stored of a case beside its arrays."""
    read: dict[str, Any] = json.loads(str(archive(family)[f"{case.name}/spec"]))
    return read


def expected(family: str, case: Case, aspect: str) -> Observed:
    """Return what Keras showed of an aspect of a case."""
    stored, flat = spec(family, case), archive(family)[f"{case.name}/data"]
    arrays = {}
    for key, (offset, shape, dtype) in stored["arrays_index"].items():
        if key.startswith(f"{aspect}/"):
            values = flat[offset : offset + math.prod(shape)]
            arrays[key[len(aspect) + 1 :]] = values.astype(dtype).reshape(shape)
    return Observed(stored["facts"][aspect], arrays)


def every_case(test: Callable[..., None]) -> Any:
    """Parametrise a test over all cases."""
    listed = [pytest.param(f, case, id=f"{f}-{case.name}") for f, cases in FAMILIES.items() for case in cases]
    return pytest.mark.parametrize(("family", "case"), listed)(test)


def without_operations(layers: list[str]) -> list[str]:
    """Drop the layers that Keras makes of operators and of added losses: their names are TensorFlow's."""
    return [name for name in layers if not name.startswith(("tf.", "add_loss", "add_metric"))]


def hold_to_keras(family: str, case: Case, aspect: str, way: str = "default") -> None:
    """Build a case here and compare one aspect of it with the golden file."""
    tk.set_dialect(DIALECT)
    observer = Observer(case, tk, torch_steps, spec(family, case)["weights"], **WAYS[way])
    seen, wanted = getattr(observer, aspect)(), expected(family, case, aspect)
    for name, fact in wanted.facts.items():
        here = json.loads(json.dumps(seen.facts[name]))
        if name == "layers":
            here, fact = without_operations(here), without_operations(fact)
        assert here == fact, f"{aspect}: {name}: {here}, in Keras {fact}"
    for name, array in wanted.arrays.items():
        close(seen.arrays[name], array, f"{aspect}: {name}", case.tolerance or TOLERANCE)
