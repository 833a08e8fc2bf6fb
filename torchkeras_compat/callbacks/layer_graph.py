"""The layers of a model and what connects them, as the graph that TensorBoard draws."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .._core.symbolic import Node, SymbolicTensor, nodes_before
from .._core.tree import flatten


def write_graph(writer: Any, model: Any) -> None:
    """Write the graph of a model's layers.

    Args:
        writer: An `EventWriter`.
        model: A model that has a graph.
    """
    from tensorboard.compat.proto.event_pb2 import Event

    writer.add_event(Event(graph_def=graph_of(model).SerializeToString()))


def has_graph(model: Any) -> bool:
    """Tell whether a model is made of calls of layers on symbolic tensors."""
    inputs, outputs = (getattr(model, name, None) for name in ("inputs", "outputs"))
    known = {id(tensor) for tensor in inputs or ()}
    return bool(known) and all(tensor.node is not None or id(tensor) in known for tensor in outputs or ())


def graph_of(model: Any) -> Any:
    """Return a `GraphDef` with a node for each input and each call of a layer; a model inside is a box of its own.

    Args:
        model: A model that has a graph.
    """
    from tensorboard.compat.proto.graph_pb2 import GraphDef
    from tensorboard.compat.proto.versions_pb2 import VersionDef

    graph = GraphDef(versions=VersionDef(producer=22))
    names = {id(tensor): tensor.name for tensor in model._list_of_inputs}
    for tensor in model._list_of_inputs:
        _add(graph, tensor.name, "InputLayer", [], [tensor])
    _add_calls(graph, model, "", names)
    return graph


def _add_calls(graph: Any, model: Any, scope: str, names: dict[int, str]) -> None:
    """Add the calls in a model, and enter the name of what computes each tensor.

    Args:
        graph: The `GraphDef`.
        model: The model.
        scope: What stands before the names: those of the models around, each with a slash.
        names: Id of a tensor → name of the node that it comes from; the inputs are there.
    """
    nodes = nodes_before(model._list_of_outputs, names)
    calls = Counter(_name(node) for node in nodes)
    seen: Counter[str] = Counter()
    for node in nodes:
        name = f"{scope}{_name(node)}"
        seen[name] += 1
        if calls[_name(node)] > 1:
            name = f"{name}/call_{seen[name]}"
        outputs, layer = flatten(node.outputs), node.layer
        if node.is_layer and has_graph(layer):
            inner = {id(tensor): names[id(outer)] for tensor, outer in zip(layer._list_of_inputs, node.parents())}
            _add_calls(graph, layer, f"{name}/", inner)
            names.update({id(tensor): inner[id(end)] for tensor, end in zip(outputs, layer._list_of_outputs)})
            continue
        kind = type(layer).__name__ if node.is_layer else "function"
        _add(graph, name, kind, list(dict.fromkeys(names[id(tensor)] for tensor in node.parents())), outputs)
        names.update({id(tensor): name for tensor in outputs})


def _name(node: Node) -> str:
    if node.is_layer:
        return str(node.layer.name)
    name = getattr(node.origin, "__name__", "function")
    return str(name).removeprefix("apply").strip("_<>")  # an operator's is apply__mul__


def _add(graph: Any, name: str, kind: str, inputs: list[str], outputs: list[SymbolicTensor]) -> None:
    from tensorboard.compat.proto.attr_value_pb2 import AttrValue
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

    sizes = [[-1 if size is None else int(size) for size in tensor.shape] for tensor in outputs]
    shapes = [TensorShapeProto(dim=[TensorShapeProto.Dim(size=n) for n in shape]) for shape in sizes]
    node = graph.node.add(name=name, op=kind, input=inputs)
    node.attr["_output_shapes"].CopyFrom(AttrValue(list=AttrValue.ListValue(shape=shapes)))
