"""Optimizers as users of tf.keras write them: subclasses with arguments of their own, and steps of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

X = np.random.RandomState(0).randn(16, 3).astype("float32")
Y = X[:, :1]


def classes(keras: Any) -> dict[str, Any]:
    """Return the classes by name."""

    class WithArgument(keras.optimizers.Adam):
        def __init__(self, learning_rate: Any = 0.001, extra: float = 2.0, name: str = "WithArgument", **kwargs: Any):
            super().__init__(learning_rate=learning_rate, name=name, **kwargs)
            self.extra = extra

        def get_config(self) -> Any:
            return {**super().get_config(), "extra": self.extra}

    class Bare(keras.optimizers.SGD):
        pass

    class OwnStep(keras.optimizers.Optimizer):
        def __init__(self, learning_rate: Any = 0.1, name: str = "OwnStep", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self._learning_rate = self._build_learning_rate(learning_rate)

        def build(self, var_list: Any) -> None:
            super().build(var_list)
            if not hasattr(self, "m"):
                self.m = [self.add_variable_from_reference(variable, "m") for variable in var_list]

        def update_step(self, gradient: Any, variable: Any) -> None:
            m = self.m[self._index_dict[self._var_key(variable)]]
            m.assign(0.9 * m + gradient)
            variable.assign_sub(self.learning_rate * m)

        def get_config(self) -> Any:
            return {
                **super().get_config(),
                "learning_rate": self._serialize_hyperparameter(self._learning_rate),
            }

    return {cls.__name__: cls for cls in (WithArgument, Bare, OwnStep)}


def made(keras: Any) -> dict[str, Any]:
    """Return one of each."""
    known = classes(keras)
    return {
        "WithArgument": known["WithArgument"](0.01, 3.0),
        "Bare": known["Bare"](0.1, momentum=0.5),
        "OwnStep": known["OwnStep"](0.05),
    }


def compiled(keras: Any, optimizer: Any) -> Any:
    """Return a model with known weights."""
    net = keras.Sequential([keras.layers.Dense(2, "tanh", input_shape=(3,)), keras.layers.Dense(1)])
    rs = np.random.RandomState(1)
    net.set_weights([rs.randn(*w.shape) for w in net.get_weights()])
    net.compile(optimizer, "mse")
    return net


def losses(net: Any, epochs: int) -> list[float]:
    """Train, and return the losses."""
    return [float(v) for v in net.fit(X, Y, epochs=epochs, batch_size=8, verbose=0, shuffle=False).history["loss"]]
