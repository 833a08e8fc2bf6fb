"""The symbolic tensors around a layer: its calls in graphs, its input and output in a model."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from ..._core.border import nameless
from ..._core.errors import show
from ..._core.shapes import Shape, compatible
from ..._core.symbolic import Node, SymbolicTensor, as_seen
from ..._core.tree import Tree, flatten, flatten_shapes, map_tree
from .input_spec import InputSpec


@nameless
class Symbols:
    """The shapes and symbolic tensors of a layer in its model."""

    name: str
    _built_shape: Tree
    _nodes: list[Node]
    batch_input_shape: Shape | None
    compute_output_shape: Any
    _sublayers: Any
    _input_rank: ClassVar[int | tuple[int, ...] | None]
    _more_batch_axes: ClassVar[bool]
    _input_spec: Any = None
    _wants_training: ClassVar[bool]
    _outbound: list[Node]
    _inputs_before: Tree = None  # symbolic inputs of models inside the layer, which a chain that begins with it takes

    @property
    def input_shape(self) -> Any:
        """Keras shape of the input, batch size first, or a list of them; known once the layer is built."""
        nodes = self._calls()
        shapes = {str(node.input_shapes): node.input_shapes for node in nodes}
        if len(shapes) == 1 and self._built_shape is None:
            return nodes[-1].input_shapes
        first, *others = [flatten_shapes(one) for one in shapes.values()] or [[]]
        if any(len(o) != len(first) or not all(map(compatible, first, o)) for o in others):
            raise AttributeError(
                f"{self} has several input shapes, {', '.join(shapes)}; write get_input_shape_at(index of the call)."
            )
        shape = self._built_shape or self.batch_input_shape
        if shape is None:
            raise AttributeError(f"{self} has no input_shape yet: it is known once the layer is built.")
        return shape

    @property
    def output_shape(self) -> Any:
        """Keras shape of the output, or a list of them; known once the layer is built."""
        nodes = self._calls()
        if len({str(node.output_shapes) for node in nodes}) == 1:
            return nodes[-1].output_shapes
        return _plain(self.compute_output_shape(self.input_shape))

    @property
    def input(self) -> Any:
        """The symbolic input of the layer in its model, or a list of several."""
        return map_tree(as_seen, self._node().input_tensors)

    @property
    def output(self) -> Any:
        """The symbolic output of the layer in its model, or a list; in a user's loss, its value in the run."""
        return map_tree(as_seen, self._node().outputs)

    @property
    def input_mask(self) -> Any:
        """The mask of the symbolic input, or a list of those of several; `None` for one that has none."""
        return self._symbolic_masks(self._only_call("input_mask").input_tensors)

    @property
    def output_mask(self) -> Any:
        """The mask of the symbolic output, or a list of those of several; `None` for one that has none."""
        return self._symbolic_masks(self._only_call("output_mask").outputs)

    def get_input_mask_at(self, node_index: int) -> Any:
        """Return the mask of `get_input_at`, symbolic too; `None` where it has none.

        Args:
            node_index: 0 for the first call.

        Raises:
            ValueError: There was no such call.
        """
        return self._symbolic_masks(self._call_at("get_input_mask_at", node_index).input_tensors)

    def get_output_mask_at(self, node_index: int) -> Any:
        """Return the mask of `get_output_at`, symbolic too; `None` where it has none.

        Args:
            node_index: 0 for the first call.

        Raises:
            ValueError: There was no such call.
        """
        return self._symbolic_masks(self._call_at("get_output_mask_at", node_index).outputs)

    # What makes the masks of symbolic tensors is a layer itself: `symbolic_masks.py` enters it here.
    _symbolic_mask: ClassVar[Callable[[SymbolicTensor], SymbolicTensor | None]]

    def _symbolic_masks(self, tensors: Tree) -> Any:
        masks = map_tree(type(self)._symbolic_mask, tensors)
        return map_tree(lambda mask: mask if mask is None else as_seen(mask), masks)

    def _only_call(self, name: str) -> Node:
        calls = self._calls()
        if len(calls) > 1:
            raise AttributeError(f"{self} has been called {len(calls)} times; write get_{name}_at(index of the call).")
        return self._node()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(spec := cls.__dict__.get("input_spec"), (InputSpec, list, tuple)):
            del cls.input_spec  # the property would be hidden, and nothing checked
            cls._input_spec = spec

    # --- by the number of a call, as scripts ask for layers that stand in several models -----------------------------

    @property
    def inbound_nodes(self) -> list[Node]:
        """The calls of the layer on symbolic tensors: in its model, and by hand."""
        return list(self._calls())

    @inbound_nodes.setter
    def inbound_nodes(self, nodes: Sequence[Any]) -> None:  # scripts empty the list before they use a layer again
        if len(nodes):
            raise ValueError(f"{type(self).__name__}.inbound_nodes can be emptied, and not set to {show(nodes)}.")
        self._nodes = []

    _inbound_nodes = inbound_nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """The calls of other layers on what this one gives."""
        return list(self._outbound)

    @outbound_nodes.setter
    def outbound_nodes(self, nodes: Sequence[Any]) -> None:
        if len(nodes):
            raise ValueError(f"{type(self).__name__}.outbound_nodes can be emptied, and not set to {show(nodes)}.")
        self._outbound = []

    _outbound_nodes = outbound_nodes

    def get_input_at(self, node_index: int) -> Any:
        """Return the symbolic input of the call with this index, or a list of several.

        Args:
            node_index: 0 for the first call.

        Raises:
            ValueError: There was no such call.
        """
        return map_tree(as_seen, self._call_at("get_input_at", node_index).input_tensors)

    def get_output_at(self, node_index: int) -> Any:
        """Return the symbolic output of the call with this index, or a list of several.

        Args:
            node_index: 0 for the first call.

        Raises:
            ValueError: There was no such call.
        """
        return map_tree(as_seen, self._call_at("get_output_at", node_index).outputs)

    def get_input_shape_at(self, node_index: int) -> Any:
        """Return the Keras shape of `get_input_at`.

        Args:
            node_index: 0 for the first call.
        """
        return self._call_at("get_input_shape_at", node_index).input_shapes

    def get_output_shape_at(self, node_index: int) -> Any:
        """Return the Keras shape of `get_output_at`.

        Args:
            node_index: 0 for the first call.
        """
        return self._call_at("get_output_shape_at", node_index).output_shapes

    def _input_names(self) -> Iterator[str]:
        """Yield the names of the inputs of a model that begins with this layer."""
        yield f"{self.name}_input"
        for number in itertools.count(2):
            yield f"{self.name}_input_{number}"

    def _calls(self) -> list[Node]:
        return self._nodes

    def _note_call(self, node: Node) -> None:
        """Enter a call on symbolic tensors, here and at the layers that they come from."""
        self._nodes.append(node)
        for tensor in node.parents():  # a layer that gives two of them has the call twice, as in Keras
            if isinstance(tensor.source, Symbols):
                tensor.source._outbound.append(node)

    def _forget_call(self, node: Node) -> None:
        """Take back what `_note_call` entered."""
        self._nodes.remove(node)
        for tensor in node.parents():
            if isinstance(tensor.source, Symbols):
                tensor.source._outbound.remove(node)

    def _call_at(self, method: str, index: int) -> Node:
        calls = self._calls()
        if not -len(calls) <= index < len(calls):
            times = "has not been called" if not calls else f"has been called {len(calls)} times"
            raise ValueError(f"{self}.{method}({index}): the layer {times} on symbolic tensors.")
        return calls[index]

    @property
    def input_spec(self) -> Any:
        """An `InputSpec` or a list of them, which inputs are checked against; it may be set."""
        if self._input_spec is None and isinstance(self._input_rank, int):
            rank = self._input_rank
            return InputSpec(min_ndim=rank) if self._more_batch_axes else InputSpec(ndim=rank)
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for spec in value if isinstance(value, (list, tuple)) else [value]:
            if spec is not None and not isinstance(spec, InputSpec):
                kind = type(self).__name__
                raise TypeError(f"{kind}.input_spec must be an InputSpec, a list of them or None; got {show(value)}.")
        self._input_spec = value

    @property
    def updates(self) -> list[Any]:
        """Nothing: what a layer changes beside its trained weights, it changes when it runs."""
        return []

    @property
    def uses_learning_phase(self) -> bool:
        """Whether the layer, or one inside it, does something else in training."""
        return self._wants_training or any(layer.uses_learning_phase for layer in self._sublayers())

    def _node(self) -> Node:
        calls = self._calls()
        if not calls:
            raise AttributeError(f"{self} has no input or output yet: add it to a model whose input shape is known.")
        return calls[-1]


def _plain(shape: Tree) -> Any:
    """Return a shape, or the shapes of a list, as plain tuples."""
    return tuple(shape) if not isinstance(shape, list) or not flatten(shape) else shape
