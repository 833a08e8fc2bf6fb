"""`Network`: a graph of layers as one layer: its layers and weights, its shapes, and how it runs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import get_ident
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .._core import devices, settings
from .._core.border import nameless
from .._core.errors import did_you_mean
from .._core.runs import RUN
from .._core.shapes import Shape, compatible, one_sample_hint
from .._core.strings import StringTensor, is_string_type
from .._core.symbolic import SymbolicTensor
from .._core.tree import Tree, flatten, flatten_shapes, is_branch, map_tree
from .._core.user_tensors import UserTensor, hand_out, take_back
from ..layers.base import ROW_WISE, Layer, Traits
from ..layers.base.masks import carried_mask, carry_mask
from ..layers.base.traits import Changes
from ..training.trained_model import TrainedModel
from ..utils.layer_utils import print_summary
from .description import Description
from .layer_list import LayerList
from .model_weights import ModelWeights
from .network_symbols import ordered
from .plan import Plan, final_activation, logits_of
from .torch_side import TorchSide

AT_ONCE = 1 << 20  # elements of the widest layer's output that run together in inference: they stay in the caches
OVER_TIME = 64  # samples that are worth more than the caches where a layer reads its weights again at every step …
MOST_AT_ONCE = 1 << 23  # … up to so many elements


@nameless
class Network(Description, ModelWeights, TorchSide, TrainedModel):
    """A graph of layers.

    Either a plan (`_plan`) says how it runs; or it is a chain (`_chain`), each layer the input of the next, which is a
    plan with one path and runs in a shorter loop; or, where a user wrote `call`, neither.
    """

    supports_masking = True
    _class_traits = ROW_WISE
    _takes_trees = True

    _chain: list[Layer]
    _symbols: list[Any]  # of a chain: the symbolic input and the output of each layer

    def _start_network(self) -> None:
        self._chain = []
        self._plan = None
        self._symbols = []
        self._input_tree = self._output_tree = None
        self._left_masks: dict[int, Tensor] = {}  # thread → the mask of its output, from `call` to `_run`
        self._without_hooks_at = -1  # the number of hooks that torch had made when none was in here

    # --- layers --------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers; a Sequential's without an `InputLayer`."""
        layers = self._tracked_layers()
        if (self._chain or self._plan is not None) and self._rules.layers_end_the_model:
            return LayerList(self, layers)
        return layers

    def _changed(self) -> None:
        """Note what follows from the layers as they stand now."""
        self._without_hooks_at = -1
        Changes.note()
        self._forget_steps()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by name or index.

        Args:
            name: Its name.
            index: Its place in `layers`.

        Raises:
            ValueError: No such layer, with «did you mean».
        """
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"{self}.get_layer(index={index}): the model has {len(layers)} layers.")
            return layers[index]
        layer = next((layer for layer in layers if layer.name == name), None)
        if layer is None:
            hint = did_you_mean(str(name), [layer.name for layer in layers])
            raise ValueError(f"{self}.get_layer(name={name!r}): no layer has this name; {hint}")
        return layer

    def reset_states(self) -> None:
        """Clear the states of stateful layers."""
        for layer in self._sublayers():
            if hasattr(layer, "reset_states") and layer._traits.stateful:
                layer.reset_states()

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer keeps something from one batch to the next."""
        return self._traits.stateful

    @property
    def _traits(self) -> Traits:
        """What is promised of the model, derived again only once a layer was changed or hooked."""
        key = (Changes.count, RemovableHandle.next_id)
        known = self.__dict__.get("_known_traits")
        if known is None or known[0] != key:
            known = self.__dict__["_known_traits"] = (key, super()._traits)
        traits: Traits = known[1]
        return traits

    def _adds_penalties(self) -> bool:
        """Tell whether a layer adds a penalty of its output to the loss, found again only once a layer was changed."""
        known = self.__dict__.get("_known_penalties")
        if known is None or known[0] != Changes.count:
            known = self.__dict__["_known_penalties"] = (Changes.count, super()._adds_penalties())
        adds: bool = known[1]
        return adds

    def _own_traits(self) -> Traits:
        if self._is_users:
            return Traits(runs_user_code=True, takes_integers=self._takes_integers)
        calls = [] if self._plan is None else self._plan.calls
        own = replace(
            self._class_traits,
            takes_integers=self._takes_integers,
            row_wise=not any(call.holds_samples() for call in calls),
            joins_batches=not any(call.layer.stateful and call.has_more for call in calls if call.is_layer),
        )
        functions = any(not call.is_layer or call.node.keywords.get("training") for call in calls)
        return replace(own, row_wise=False, runs_user_code=True) if functions else own

    @property
    def _takes_integers(self) -> bool:  # type: ignore[override]
        """Whether the first layer takes indices."""
        return bool(self._chain) and self._chain[0]._takes_integers

    @property
    def _takes_strings(self) -> bool:  # type: ignore[override]
        """Whether strings may be among the inputs."""
        return self._chain[0]._takes_strings if self._chain and not self._is_users else super()._takes_strings

    @property
    def _index_checks(self) -> tuple[Callable[[Tensor], None], ...]:  # type: ignore[override]
        """What raises where an index of the only input has no row."""
        return self._chain[0]._index_checks if self._chain else ()

    @property
    def uses_learning_phase(self) -> bool:
        """Whether a layer does something else in training."""
        own = self._is_users and self._wants_training
        return own or any(layer.uses_learning_phase for layer in self._sublayers())

    # --- hooks ---------------------------------------------------------------------------------------------------

    def _ends(self) -> list[Layer]:
        """Return whose hooks see the model's outputs: the model, its last layers, and models in between."""
        if self._is_users:
            return [self]
        last = self._chain[-1:] if self._chain or self._plan is None else self._plan.last_layers()
        return [self, *(end for layer in last for end in (layer._ends() if isinstance(layer, Network) else [layer]))]

    def _holds_hooks(self) -> bool:
        """Tell whether a module inside has a forward hook; looked up again only once torch has registered another."""
        latest = RemovableHandle.next_id
        if self._without_hooks_at == latest:
            return False
        hooked = any(m._forward_hooks or m._forward_pre_hooks for m in nn.Module.modules(self))
        self._without_hooks_at = -1 if hooked else latest
        return hooked

    def _prepare_to_cast(self) -> None:
        """Cast inputs where a user wrote the call; the layers of a graph cast theirs, each in its own type."""
        if self._is_users:
            super()._prepare_to_cast()

    # --- running -------------------------------------------------------------------------------------------------

    def _run(self, inputs: Tree, mask: Tree, training: bool, *args: Any, **call_arguments: Any) -> tuple[Any, Any]:
        """Run the model: its outputs as the user arranged them, and their masks."""
        if self._is_users:
            return super()._run(inputs, mask, training, *args, **call_arguments)
        if self.activity_regularizer is None and not self._is_hooked():
            return self._run_layers(inputs, mask, training)
        # Hooks on the model see what it takes and gives, in a step and inside another model.
        masks = {} if mask is None else {"mask": mask}
        y = nn.Module.__call__(self, inputs, training=training, **masks)
        if self.activity_regularizer is not None:
            self._add_activity_penalty(y)
        return y, self._left_masks.pop(get_ident(), None)

    def _run_layers(self, inputs: Tree, mask: Tree, training: bool) -> tuple[Any, Any]:
        """Run all layers: the outputs as the user arranged them, and their masks in the same arrangement."""
        if self._plan is None or self._chain:
            return self._run_chain(inputs, mask, training)
        outputs, masks = self._run_plan(inputs, mask, training)
        if not is_branch(self._output_tree):
            return outputs[0], masks[0]
        return self._arranged(outputs), None if all(m is None for m in masks) else self._arranged(masks)

    def _run_chain(self, x: Any, mask: Any, training: bool) -> tuple[Any, Any]:
        if not isinstance(x, Tensor) and self._input_tree is not None and not is_branch(self._input_tree):
            (x,) = self._counted(flatten(x), 1, "x")
        values = RUN.values
        if values is not None:
            return self._run_keeping(values, x, mask, training)
        for layer in self._chain:
            x, mask = layer._run(x, mask, training)
        return x, mask

    def _run_keeping(self, values: dict[int, Any], x: Any, mask: Any, training: bool) -> tuple[Any, Any]:
        """Run a chain and note what each layer takes and gives, for those who ask for `layer.output`."""
        for index, layer in enumerate(self._chain):
            _note(values, self._symbols[index], x)
            x, mask = layer._run(x, mask, training)
        _note(values, self._symbols[-1], x)
        return x, mask

    def _run_plan(
        self, inputs: Tree, mask: Tree, training: bool, logits: frozenset[int] = frozenset()
    ) -> tuple[list[Any], list[Any]]:
        """Run the plan: the outputs one by one, and their masks."""
        plan, x = self._the_plan(), self._in_order(inputs, "x")
        masks = None if mask is None else self._in_order(mask, "mask")
        return plan.run(x, masks, training, logits)

    def _the_plan(self) -> Plan:
        if self._plan is None:
            raise RuntimeError(f"{self}: the model has no graph of layers.")
        return self._plan

    def _arranged(self, outputs: Sequence[Any]) -> Tree:
        """Return outputs, given in order, as the user arranged them."""
        by_symbol = dict(zip(map(id, ordered(self._output_tree)), outputs))
        return map_tree(lambda symbol: by_symbol[id(symbol)], self._output_tree)

    def _in_order(self, tree: Tree, argument: str) -> list[Any]:
        """Return what was given for the inputs in their order.

        Raises:
            ValueError: Their number is wrong, or one is missing.
        """
        plan = self._the_plan()
        if not is_branch(tree):
            values = [tree]
        elif isinstance(tree, dict):
            names = self._names_of_inputs(tree)
            missing = [name for name in names if name not in tree]
            if missing:
                raise ValueError(f"{self}: {argument} has the keys {list(tree)}; the inputs are called {names}.")
            values = [tree[name] for name in names]
        else:
            values = flatten(tree)
        return self._counted(values, len(plan.inputs), argument)

    def _counted(self, values: list[Any], count: int, argument: str) -> list[Any]:
        if len(values) == count:
            return values
        wanted = f"{count} arrays, for the inputs" if count > 1 else "one array, for the input"
        names = ", ".join(map(repr, self.input_names))
        raise ValueError(f"{self}: {argument} must be {wanted} {names}; got {len(values)}.")

    def _names_of_inputs(self, tree: dict[str, Any]) -> list[str]:
        """Return the keys by which a dictionary names the inputs: those that the user gave them, or their layers'."""
        if isinstance(self._input_tree, dict) and set(tree) >= set(self._input_tree):
            keys = {id(symbol): key for key, symbol in self._input_tree.items()}
            return [keys[id(symbol)] for symbol in ordered(self._input_tree)]
        return self.input_names

    def _run_heads(
        self, inputs: Tree, mask: Tree, training: bool, logits: frozenset[int]
    ) -> tuple[list[Any], list[Any]]:
        """Run the model: its outputs one by one, and their masks.

        Args:
            inputs: The inputs.
            mask: Their mask.
            training: The mode.
            logits: The numbers of outputs that are wanted as what their last activation is applied to.
        """
        if self._is_users or self._is_hooked() or not (self._plan is None or not self._chain or logits):
            outputs, masks = self._run(inputs, mask, training)
            if not is_branch(outputs):
                return [outputs], [masks]
            leaves = ordered(outputs)
            return leaves, [None] * len(leaves) if masks is None else ordered(masks)
        if self._plan is not None and not self._chain:
            return self._run_plan(inputs, mask, training, logits)
        y, mask = self._chain_to_logits(inputs, mask, training) if logits else self._run_chain(inputs, mask, training)
        return [y], [mask]

    def _chain_to_logits(self, x: Any, mask: Any, training: bool) -> tuple[Any, Any]:
        values = RUN.values
        for index, layer in enumerate(self._chain[:-1]):
            if values is not None:
                _note(values, self._symbols[index], x)
            x, mask = layer._run(x, mask, training)
        if values is not None:
            _note(values, self._symbols[-2], x)
        return logits_of(self._chain[-1], x, mask, training)

    def _run_to_logits(self, x: Any, mask: Any, training: bool) -> tuple[Any, Any]:
        """Return what the last activation of a model with one output is applied to, and its mask."""
        (y,), (mask,) = self._run_heads(x, mask, training, frozenset([0]))
        return y, mask

    def _final_activations(self) -> list[Callable[[Tensor], Tensor] | None]:
        """Return the activation functions that the outputs end in; `None` where something needs their results."""
        if self._is_users or self._is_hooked():
            return [None] * max(1, len(self._list_of_outputs) if self._output_tree is not None else 1)
        if self._plan is None or self._chain:
            return [final_activation(self._chain[-1]) if self._chain else None]
        return self._plan.final_activations()

    def _trains_unasked(self) -> bool:
        """Tell whether all that a mode decides here changes pictures by chance: `augment(pictures)` changes them."""
        parts = [layer for layer in self._sublayers() if layer._wants_training]
        return bool(parts) and all(layer._trains_unasked() for layer in parts)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the outputs for tensors.

        Args:
            inputs: A tensor, or a list or dictionary of them.
            training: The mode; that of what runs around the call if `None`.
            mask: Which steps of the inputs count.
        """
        handed = any(isinstance(leaf, UserTensor) for leaf in flatten(inputs))
        mask = carried_mask(inputs) if mask is None else mask
        y, mask = self._run_layers(take_back(inputs), take_back(mask), self._mode(training))
        if handed:  # by `super().call(…)` in what a user wrote
            y = hand_out(y)
            if mask is not None:
                carry_mask(y, mask)
        elif mask is not None:
            self._left_masks[get_ident()] = mask
        return y

    def _to_input(self, inputs: Any) -> Any:
        """Return arrays as tensors on the model's device, in the rank that the inputs take."""
        x = super()._to_input(inputs)
        if self._is_users or not self.built:
            return x
        if isinstance(x, Tensor) and devices.on_cuda(x) and x is not inputs:
            for check in self._index_checks:
                check(torch.as_tensor(inputs))
        if self._plan is None or self._chain:
            return self._fitted(x, 0) if isinstance(x, Tensor) else x
        if not is_branch(x):
            return self._fitted(x, 0)
        return [self._fitted(leaf, i) for i, leaf in enumerate(self._in_order(x, "x"))]

    def _to_tensor(self, value: Any) -> Any:
        if self._keeps_types() and (x := _of_floats(value)) is not None:
            own = next(nn.Module.parameters(self), None)
            return x if own is None else x.to(own.device)
        x = super()._to_tensor(value)
        if not isinstance(x, Tensor) or isinstance(x, StringTensor):
            return x
        if self._chain and not self._takes_integers and not x.is_floating_point():
            return x.to(settings.torch_dtype(self.dtype))
        return x

    def _keeps_types(self) -> bool:
        """Tell whether an input was declared with another type of floats than the model computes in."""
        if self._plan is None or self._is_users:
            return False
        return any(settings.is_float(i.dtype) and i.dtype != self.dtype for i in self._plan.inputs)

    def _as_declared(self, x: Tensor, index: int) -> Tensor:
        """Return an input in the type that it was declared with; integers stay integers for floats."""
        declared = self._declared_dtype(index)
        if declared is None or isinstance(x, StringTensor):
            return x
        if (kind := declared_integers(declared)) is not None:
            return x.to(kind)
        return x.to(settings.torch_dtype(declared)) if x.is_floating_point() and settings.is_float(declared) else x

    def _declared_dtype(self, index: int) -> str | None:
        """Return the name of the type that an input was declared with; `None` where none is known."""
        return None if self._plan is None else self._plan.inputs[index].dtype

    def _fitted(self, x: Tensor, index: int) -> Tensor:
        """Return an input in the rank the model takes, or raise when it does not fit."""
        if self._plan is None:
            return x
        symbol, x = self._plan.inputs[index], self._as_declared(x, index)
        return fitted(
            self, tuple(symbol.shape), x, self.input_names[index], functools.partial(self._runs_on, symbol, x)
        )

    def _runs_on(self, symbol: SymbolicTensor, x: Tensor) -> bool:
        """Tell whether the layers run on another size than the only input says, as convolutions do."""
        if len(self._the_plan().inputs) > 1 or x.dim() != symbol.ndim or self._traits.stateful:
            return False
        try:
            with torch.no_grad():
                self._run_layers(x[:1], None, False)
        except (RuntimeError, ValueError):
            return False
        finally:
            self._take_losses()
        return True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, or a list or dictionary of them."""
        if self._is_users:
            return super().compute_output_shape(input_shape)
        if self._plan is None or self._chain:
            return self._chain_shapes(input_shape)[-1]
        shapes_in = self._counted(flatten_shapes(input_shape), len(self._plan.inputs), "x")
        own = [tuple(tensor.shape) for tensor in self._plan.inputs]
        shapes = [tuple(t.shape) for t in self._plan.outputs] if shapes_in == own else self._plan.shapes_for(shapes_in)
        return shapes[0] if not is_branch(self._output_tree) else self._arranged(shapes)

    def _chain_shapes(self, shape: Any) -> list[Any]:
        """Return the shapes of the input and of every layer's output in a chain for an input of this shape."""
        shapes = [shape]
        for layer in self._chain:
            layer._expect_one_input(flatten_shapes(shapes[-1]))
            shapes.append(layer.compute_output_shape(shapes[-1]))
        return shapes

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the output."""
        return None if self._is_users else self._run_layers(inputs, mask, False)[1]

    def _samples_at_once(self, with_masks: bool, sample: Tree = None) -> int:
        """Return how many samples may run together in inference, whatever the batch size; 0 where batches must stay.

        Args:
            with_masks: Whether layers that make masks are no obstacle.
            sample: The shape of a sample of the data at hand, where the model leaves a size open.
        """
        if self._is_users or self._is_hooked() or self._holds_hooks():
            return 0
        key = (Changes.count, RemovableHandle.next_id, self._built_shape, with_masks, sample)
        known = self.__dict__.get("_known_limit")
        if known is None or known[0] != key:
            known = self.__dict__["_known_limit"] = (key, self._find_limit(with_masks, sample))
        limit: int = known[1]
        return limit

    def _find_limit(self, with_masks: bool, sample: Tree) -> int:
        """Return what `_samples_at_once` does of a model without hooks, found anew."""
        traits = self._traits
        fixed = self._output_tree is not None and any(t.shape[0] is not None for t in ordered(self._input_tree))
        masked = not with_masks and traits.makes_mask
        if traits.stateful:
            apart = traits.makes_mask or not traits.row_wise or not traits.joins_batches
        else:
            apart = fixed or masked or not traits.row_wise
        sizes = self._sizes_inside()
        if not apart and sample is not None and any(None in size for size in sizes) and self._chain:
            sizes = [tuple(s)[1:] for shape in self._chain_shapes((None, *sample)) for s in flatten_shapes(shape)]
        if apart or not sizes or any(None in size for size in sizes):  # no sizes: the first batch will build the model
            return 0
        widest: int = max(math.prod(n or 1 for n in size) for size in sizes)
        return max(AT_ONCE // widest, min(OVER_TIME, MOST_AT_ONCE // widest) if traits.walks_over_time else 0)

    def _gives_features(self) -> bool:
        """Tell whether each output has an axis beside the batch."""
        return self._output_tree is None or all(len(tensor.shape) > 1 for tensor in ordered(self._output_tree))

    def _sizes_inside(self) -> list[tuple[Any, ...]]:
        """Return the sizes of a sample in the inputs and in what each layer gives."""
        symbols = flatten(self._symbols) if self._chain or self._plan is None else self._plan.symbols()
        return [tuple(symbol.shape)[1:] for symbol in symbols]

    def _device(self) -> torch.device:
        parameter = next(nn.Module.parameters(self), None)
        return settings.default_device() if parameter is None else parameter.device

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes, their numbers of weights and, in a graph, what they are connected to.

        Args:
            line_length: Width of the table.
            positions: Ends of the columns, as fractions of the width or in characters.
            print_fn: Called with each line instead of `print`.
            expand_nested: Whether to show the layers of nested models.
            show_trainable: Whether to show which layers are trainable.
            layer_range: Names of the first and the last layer to show.
        """
        self._need_built("summary")
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)


def declared_integers(dtype: str) -> torch.dtype | None:
    """Return the type that an input was declared with, where it is one of numbers and none of floats.

    Args:
        dtype: Its name.
    """
    return None if settings.is_float(dtype) or is_string_type(dtype) else settings.torch_dtype(dtype)


def fitted(
    model: Any, expected: Shape, x: Tensor, name: str = "x", takes_too: Callable[[], bool] | None = None
) -> Tensor:
    """Return an input in the rank that a model takes.

    As in Keras, (N,) meets (N, 1), a missing last axis of 1 is added and a superfluous one taken off.

    Args:
        model: The model.
        expected: The shape of the input, the batch first.
        x: What was given.
        name: What the message calls it.
        takes_too: Tells whether the model runs on another size all the same.

    Raises:
        ValueError: It does not fit.
    """
    expected, got = (None, *expected[1:]), x.shape
    if x.dim() == len(expected) - 1 and (expected[-1] == 1 or (x.dim() == 1 and expected[-1] is None)):
        x = x.unsqueeze(-1)
    elif x.dim() == len(expected) + 1 and x.shape[-1] == 1:
        x = x.squeeze(-1)
    if not compatible(expected, x.shape) and not (takes_too is not None and takes_too()):
        hint = one_sample_hint(expected, tuple(got))
        raise ValueError(
            f"{model}: {name} must have shape {expected}; got {(None, *(got if hint else x.shape)[1:])}.{hint}"
        )
    return x


def _note(values: dict[int, Any], symbols: Tree, tree: Tree) -> None:
    for symbol, value in zip(flatten(symbols), flatten(tree)):
        values[id(symbol)] = value


def _of_floats(value: Any) -> Tensor | None:
    """Return floats as a tensor of their own type; `None` for anything else."""
    x = take_back(value) if isinstance(value, Tensor) else None if value is None else torch.as_tensor(np.array(value))
    return x if x is not None and x.is_floating_point() else None
