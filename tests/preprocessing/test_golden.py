"""`preprocessing` gives the numbers of Keras 2.15 for the same seed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from torchkeras_compat.preprocessing import image, sequence, text

pytest.importorskip("PIL", reason="the cases hold pictures")
pytest.importorskip("scipy", reason="the cases hold splines")

# Linear interpolation is done in float64 here and in scipy; tf.image.resize computes in float32, and so does the
# singular value decomposition behind zca_whitening.
TOLERANCES = {"resize": 2e-5, "flow/zca": 2e-5}


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_golden", Path(__file__).with_name("make_golden.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
GOLDEN = dict(np.load(SCRIPT.DATA, allow_pickle=False))


@pytest.fixture(scope="module")
def ours() -> dict[str, np.ndarray]:
    return SCRIPT.compute(image, sequence, text)


def test_every_case_has_a_golden_array(ours: dict[str, np.ndarray]) -> None:
    assert ours.keys() == GOLDEN.keys()


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_equals_keras(name: str, ours: dict[str, np.ndarray]) -> None:
    got, expected = ours[name], GOLDEN[name]
    assert got.shape == expected.shape
    if expected.dtype.kind in "iuSU":
        np.testing.assert_array_equal(got, expected)
        return
    assert got.dtype == expected.dtype
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    tolerance = next((t for prefix, t in TOLERANCES.items() if name.startswith(prefix)), 1e-6)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * scale)
