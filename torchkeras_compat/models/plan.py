"""The plan of a graph of layers: its calls, sorted once, and how they run one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._core.runs import RUN, run_values
from .._core.symbolic import Node, SymbolicTensor, nodes_before, replaced, symbols_in
from .._core.tree import Tree, flatten, is_branch, map_tree
from ..layers.base import ActivatedLayer, Layer

Slots = list[Any]  # the values of a run, one for each symbolic tensor


@dataclass
class Call:
    """One call of the plan.

    Attributes:
        node: The node of the graph.
        layer: The layer, or the function of tensors.
        is_layer: Whether it is a layer.
        inputs: What makes the inputs of the values of a run, and the mask of the masks.
        mask: Makes the mask of the inputs.
        arguments: Makes further arguments; `None` where there are none.
        keywords: Makes arguments by name; `None` where there are none.
        outputs: The slots of what it gives.
        releases: The slots that nobody reads after it.
    """

    node: Node
    layer: Any
    is_layer: bool
    inputs: Callable[[Slots], Tree]
    mask: Callable[[Slots], Tree]
    arguments: Callable[[Slots], tuple[Any, ...]] | None
    keywords: Callable[[Slots], dict[str, Any]] | None
    outputs: tuple[int, ...]
    releases: tuple[int, ...] = ()

    @property
    def has_more(self) -> bool:
        """Whether it takes more than its inputs, such as the states to begin with."""
        return self.arguments is not None or self.keywords is not None

    def holds_samples(self) -> bool:
        """Tell whether a tensor that is the same in each run may have a row for each sample of a batch."""
        leaves = flatten([self.node.arguments, self.node.keywords])
        return any(
            getattr(leaf, "ndim", 0) and not isinstance(leaf, SymbolicTensor) and len(leaf) > 1 for leaf in leaves
        )


class Plan:
    """The calls between the inputs of a model and its outputs.

    Args:
        inputs: The symbolic inputs.
        outputs: The symbolic outputs.

    Raises:
        ValueError: An output needs an input that is not among them.
    """

    def __init__(self, inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]) -> None:
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.nodes = self.nodes_to(self.outputs)
        self._slot = {id(tensor): i for i, tensor in enumerate(self.inputs)}
        for node in self.nodes:
            for tensor in flatten(node.outputs):
                self._slot.setdefault(id(tensor), len(self._slot))
        self.differentiates = any(node.differentiates for node in self.nodes)  # then everything is recorded
        self.looks_beside = any(node.beside for node in self.nodes)  # then values are kept, which code may ask for
        self.calls = [self._call(node) for node in self.nodes]
        self.ends = [self._slot[id(tensor)] for tensor in self.outputs]
        self._find_releases()

    def nodes_to(self, tree: Any) -> list[Node]:
        """Return the calls that lead from the inputs to symbolic tensors, each behind those that it needs.

        Args:
            tree: A tree of anything, with the symbolic tensors.

        Raises:
            ValueError: They need an input that is not among those of the plan.
        """
        return nodes_before(tree, {id(tensor) for tensor in self.inputs})

    # --- making --------------------------------------------------------------------------------------------------

    def _call(self, node: Node) -> Call:
        first, rest = (node.arguments[0], node.arguments[1:]) if node.is_layer else (None, node.arguments)
        keywords = {name: value for name, value in node.keywords.items() if value is not None}
        return Call(
            node,
            node.origin,
            node.is_layer,
            self._maker(first),
            self._mask_maker(first),
            self._maker(rest) if rest else None,
            self._maker(keywords) if keywords else None,
            tuple(self._slot[id(tensor)] for tensor in flatten(node.outputs)),
        )

    def _maker(self, tree: Any) -> Callable[[Slots], Any]:
        """Return a function that makes a tree of anything from the values of a run."""
        slots = self._slot
        if isinstance(tree, SymbolicTensor):
            place = slots[id(tree)]
            return lambda values: values[place]
        if type(tree) is list and all(isinstance(item, SymbolicTensor) for item in tree):
            places = [slots[id(item)] for item in tree]
            return lambda values: [values[place] for place in places]
        if not symbols_in(tree):
            return lambda values: tree
        return lambda values: replaced(tree, lambda tensor: values[slots[id(tensor)]])

    def _mask_maker(self, tree: Any) -> Callable[[Slots], Tree]:
        """Return a function that makes the mask of inputs from the masks of a run, `None` where there is none."""
        slots = self._slot
        if isinstance(tree, SymbolicTensor):
            place = slots[id(tree)]
            return lambda masks: masks[place]
        places = [slots[id(tensor)] for tensor in symbols_in(tree)]

        def mask(masks: Slots) -> Tree:
            if all(masks[place] is None for place in places):
                return None
            return _mask_tree(tree, lambda tensor: masks[slots[id(tensor)]])

        return mask

    def _find_releases(self) -> None:
        last: dict[int, Call] = {}
        for call in self.calls:
            for place in (*(self._slot[id(tensor)] for tensor in call.node.parents()), *call.outputs):
                last[place] = call
        kept = set(self.ends)
        by_call: dict[int, list[int]] = {}
        for place, call in last.items():
            if place not in kept:
                by_call.setdefault(id(call), []).append(place)
        for call in self.calls:
            call.releases = tuple(by_call.get(id(call), ()))

    # --- running -------------------------------------------------------------------------------------------------

    def run(
        self,
        inputs: Sequence[Any],
        masks: Sequence[Any] | None,
        training: bool,
        logits: frozenset[int] = frozenset(),
    ) -> tuple[list[Any], list[Any]]:
        """Return the values of the outputs and their masks.

        Where a layer asks for gradients by its tensors everything is recorded, in inference too.

        Args:
            inputs: The values of the inputs.
            masks: Their masks; `None` where there are none.
            training: The mode.
            logits: The numbers of outputs that are wanted as what their last activation is applied to.
        """
        if not self.differentiates:
            return self._run_kept(inputs, masks, training, logits)
        is_recording = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        with torch.inference_mode(False), torch.enable_grad():
            outputs, masks = self._run_kept(map_tree(_recorded, inputs), masks, training, logits)
        return outputs if is_recording else map_tree(_without_record, outputs), masks

    def _run_kept(
        self, inputs: Sequence[Any], masks: Sequence[Any] | None, training: bool, logits: frozenset[int]
    ) -> tuple[list[Any], list[Any]]:
        """Run the calls, and keep values that code beside the arguments of a layer may ask for."""
        if self.looks_beside and RUN.values is None:
            with run_values():
                return self._run_calls(inputs, masks, training, RUN.values, logits)
        return self._run_calls(inputs, masks, training, RUN.values, logits)

    def _run_calls(
        self,
        inputs: Sequence[Any],
        masks: Sequence[Any] | None,
        training: bool,
        kept: dict[int, Any] | None,
        logits: frozenset[int],
    ) -> tuple[list[Any], list[Any]]:
        """Run the calls one after the other; `kept` takes the value of each symbolic tensor by its id."""
        unknown = [None] * (len(self._slot) - len(inputs))
        values: Slots = [*inputs, *unknown]
        known: Slots = [*([None] * len(inputs) if masks is None else masks), *unknown]
        early = {id(self.outputs[i].node): i for i in logits}
        by_head: dict[int, Any] = {}
        if kept is not None:
            kept.update((id(tensor), value) for tensor, value in zip(self.inputs, inputs))
        for call in self.calls:
            if early and id(call.node) in early:
                self._run_to_logits(call, early[id(call.node)], values, known, training, by_head)
            else:
                _run_call(call, values, known, training)
            if kept is not None:
                kept.update((id(t), values[place]) for t, place in zip(flatten(call.node.outputs), call.outputs))
            for place in call.releases:
                values[place] = known[place] = None
        results = [by_head[i] if i in by_head else values[place] for i, place in enumerate(self.ends)]
        return results, [known[place] for place in self.ends]

    def _run_to_logits(
        self, call: Call, head: int, values: Slots, masks: Slots, training: bool, by_head: dict[int, Any]
    ) -> None:
        """Run a call up to its last activation, and on where another layer takes what it gives."""
        layer, x, mask = call.layer, call.inputs(values), call.mask(masks)
        place = call.outputs[0]
        by_head[head], masks[place] = logits_of(layer, x, mask, training)
        if self._is_used(self.outputs[head]):
            values[place] = layer.activation(by_head[head])

    def _is_used(self, tensor: SymbolicTensor) -> bool:
        """Tell whether a call of the plan takes a tensor."""
        return any(parent is tensor for node in self.nodes for parent in node.parents())

    # --- what is known of it -------------------------------------------------------------------------------------

    def symbols(self) -> list[SymbolicTensor]:
        """Return the inputs and what each call gives."""
        return [*self.inputs, *(tensor for node in self.nodes for tensor in flatten(node.outputs))]

    def last_layers(self) -> list[Layer]:
        """Return the layers that give the outputs."""
        return [t.node.layer for t in self.outputs if t.node is not None and t.node.is_layer]

    def final_activations(self) -> list[Callable[[Any], Any] | None]:
        """Return the activation functions that the outputs end in; `None` where something needs their results."""
        nodes = [t.node for t in self.outputs]
        once = [
            node is not None and node.is_layer and nodes.count(node) == 1 and "mask" not in node.keywords
            for node in nodes
        ]
        return [
            final_activation(node.layer) if alone and node is not None and not is_branch(node.outputs) else None
            for node, alone in zip(nodes, once)
        ]

    def path(self) -> list[Layer] | None:
        """Return the layers of a plan with one path, each called on nothing but what the one before gives."""
        if len(self.inputs) != 1 or len(self.outputs) != 1 or self.looks_beside or self.differentiates:
            return None
        tensor = self.inputs[0]
        for call in self.calls:
            alone = call.is_layer and call.arguments is None and call.keywords is None
            if not alone or call.node.arguments[0] is not tensor or is_branch(call.node.outputs):
                return None
            tensor = call.node.outputs
        return [call.layer for call in self.calls] if tensor is self.outputs[0] else None

    def is_row(self) -> bool:
        """Tell whether the calls stand in a row, each on one tensor of the one before, and no layer is called twice."""
        layers = {id(call.layer) for call in self.calls}
        if len(layers) < len(self.calls) or len(self.inputs) != 1:
            return False
        before: Node | None = None
        for node in self.nodes:
            parents = node.parents()
            first = parents[0] is self.inputs[0] if before is None else parents[0].node is before
            if len(parents) != 1 or not first:
                return False
            before = node
        return True

    def shapes_for(self, shapes: Sequence[Any]) -> list[Any]:
        """Return the shapes of the outputs for other shapes of the inputs."""
        known = {id(tensor): SymbolicTensor(shape, tensor.dtype) for tensor, shape in zip(self.inputs, shapes)}
        for node in self.nodes:
            args, keywords = (
                replaced(node.arguments, lambda t: known[id(t)]),
                replaced(node.keywords, lambda t: known[id(t)]),
            )
            if node.is_layer:
                outputs = node.layer._symbolic_outputs(args[0], args[1:], keywords)
            else:
                outputs = node.origin(*args, **keywords)
            known.update(zip(map(id, flatten(node.outputs)), flatten(outputs)))
        return [tuple(known[id(tensor)].shape) for tensor in self.outputs]


def _run_call(call: Call, values: Slots, masks: Slots, training: bool) -> None:
    arguments = () if call.arguments is None else call.arguments(values)
    keywords = {} if call.keywords is None else dict(call.keywords(values))
    if call.is_layer:
        mask = call.mask(masks)
        if keywords:
            mask = keywords.pop("mask", mask)
            training = bool(keywords.pop("training", training))
        result, mask = call.layer._run(call.inputs(values), mask, training, *arguments, **keywords)
    else:
        result, mask = call.layer(*arguments, **keywords), None
    if len(call.outputs) == 1 and not is_branch(result):
        values[call.outputs[0]] = result
        masks[call.outputs[0]] = mask[0] if isinstance(mask, (list, tuple)) else mask
        return
    leaves = flatten(result)
    if len(leaves) != len(call.outputs):
        raise ValueError(f"{call.layer}: it gave {len(leaves)} tensors where {len(call.outputs)} were expected.")
    parts = [None] * len(leaves) if mask is None else flatten(mask) if is_branch(mask) else [mask]
    for place, value, part in zip(call.outputs, leaves, [*parts, *[None] * len(leaves)]):
        values[place], masks[place] = value, part


def _recorded(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    own = value.clone() if value.is_inference() else value
    return own.detach().requires_grad_() if own.is_floating_point() and not own.requires_grad else own


def _without_record(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def _mask_tree(tree: Any, mask_of: Callable[[SymbolicTensor], Any]) -> Tree:
    if isinstance(tree, SymbolicTensor):
        return mask_of(tree)
    if isinstance(tree, dict):
        return {key: _mask_tree(item, mask_of) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_mask_tree(item, mask_of) for item in tree]
    return None


def final_activation(layer: Layer) -> Callable[[Any], Any] | None:
    """Return the activation function that a layer ends in; `None` where hooks or a penalty need its output."""
    if layer._is_hooked():
        return None
    inner = getattr(layer, "_final_activations", None)
    if inner is not None:  # a model
        functions = inner()
        return functions[0] if len(functions) == 1 else None
    if not isinstance(layer, ActivatedLayer) or layer._is_users or layer.activity_regularizer is not None:
        return None
    return layer.activation


def logits_of(layer: Any, x: Any, mask: Any, training: bool) -> tuple[Any, Any]:
    """Return what the last activation of a layer or model is applied to, and the mask of its output."""
    if hasattr(layer, "_run_to_logits"):
        return layer._run_to_logits(x, mask, training)  # type: ignore[no-any-return]
    told = {"mask": mask} if mask is not None and layer._wants_mask else {}
    logits = layer._pre_activation_cast(x, **told) if layer._casts else layer.pre_activation(x, **told)
    return logits, layer.compute_mask(x, mask) if mask is not None or layer._has_own_mask else mask
