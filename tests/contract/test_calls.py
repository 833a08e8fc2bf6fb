"""Calls that do not fit a signature: the error names what the user wrote, not the base that holds the constructor."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat._core import registry
from torchkeras_compat._core.config import Configurable

CLASSES = sorted(
    {
        cls
        for kind in registry.KINDS.values()
        for cls in kind.entries.values()
        if isinstance(cls, type) and issubclass(cls, Configurable) and cls.__module__.startswith("torchkeras_compat")
    },
    key=lambda cls: cls.__qualname__,
)


def required(cls: type) -> list[str]:
    parameters = list(inspect.signature(cls).parameters.values())
    return [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]


NEEDY = [cls for cls in CLASSES if required(cls)]


def test_there_are_such_classes() -> None:
    assert len(CLASSES) > 150
    assert {"Conv2D", "Dense", "LSTM", "MeanIoU", "ModelCheckpoint"} <= {cls.__name__ for cls in NEEDY}


@pytest.mark.parametrize("cls", NEEDY, ids=lambda cls: cls.__name__)
def test_what_is_missing_is_named(cls: Any) -> None:
    names = required(cls)
    verb = "is" if len(names) == 1 else "are"
    with pytest.raises(
        TypeError, match=rf"^{cls.__name__}: {' and '.join(names)} {verb} missing; write {cls.__name__}\("
    ):
        cls()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_too_many_arguments_are_counted(cls: Any) -> None:
    if any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(cls).parameters.values()):
        pytest.skip("takes any number")
    with pytest.raises(TypeError, match=rf"^{cls.__name__}\(…\): it takes .*; got 99 without a name"):
        cls(*[None] * 99)


class Own(keras.layers.Conv2D):
    pass


class Narrow(keras.layers.Conv2D):
    def __init__(self, filters: int) -> None:
        super().__init__(filters)


def compiled() -> Any:
    model = keras.Sequential([keras.layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    return model


X, Y = np.ones((2, 3)), np.ones(2)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: keras.layers.Conv2D(32), "Conv2D: kernel_size is missing; write Conv2D(filters=…, kernel_size=…)."),
        (lambda: keras.layers.Conv2D(filters=3), "Conv2D: kernel_size is missing"),
        (lambda: Own(32), "Own: kernel_size is missing; write Own(filters=…, kernel_size=…)."),
        (lambda: Narrow(32), "Conv2D: kernel_size is missing"),
        (lambda: keras.layers.Dense(3, units=4), "Dense(units=4): units is there already, in its place; give it once."),
        (lambda: keras.layers.MaxPooling2D(2, pool_size=3), "MaxPooling2D(pool_size=3): pool_size is there already"),
        (lambda: keras.optimizers.SGD(0.1, learning_rate=0.1), "SGD(learning_rate=0.1): learning_rate is there"),
        (lambda: compiled().fit(X, x=X), "fit(x=ndarray of shape (2, 3)): x is there already"),
        (lambda: compiled().predict(), "predict: x is missing; write predict(x=…)."),
        (lambda: compiled().evaluate(*[X] * 40), "evaluate(…): it takes at most 11 arguments without a name, x, y,"),
        (lambda: compiled().train_on_batch(), "train_on_batch: x is missing"),
        (lambda: compiled().fit_generator(), "fit_generator: generator is missing"),
    ],
)  # fmt: skip
def test_the_caller_reads_what_it_wrote(call: Callable[[], Any], text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^{re.escape(text)}"):
        call()


def test_an_error_inside_a_constructor_stays_what_it_is() -> None:
    with pytest.raises(TypeError, match=r"Dense\(units='a'\): units must be a positive integer"):
        keras.layers.Dense("a")
