"""The scripts of tutorials.py run as they are, and compute what Keras 2.15 computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import torchkeras_compat
import torchkeras_compat.backend as K
from tests.backend.tutorials import TUTORIALS, keras_of

with np.load(Path(__file__).with_name("tutorials_2_15.npz")) as _stored:
    EXPECTED = dict(_stored)


@pytest.mark.parametrize("name", TUTORIALS)
def test_as_keras_2_15(name: str) -> None:
    torchkeras_compat.set_dialect("tf.keras")
    values = TUTORIALS[name](keras_of(torchkeras_compat, torchkeras_compat.optimizers), K)
    assert len(values) == sum(key.startswith(f"{name}/") for key in EXPECTED)
    for i, value in enumerate(values):
        # float32 over some steps, each of which repeats the rounding of those before
        np.testing.assert_allclose(np.asarray(value, "float32"), EXPECTED[f"{name}/{i}"], rtol=1e-3, atol=2e-5)
