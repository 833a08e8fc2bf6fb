"""The symbolic side of a model: its inputs and outputs, their names, and the calls that lead from one to the other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._core.border import nameless
from .._core.symbolic import Node, OwnNode, SymbolicTensor, as_seen
from .._core.tree import Tree, flatten, map_tree
from ..layers.base import Layer
from ..layers.base.attributes import Shadowable
from .functional import connected_to
from .operation import layer_of
from .plan import Plan


class Ending(Shadowable):
    """The outputs of a model: assigned to, a graph of layers ends there, and a model of a user's has an attribute."""

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the outputs, or what a user has put there."""
        if instance is not None and "outputs" in instance.__dict__:
            return instance.__dict__["outputs"]
        return super().__get__(instance, owner)

    def __set__(self, instance: Any, outputs: Any) -> None:
        if instance._is_users:
            instance.__dict__["outputs"] = outputs
        else:
            instance._end_at(outputs)


@nameless
class NetworkSymbols(Layer):
    """What a model tells of its graph; `Network` runs it."""

    _plan: Plan | None
    _input_tree: Tree
    _output_tree: Tree

    def _own_node(self) -> Node | None:
        """Return what stands for the call between the model's own inputs and outputs; `None` while it is not built."""
        if self._output_tree is None:
            return None
        return OwnNode(self, self._input_tree, self._output_tree)

    def _own_calls(self) -> list[Node]:
        own = self._own_node()
        return [] if own is None else [own]

    def _calls(self) -> list[Node]:
        """Return the calls; up to Keras 2.3 the first is what leads from the model's own inputs to its outputs."""
        if self._rules.functional_models and self._nodes:
            return self._nodes
        return [*self._own_calls(), *self._nodes]

    @property
    def _counts_own_call(self) -> bool:
        """Whether configurations count, as the first call, what leads from the model's own inputs to its outputs."""
        return self._plan is not None

    def _need_symbols(self) -> None:
        if self._output_tree is None:
            raise AttributeError(
                f"{self} has no symbolic tensors yet: give the first layer input_shape=(…), or call build."
            )

    @property
    def input_shape(self) -> Any:
        """Keras shape of the input, or a list or dictionary of several."""
        if self._output_tree is None:
            return super().input_shape
        return map_tree(lambda tensor: tuple(tensor.shape), self._input_tree)

    @property
    def output_shape(self) -> Any:
        """Keras shape of the output, or a list or dictionary of several."""
        if self._output_tree is None:
            raise AttributeError(
                f"{self} has no output_shape yet: give the first layer input_shape=(…), or call build."
            )
        return map_tree(lambda tensor: tuple(tensor.shape), self._output_tree)

    def _output_dtype(self, input_dtype: str) -> str:
        """Return the type of the first output, which is that of the layer that gives it."""
        if self._output_tree is None:
            return super()._output_dtype(input_dtype)
        return str(flatten(self._output_tree)[0].dtype)

    @property
    def input(self) -> Any:
        """The symbolic input, or a list or dictionary of several."""
        self._need_symbols()
        return map_tree(as_seen, self._input_tree)

    @property
    def output(self) -> Any:
        """The symbolic output, or a list or dictionary of several."""
        self._need_symbols()
        return map_tree(as_seen, self._output_tree)

    @property
    def _list_of_inputs(self) -> Any:
        return None if self._input_tree is None else list(map(as_seen, ordered(self._input_tree)))

    @property
    def _list_of_outputs(self) -> Any:
        return None if self._output_tree is None else list(map(as_seen, ordered(self._output_tree)))

    @Shadowable
    def inputs(self) -> Any:
        """The symbolic inputs, in a list; `None` while they are not known, as in Keras."""
        return self._list_of_inputs

    @Ending
    def outputs(self) -> Any:
        """The symbolic outputs, in a list; `None` while they are not known, as in Keras."""
        return self._list_of_outputs

    def _end_at(self, outputs: Tree) -> None:
        """Let the model end at these symbolic tensors."""
        raise AttributeError(
            f"{self}.outputs: its own call gives them; write Model(inputs, outputs) for another model."
        )

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: those of their layers."""
        return [] if self._input_tree is None else [_name_of(tensor) for tensor in ordered(self._input_tree)]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that give them, numbered where one gives several."""
        names: list[str] = []
        for tensor in [] if self._output_tree is None else ordered(self._output_tree):
            name = _name_of(tensor)
            numbered = [name, *(f"{name}_{i}" for i in range(1, len(names) + 1))]
            names.append(next(n for n in numbered if n not in names))
        return names

    def _connections(self) -> Callable[[Layer], list[str]] | None:
        """Return what tells the tensors that a layer is called on; `None` for a model whose layers stand in a row."""
        if self._plan is None or self._plan.is_row():
            return None
        return functools.partial(connected_to, plan=self._plan)

    def _output_keys(self) -> list[str]:
        """Return the keys under which a dictionary names the outputs; their names where the outputs are none."""
        if not isinstance(self._output_tree, dict):
            return self.output_names
        keys = {id(tensor): str(key) for key, tensor in self._output_tree.items()}
        return [keys[id(tensor)] for tensor in ordered(self._output_tree)]


def ordered(tree: Tree) -> list[SymbolicTensor]:
    """Return the tensors of a tree in the order in which Keras counts them: dictionaries by their sorted keys."""
    if isinstance(tree, dict):
        return [tensor for key in sorted(tree) for tensor in ordered(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [tensor for item in tree for tensor in ordered(item)]
    return [tree]


def _name_of(tensor: SymbolicTensor) -> str:
    if tensor.node is not None:
        return layer_of(tensor.node).name
    return str(getattr(tensor.input_layer, "name", None) or tensor.name)
