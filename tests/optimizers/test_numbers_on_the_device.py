"""A step over lists of tensors whose numbers are 0-d tensors, as a recorded one has them, equals that with floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import optimizers
from torchkeras_compat._core.graph_capture import as_capture
from torchkeras_compat.optimizers.slots import ListGroup

MAKERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, decay=0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "adam": lambda: optimizers.Adam(0.01),
    "amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamax": lambda: optimizers.Adamax(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
    "clipnorm": lambda: optimizers.Adam(0.01, clipnorm=0.5),
    "clipvalue": lambda: optimizers.RMSprop(0.01, clipvalue=0.1),
}
LATER: dict[str, Callable[[], Any]] = {
    "ftrl": lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.1),
    "lion": lambda: optimizers.Lion(0.01),
    "adafactor": lambda: optimizers.Adafactor(0.01),
    "centered": lambda: optimizers.RMSprop(0.01, centered=True, momentum=0.9),
    "ema": lambda: optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=3),
    "global_clipnorm": lambda: optimizers.Adam(0.01, global_clipnorm=0.5),
    "adam": lambda: optimizers.Adam(0.01),
}


def stepped(make: Callable[[], Any], on_device: bool) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(4)
    shapes = [(4, 3), (3,), (3, 2), (5, 4, 2)]
    params = [torch.nn.Parameter(torch.tensor(rng.normal(size=s).astype("float32"))) for s in shapes]
    optimizer = make()
    binding = optimizer.bind([(str(i), p) for i, p in enumerate(params)])
    group = ListGroup(optimizer, binding.params)
    for _ in range(6):
        grads = [torch.tensor(rng.normal(size=s).astype("float32")) for s in shapes]
        if not on_device:
            optimizer.step_groups(group.gather(grads))
            continue
        numbers = {k: torch.tensor(v, dtype=torch.float64) for k, v in optimizer.scalars(optimizer._iterations).items()}
        with as_capture(traced=False):
            optimizer.step_groups(group.gather(grads), numbers)
        optimizer.iterations += 1
    return [p.detach().numpy() for p in params]


@pytest.mark.parametrize(
    ("dialect", "name"),
    [*(("keras-2.3", name) for name in MAKERS), *(("keras-2.15", name) for name in LATER)],
)
def test_numbers_may_be_tensors(dialect: str, name: str) -> None:
    keras.set_dialect(dialect)
    make = (MAKERS if dialect == "keras-2.3" else LATER)[name]
    for ours, floats in zip(stepped(make, True), stepped(make, False)):
        np.testing.assert_allclose(ours, floats, rtol=1e-5, atol=1e-6)
