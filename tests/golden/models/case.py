"""What a case is: a function that builds a model, the data it is fed, and what `compile` and `fit` are told."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Keras = Any  # the namespace that a builder is handed: Keras 2.15 or this package
Tree = Any  # an array, or lists, tuples and dictionaries of arrays
Parts = dict[str, Any]  # the model of a case under "model", and others that share its layers

ROWS = 20
BATCH = 8  # the last of three batches is short
EPOCHS = 17  # 51 steps


@dataclass(frozen=True)
class Array:
    """An array to be drawn: its kind and its shape without the axis of samples."""

    kind: str
    shape: tuple[int, ...] = ()


def real(*shape: int) -> Array:
    """Return normal numbers."""
    return Array("real", shape)


def tokens(steps: int, words: int) -> Array:
    """Return sequences of integers from 1 to `words - 1`, padded with zeros at the end; none is empty."""
    return Array(f"tokens:{words}", (steps,))


def ids(count: int) -> Array:
    """Return one integer below `count` for each sample, as a column."""
    return Array(f"labels:{count}", (1,))


def padded(steps: int, features: int) -> Array:
    """Return sequences of normal numbers, padded with zeros at the end; none is empty."""
    return Array("padded", (steps, features))


def onehot(classes: int, *lead: int) -> Array:
    """Return one-hot rows."""
    return Array(f"onehot:{classes}", lead)


def labels(classes: int, *shape: int) -> Array:
    """Return class indices."""
    return Array(f"labels:{classes}", shape)


def bits(*shape: int) -> Array:
    """Return zeros and ones, as floats."""
    return Array("bits", shape)


def weight(*shape: int) -> Array:
    """Return weights of samples from 0 to 2, every fifth zero."""
    return Array("weight", shape)


@dataclass(frozen=True)
class Case:
    """One model and how it is trained.

    Attributes:
        name: The name of the function that builds it.
        build: Called with the namespace (and the custom steps, where `steps`); returns a model, or a dictionary of
            models with the one to be trained under "model".
        x: Tree of the inputs.
        y: Tree of the targets; None where the model's loss needs none.
        compile: Arguments of compile without the optimizer, or a function of the namespace that returns them.
        sample_weight: Tree of weights of samples.
        fit: Further arguments of fit.
        validation: `validation_data` is drawn as x, y (and sample_weight) are.
        feed: How fit is fed: "arrays", "generator" or "sequence".
        steps: The builder takes the custom steps too, which are written in TensorFlow or torch.
        train_forward: Outputs in training mode are recorded too.
        after: Called with the namespace, the parts and the inputs after training by SGD; returns a tree of arrays.
        untrained: How many weights get no gradient.
        rows: How many samples; batch: the size of a batch; epochs: how many.
        rate: The learning rate of SGD.
        scale: The size of the first weights.
        tolerance: Where float32 needs more than the usual one.
        reason: Why it does.
    """

    name: str
    build: Callable[..., Any]
    x: Tree
    y: Tree
    compile: Callable[[Keras], dict[str, Any]] | Mapping[str, Any]
    sample_weight: Tree = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    validation: bool = False
    feed: str = "arrays"
    steps: bool = False
    train_forward: bool = False
    after: Callable[[Keras, Parts, Tree], Tree] | None = None
    untrained: int = 0
    rows: int = ROWS
    batch: int = BATCH
    epochs: int = EPOCHS
    rate: float = 0.05
    scale: float = 0.4
    tolerance: float | None = None
    reason: str = ""

    def compile_arguments(self, keras: Keras) -> dict[str, Any]:
        """Return new arguments of compile, for a metric belongs to one model."""
        return self.compile(keras) if callable(self.compile) else dict(self.compile)

    def random(self, purpose: str) -> np.random.RandomState:
        """Return the stream of random numbers of this case for a purpose."""
        return np.random.RandomState(zlib.crc32(f"{self.name} {purpose}".encode()) & 0x7FFFFFFF)

    def draw(self, what: str, purpose: str = "") -> Tree:
        """Draw `x`, `y` or `sample_weight`."""
        return draw(getattr(self, what), self.random(what + purpose), self.rows)


class Table(list[Case]):
    """The cases of a file, in order; `case` makes one of the function under it."""

    def case(self, x: Tree, y: Tree, **fields: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Enter the builder that follows."""
        fields.setdefault("compile", {"loss": "mse"})

        def enter(build: Callable[..., Any]) -> Callable[..., Any]:
            self.append(Case(fields.pop("name", build.__name__), build, x, y, **fields))
            return build

        return enter


def map_tree(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """Apply a function to each leaf of lists, tuples and dictionaries; None stays."""
    if isinstance(tree, dict):
        return {key: map_tree(function, branch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_tree(function, branch) for branch in tree)
    return None if tree is None else function(tree)


def leaves(tree: Tree) -> list[Any]:
    """List the leaves of a tree, a dictionary's in the order of its keys' names."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [] if tree is None else [tree]


def structure(tree: Tree) -> Any:
    """Describe a tree by JSON: lists (tuples too), dictionaries, and "." for a leaf."""
    if isinstance(tree, dict):
        return {key: structure(branch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [structure(branch) for branch in tree]
    return "."


def draw(tree: Tree, rng: np.random.RandomState, rows: int) -> Tree:
    """Draw every array of a tree."""
    return map_tree(lambda array: _draw_array(array, rng, rows), tree)


def _draw_array(array: Array, rng: np.random.RandomState, rows: int) -> np.ndarray:
    kind, _, count = array.kind.partition(":")
    shape = (rows, *array.shape)
    if kind == "onehot":
        return np.eye(int(count), dtype="float32")[rng.randint(0, int(count), shape)]
    if kind == "labels":
        return rng.randint(0, int(count), shape).astype("int32")
    if kind == "bits":
        return rng.randint(0, 2, shape).astype("float32")
    if kind == "tokens":
        return (rng.randint(1, int(count), shape) * _valid(rng, shape)).astype("int32")
    if kind == "weight":
        weights = rng.uniform(0, 2, shape).astype("float32")
        weights.reshape(-1)[::5] = 0
        return weights
    numbers = rng.standard_normal(shape).astype("float32")
    return numbers * _valid(rng, shape[:2])[..., None].astype("float32") if kind == "padded" else numbers


def _valid(rng: np.random.RandomState, shape: tuple[int, ...]) -> np.ndarray:
    lengths = rng.randint(1, shape[1] + 1, shape[0])
    return np.arange(shape[1])[None] < lengths[:, None]


def draw_weights(names: list[str], shapes: list[list[int]], rng: np.random.RandomState, scale: float) -> list[Any]:
    """Draw weights that are not trivial; variances and gammas stay positive."""
    values = []
    for name, shape in zip(names, shapes):
        positive = "variance" in name or "gamma" in name
        drawn = rng.uniform(0.5, 1.5, shape) if positive else rng.standard_normal(shape) * scale
        values.append(drawn.astype("float32"))
    return values
