"""The optimizers of `tf.train`: the arguments, defaults and formulas of TensorFlow 1 on classes of this package.

Source: the signatures of TensorFlow 1.15.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._core import dialects
from ..optimizers import _rmsprop, legacy
from ..optimizers.optimizer import Optimizer


def gradient_descent(learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> Optimizer:
    """Return plain gradient descent.

    Args:
        learning_rate: The rate.
        use_locking: Accepted.
        name: Accepted.
    """
    return legacy.SGD(learning_rate)


def momentum_descent(
    learning_rate: Any,
    momentum: float,
    use_locking: bool = False,
    name: str = "Momentum",
    use_nesterov: bool = False,
) -> Optimizer:
    """Return gradient descent with momentum.

    Args:
        learning_rate: The rate.
        momentum: The share of the last step in this one.
        use_locking: Accepted.
        name: Accepted.
        use_nesterov: Whether the gradient is taken as after the step.
    """
    return legacy.SGD(learning_rate, momentum=momentum, nesterov=use_nesterov)


def adam(
    learning_rate: Any = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    use_locking: bool = False,
    name: str = "Adam",
) -> Optimizer:
    """Return Adam.

    Args:
        learning_rate: The rate.
        beta1: The share of the old mean of gradients in each step.
        beta2: That of their squares.
        epsilon: Guards the division.
        use_locking: Accepted.
        name: Accepted.
    """
    return legacy.Adam(learning_rate, beta_1=beta1, beta_2=beta2, epsilon=epsilon)


def adagrad(
    learning_rate: Any, initial_accumulator_value: float = 0.1, use_locking: bool = False, name: str = "Adagrad"
) -> Optimizer:
    """Return Adagrad, whose division nothing guards but the initial value.

    Args:
        learning_rate: The rate.
        initial_accumulator_value: What the sum of squares starts from.
        use_locking: Accepted.
        name: Accepted.
    """
    optimizer = legacy.Adagrad(learning_rate, initial_accumulator_value=initial_accumulator_value)
    optimizer.epsilon = 0.0
    made: Optimizer = optimizer
    return made


def adadelta(
    learning_rate: Any = 0.001,
    rho: float = 0.95,
    epsilon: float = 1e-8,
    use_locking: bool = False,
    name: str = "Adadelta",
) -> Optimizer:
    """Return Adadelta.

    Args:
        learning_rate: The rate.
        rho: The share of the old means in each step.
        epsilon: Guards the division.
        use_locking: Accepted.
        name: Accepted.
    """
    return legacy.Adadelta(learning_rate, rho=rho, epsilon=epsilon)


def ftrl(
    learning_rate: Any,
    learning_rate_power: float = -0.5,
    initial_accumulator_value: float = 0.1,
    l1_regularization_strength: float = 0.0,
    l2_regularization_strength: float = 0.0,
    use_locking: bool = False,
    name: str = "Ftrl",
) -> Optimizer:
    """Return Ftrl.

    Args:
        learning_rate: The rate.
        learning_rate_power: How it falls with the sum of squares.
        initial_accumulator_value: What that starts from.
        l1_regularization_strength: Factor of the penalty on absolute values.
        l2_regularization_strength: Factor of the penalty on squares.
        use_locking: Accepted.
        name: Accepted.
    """
    return legacy.Ftrl(
        learning_rate,
        learning_rate_power=learning_rate_power,
        initial_accumulator_value=initial_accumulator_value,
        l1_regularization_strength=l1_regularization_strength,
        l2_regularization_strength=l2_regularization_strength,
    )


class RMSPropOptimizer(_rmsprop.RMSprop):
    """RMSprop of TensorFlow 1: the mean of squares starts from 1, and epsilon stands under the root.

    Args:
        learning_rate: The rate.
        rho: The share of the old mean in each step.
        momentum: The share of the last step in this one.
        epsilon: Guards the division.
        centered: Whether to take the running mean's square off that of the squares.
    """

    _dialect = dialects.named("keras-2.15").name
    # What it is in files: with its state, nothing is left that differs.
    _class_name = "RMSprop"
    _behind = _rmsprop.RMSprop

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        """Return what a slot starts from.

        Args:
            name: Its name.
            param: The parameter.
        """
        return self._filled(param, 1.0) if name == "rms" else super().initial_slot(name, param)


def rmsprop(
    learning_rate: Any,
    decay: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-10,
    use_locking: bool = False,
    centered: bool = False,
    name: str = "RMSProp",
) -> Optimizer:
    """Return RMSprop.

    Args:
        learning_rate: The rate.
        decay: The share of the old mean of squares in each step.
        momentum: The share of the last step in this one.
        epsilon: Guards the division.
        use_locking: Accepted.
        centered: Whether to take the running mean's square off that of the squares.
        name: Accepted.
    """
    return RMSPropOptimizer(learning_rate, rho=decay, momentum=momentum, epsilon=epsilon, centered=centered)


OPTIMIZERS: dict[str, Any] = {
    "Optimizer": Optimizer,
    "GradientDescentOptimizer": gradient_descent,
    "MomentumOptimizer": momentum_descent,
    "AdamOptimizer": adam,
    "AdagradOptimizer": adagrad,
    "AdadeltaOptimizer": adadelta,
    "FtrlOptimizer": ftrl,
    "RMSPropOptimizer": rmsprop,
}
