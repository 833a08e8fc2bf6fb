"""Graphs of layers as Keras writes them down: the order of their layers, configurations, and copies."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from .._core import registry, settings
from .._core.border import user_stacklevel
from .._core.errors import show
from .._core.symbolic import Node, SymbolicTensor, ends_of, replaced
from .._core.tree import Tree, flatten, is_branch, map_tree
from .._core.weights import Variable
from ..layers.base import Layer
from ..layers.input_layer import InputLayer, input_for
from .graph_configs import from_config, leaves_by_key, own_calls
from .operation import TFOpLambda, is_named, layer_of
from .plan import Plan

Vertex = Node | SymbolicTensor  # a call, or an input


def vertex_of(tensor: SymbolicTensor, plan: Plan) -> Vertex:
    """Return the call that gives a tensor in a graph, or the tensor where it is an input of the graph."""
    known = any(tensor is own for own in plan.inputs)
    return tensor if known or tensor.node is None else tensor.node


def layer_for(vertex: Vertex) -> Layer:
    """Return the layer of a call, or of an input."""
    return input_for(vertex) if isinstance(vertex, SymbolicTensor) else layer_of(vertex)


def layers_by_depth(plan: Plan) -> list[Layer]:
    """Return the layers of a graph in the order in which Keras lists them, and their weights.

    The depth of a layer is the longest way from it to an output; the deepest come first, and of one depth those that
    a search from the outputs reaches first.
    """
    inputs = {id(tensor): tensor for tensor in plan.inputs}
    for node in sorted(plan.nodes, key=lambda node: node.number):  # what stands for functions is named in this order
        layer_of(node)

    def start(tensor: SymbolicTensor) -> Vertex:
        return tensor if id(tensor) in inputs or tensor.node is None else tensor.node

    def parents(vertex: Vertex) -> list[Vertex]:
        if isinstance(vertex, SymbolicTensor):
            return []
        return [start(tensor) for tensor in vertex.parents()]

    position: dict[int, int] = {}  # layer → when the search reached it
    finished: list[Vertex] = []
    reached: set[int] = set()
    pending: list[Iterator[Vertex]] = [map(start, plan.outputs)]
    waiting: list[Vertex] = []
    while pending:
        vertex = next(pending[-1], None)
        if vertex is None:
            pending.pop()
            if waiting:
                finished.append(waiting.pop())
        elif id(vertex) not in reached:
            reached.add(id(vertex))
            position.setdefault(id(layer_for(vertex)), len(position))
            waiting.append(vertex)
            pending.append(iter(parents(vertex)))
    depths: dict[int, int] = {}
    of_layer: dict[int, int] = {}
    layers: dict[int, Layer] = {}
    for vertex in reversed(finished):
        layer = layer_for(vertex)
        depth = max(depths.get(id(vertex), 0), of_layer.get(id(layer), 0))
        depths[id(vertex)] = of_layer[id(layer)] = depth
        layers[id(layer)] = layer
        for parent in parents(vertex):
            depths[id(parent)] = max(depth + 1, depths.get(id(parent), 0))
    for tensor in plan.inputs:  # one that leads to no output
        layer = layer_for(tensor)
        if id(layer) not in layers:
            layers[id(layer)], of_layer[id(layer)], position[id(layer)] = layer, 0, -1
    return sorted(layers.values(), key=lambda layer: (-of_layer[id(layer)], position[id(layer)]))


# --- configurations ----------------------------------------------------------------------------------------------


def _calls_of(nodes: Sequence[Node], layers: Sequence[Layer]) -> dict[int, list[Node]]:
    """Return the calls of each layer that belong to a graph, in the order in which they were made."""
    own = {id(node) for node in nodes}
    return {id(layer): [node for node in layer._nodes if id(node) in own] for layer in layers}


def config_of(model: Any, with_layers: bool = True) -> dict[str, Any]:
    """Return the configuration of a graph of layers, as Keras 2 writes it.

    Args:
        model: The model.
        with_layers: Whether the layers' own configurations are in it; a copy of the graph has the layers themselves.
    """
    plan: Plan = model._plan
    added = list(_added_to(model))
    made = plan.nodes_to([*plan.outputs, *(tensor for _, tensor in added)])
    layers = list({id(layer): layer for layer in (*model._graph_layers, *map(layer_of, made))}.values())
    calls = _calls_of(made, layers)
    place: dict[int, list[Any]] = {id(t): [layer_for(t).name, 0, 0] for t in plan.inputs}
    for layer in layers:
        for number, node in enumerate(calls[id(layer)], len(own_calls(layer))):
            for i, tensor in enumerate(leaves_by_key(node.outputs)):
                place.setdefault(id(tensor), [layer.name, number, i])
    entries = []
    for layer in layers:
        nodes = [_node_config(node, place) for node in calls[id(layer)]]
        written = with_layers or isinstance(layer, (InputLayer, TFOpLambda))
        entry = (
            registry.serialize("layer", layer) if written else {"class_name": registry.class_name(layer), "config": {}}
        )
        entry |= {"name": layer.name, "inbound_nodes": [] if isinstance(layer, InputLayer) else nodes}
        entries.append(entry)
    entries += [{**entry, "inbound_nodes": [[[*place[id(tensor)], {}]]]} for entry, tensor in added]

    def at(tensor: SymbolicTensor) -> list[Any]:
        return list(place[id(tensor)])

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": entries,
        "input_layers": _places(model._input_tree, at),
        "output_layers": _places(model._output_tree, at),
    }


def _added_to(model: Any) -> Iterator[tuple[dict[str, Any], SymbolicTensor]]:
    """Yield what stands among the layers for each loss and metric of symbolic tensors that was added to a model."""
    losses = [(loss, {"unconditional": False}) for loss in model._standing_losses]
    metrics = [(value, {"aggregation": "mean", "metric_name": name}) for name, value in model._standing_metrics]
    for class_name, call, tensors in (("AddLoss", "add_loss", losses), ("AddMetric", "add_metric", metrics)):
        for number, (tensor, told) in enumerate(tensors):
            if why := _why_not_written(tensor, model._plan):
                tell_left_out(model, call, why)
                continue
            name = f"{call}_{number}" if number else call
            config = {"name": name, "trainable": True, "dtype": settings.floatx(), **told}
            yield {"class_name": class_name, "config": config, "name": name}, tensor


def tell_left_out(model: Any, call: str, why: str) -> None:
    """Warn that what `add_loss` or `add_metric` was given is not in the configuration of a model."""
    text = f"{model.name}: what {call} was given is not in the configuration, for {why}; call {call} again."
    warnings.warn(text, stacklevel=user_stacklevel())


def _why_not_written(tensor: Any, plan: Plan) -> str:
    """Return why an added loss cannot be in a configuration, `''` where it can."""
    if not isinstance(tensor, SymbolicTensor):
        return "it is computed of weights alone"
    for node in plan.nodes_to(tensor):
        if not node.is_layer and not is_named(node.origin):
            return f"{show(node.origin)} has no name by which it could be found again"
    return ""


def _places(tree: Tree, at: Any) -> Any:
    if isinstance(tree, dict):
        return {key: at(tensor) for key, tensor in tree.items()}
    return [at(tensor) for tensor in flatten(tree)]


def _node_config(node: Node, place: Mapping[int, list[Any]]) -> Any:
    """Return a call as `[[layer, number of the call, number of the output, further arguments], …]`."""

    def at(tensor: SymbolicTensor) -> list[Any]:
        return list(place[id(tensor)])

    if not node.is_layer:
        arguments = _written([*node.arguments[1:]], at)
        keywords = _written(node.keywords, at)
        first = _written(node.arguments[0], at) if node.arguments else None
        return [["_OPERATION", first, arguments, keywords]]
    inputs, keywords = node.layer._inputs_in_config(node.arguments[0], node.keywords)
    told = {**keywords, **dict(zip(_further_parameters(node.layer), node.arguments[1:]))}
    beside = {key: _beside(value, at) for key, value in told.items() if value is not None}
    if isinstance(inputs, SymbolicTensor):
        return [[*at(inputs), beside]]
    if isinstance(inputs, dict):
        return {key: [*at(tensor), beside] for key, tensor in inputs.items()}
    return [[*at(tensor), beside] for tensor in flatten(inputs)]


def _further_parameters(layer: Layer) -> Iterator[str]:
    """Yield what the parameters of a layer's `call` behind its inputs are called, as Keras writes their arguments."""
    names = list(inspect.signature(layer.call).parameters)[1:]
    yield from names
    yield from (f"_argument_{i}" for i in itertools.count(len(names)))


def _beside(value: Any, at: Any) -> Any:
    """Return an argument beside the inputs of a layer, with tensors as Keras 2 writes them there."""
    if isinstance(value, SymbolicTensor):
        return at(value)
    if isinstance(value, (list, tuple)):
        return [_beside(item, at) for item in value]
    return {key: _beside(item, at) for key, item in value.items()} if isinstance(value, dict) else value


def _written(value: Any, at: Any) -> Any:
    """Return an argument of a call as JSON can hold it."""
    if isinstance(value, SymbolicTensor):
        return ["_TENSOR", *at(value)]
    if isinstance(value, slice):
        return {"class_name": "slice", "config": [_written(end, at) for end in ends_of(value)]}
    if value is Ellipsis:
        return {"class_name": "ellipsis", "config": []}
    if isinstance(value, dict):
        return {key: _written(item, at) for key, item in value.items()}
    if isinstance(value, tuple):
        return {"class_name": "tuple", "config": [_written(item, at) for item in value]}
    if isinstance(value, list):
        return [_written(item, at) for item in value]
    if isinstance(value, Tensor) and not isinstance(value, Variable):
        return np.array(value.detach().cpu())
    return value


# --- copies ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """Where a symbolic tensor stands in a graph that is written down."""

    index: int


class Written:
    """A graph written down call by call, so that a copy is as deep as a list.

    Args:
        model: The model.
    """

    def __init__(self, model: Any) -> None:
        plan: Plan = model._plan
        added = (model._standing_losses, model._standing_metrics)
        nodes = plan.nodes_to([plan.outputs, added])
        symbols = [*plan.inputs, *(tensor for node in nodes for tensor in flatten(node.outputs))]
        index = {id(tensor): i for i, tensor in enumerate(symbols)}

        def place(tensor: SymbolicTensor) -> _Place:
            return _Place(index[id(tensor)])

        self.inputs = [(tuple(t.shape), t.dtype, t.name, layer_for(t)) for t in plan.inputs]
        self.calls = [
            (
                node.origin,
                replaced(node.arguments, place),
                replaced(node.keywords, place),
                map_tree(lambda t: (tuple(t.shape), t.dtype, t.name), node.outputs)
                if is_branch(node.outputs)
                else (tuple(node.outputs.shape), node.outputs.dtype, node.outputs.name),
                [index[id(t)] for t in flatten(node.outputs)],
            )
            for node in nodes
        ]
        self.trees = [map_tree(place, tree) for tree in (model._input_tree, model._output_tree)]
        self.added = replaced(added, place)

    def replay(self) -> tuple[Tree, Tree, Any]:
        """Make the graph again, of the layers that are there now.

        Returns:
            Its inputs, its outputs, and the losses and metrics that were added to the model.
        """
        known: dict[int, SymbolicTensor] = {}
        for i, (shape, dtype, name, layer) in enumerate(self.inputs):
            known[i] = SymbolicTensor(shape, dtype, name=name)
            known[i].input_layer = layer
        for origin, arguments, keywords, outputs, places in self.calls:
            symbols = _symbols(outputs)
            node = Node(origin, _placed(arguments, known), _placed(keywords, known), symbols)
            if node.is_layer:
                node.layer._note_call(node)
            known.update(zip(places, flatten(symbols)))
        inputs, outputs = (_placed(tree, known) for tree in self.trees)
        return inputs, outputs, _placed(self.added, known)


def _symbols(described: Any) -> Tree:
    if isinstance(described, tuple) and len(described) == 3 and isinstance(described[1], str):
        shape, dtype, name = described
        return SymbolicTensor(shape, dtype, name=name)
    if isinstance(described, dict):
        return {key: _symbols(item) for key, item in described.items()}
    return [_symbols(item) for item in described]


def _placed(value: Any, known: Mapping[int, SymbolicTensor]) -> Any:
    if isinstance(value, _Place):
        return known[value.index]
    if type(value) in (list, tuple):
        return type(value)([_placed(item, known) for item in value])
    if type(value) is dict:
        return {key: _placed(item, known) for key, item in value.items()}
    return value


def connected_to(layer: Layer, plan: Plan) -> list[str]:
    """Return what `summary()` says a layer is connected to: `'dense[0][0]'` for each tensor that it takes."""
    lines: list[str] = []
    own = {id(node) for node in plan.nodes}
    for node in layer._nodes:
        if id(node) not in own:
            continue
        for tensor in node.parents():
            source = layer_for(vertex_of(tensor, plan))
            calls = source._calls()
            number = next((i for i, call in enumerate(calls) if call is tensor.node), 0)
            index = 0 if tensor.node is None else [t is tensor for t in flatten(tensor.node.outputs)].index(True)
            lines.append(f"{source.name}[{number}][{index}]")
    return lines


__all__ = ["TFOpLambda", "Written", "config_of", "connected_to", "from_config", "layers_by_depth"]
