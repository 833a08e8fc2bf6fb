"""What users write gives the numbers of Keras 2.15, and leaves the caller's arrays as they were."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import compat

from . import cases

GOLDEN = json.loads(Path(__file__).with_name("keras_2_15.json").read_text())
# Float32 sums in another order; three epochs of steps add up.
CLOSE = {"rtol": 2e-4, "atol": 2e-6}


def namespace() -> types.SimpleNamespace:
    compat.install()
    from tensorflow import keras

    return types.SimpleNamespace(
        K=keras.backend,
        layers=keras.layers,
        losses=keras.losses,
        regularizers=keras.regularizers,
        constraints=keras.constraints,
        Sequential=keras.Sequential,
        optimizers=keras.optimizers,
    )


@pytest.mark.parametrize("name", cases.CASES)
def test_numbers_are_those_of_keras(name: str) -> None:
    expected, found = GOLDEN[name], cases.run(namespace(), name)
    np.testing.assert_allclose(found["before"], expected["before"], **CLOSE)
    assert list(found["history"]) == list(expected["history"])
    for key, values in expected["history"].items():
        np.testing.assert_allclose(found["history"][key], values, err_msg=key, **CLOSE)
    np.testing.assert_allclose(found["predictions"], expected["predictions"], **CLOSE)
    assert found["counts"] == expected["counts"]
    assert len(found["weights"]) == len(expected["weights"])
    for weight, value in zip(found["weights"], expected["weights"]):
        np.testing.assert_allclose(weight, value, **CLOSE)


@pytest.mark.parametrize(
    "jit", [False, pytest.param(True, marks=pytest.mark.filterwarnings("ignore:compile.jit_compile"))]
)
@pytest.mark.parametrize("name", cases.CASES)
def test_the_callers_arrays_stay_as_they_were(name: str, jit: bool, uncompiled: None) -> None:
    layers, loss, metrics = cases.CASES[name](namespace())
    model = namespace().Sequential(layers)
    model.compile("sgd", loss, metrics=metrics, jit_compile=jit)
    x, y = cases.data()
    kept_x, kept_y = x.copy(), y.copy()
    calls: dict[str, Any] = {
        "fit": lambda: model.fit(x, y, shuffle=False, verbose=0, batch_size=12),
        "evaluate": lambda: model.evaluate(x, y, verbose=0),
        "predict": lambda: model.predict(x, verbose=0),
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "test_on_batch": lambda: model.test_on_batch(x, y),
        "predict_on_batch": lambda: model.predict_on_batch(x),
        "call": lambda: model(x),
    }
    for call, run in calls.items():
        run()
        assert np.array_equal(x, kept_x), call
        assert np.array_equal(y, kept_y), call
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))
