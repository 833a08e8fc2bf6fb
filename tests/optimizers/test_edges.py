"""Hyperparameters at the ends of their ranges: the weights after three steps, as Keras 2.15.0 prints them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from torchkeras_compat import backend as K
from torchkeras_compat.optimizers import experimental, legacy

GRADIENTS = [[0.5, -1.0, 0.0, 2e-8], [-0.25, 1e-3, 3.0, 0.0], [0.1, 0.2, -0.3, 0.4]]
NANS = "nan nan nan nan"
STAYS = "1 -2 0.5 0"

# With a rate of .1; legacy class, newer class.  An empty entry is one that was not recorded.
CASES: list[tuple[str, dict[str, float], str, str]] = [
    ("Adam", {"beta_1": 1.0}, NANS, NANS),
    ("Adam", {"beta_2": 1.0}, STAYS, STAYS),
    ("Adam", {"beta_1": 1.0, "beta_2": 1.0}, NANS, NANS),
    ("Adam", {"epsilon": 0.0}, "0.84184 -1.7949 0.37471 -0.06493", ""),
    ("Adamax", {"beta_1": 1.0}, NANS, NANS),
    ("Adamax", {"epsilon": 0.0}, "0.85822 -1.8301 0.41782 -0.061463", ""),
    ("Nadam", {"beta_1": 0.0}, "0.93274 -1.9341 0.37585 -0.18979", "0.93274 -1.9341 0.37585 -0.18979"),
    ("Nadam", {"epsilon": 0.0}, "0.913 -1.9039 0.39945 -0.13125", ""),
    ("RMSprop", {"rho": 1.0}, "-3.5e+05 7.99e+05 -2.7e+06 -4e+05", ""),
    ("RMSprop", {"epsilon": 0.0}, "0.77021 -1.7527 0.21692 -0.33504", ""),
    ("RMSprop", {"centered": True, "epsilon": 0.0}, "0.75324 -1.7372 0.20105 -0.3522", ""),
    ("Adadelta", {"epsilon": 0.0}, "0.99991 -1.9999 0.49988 -0.00014142", ""),
    ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 0.0}, "0.92711 -1.9197 0.40995 -0.11667", ""),
    ("SGD", {"clipnorm": 0.0}, STAYS, "0.965 -1.9201 0.23 -0.04"),
    ("SGD", {"clipvalue": 0.0}, STAYS, "0.965 -1.9201 0.23 -0.04"),
    ("SGD", {"global_clipnorm": 0.0}, STAYS, "0.965 -1.9201 0.23 -0.04"),
]


def stepped(optimizer: Any) -> list[float]:
    weight = K.variable([1.0, -2.0, 0.5, 0.0])
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(np.array(gradient, "float32"), weight)])
    return list(weight.numpy())


@pytest.mark.parametrize(("name", "arguments", "old", "new"), CASES)
def test_three_steps(name: str, arguments: dict[str, float], old: str, new: str) -> None:
    for module, expected in ((legacy, old), (experimental, new)):
        if expected:
            weights = stepped(getattr(module, name)(0.1, **arguments))
            np.testing.assert_allclose(weights, [float(number) for number in expected.split()], rtol=2e-4)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"])
def test_a_rate_of_0_changes_nothing(name: str) -> None:
    for module in (legacy, experimental):
        assert stepped(getattr(module, name)(0.0)) == [1.0, -2.0, 0.5, 0.0]


def test_ftrl_with_a_rate_of_0_divides_by_it() -> None:
    assert np.isnan(stepped(experimental.Ftrl(0.0))).all()  # Keras 2.15.0
