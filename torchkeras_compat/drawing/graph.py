"""What a picture of a model consists of: boxes with fields, frames around the models inside it, and arrows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from .._core.errors import show
from .._core.symbolic import Node
from .._core.tree import flatten
from ..layers.base import Layer
from ..layers.classic_merge import Merge
from ..layers.input_layer import InputLayer
from ..layers.wrappers import Wrapper
from ..models.functional import layer_for, layers_by_depth, vertex_of
from ..models.model import Model
from ..models.network_symbols import ordered
from ..models.operation import layer_of
from ..models.plan import Plan
from ..models.sequential import Sequential
from ..utils.layer_utils import class_of, selected

# A field, or several: beside each other, and those of such a field below each other, and so on by turns.
Record = str | tuple["Record", ...]


@dataclass(frozen=True)
class Look:
    """What the boxes tell, as the arguments of `plot_model` say."""

    show_shapes: bool = False
    show_dtype: bool = False
    show_layer_names: bool = True
    expand_nested: bool = False
    show_layer_activations: bool = False
    show_trainable: bool = False


@dataclass(frozen=True)
class Box:
    """A layer.

    Attributes:
        key: What arrows call it.
        record: Its fields.
    """

    key: str
    record: Record


@dataclass
class Graph:
    """The boxes of a model.

    Attributes:
        name: The model's name.
        items: Boxes, and graphs that get a frame, in Keras's order of layers.
        arrows: Pairs of keys; those that lie inside an inner graph are that graph's.
    """

    name: str
    items: list[Box | Graph] = field(default_factory=list)
    arrows: list[tuple[str, str]] = field(default_factory=list)

    def boxes(self) -> Iterator[Box]:
        """Yield all boxes, those inside frames too."""
        for item in self.items:
            if isinstance(item, Graph):
                yield from item.boxes()
            else:
                yield item


Output = tuple[Layer, int]  # a layer, and the number of what it gives
Call = tuple[Layer, list[tuple[Output, int | None]]]  # a layer, and what it takes, with the number of the input


@dataclass(frozen=True)
class _Structure:
    """How the layers of a model are connected.

    Attributes:
        layers: The layers.
        calls: The calls of the layers.
        first: The layers of the inputs.
        last: What the outputs are.
    """

    layers: list[Layer]
    calls: list[Call]
    first: list[Layer]
    last: list[Output]


def _structure(model: Any) -> _Structure | None:
    """Return how the layers of a model are connected; `None` where a user's `call` says so."""
    if model._plan is not None:
        return _of_plan(model._plan)
    if isinstance(model, Sequential) and model._symbols and not model._is_users:
        return _of_stack(model)
    return None


def _of_plan(plan: Plan) -> _Structure:
    def output(tensor: Any) -> Output:
        vertex = vertex_of(tensor, plan)
        outputs = ordered(vertex.outputs) if isinstance(vertex, Node) else [tensor]
        return layer_for(vertex), next(i for i, one in enumerate(outputs) if one is tensor)

    def takes(node: Node) -> list[tuple[Output, int | None]]:
        numbers = {id(tensor): number for number, tensor in enumerate(_inputs_of(node))}
        return [(output(tensor), numbers.get(id(tensor))) for tensor in node.parents()]

    calls = [(layer_of(node), takes(node)) for node in plan.nodes]
    return _Structure(
        layers_by_depth(plan), calls, [output(t)[0] for t in plan.inputs], [output(t) for t in plan.outputs]
    )


def _inputs_of(node: Node) -> list[Any]:
    """Return what a model is called on, in the order of its inputs; nothing for other layers."""
    if not isinstance(node.origin, Model):
        return []
    tree = node.arguments[0]
    return ordered(tree) if node.origin._plan is None else node.origin._in_order(tree, "x")


def _of_stack(model: Sequential) -> _Structure:
    chain = model._chain
    if isinstance(chain[0], Merge) and chain[0]._branches:
        before = _joined([_of_branch(branch) for branch in chain[0]._branches])
    elif model._input_layer is not None:
        before = _Structure([model._input_layer], [], [model._input_layer], [(model._input_layer, 0)])
    else:
        before = _of_inputs(ordered(model._input_tree))
    calls: list[Call] = [(chain[0], [(output, number) for number, output in enumerate(before.last)])]
    calls += [(layer, [((previous, 0), 0)]) for previous, layer in pairwise(chain)]
    return _Structure([*before.layers, *chain], [*before.calls, *calls], before.first, [(chain[-1], 0)])


def _of_inputs(tensors: Iterable[Any]) -> _Structure:
    layers: list[Layer] = [
        InputLayer(batch_input_shape=tuple(t.shape), dtype=getattr(t, "dtype", None), name=t.name) for t in tensors
    ]
    return _Structure(layers, [], layers, [(layer, 0) for layer in layers])


def _of_branch(branch: Any) -> _Structure:
    """Return the structure of one of the models that a `Merge` joins, with the one output that it takes."""
    structure = _structure(branch.layer) if isinstance(branch.layer, Model) else None
    if structure is None:
        inputs, layer = _of_inputs(flatten(branch.inputs)), branch.layer
        structure = replace(
            inputs, layers=[*inputs.layers, layer], calls=[(layer, [(o, None) for o in inputs.last])], last=[(layer, 0)]
        )
    return replace(structure, last=[structure.last[branch.output or 0]])


def _joined(parts: Sequence[_Structure]) -> _Structure:
    """Return several structures as one; a layer that several have is there once."""
    layers = {id(layer): layer for part in parts for layer in part.layers}
    return _Structure(
        list(layers.values()),
        [call for part in parts for call in part.calls],
        [layer for part in parts for layer in part.first],
        [output for part in parts for output in part.last],
    )


def graph_of(model: Any, look: Look, layer_range: Sequence[str] | None = None) -> Graph:
    """Return the boxes of a model and the arrows between them.

    Args:
        model: The model.
        look: What the boxes tell.
        layer_range: Names, or regular expressions, of the first and the last layer to show.

    Raises:
        TypeError: No model.
        ValueError: The model is not built, or `layer_range` fits no layer.
    """
    if not isinstance(model, Model):
        raise TypeError(f"plot_model(model={show(model)}): a picture shows a model; got {show(model)}.")
    if not model.built:
        raise ValueError(
            f"plot_model: {model} has not yet been built, and its shapes are not known; give the first layer "
            f"input_shape=(…), call model.build((None, …)), or call the model on a batch of data, first."
        )
    return _Drawing(look).graph(model, layer_range)[0]


# The boxes where arrows to the inputs of a layer end, and those where arrows from its outputs begin.
Ends = tuple[list[str], list[str]]


class _Drawing:
    """A picture in the making.

    Args:
        look: What the boxes tell.
    """

    def __init__(self, look: Look) -> None:
        self.look = look
        self._keys: set[str] = set()
        self._kept: list[Layer] = []  # alive, so that no other layer gets the same id

    def graph(self, model: Any, layer_range: Sequence[str] | None = None) -> tuple[Graph, Ends]:
        """Return the boxes of a model, and those at its ends."""
        graph, structure = Graph(model.name), _structure(model)
        if structure is None:
            key = self._key(model)
            graph.items.append(Box(key, str(model.name)))
            return graph, ([key], [key])
        layers = structure.layers
        if layer_range is not None:
            shown = {id(layer) for layer in selected("plot_model", model, layer_range)}
            layers = [layer for layer in layers if id(layer) in shown]
        ends = {id(layer): self._add(graph, layer) for layer in layers}
        arrows = [
            (begin, end)
            for target, inputs in structure.calls
            for (source, output), number in inputs
            if id(source) in ends and id(target) in ends
            for begin in _at(ends[id(source)][1], output)
            for end in _at(ends[id(target)][0], number)
        ]
        graph.arrows = list(dict.fromkeys([*graph.arrows, *arrows]))
        inputs = [key for layer in structure.first if id(layer) in ends for key in ends[id(layer)][0]]
        outputs = [key for layer, i in structure.last if id(layer) in ends for key in _at(ends[id(layer)][1], i)]
        return graph, (inputs, outputs)

    def _add(self, graph: Graph, layer: Layer) -> Ends:
        """Put a layer into a graph, with a frame where it is a model or has one inside."""
        inside = layer.layer if isinstance(layer, Wrapper) else layer
        if not self.look.expand_nested or not isinstance(inside, Model) or _structure(inside) is None:
            key = self._box(graph, layer)
            return [key], [key]
        inner, (first, last) = self.graph(inside)
        graph.items.append(inner)
        if inside is layer:
            return first, last
        key = self._box(graph, layer)
        graph.arrows += [(key, end) for end in first]
        return [key], last

    def _box(self, graph: Graph, layer: Layer) -> str:
        key = self._key(layer)
        graph.items.append(Box(key, _record(layer, self.look)))
        return key

    def _key(self, layer: Layer) -> str:
        """Return what Keras calls the box of a layer, numbered where the layer has one in another frame too."""
        self._kept.append(layer)
        key = name = str(id(layer))
        number = 1
        while key in self._keys:
            number += 1
            key = f"{name}_{number}"
        self._keys.add(key)
        return key


def _at(keys: list[str], number: int | None) -> list[str]:
    """Return the box of an input or output; the only one, or all, where it has no number of its own."""
    return keys if number is None or len(keys) == 1 else [keys[number]]


# --- what a box tells ------------------------------------------------------------------------------------------------


def _record(layer: Layer, look: Look) -> Record:
    """Return the fields of a box, arranged as Keras 2.15 arranges them."""
    name, kind = str(layer.name), class_of(layer)
    inside = getattr(layer, "layer", None) if isinstance(layer, Wrapper) else None
    if inside is not None and not (look.expand_nested and isinstance(inside, Model) and _structure(inside)):
        name, kind = f"{name}({inside.name})", f"{kind}({class_of(inside)})"
    fields: tuple[Record, ...] = (kind,)
    activation = getattr(layer, "activation", None)
    if look.show_layer_activations and activation is not None:
        fields = ((kind, _name_of(activation)),)
    if look.show_layer_names:
        fields = (name, *fields)
    if look.show_dtype:
        fields = (*fields, str(layer.dtype))
    if look.show_shapes:
        shapes = _shape(layer, "input_shape"), _shape(layer, "output_shape")
        fields = (fields, ("input:", "output:"), shapes)
    if look.show_trainable:
        fields = ("T" if layer.trainable else "NT", *fields)
    return fields


def _name_of(activation: Any) -> str:
    return str(getattr(activation, "name", None) or getattr(activation, "__name__", None) or activation)


def _shape(layer: Layer, attribute: str) -> str:
    try:
        shape = getattr(layer, attribute)
    except (AttributeError, RuntimeError):  # a shared layer has none where its calls differ; Keras writes a mark, too
        return "?"
    return str([shape] if isinstance(layer, InputLayer) else shape)
