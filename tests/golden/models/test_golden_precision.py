"""Mixed precision against Keras 2.15: types, configurations, errors, loss scales and losses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

from .facts import FACTS
from .support import DIALECT, facts

TABLE = FACTS["precision"]
NUMBERS = ("types_of_layers", "trajectories", "losses_of_a_small_net", "losses_and_metrics_of_short_outputs")


def _seen(name: str) -> Any:
    tk.set_dialect(DIALECT)
    return json.loads(json.dumps(TABLE[name](tk)))


def _keras(name: str) -> Any:
    return facts()["precision"][name]


@pytest.mark.parametrize("name", [name for name in TABLE if name not in NUMBERS])
def test_types_and_configurations(name: str) -> None:
    assert _seen(name) == _keras(name)


def test_types_of_layers() -> None:
    """Where Keras has no kernel, for short floats on the CPU in places, it tells what a layer computes in alone."""
    seen, keras = _seen("types_of_layers"), _keras("types_of_layers")
    assert set(seen) == set(keras)
    assert {n: types for n, types in seen.items() if not types.startswith(keras[n])} == {}
    assert {n for n, types in keras.items() if ";" not in types} < {n for n in keras if "mixed_bf" not in n}
    assert {n for n, types in seen.items() if ";" in types} == set(seen)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "rmsprop, a schedule", "clipped", "as made"])
def test_the_way_of_the_loss_scale(name: str) -> None:
    seen, keras = (_rows(side("trajectories")[name]) for side in (_seen, _keras))
    np.testing.assert_array_equal(seen[:, :3], keras[:, :3])  # scale, counter, steps
    np.testing.assert_allclose(seen[:, 3:], keras[:, 3:], rtol=1e-4, atol=2e-5)  # weights, written with five digits


def _rows(lines: list[str]) -> np.ndarray:
    return np.array([[float(number) for number in line.split()] for line in lines])


# A short float has 11 bits (float16) or 8 (bfloat16): a sum of some twenty products is off by a unit of the last place
# of its terms, 2**-11 or 2**-8, and twenty steps of Adam, which divides by the size of gradients, add up several such.
TOLERANCES = {"float32": 1e-4, "float64": 1e-4, "mixed_float16": 3e-3, "mixed_bfloat16": 2e-2}


@pytest.mark.parametrize("policy", TOLERANCES)
def test_losses_of_a_small_net(policy: str) -> None:
    seen, keras = (_rows([side("losses_of_a_small_net")[policy]])[0] for side in (_seen, _keras))
    np.testing.assert_allclose(seen, keras, rtol=TOLERANCES[policy])
    assert seen[-1] < seen[0] - 0.2


# Here Keras computes the loss in the short type and rounds it to that, where this package takes float32.
@pytest.mark.parametrize("name", facts()["precision"]["losses_and_metrics_of_short_outputs"])
def test_losses_of_short_outputs(name: str) -> None:
    tolerance = 1e-3 if name.endswith("float16") and "bf" not in name else 1e-2
    seen, keras = (side("losses_and_metrics_of_short_outputs")[name] for side in (_seen, _keras))
    np.testing.assert_allclose(seen, keras, rtol=tolerance)
