"""Optimizers whose step a user writes a variable at a time, as Keras 2.11 to 2.15 and tf.keras before them call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras

FACTS: dict[str, Callable[[Keras], Any]] = {}
X = np.random.RandomState(0).rand(16, 4, 2).astype("float32")
Y = X.sum((1, 2))


def _momentum(keras: Keras) -> Any:
    class Momentum(keras.optimizers.Optimizer):  # type: ignore[misc, name-defined]
        def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.9, name: str = "M", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self._learning_rate = self._build_learning_rate(learning_rate)
            self.momentum = momentum

        def build(self, var_list: Any) -> None:
            super().build(var_list)
            if hasattr(self, "_built") and self._built:
                return
            self.momentums = [self.add_variable_from_reference(model_variable=v, variable_name="m") for v in var_list]
            self._built = True

        def update_step(self, gradient: Any, variable: Any) -> None:
            m = self.momentums[self._index_dict[self._var_key(variable)]]
            m.assign(m * self.momentum - gradient * self.learning_rate)
            variable.assign_add(m)

        def get_config(self) -> dict[str, Any]:
            config = super().get_config()
            rate = self._serialize_hyperparameter(self._learning_rate)
            return {**config, "learning_rate": rate, "momentum": self.momentum}

    return Momentum


def _slots(keras: Keras) -> Any:
    class Slots(keras.optimizers.legacy.Optimizer):  # type: ignore[misc, name-defined]
        def __init__(self, learning_rate: float = 0.01, name: str = "Slots", **kwargs: Any) -> None:
            super().__init__(name, **kwargs)
            self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
            self._set_hyper("beta", 0.9)

        def _create_slots(self, var_list: Any) -> None:
            for variable in var_list:
                self.add_slot(variable, "m")
            for variable in var_list:
                self.add_slot(variable, "v", initializer="ones")

        def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> Any:
            m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
            m.assign(self._get_hyper("beta") * m + grad)
            v.assign(v * 0.5)
            return var.assign_sub(self._decayed_lr("float32") * (m + v))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "learning_rate": self._serialize_hyperparameter("learning_rate")}

    return Slots


def _trained(keras: Keras, optimizer: Any) -> dict[str, Any]:
    L = keras.layers
    first = L.Conv1D(3, 2, input_shape=(4, 2), kernel_initializer="ones", kernel_constraint="non_neg")
    model = keras.Sequential([first, L.Flatten(), L.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer, "mse")
    losses = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    return {
        "losses": [float(f"{loss:.4g}") for loss in losses],
        "iterations": int(optimizer.iterations),
        "rate": round(float(np.asarray(optimizer.learning_rate)), 7),
        "momentum": optimizer.get_config().get("momentum"),
    }


def _enter(name: str, make: Callable[[Keras], Any]) -> None:
    FACTS[name] = lambda keras: _trained(keras, make(keras))


_enter("update_step", lambda keras: _momentum(keras)(0.001))
_enter("update_step_and_clipnorm", lambda keras: _momentum(keras)(0.001, clipnorm=0.5))
_enter("update_step_and_clipvalue", lambda keras: _momentum(keras)(0.01, clipvalue=0.1))
_enter("update_step_and_weight_decay", lambda keras: _momentum(keras)(0.002, weight_decay=0.1))
_enter(
    "update_step_and_schedule",
    lambda keras: _momentum(keras)(keras.optimizers.schedules.ExponentialDecay(0.002, 2, 0.5)),
)
_enter("slots", lambda keras: _slots(keras)(0.001))
_enter("slots_and_clipvalue", lambda keras: _slots(keras)(0.01, clipvalue=0.1))


def state(keras: Keras) -> Any:
    """Return the shapes of the state before and after training, and after it was set."""
    optimizer = _momentum(keras)(0.01)
    L = keras.layers
    model = keras.Sequential([L.Conv1D(3, 2, input_shape=(4, 2)), L.Flatten(), L.Dense(1)])
    optimizer.build(model.trainable_variables)
    variables = optimizer.variables
    built = [list(map(int, v.shape)) for v in (variables() if callable(variables) else variables)]
    model.compile(optimizer, "mse")
    model.fit(X, Y, verbose=0)
    config = {k: v for k, v in optimizer.get_config().items() if k in ("name", "learning_rate", "momentum", "clipnorm")}
    again = type(optimizer).from_config(optimizer.get_config())
    config["learning_rate"] = round(float(config["learning_rate"]), 6)
    return {"built": built, "config": config, "again": round(float(np.asarray(again.learning_rate)), 6)}


def by_hand(keras: Keras) -> Any:
    """Return weights after steps by `apply_gradients`."""
    optimizer = _momentum(keras)(0.1)
    v = keras.backend.variable(np.array([1.0, 2.0], "float32"))
    for _ in range(3):
        optimizer.apply_gradients([(keras.backend.constant([0.5, 1.0]), v)])
    return [[round(float(x), 5) for x in keras.backend.get_value(v)], int(optimizer.iterations)]


FACTS["state"] = state
FACTS["by_hand"] = by_hand
