"""Where the weights of each layer stand in a file that has a tree of groups, as Keras writes from 2.12 on.

A layer has a group, with its own weights in `vars/0`, `vars/1`, …; a layer inside it stands in a group below, named by
the attribute that holds it: `layers/dense_1`, `cell`, `forward_layer/cell`. Layers in lists are called by their class,
with a number from the second on. Releases walk through the attributes in different orders, and a layer that is held
twice gets the path by which it is met first; a `Convention` is one such order.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._core import settings
from .._core.ownership import is_ours, own_names
from .._core.weights import Weight

Key = Callable[[str], str]


@dataclass(frozen=True)
class Convention:
    """How a release of Keras walks through the attributes of layers.

    Attributes:
        release: The releases that do so.
        key: What attributes are sorted by.
        reverse: Whether from the end.
        layers: The attribute of a model that holds its layers.
        layers_first: Whether a graph's and a chain's layers come before all other attributes.
        counts_visited: Whether a layer that has its path already counts among those of its class in a list.
        counts_weighted_twice: Whether a graph's and a chain's layers with weights stand in the list twice.
        nested_lists: Whether lists in lists have a group, `container`.
        sorts_dictionaries: Whether a model lists the layers in a dictionary by their keys.
        hides_projections: Whether MultiHeadAttention's projections are private: `_query_dense`.
        private_classes: What stands before the name of a class that begins with an underscore.
    """

    release: str
    key: Key
    reverse: bool = False
    layers: str = "layers"
    layers_first: bool = False
    counts_visited: bool = True
    counts_weighted_twice: bool = False
    nested_lists: bool = False
    sorts_dictionaries: bool = True
    hides_projections: bool = True
    private_classes: str = "private"


def _private_last(name: str) -> str:
    return f"~{name}" if name.startswith("_") else name


def _as_written(name: str) -> str:
    return name


_OLD = "_layer_checkpoint_dependencies"

KERAS_3 = Convention(
    "Keras 3.12 and later",
    _private_last,
    layers_first=True,
    nested_lists=True,
    sorts_dictionaries=False,
    hides_projections=False,
    private_classes="",
)
KERAS_2_15 = Convention("Keras 2.15", _as_written, reverse=True, counts_visited=False)
CONVENTIONS = (
    KERAS_3,
    Convention(
        "Keras 3.0 to 3.11",
        _private_last,
        layers_first=True,
        sorts_dictionaries=False,
        hides_projections=False,
        private_classes="",
    ),
    KERAS_2_15,
    Convention("Keras 2.14", _as_written, layers=_OLD, counts_visited=False),
    Convention("Keras 2.12 and 2.13", _as_written, layers=_OLD, counts_weighted_twice=True),
)


@dataclass(frozen=True)
class Node:
    """The group of one layer.

    Attributes:
        path: The group's; the root's is empty.
        name: The layer's own name.
        layer: The layer; of a part that is no layer here, the layer that it belongs to.
        weights: Its own weights, those that train first, without those of layers inside it.
    """

    path: str
    name: str
    layer: Any
    weights: tuple[Weight, ...]


@dataclass(frozen=True)
class Part:
    """What is a layer in Keras and here only some lines in the table of another."""

    name: str
    owner: Any
    weights: tuple[Weight, ...]


def nodes(model: Any, convention: Convention = KERAS_3, path: str = "") -> list[Node]:
    """Return the groups of a model, or of one layer, in the order in which they are met.

    Args:
        model: A built layer.
        convention: The order.
        path: The layer's own group.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.LSTM(2, input_shape=(5, 3)), keras.layers.Dense(1)])
        >>> [node.path for node in nodes(model)]
        ['', 'layers/lstm', 'layers/lstm/cell', 'layers/dense']
    """
    return list(_Walk(convention).through(model, path))


class _Walk:
    """One walk through a model.

    Args:
        convention: The order.
    """

    def __init__(self, convention: Convention) -> None:
        self.convention = convention
        self.visited: dict[int, Any] = {}  # the objects themselves too: what is kept keeps its id
        self.containers: dict[int, Any] = {}

    def through(self, layer: Any, path: str) -> Iterator[Node]:
        """Yield the group of a layer and those of the layers in it."""
        if id(layer) in self.visited:
            return
        self.visited[id(layer)] = layer
        if isinstance(layer, Part):
            yield Node(path, layer.name, layer.owner, layer.weights)
            return
        yield Node(path, layer.name, layer, own_weights(layer))
        for attribute, held in attributes(layer, self.convention):
            yield from self._below(held, f"{path}/{attribute}" if path else attribute)

    def _below(self, held: Any, path: str) -> Iterator[Node]:
        if _is_saved(held):
            yield from self.through(held, path)
        elif isinstance(held, (list, tuple, Mapping)):
            yield from self._through_list(held, path)

    def _through_list(self, container: Any, path: str) -> Iterator[Node]:
        if id(container) in self.containers:
            return
        self.containers[id(container)] = container
        used: dict[str, int] = {}
        for item in container.values() if isinstance(container, Mapping) else container:
            is_list = isinstance(item, (list, tuple, Mapping)) and self.convention.nested_lists
            counts = self.convention.counts_visited or id(item) not in self.visited
            if not is_list and not (_is_saved(item) and counts):
                continue
            name = "container" if is_list else _class_name(item, self.convention)
            number = used[name] = used.get(name, -1) + 1
            yield from self._below(item, f"{path}/{name}_{number}" if number else f"{path}/{name}")


def _is_saved(value: Any) -> bool:
    return isinstance(value, Part) or (getattr(value, "_is_layer", False) is True and not isinstance(value, type))


def _class_name(layer: Any, convention: Convention) -> str:
    name = layer.name if isinstance(layer, Part) else type(layer).__name__
    if name == "Model" and is_ours(type(layer)):
        name = "Functional"
    name = settings.snake_case(name, digits_begin_words=False)
    return f"{convention.private_classes}{name}" if name.startswith("_") else name


# --- what a layer holds ----------------------------------------------------------------------------------------------


def own_weights(layer: Any) -> tuple[Weight, ...]:
    """Return the weights of a layer without those of layers inside it, those that train first.

    Args:
        layer: The layer.
    """
    own = _kind(layer, OWN_WEIGHTS)
    lines = layer._own_table() if own is None else own(layer)
    return tuple(sorted(lines, key=lambda line: not line.trainable))


def attributes(layer: Any, convention: Convention, with_list: bool = True) -> list[tuple[str, Any]]:
    """Return the attributes that hold layers, in the order of a convention.

    Args:
        layer: The layer.
        convention: The order.
        with_list: Whether the list of a model's layers is one of them.
    """
    of_ours = _kind(layer, ATTRIBUTES)
    held = dict(of_ours(layer, convention)) if of_ours else {}
    if not is_ours(type(layer)):
        held |= _of_users(layer)
    lists = with_list and is_model(layer)
    lists_itself = lists and not lists_by_attributes(layer)
    first = [(convention.layers, _listed(layer, convention))] if lists_itself else []
    if lists and not lists_itself:
        held["layers"] = _listed(layer, convention)
    rest = sorted(held.items(), key=lambda item: convention.key(item[0]), reverse=convention.reverse)
    if convention.layers_first or not first:
        return [*first, *rest]
    return sorted([*first, *rest], key=lambda item: convention.key(item[0]), reverse=convention.reverse)


def is_model(layer: Any) -> bool:
    """Tell whether a layer is a model, which lists layers.

    Args:
        layer: The layer.
    """
    return hasattr(layer, "layers") and hasattr(layer, "compile")


def lists_by_attributes(model: Any) -> bool:
    """Tell whether Keras finds a model's layers by its attributes alone; a chain lists them, whatever its call does.

    Args:
        model: The model.
    """
    return bool(model._is_users and not model._chain)


def _listed(model: Any, convention: Convention) -> list[Any]:
    """Return what a model's list of layers holds in a release."""
    if lists_by_attributes(model) and not convention.sorts_dictionaries:
        return list({id(layer): layer for held in _of_users(model).values() for layer in _flat(held)}.values())
    layers = list(model.layers)
    if convention.counts_weighted_twice and not lists_by_attributes(model):
        return [layer for one in layers for layer in ([one, one] if one._weight_table() else [one])]
    return layers


def _flat(held: Any) -> Iterator[Any]:
    """Yield the layers in lists and dictionaries, these in the order in which they were filled."""
    if _is_saved(held):
        yield held
    elif isinstance(held, (list, tuple, Mapping)):
        for item in held.values() if isinstance(held, Mapping) else held:
            yield from _flat(item)


def _of_users(layer: Any) -> dict[str, Any]:
    """Return the attributes that a user's class holds layers in, as they were assigned, and properties behind them."""
    users = [cls for cls in type(layer).__mro__ if not is_ours(cls)]
    ours = next(cls for cls in type(layer).__mro__ if is_ours(cls))
    names = [
        name
        for name in layer.__dict__.get("_attribute_order", ())
        if not (name.startswith("_") and (hasattr(ours, name) or name in _annotated(ours)))
    ]
    held = {name: getattr(layer, name, None) for name in names}
    for name in {name for cls in users for name, value in vars(cls).items() if isinstance(value, property)}:
        with contextlib.suppress(Exception):  # a user's property that cannot be read now holds no layer
            held[name] = getattr(layer, name)
    return held


def _annotated(cls: type) -> set[str]:
    return {name for base in cls.__mro__ for name in inspect.get_annotations(base)}


def _kind(layer: Any, table: Mapping[str, Any]) -> Any:
    """Return what a table by names of classes has for a layer, or for what it is a subclass of."""
    return next((table[name] for name in own_names(type(layer)) if name in table), None)


def _names(*names: str) -> Callable[[Any, Convention], Iterator[tuple[str, Any]]]:
    def named(layer: Any, convention: Convention) -> Iterator[tuple[str, Any]]:
        yield from ((name, getattr(layer, name)) for name in names)

    return named


def _of_attention(layer: Any, convention: Convention) -> Iterator[tuple[str, Any]]:
    """Yield the projections of MultiHeadAttention, layers in Keras, and the two layers that it has here too."""
    for name in ("query", "key", "value", "attention_output"):
        weights = tuple(line for line in layer._table if line.name.startswith(f"{name}/"))
        attribute = f"{name.removeprefix('attention_')}_dense"
        yield f"_{attribute}" if convention.hides_projections else attribute, Part(name, layer, weights)
    if layer.built:
        yield from (("_softmax", layer.softmax), ("_dropout_layer", layer.dropout_layer))


# Class → the attributes that hold layers.
ATTRIBUTES: dict[str, Callable[[Any, Convention], Iterator[tuple[str, Any]]]] = {
    "Bidirectional": _names("forward_layer", "backward_layer"),
    "MultiHeadAttention": _of_attention,
    "RNN": _names("cell"),
    "StackedRNNCells": _names("cells"),
    "Wrapper": _names("layer"),
}

# Class → its own weights, where these are not the lines of its table: SpectralNormalization lists the kernel that it
# normalises, and MultiHeadAttention's are those of its projections.
OWN_WEIGHTS: dict[str, Callable[[Any], list[Weight]]] = {
    "MultiHeadAttention": lambda layer: [],
    "SpectralNormalization": lambda layer: [layer._kernel(), *layer._table],
}
