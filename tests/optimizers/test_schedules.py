"""Schedules: Keras's values, configurations, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat.optimizers import SGD, schedules

STEPS = [0, 1, 3, 8, 10, 11, 20, 24, 25, 29, 30, 31, 56, 100, 1000]
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [10, 25], "values": [0.1, 0.03, 0.01]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "end_learning_rate": 0.01, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "alpha": 0.2}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 30, "warmup_target": 0.1, "warmup_steps": 10}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 8}),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 8, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1},
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 8, "t_mul": 1.0}),
]

# Keras 2.15, one schedule after the other
MEASURED = """
0.1 0.0933033 0.0812252 0.0574349 0.05 0.0466517 0.025 0.0189465
    0.0176777 0.0133972 0.0125 0.0116629 0.0020617 9.77e-05 0.0
0.1 0.1 0.1 0.1 0.05 0.05 0.025 0.025
    0.025 0.025 0.0125 0.0125 0.003125 9.77e-05 0.0
0.1 0.0952381 0.0869565 0.0714286 0.0666667 0.0645161 0.05 0.0454545
    0.0444444 0.0408163 0.04 0.0392157 0.0263158 0.0166667 0.0019608
0.1 0.1 0.1 0.1 0.0666667 0.0666667 0.05 0.05
    0.05 0.05 0.04 0.04 0.0285714 0.0166667 0.0019608
0.1 0.1 0.1 0.1 0.1 0.03 0.03 0.03
    0.03 0.01 0.01 0.01 0.01 0.01 0.01
0.1 0.095005 0.085015 0.06004 0.05005 0.045055 0.0001 0.0001
    0.0001 0.0001 0.0001 0.0001 0.0001 0.0001 0.0001
0.1 0.091225 0.075025 0.0424 0.0325 0.028225 0.01 0.01
    0.01 0.01 0.01 0.01 0.01 0.01 0.01
0.1 0.0955 0.0865 0.064 0.055 0.0505 0.01 0.046
    0.04375 0.03475 0.0325 0.03025 0.016 0.01 0.01
0.1 0.0997809 0.0980423 0.0867652 0.08 0.0762695 0.04 0.0276393
    0.025359 0.0202191 0.02 0.02 0.02 0.02 0.02
0.01 0.019 0.037 0.082 0.1 0.0997261 0.075 0.0552264
    0.05 0.0296632 0.025 0.0206107 0.0 0.0 0.0
0.1 0.096194 0.0691342 0.1 0.096194 0.0915735 0.0146447 0.1
    0.0997592 0.0940961 0.0915735 0.0886505 0.1 0.0222215 0.0002408
0.1 0.0965746 0.0722208 0.082 0.0771769 0.0714559 0.0676 0.0608621
    0.0573123 0.0388 0.0337989 0.0289498 0.02152 0.0116522 0.0187196
0.1 0.096194 0.0691342 0.1 0.0853553 0.0691342 0.05 0.1
    0.096194 0.0308658 0.0146447 0.003806 0.1 0.05 0.1
"""


@pytest.mark.parametrize("i", range(len(SCHEDULES)), ids=lambda i: f"{i}-{SCHEDULES[i][0]}")
def test_values_are_those_of_keras(i: int) -> None:
    name, kwargs = SCHEDULES[i]
    schedule = getattr(schedules, name)(**kwargs)
    expected = np.array(MEASURED.split(), float).reshape(len(SCHEDULES), len(STEPS))[i]
    np.testing.assert_allclose([schedule(step) for step in STEPS], expected, atol=2e-7)
    assert schedule(torch.tensor(3)) == schedule(3)
    assert isinstance(schedule(0), float)
    assert schedule(0).numpy() == np.float32(schedule(0))


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES)
def test_configuration_makes_an_equal_schedule(name: str, kwargs: dict[str, Any]) -> None:
    schedule = getattr(schedules, name)(**kwargs)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    assert kwargs.items() <= schedule.get_config().items()


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="values must be one more than boundaries; got 2 values for 2"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match=r"CosineDecay\(decay_steps=0\): decay_steps must be a positive number; got 0"):
        schedules.CosineDecay(0.1, 0)


def test_optimizer_follows_its_schedule() -> None:
    optimizer = SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.25]))
    weight = torch.zeros(1)
    binding = optimizer.bind([("w", weight)])
    binding.step([torch.ones(1)])
    assert weight.item() == -1.0
    binding.step([torch.ones(1)])
    assert weight.item() == -1.25
    assert optimizer.lr(0) == 1.0
    assert optimizer.current_rate() == 0.25
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert SGD.from_config(optimizer.get_config()).lr(0) == 1.0
    optimizer.lr = 0.5
    binding.step([torch.ones(1)])
    assert weight.item() == -1.75
    assert optimizer.lr == 0.5


# What Keras 2.15.1 gives for np.array([[0, 3, 10], [11, 25, 60]]).
OF_STEPS = [
    (schedules.ExponentialDecay(0.1, 10, 0.5), [0.1, 0.081225, 0.05, 0.046652, 0.017678, 0.001562]),
    (schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True), [0.1, 0.1, 0.05, 0.05, 0.025, 0.001562]),
    (schedules.InverseTimeDecay(0.1, 10, 0.5), [0.1, 0.086957, 0.066667, 0.064516, 0.044444, 0.025]),
    (schedules.PolynomialDecay(0.1, 20), [0.1, 0.085015, 0.05005, 0.045055, 0.0001, 0.0001]),
    (
        schedules.PolynomialDecay(0.1, 20, power=2.0, cycle=True),
        [0.1, 0.072278, 0.025075, 0.02033, 0.014148, 0.0001],
    ),
    (schedules.CosineDecay(0.1, 20, alpha=0.1), [0.1, 0.095095, 0.055, 0.04796, 0.01, 0.01]),
    (schedules.CosineDecayRestarts(0.1, 10), [0.1, 0.079389, 0.1, 0.099384, 0.014645, 0.014645]),
    (
        schedules.CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.5),
        [0.1, 0.079389, 0.05, 0.048776, 0.0125, 0.001562],
    ),
]


@pytest.mark.parametrize(("schedule", "expected"), OF_STEPS)
def test_many_steps_at_once(schedule: schedules.LearningRateSchedule, expected: list[float]) -> None:
    steps = np.array([[0, 3, 10], [11, 25, 60]])
    for tensor_of_steps in (steps, torch.tensor(steps), torch.tensor(steps, dtype=torch.float32)):
        rates = schedule(tensor_of_steps)
        assert rates.dtype == torch.float32
        np.testing.assert_allclose(rates.numpy(), np.reshape(expected, (2, 3)), atol=6e-7)  # they are rounded
    assert all(isinstance(schedule(one), float) for one in (3, np.float32(3), torch.tensor(3)))


def test_many_steps_of_a_piecewise_constant() -> None:
    assert schedules.PiecewiseConstantDecay([10], [0.5, 0.25])(np.array([9, 10, 11])).tolist() == [0.5, 0.5, 0.25]


# --- what an optimizer under a schedule tells of its rate; the numbers are those of Keras 2.15.0 ---


def _trained_by_schedule(steps: int) -> Any:
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile(optimizer, "mse")
    model.fit(np.ones((steps, 2)), np.ones((steps, 1)), batch_size=1, verbose=0)
    return optimizer


def test_the_rate_of_the_last_step_in_keras_2_15() -> None:
    keras.set_dialect("keras-2.15")
    optimizer = _trained_by_schedule(3)
    assert float(optimizer.learning_rate) == pytest.approx(0.08705506, rel=1e-6)
    assert float(optimizer.lr.numpy()) == pytest.approx(0.08705506, rel=1e-6)
    assert f"{optimizer.learning_rate:.4f}" == "0.0871"
    assert optimizer.learning_rate.name == "current_learning_rate:0"
    again = keras.optimizers.SGD.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    with pytest.raises(TypeError, match=r"follows .*make the optimizer with a number"):
        optimizer.learning_rate.assign(0.5)
    with pytest.raises(TypeError, match=r"follows .*make the optimizer with a number"):
        keras.callbacks.schedules.set_rate(optimizer, 0.5)


def test_the_schedule_in_tf_keras() -> None:
    keras.set_dialect("tf.keras")
    optimizer = _trained_by_schedule(3)
    assert float(optimizer.learning_rate(0)) == pytest.approx(0.1)
