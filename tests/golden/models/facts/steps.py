"""What a model's own steps are handed: the trees of data, and the arguments of the methods that they call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras, structure

FACTS: dict[str, Callable[[Keras], Any]] = {}
ROWS, BATCH = 6, 4
A, B, Y = np.ones((ROWS, 5), "float32"), np.ones((ROWS, 3), "float32"), np.ones((ROWS, 2), "float32")
W = np.ones(ROWS, "float32")


def _shaped(tree: Any) -> Any:
    """Describe data: its structure, and the shape of each of its leaves."""
    if isinstance(tree, dict):
        return {key: _shaped(branch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [type(tree).__name__, *(_shaped(branch) for branch in tree)]
    return None if tree is None else [int(n) for n in tree.shape]


def _recorder(keras: Keras, seen: list[Any]) -> Any:
    """Return a class of models whose steps note what they receive, and compute nothing."""

    class Recorder(keras.Model):  # type: ignore[misc, name-defined]
        def train_step(self, data: Any) -> Any:
            seen.append(["train", _shaped(data)])
            return {"loss": 1.0}

        def test_step(self, data: Any) -> Any:
            seen.append(["test", _shaped(data)])
            return {"loss": 2.0, "further": 3.0}

        def predict_step(self, data: Any) -> Any:
            seen.append(["predict", _shaped(data)])
            return super().predict_step(data)

    return Recorder


def _one(keras: Keras) -> tuple[Any, list[Any]]:
    seen: list[Any] = []
    x = keras.Input((5,), name="x")
    model = _recorder(keras, seen)(x, keras.layers.Dense(2)(x))
    model.compile(optimizer="sgd", loss="mse")
    return model, seen


def _two(keras: Keras) -> tuple[Any, list[Any]]:
    seen: list[Any] = []
    inputs = {"a": keras.Input((5,), name="a"), "b": keras.Input((3,), name="b")}
    model = _recorder(keras, seen)(inputs, keras.layers.Dense(2)(keras.layers.concatenate(list(inputs.values()))))
    model.compile(optimizer="sgd", loss="mse")
    return model, seen


def fact(function: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter a fact under its name."""
    FACTS[function.__name__] = function
    return function


@fact
def arrays(keras: Keras) -> Any:
    model, seen = _one(keras)
    history = model.fit(A, Y, batch_size=BATCH, verbose=0)
    return {"seen": seen, "history": history.history}


@fact
def arrays_and_weights(keras: Keras) -> Any:
    model, seen = _one(keras)
    model.fit(A, Y, sample_weight=W, batch_size=BATCH, verbose=0)
    return seen


@fact
def class_weights(keras: Keras) -> Any:
    model, seen = _one(keras)
    model.fit(A, np.zeros((ROWS, 1), "float32"), class_weight={0: 2.0}, batch_size=BATCH, verbose=0)
    return seen


@fact
def no_targets(keras: Keras) -> Any:
    model, seen = _one(keras)
    model.fit(A, batch_size=BATCH, verbose=0)
    return seen


@fact
def flat_targets(keras: Keras) -> Any:
    """Targets without a second axis."""
    model, seen = _one(keras)
    model.fit(A, W, sample_weight=W, batch_size=BATCH, verbose=0)
    return seen


@fact
def dictionaries(keras: Keras) -> Any:
    model, seen = _two(keras)
    history = model.fit({"b": B, "a": A}, {"y": Y}, batch_size=BATCH, validation_data=({"a": A, "b": B}, Y), verbose=0)
    return {"seen": seen, "history": history.history}


@fact
def lists(keras: Keras) -> Any:
    model, seen = _two(keras)
    model.fit([A, B], [Y, Y], sample_weight=[W, W], batch_size=BATCH, verbose=0)
    return seen


@fact
def tuples(keras: Keras) -> Any:
    model, seen = _two(keras)
    model.fit((A, B), (Y, Y), batch_size=BATCH, verbose=0)
    return seen


@fact
def generators(keras: Keras) -> Any:
    model, seen = _two(keras)
    batches = [((A, B), {"y": Y}, W), ([A, B], Y, {"y": W})]
    for batch in batches:
        model.fit(iter([batch]), steps_per_epoch=1, verbose=0)
    return seen


@fact
def evaluate_and_predict(keras: Keras) -> Any:
    model, seen = _one(keras)
    evaluated = model.evaluate(A, Y, batch_size=BATCH, verbose=0, return_dict=True)
    predicted = model.predict(A, batch_size=BATCH, verbose=0)
    return {"seen": seen, "evaluated": evaluated, "predicted": list(predicted.shape)}


@fact
def on_a_batch(keras: Keras) -> Any:
    model, seen = _one(keras)
    trained = model.train_on_batch(A, Y, sample_weight=W)
    tested = model.test_on_batch(A, Y)
    model.predict_on_batch(A)
    return {"seen": seen, "numbers": [structure(trained), structure(tested)]}


@fact
def arguments_of_compute_loss(keras: Keras) -> Any:
    """Keras's own steps call `compute_loss` and `compute_metrics`; these are their arguments, in order and by name."""
    seen: list[Any] = []

    class Recorder(keras.Model):  # type: ignore[misc, name-defined]
        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            seen.append(["loss", [_shaped(one) for one in args], sorted(kwargs)])
            return super().compute_loss(*args, **kwargs)

        def compute_metrics(self, *args: Any, **kwargs: Any) -> Any:
            seen.append(["metrics", [_shaped(one) for one in args], sorted(kwargs)])
            return super().compute_metrics(*args, **kwargs)

    x = keras.Input((5,), name="x")
    model = Recorder(x, keras.layers.Dense(2)(x))
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    model.fit(A, Y, verbose=0)
    model.evaluate(A, Y, sample_weight=W, verbose=0)
    return seen


@fact
def keras_helpers_take_data_apart(keras: Keras) -> Any:
    """`unpack_x_y_sample_weight` and its counterpart, which custom steps begin with."""
    unpack, pack = keras.utils.unpack_x_y_sample_weight, keras.utils.pack_x_y_sample_weight
    parts = [unpack(A), unpack((A,)), unpack((A, Y)), unpack((A, Y, W))]
    packed = [pack(A), pack(A, Y), pack([A, B], Y), pack(A, Y, W)]
    return [[_shaped(part) for part in parts], [_shaped(one) for one in packed]]
