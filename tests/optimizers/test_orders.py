"""Arguments without a name: each dialect's Keras has an order of its own (sources of 1.2.2, 2.2.4, 2.3.1 and 2.15)."""

from __future__ import annotations

from typing import Any

import pytest

import torchkeras_compat as tk
from torchkeras_compat import optimizers
from torchkeras_compat._core import dialects

CASES: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    *(
        (old, name, args, expected)
        for old in ("keras-1", "keras-2.2")
        for name, args, expected in [
            ("SGD", (0.1, 0.9, 1e-3, True), {"momentum": 0.9, "decay": 1e-3, "nesterov": True}),
            ("SGD", (0.1, 0.9, True), {"momentum": 0.9, "decay": 0.0, "nesterov": True}),
            ("SGD", (0.1, 0.9, 0), {"momentum": 0.9, "decay": 0.0, "nesterov": False}),
            ("RMSprop", (0.1, 0.8, 1e-3, 0.2), {"rho": 0.8, "epsilon": 1e-3, "decay": 0.2, "momentum": 0.0}),
            ("Adagrad", (0.1, 1e-3, 0.2), {"epsilon": 1e-3, "decay": 0.2, "initial_accumulator_value": 0.0}),
            ("Adadelta", (0.1, 0.8, 1e-3, 0.2), {"rho": 0.8, "epsilon": 1e-3, "decay": 0.2}),
            ("Adam", (0.1, 0.8, 0.9, 1e-3, 0.2), {"beta_2": 0.9, "epsilon": 1e-3, "decay": 0.2, "amsgrad": False}),
            ("Adam", (0.1, 0.8, 0.9, 1e-3, 0.2, True), {"decay": 0.2, "amsgrad": True}),
            ("Adamax", (0.1, 0.8, 0.9, 1e-3, 0.2), {"beta_2": 0.9, "epsilon": 1e-3, "decay": 0.2}),
            ("Nadam", (0.1, 0.8, 0.9, 1e-3, 0.2), {"epsilon": 1e-3, "schedule_decay": 0.2}),
        ]
    ),
    ("keras-2.3", "SGD", (0.1, 0.9, True), {"momentum": 0.9, "nesterov": True, "decay": 0.0}),
    ("keras-2.3", "SGD", (0.1, 0.9, 1e-3), {"momentum": 0.9, "nesterov": False, "decay": 1e-3}),
    ("keras-2.3", "SGD", (0.1, 0.9, 1e-3, True), {"momentum": 0.9, "nesterov": True, "decay": 1e-3}),
    ("keras-2.3", "Adam", (0.1, 0.8, 0.9, True), {"amsgrad": True, "epsilon": 1e-7}),
    ("keras-2.3", "Adam", (0.1, 0.8, 0.9, 1e-3, 0.2), {"amsgrad": False, "epsilon": 1e-3, "decay": 0.2}),
    ("keras-2.3", "RMSprop", (0.1, 0.8, 1e-3), {"rho": 0.8, "epsilon": 1e-3, "momentum": 0.0}),
    ("tf.keras", "SGD", (0.1, 0.9, True, "mine"), {"nesterov": True, "name": "mine"}),
    ("tf.keras", "RMSprop", (0.1, 0.8, 0.5, 1e-3, True, "mine"), {"momentum": 0.5, "centered": True, "name": "mine"}),
    ("tf.keras", "Adagrad", (0.1, 0.2, 1e-3, "mine"), {"initial_accumulator_value": 0.2, "name": "mine"}),
    ("tf.keras", "Nadam", (0.1, 0.8, 0.9, 1e-3, "mine"), {"schedule_decay": 0.004, "name": "mine"}),
    (
        "tf.keras",
        "Ftrl",
        (0.1, -0.4, 0.2, 0.1, 0.3, "mine", 0.4, 0.5),
        {"l2_regularization_strength": 0.3, "name": "mine", "l2_shrinkage_regularization_strength": 0.4, "beta": 0.5},
    ),
    (
        "keras-2.15",
        "SGD",
        (0.1, 0.9, True, 0.01, 0.5, 0.3, None, True, 0.8, 7, False, "mine"),
        {
            "momentum": 0.9,
            "nesterov": True,
            "weight_decay": 0.01,
            "clipnorm": 0.5,
            "clipvalue": 0.3,
            "global_clipnorm": None,
            "use_ema": True,
            "ema_momentum": 0.8,
            "ema_overwrite_frequency": 7,
            "jit_compile": False,
            "name": "mine",
        },
    ),
    ("keras-2.15", "Adam", (0.1, 0.8, 0.9, 1e-3, True, 0.01), {"amsgrad": True, "weight_decay": 0.01}),
    ("keras-2.15", "AdamW", (0.1, 0.2, 0.8, 0.9, 1e-3, True, 0.5), {"weight_decay": 0.2, "clipnorm": 0.5}),
    ("keras-2.15", "RMSprop", (0.1, 0.8, 0.5, 1e-3, True, 0.02), {"momentum": 0.5, "weight_decay": 0.02}),
    ("keras-2.15", "Adagrad", (0.1, 0.2, 1e-3, 0.03), {"epsilon": 1e-3, "weight_decay": 0.03}),
    ("keras-2.15", "Adadelta", (0.1, 0.8, 1e-3, 0.03, 1.0), {"weight_decay": 0.03, "clipnorm": 1.0}),
    ("keras-2.15", "Adamax", (0.1, 0.8, 0.9, 1e-3, 0.02), {"weight_decay": 0.02}),
    ("keras-2.15", "Nadam", (0.1, 0.8, 0.9, 1e-3, 0.02), {"weight_decay": 0.02, "schedule_decay": 1.0}),
    ("keras-2.15", "Ftrl", (0.1, -0.4, 0.2, 0.1, 0.2, 0.3, 0.4, 0.05), {"beta": 0.4, "weight_decay": 0.05}),
    ("keras-2.15", "Lion", (0.1, 0.8, 0.9, 0.03), {"beta_2": 0.9, "weight_decay": 0.03}),
    (
        "keras-2.15",
        "Adafactor",
        (0.1, -0.7, 1e-20, 0.01, 0.8, False, 0.03),
        {"clip_threshold": 0.8, "relative_step": False, "weight_decay": 0.03},
    ),
]


@pytest.mark.parametrize(("dialect", "name", "args", "expected"), CASES)
def test_arguments_without_a_name(dialect: str, name: str, args: tuple[Any, ...], expected: dict[str, Any]) -> None:
    with dialects.using(dialect):
        optimizer = getattr(optimizers, name)(*args)
    assert optimizer.lr == args[0]
    assert {argument: getattr(optimizer, argument) for argument in expected} == expected


CALLBACKS = {"TensorBoard"}  # which have orders as well


def test_every_optimizer_has_an_order_in_the_dialects_of_tf() -> None:
    assert set(dialects.KERAS_2_15.orders) - CALLBACKS == set(optimizers.experimental.__all__) - {"Optimizer"}
    assert set(dialects.TF_KERAS.orders) - CALLBACKS == set(optimizers.legacy.__all__) - {"Optimizer"}


def test_an_argument_that_is_there_twice() -> None:
    with pytest.raises(TypeError, match=r"momentum is there already, in its place; give it once"):
        optimizers.SGD(0.1, 0.9, momentum=0.5)


def test_a_subclass_of_a_users_passes_arguments_on() -> None:
    class Slower(optimizers.Adam):
        def __init__(self, rate: float) -> None:
            super().__init__(rate, 0.8, 0.9, 1e-3, 0.2)

    with dialects.using("keras-2.2"):
        assert Slower(0.1).decay == 0.2
    tk.set_dialect("keras-2.3")
    assert Slower(0.1).epsilon == 1e-3
