"""What is seen of a case: names, outputs, gradients, fifty steps and their logs, under Keras or here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .case import Case, Keras, Parts, Tree, draw_weights, leaves, map_tree, structure

OPTIMIZERS = ("sgd", "adam")


@dataclass
class Observed:
    """Facts (JSON) and arrays."""

    facts: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def add_tree(self, name: str, tree: Tree) -> None:
        """Note a tree of arrays: its structure as a fact, its leaves as arrays."""
        self.facts[name] = structure(tree)
        for i, leaf in enumerate(leaves(tree)):
            self.arrays[f"{name}/{i}"] = np.asarray(leaf, "float32")


class Observer:
    """Builds the models of one case in one namespace, with the weights that belong to the case.

    Args:
        case: What to build.
        keras: The namespace.
        steps: The custom steps for that namespace.
        weights: Names and shapes of the weights; None asks the model for them, as the oracle does.
        compiled: Further arguments of compile.
    """

    def __init__(self, case: Case, keras: Keras, steps: Any, weights: Any = None, **compiled: Any) -> None:
        self.case, self.keras, self.steps = case, keras, steps
        self.weights, self.compiled = weights, compiled
        self.x, self.y = case.draw("x"), case.draw("y")
        self.sample_weight = case.draw("sample_weight")
        self.shape_told = True

    def build(self) -> Parts:
        """Build the models anew, with automatic names from the start and the weights of the case."""
        self.keras.backend.clear_session()
        built = self.case.build(self.keras, self.steps) if self.case.steps else self.case.build(self.keras)
        parts: Parts = built if isinstance(built, dict) else {"model": built}
        model = parts["model"]
        self.shape_told = bool(model.built)
        if not self.shape_told:
            model(self._rows(self.x, 0))
        model.set_weights(self._start(model))
        return parts

    def _start(self, model: Any) -> list[np.ndarray]:
        if self.weights is None:
            names = [weight.name.rpartition("/")[2].partition(":")[0] for weight in model.weights]
            self.weights = {"names": names, "shapes": [list(value.shape) for value in model.get_weights()]}
        return draw_weights(**self.weights, rng=self.case.random("weights"), scale=self.case.scale)

    def _rows(self, tree: Tree, batch: int) -> Tree:
        size = self.case.batch
        return map_tree(lambda array: array[batch * size : (batch + 1) * size], tree)

    def compile(self, model: Any, optimizer: str) -> None:
        """Compile with one of the optimizers of every case; "unit" is SGD whose step is the gradient."""
        made = {
            "unit": lambda: self.keras.optimizers.SGD(learning_rate=1.0),
            "sgd": lambda: self.keras.optimizers.SGD(learning_rate=self.case.rate),
            "adam": lambda: self.keras.optimizers.Adam(learning_rate=0.01, epsilon=0.001),
        }[optimizer]()
        model.compile(optimizer=made, **self.case.compile_arguments(self.keras), **self.compiled)

    # What is seen

    def names(self) -> Observed:
        """Names and shapes that need no training; the order of the weights is part of it."""
        model = self.build()["model"]
        trained = len(model.trainable_weights)
        facts = {
            "weights": [list(value.shape) for value in model.get_weights()],
            "trainable": [list(weight.shape) for weight in model.trainable_weights],
            "count_params": int(model.count_params()),
            "layers": [layer.name for layer in model.layers],
            "trained": trained,
        }
        if getattr(model, "inputs", None) is not None:
            facts["input_names"], facts["output_names"] = list(model.input_names), list(model.output_names)
        if self.shape_told and "input_names" in facts:  # a shape that comes from a batch has the size of the batch
            facts["input_shape"], facts["output_shape"] = _shapes(model.input_shape), _shapes(model.output_shape)
        return Observed(facts)

    def outputs(self) -> Observed:
        """What `predict` returns, and calls in training mode where the two differ."""
        model = self.build()["model"]
        seen = Observed()
        seen.add_tree("predict", model.predict(self.x, batch_size=self.case.batch, verbose=0))
        if self.case.train_forward:
            outputs = model(self._rows(self.x, 0), training=True)
            seen.add_tree("training", map_tree(self.keras.backend.get_value, outputs))
            seen.add_tree("after_training", model.get_weights())
        return seen

    def gradients(self) -> Observed:
        """What one step of size 1 takes off the weights, and what the calls on a batch return."""
        model = self.build()["model"]
        self.compile(model, "unit")
        before = model.get_weights()
        seen = Observed()
        seen.add_tree("train_on_batch", model.train_on_batch(**self._batch(0)))
        seen.add_tree("gradients", [b - a for b, a in zip(before, model.get_weights())])
        model.set_weights(before)
        seen.add_tree("test_on_batch", model.test_on_batch(**self._batch(1)))
        seen.add_tree("test_on_batch_dict", model.test_on_batch(**self._batch(0), return_dict=True))
        return seen

    def _batch(self, number: int) -> dict[str, Any]:
        weighted = {} if self.sample_weight is None else {"sample_weight": self._rows(self.sample_weight, number)}
        return {"x": self._rows(self.x, number), "y": self._rows(self.y, number), **weighted}

    def sgd(self) -> Observed:
        """Fifty steps of SGD, and what can be asked afterwards."""
        return self._train("sgd")

    def adam(self) -> Observed:
        """Fifty steps of Adam."""
        return self._train("adam")

    def _train(self, optimizer: str) -> Observed:
        parts = self.build()
        model = parts["model"]
        self.compile(model, optimizer)
        seen = Observed()
        history = model.fit(**self._fit_arguments(), epochs=self.case.epochs, shuffle=False, verbose=0)
        seen.facts["keys"] = list(history.history)
        for key, values in history.history.items():
            seen.arrays[f"history/{key}"] = np.array(values, "float32")
        seen.add_tree("end", model.get_weights())
        if optimizer == "sgd":
            self._ask(parts, seen)
        return seen

    def _ask(self, parts: Parts, seen: Observed) -> None:
        model = parts["model"]
        seen.facts["metrics_names"] = list(model.metrics_names)
        told = {"x": self.x, "y": self.y, "sample_weight": self.sample_weight, "batch_size": self.case.batch}
        seen.add_tree("evaluate", model.evaluate(**told, verbose=0))
        seen.add_tree("evaluate_dict", model.evaluate(**told, verbose=0, return_dict=True))
        if self.case.after is not None:
            seen.add_tree("after", self.case.after(self.keras, parts, self.x))

    # How fit is fed

    def _fit_arguments(self) -> dict[str, Any]:
        fit = dict(self.case.fit)
        if self.case.validation:
            fit["validation_data"] = self._validation_data()
        if self.case.feed != "arrays":
            number = -(-self.case.rows // self.case.batch)
            batches = [tuple(self._batch(i).values()) for i in range(number)]
            fed = _endless(batches) if self.case.feed == "generator" else _sequence(self.keras, batches)
            return {"x": fed, "steps_per_epoch": number, **fit} if self.case.feed == "generator" else {"x": fed, **fit}
        return {"x": self.x, "y": self.y, "sample_weight": self.sample_weight, "batch_size": self.case.batch, **fit}

    def _validation_data(self) -> tuple[Tree, ...]:
        case = self.case
        parts = [case.draw("x", " validation"), case.draw("y", " validation")]
        if case.sample_weight is not None:
            parts.append(case.draw("sample_weight", " validation"))
        return tuple(parts)


def _shapes(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _shapes(one) for key, one in shape.items()}
    if isinstance(shape, list) or (isinstance(shape, tuple) and shape and isinstance(shape[0], tuple)):
        return [_shapes(one) for one in shape]
    return list(shape)


def _endless(batches: list[Any]) -> Iterator[Any]:
    while True:
        yield from batches


def _sequence(keras: Keras, batches: list[Any]) -> Any:
    class Batches(keras.utils.Sequence):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return len(batches)

        def __getitem__(self, index: int) -> Any:
            return batches[index]

    return Batches()


ASPECTS = ("names", "outputs", "gradients", *OPTIMIZERS)
