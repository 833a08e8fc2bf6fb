"""Calls in the configurations of graphs of layers: how Keras 1, 2 and 3 and this package write them down."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import stored_configs
from .errors import show
from .symbolic import ends_of


@dataclass(frozen=True)
class Place:
    """Where a tensor comes from: an output of a call of a layer."""

    layer: str
    call: int
    output: int

    def __str__(self) -> str:
        return f"output {self.output} of call {self.call} of {self.layer!r}"


@dataclass
class Call:
    """A call that a configuration describes, with places where tensors are.

    Attributes:
        layer: Whose call it is.
        number: Which of the layer's.
        arguments: Without a name, the inputs first.
        keywords: With a name.
    """

    layer: str
    number: int
    arguments: list[Any]
    keywords: dict[str, Any]

    def places(self) -> Iterator[Place]:
        """Yield what must be there before, the call before it among them."""
        if self.number:
            yield Place(self.layer, self.number - 1, 0)
        yield from places_in([self.arguments, self.keywords])


def places_in(tree: Any) -> Iterator[Place]:
    """Yield the places in a tree of anything."""
    if isinstance(tree, Place):
        yield tree
    elif isinstance(tree, dict):
        for branch in tree.values():
            yield from places_in(branch)
    elif isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from places_in(branch)
    elif isinstance(tree, slice):
        yield from places_in(ends_of(tree))


def put(tree: Any, tensor_at: Callable[[Place], Any]) -> Any:
    """Return a tree with what `tensor_at` has for each of its places."""
    if isinstance(tree, Place):
        return tensor_at(tree)
    if isinstance(tree, dict):
        return {key: put(branch, tensor_at) for key, branch in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)(put(branch, tensor_at) for branch in tree)
    if isinstance(tree, slice):
        return slice(*put(ends_of(tree), tensor_at))
    return tree


# --- how calls are written ---------------------------------------------------------------------------------------


def place_of(value: Any) -> Place:
    """Return the place that a list names, `[layer, call, output, …]`."""
    if not is_place(value):
        raise ValueError(f"a tensor of the graph must be [layer, call, output]; got {show(value)}.")
    return Place(*value[:3])


def is_place(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(type(number) is int and number >= 0 for number in value[1:3])
        and (len(value) == 3 or isinstance(value[3], (dict, type(None))))
    )


def _inputs(tree: Any, keywords: list[dict[str, Any]]) -> Any:
    """Return the inputs of a call of Keras 1 or 2; what stands beside their tensors is added to `keywords`."""
    if is_place(tree):
        if len(tree) > 3 and tree[3]:
            keywords.append(tree[3])
        return place_of(tree)
    if isinstance(tree, list) and tree[:1] == ["_CONSTANT_VALUE"] and len(tree) > 2:
        keywords.append(tree[3] if len(tree) > 3 else {})
        return tree[2]
    if isinstance(tree, dict):
        return {key: _inputs(branch, keywords) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_inputs(branch, keywords) for branch in tree]
    raise ValueError(f"a tensor of the graph must be [layer, call, output]; got {show(tree)}.")


def keras_2_call(name: str, number: int, node: Any, names: Container[str], listed: bool = False) -> Call:
    """Return a call that Keras 1 or 2 wrote: the inputs, with the further arguments beside each of them.

    Args:
        name: The layer.
        number: Which of its calls it is.
        node: What the configuration has for it.
        names: The names of all layers.
        listed: Whether the layer takes a list even of one tensor.
    """
    if is_place(node) or (isinstance(node, list) and node[:1] == ["_CONSTANT_VALUE"]):
        node = [node]
    if isinstance(node, list) and node and isinstance(node[0], list) and node[0][:1] == ["_OPERATION"]:
        return _own_call(name, number, node[0])
    beside: list[dict[str, Any]] = []
    inputs = _inputs(node, beside)
    if isinstance(inputs, list) and len(inputs) == 1 and not listed:
        inputs = inputs[0]
    written = beside[0] if beside else {}
    keywords = {key: _argument(value, names) for key, value in written.items() if value is not None}
    more = [keywords.pop(key) for key in sorted(keywords) if key.startswith("_argument_")]
    return Call(name, number, [inputs, *more], keywords)


def _own_call(name: str, number: int, node: Any) -> Call:
    """Return the call of a function as this package writes it."""
    _, first, arguments, keywords = node
    leading = [] if first is None else [_argument(first, ())]  # all arguments may have names
    return Call(name, number, [*leading, *_argument(arguments, ())], _argument(keywords, ()))


def _argument(value: Any, names: Container[str]) -> Any:
    """Return an argument of a call that Keras 2, or this package, wrote."""
    if isinstance(value, (list, tuple)):
        if len(value) == 4 and isinstance(value[0], str) and value[0] == "_TENSOR":
            return place_of(list(value[1:]))
        if is_place(value) and len(value) == 3 and value[0] in names:
            return place_of(value)
        return type(value)(_argument(part, names) for part in value)
    if isinstance(value, dict):
        kind = value.get("class_name")
        if kind == "slice":
            return slice(*_argument(value["config"], names))
        if kind in ("ellipsis", "__ellipsis__"):
            return Ellipsis
        if kind in ("tuple", "__tuple__"):
            return tuple(_argument(part, names) for part in value["config" if kind == "tuple" else "items"])
        if value.keys() == {"start", "stop", "step"}:
            return slice(*(_argument(value[end], names) for end in ("start", "stop", "step")))
        return {key: _argument(part, names) for key, part in value.items()}
    return value


def keras_3_call(name: str, number: int, node: Mapping[str, Any], keeps_mode: bool = False) -> Call:
    """Return a call that Keras 3 wrote: all its arguments, with tensors where they were.

    Args:
        name: The layer.
        number: Which of its calls it is.
        node: What the configuration has for it.
        keeps_mode: Whether a `training` that the call was told holds.  In Keras 3 that of fit, evaluate and predict
            replaces it.
    """
    arguments, keywords = node.get("args"), node.get("kwargs")
    if not isinstance(arguments, list) or not isinstance(keywords, dict):
        raise ValueError(f"a call needs 'args', a list, and 'kwargs', a dictionary; got {show(node)}.")
    told = {key: value for key, value in keywords.items() if not _is_none(value)}
    if not keeps_mode:
        told.pop("training", None)
    call = Call(name, number, [_tensors_of_keras_3(value) for value in arguments], _tensors_of_keras_3(told))
    while len(call.arguments) > 1 and _is_none(call.arguments[-1]):
        call.arguments.pop()
    return call


def _is_none(value: Any) -> bool:
    return value is None or (isinstance(value, list) and bool(value) and all(part is None for part in value))


def _tensors_of_keras_3(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            config = value.get("config")
            return place_of(config.get("keras_history") if isinstance(config, dict) else config)
        if value.get("class_name") == "__slice__":
            return slice(*map(_tensors_of_keras_3, ends_of(stored_configs.value_in(value))))
        if isinstance(value.get("class_name"), str):
            return stored_configs.value_in(value)
        return {key: _tensors_of_keras_3(part) for key, part in value.items()}
    return [_tensors_of_keras_3(part) for part in value] if isinstance(value, list) else value
