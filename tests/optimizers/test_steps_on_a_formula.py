"""Subclasses of an optimizer whose own step changes the gradient and calls the one of its base class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat.optimizers import experimental, legacy

X = np.random.RandomState(0).randn(8, 3).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
SHAPES = [(3, 4), (4,), (4, 1), (1,)]

# Losses of two epochs in batches of 4, and of an evaluation after them: Keras 2.15.0.
CASES: list[tuple[str, dict[str, Any], list[float]]] = [
    ("Adam", {"learning_rate": 0.05}, [2.2091, 1.2788, 0.7348]),
    ("Adam", {"learning_rate": 0.05, "clipnorm": 0.1}, [2.2093, 1.3028, 0.7697]),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True}, [2.2091, 1.2788, 0.7348]),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}, [1.8938, 0.268, 1.0277]),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.1}, [2.2069, 1.2738, 0.7342]),
    ("Adafactor", {"learning_rate": 0.05}, [2.3239, 1.9471, 1.6865]),
    ("SGD", {"learning_rate": 0.1, "decay": 0.5}, [1.8938, 0.7501, 0.4897]),
    ("Adagrad", {"learning_rate": 0.05}, [2.2556, 1.6454, 1.3113]),
]
NEWER = ["Adam-0", "Adam-1", "Adam-2", "SGD-3", "AdamW-4", "Adafactor-5"]
LEGACY = ["Adam-0", "Adam-1", "SGD-3", "SGD-6", "Adagrad-7"]


def central(gradient: Any) -> Any:
    return gradient - K.mean(gradient, axis=0, keepdims=True) if len(gradient.shape) > 1 else gradient


def losses(optimizer: Any) -> list[float]:
    model = keras.Sequential([L.Dense(4, activation="tanh", input_shape=(3,)), L.Dense(1)])
    numbers = np.random.RandomState(0)
    model.set_weights([(numbers.randn(*w.shape) * 0.3).astype("float32") for w in model.get_weights()])
    model.compile(optimizer, "mse")
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
    return [*history, model.evaluate(X, Y, verbose=0)]


@pytest.mark.parametrize("case", NEWER)
def test_update_step_of_the_newer_classes(case: str) -> None:
    name, arguments, expected = CASES[int(case[-1])]

    class Central(getattr(experimental, name)):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any) -> None:
            super().update_step(central(gradient), variable)

    np.testing.assert_allclose(losses(Central(**arguments)), expected, atol=2e-4)


@pytest.mark.parametrize("case", LEGACY)
def test_the_step_of_the_legacy_classes(case: str) -> None:
    name, arguments, expected = CASES[int(case[-1])]

    class Central(getattr(legacy, name)):  # type: ignore[misc]
        def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
            return super()._resource_apply_dense(central(grad), var, apply_state)

    np.testing.assert_allclose(losses(Central(**arguments)), expected, atol=3e-4)


class Counting(experimental.Adam):  # type: ignore[misc]
    """Adam on half the gradient, which counts its steps in a variable."""

    def build(self, var_list: Any) -> None:
        super().build(var_list)
        if not hasattr(self, "steps"):
            self.steps = self.add_variable_from_reference(var_list[0], "steps", shape=())

    def update_step(self, gradient: Any, variable: Any) -> None:
        super().update_step(gradient * 0.5, variable)
        self.steps.assign_add(1.0)


class Smoothing(legacy.SGD):  # type: ignore[misc]
    """Descent along a mean of gradients, which is a slot of the user's."""

    def _create_slots(self, var_list: Any) -> None:
        super()._create_slots(var_list)
        for variable in var_list:
            self.add_slot(variable, "mean")

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
        mean = self.get_slot(var, "mean")
        mean.assign(0.5 * mean + 0.5 * grad)
        return super()._resource_apply_dense(mean, var, apply_state)


def test_the_state_is_that_of_the_formula_and_ones_own() -> None:
    optimizer = Counting(0.05)
    np.testing.assert_allclose(losses(optimizer), [2.2588, 1.3499, 0.8072], atol=2e-4)  # Keras 2.15.0
    arrays = optimizer.get_weights()
    assert [array.shape for array in arrays] == [(), *(shape for shape in SHAPES for _ in range(2)), ()]
    assert arrays[-1] == 16
    assert optimizer.variables[1].name.startswith("Counting/m/dense")
    assert optimizer.variables[2].name.startswith("Counting/v/dense")
    optimizer.set_weights([array * 0 for array in arrays])
    assert not any(np.asarray(array).any() for array in optimizer.get_weights())


def test_slots_of_ones_own_beside_those_of_the_formula() -> None:
    optimizer = Smoothing(0.1, momentum=0.9)
    np.testing.assert_allclose(losses(optimizer), [2.0578, 0.2429, 2.0617], atol=3e-4)  # Keras 2.15.0
    assert [array.shape for array in optimizer.get_weights()] == [(), *SHAPES, *SHAPES]


def test_the_state_before_the_first_step() -> None:
    model = keras.Sequential([L.Dense(4, input_shape=(3,))])
    optimizer = legacy.Adam()
    optimizer._create_all_weights(model.trainable_variables)
    assert [array.shape for array in optimizer.get_weights()] == [(), (3, 4), (4,), (3, 4), (4,)]


def test_a_class_without_a_formula() -> None:
    class Own(experimental.Optimizer):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any) -> None:
            super().update_step(gradient, variable)

    with pytest.raises(NotImplementedError, match="Own must write update_step"):
        losses(Own())
