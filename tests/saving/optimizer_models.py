"""Optimizers whose state Keras 2.15 and 3.15 wrote into trees of weights: one text makes each under both, and here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda o: o.SGD(0.1),
    "sgd_momentum": lambda o: o.SGD(0.1, momentum=0.9),
    "sgd_nesterov": lambda o: o.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "sgd_average": lambda o: o.SGD(0.1, momentum=0.5, use_ema=True, ema_momentum=0.9),
    "rmsprop": lambda o: o.RMSprop(0.01),
    "rmsprop_centered": lambda o: o.RMSprop(0.01, momentum=0.5, centered=True),
    "adam": lambda o: o.Adam(0.01),
    "adam_clipped": lambda o: o.Adam(0.01, clipnorm=0.5),
    "adam_schedule": lambda o: o.Adam(o.schedules.ExponentialDecay(0.1, 10, 0.9)),
    "adam_average": lambda o: o.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "amsgrad": lambda o: o.Adam(0.01, amsgrad=True),
    "adamw": lambda o: o.AdamW(0.01),
    "adamax": lambda o: o.Adamax(0.01),
    "nadam": lambda o: o.Nadam(0.01),
    "adadelta": lambda o: o.Adadelta(1.0),
    "adagrad": lambda o: o.Adagrad(0.1),
    "ftrl": lambda o: o.Ftrl(0.1, l1_regularization_strength=0.001),
    "lion": lambda o: o.Lion(0.01),
    "adafactor": lambda o: o.Adafactor(0.1),
}


def compiled(keras: Any, name: str) -> Any:
    """Return the model, with weights of its own."""
    layers = [keras.Input((3,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)]
    net = keras.Sequential(layers)
    random = np.random.RandomState(1)
    net.set_weights([random.uniform(-0.5, 0.5, w.shape).astype("float32") for w in net.get_weights()])
    net.compile(OPTIMIZERS[name](keras.optimizers), "mse", run_eagerly=True)  # in a graph Nadam of 2.15 counts weights
    return net


def train(net: Any, seed: int) -> None:
    """Make three steps, the batches of which hang on the seed."""
    random = np.random.RandomState(seed)
    for _ in range(3):
        x = random.uniform(-1, 1, (4, 3)).astype("float32")
        net.train_on_batch(x, np.stack([x[:, 0] - x[:, 1], x[:, 1] * x[:, 2]], 1))
