"""Layers around another layer: TimeDistributed applies it to every step, Bidirectional runs it both ways."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from .._core import dialects, registry
from .._core.errors import argument_error, choice
from .._core.graph_capture import not_traced
from .._core.ownership import is_ours, own_names
from .._core.shapes import Shape
from .._core.tree import Tree, flatten, flatten_shapes, is_branch, is_shape, map_shapes, map_tree
from ..backend.control import rnn
from .base import ROW_WISE, Layer, Traits
from .base.masks import carry_mask
from .core import Dense
from .recurrent.states import states_as_inputs
from .torch_module import TorchModuleWrapper


class Wrapper(Layer):
    """Base of layers around another layer, which users subclass too.

    Args:
        layer: The layer inside; a `torch.nn.Module` becomes one.
        kwargs: The arguments of every layer.

    Raises:
        TypeError: No layer.
    """

    _class_traits = ROW_WISE
    _sequence_input = True
    supports_masking = True

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = _checked(type(self).__name__, "layer", layer)

    @property
    def _takes_integers(self) -> bool:  # type: ignore[override]
        return self.layer._takes_integers

    @property
    def _keeps_integers(self) -> bool:  # type: ignore[override]
        return self.layer._keeps_integers

    @property
    def _casts_integers(self) -> bool:  # type: ignore[override]
        return self.layer._casts_integers

    def _output_dtype(self, input_dtype: str) -> str:
        return self.layer._output_dtype(input_dtype)

    @property
    def _index_checks(self) -> tuple[Callable[[Tensor], None], ...]:  # type: ignore[override]
        return self.layer._index_checks

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside, whose weights have this layer's name before theirs and not its own.

        Args:
            input_shape: What the layer inside gets.
        """
        if not self.layer.built:
            self.layer._names_weights = False
            self.layer._build_from(input_shape, torch.empty(0).device)  # the device that `_build_from` builds on
        self.built = True

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a layer from what `get_config` returned; the dictionary is not changed.

        Args:
            config: The configuration.
            custom_objects: The user's own classes by name.
        """
        with dialects.using(dialects.of(cls).name), registry.custom_object_scope(custom_objects):
            layers = {
                name: registry.deserialize("layer", value)
                for name in ("layer", "backward_layer")
                if isinstance(value := config.get(name), dict)
            }
        return cls(**{**config, **layers})


def _checked(owner: str, argument: str, layer: Any) -> Layer:
    if isinstance(layer, type) and issubclass(layer, nn.Module):
        raise TypeError(f"{owner}({argument}={layer.__name__}): this is the class; write {layer.__name__}(…).")
    if isinstance(layer, nn.Module) and not isinstance(layer, Layer):
        return TorchModuleWrapper(layer)
    if not isinstance(layer, Layer):
        raise argument_error(owner, argument, "a layer", layer, TypeError)
    return layer


def _is_built_in(layer: Layer) -> bool:
    """Tell whether a layer is one of this package's, or a subclass of one, and not a user's `Layer`."""
    return own_names(type(layer))[0] != "Layer"


@registry.register("layer")
class TimeDistributed(Wrapper):
    """Applies a layer to every step of sequences, with the same weights.

    The steps are folded into the batch and the layer runs once.  Where it keeps a state from batch to batch, or a user
    wrote it, and the batch size is fixed, the steps run one after the other, as in Keras.

    Args:
        layer: A layer or model.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, …)`, or a list of such. Output: `(batch, steps, …)`, with what the layer makes of a step.

    Raises:
        TypeError: No layer.
        ValueError: An input without axes behind the steps.

    Example:
        >>> from torchkeras_compat.layers import Conv2D, TimeDistributed
        >>> TimeDistributed(Conv2D(64, 3)).compute_output_shape((None, 10, 28, 28, 3))
        (None, 10, 26, 26, 64)
    """

    _takes_trees = True
    _masks_in_call = True
    _steps_apart = False
    _has_statistics = _has_penalties = False  # whether a second run of the model inside leaves something

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside for one step."""
        shapes = flatten_shapes(input_shape)
        if any(len(shape) < 3 for shape in shapes):
            raise ValueError(
                f"{self}: the input must have 3 axes or more, the batch, the steps and those of the layer inside; got "
                f"shape {input_shape}."
            )
        super().build(_of_one_step(input_shape))
        if self._rules.time_distributed_models_run_twice and hasattr(self.layer, "layers") and not self.layer._is_users:
            self._has_statistics = any(not line.trainable for line in self.layer._weight_table())
            self._has_penalties = self.layer._adds_penalties()
        self._steps_apart = shapes[0][0] is not None and (self.layer.stateful or not _is_built_in(self.layer))

    def call(self, inputs: Tree, mask: Tree = None, training: bool = False) -> Tree:
        """Return what the layer makes of every step.

        Args:
            inputs: `(batch, steps, …)`.
            mask: Which steps count, or which parts of them; the layer inside gets what there is of each step.
            training: The mode.
        """
        if self._steps_apart:
            return self._run_step_by_step(inputs, mask, training)
        sizes = flatten(inputs)[0].shape[:2]
        x, inner_mask = _folded(inputs), _folded(mask)
        if self._has_penalties:
            self.layer._run(x, inner_mask, training)
        elif self._has_statistics and training:
            with torch.no_grad():
                self.layer._run(x, inner_mask, training)
        y, inner_mask = self.layer._run(x, inner_mask, training)
        y = _unfolded(y, sizes)
        carry_mask(y, self._output_mask(mask, inner_mask, sizes))
        return y

    def _run_step_by_step(self, inputs: Tree, mask: Tree, training: bool) -> Tree:
        not_traced(self, "its steps run one by one in Python, and a graph would hold each of them")

        def step(x: Tree, states: Any) -> Any:
            return self.layer._run(x, None, training)[0], []

        # At a step that is masked the output is that of the step before.
        _, y, _ = rnn(step, tuple(inputs) if isinstance(inputs, list) else inputs, [], mask=mask)
        carry_mask(y, mask)
        return y

    def _output_mask(self, mask: Tree, inner_mask: Tree, sizes: Sequence[int]) -> Tree:
        """Return the mask of the output: that of the layer inside, or which steps had anything that counts."""
        if any(m is not None for m in flatten(inner_mask)):
            return _unfolded(inner_mask, sizes)
        return map_tree(lambda m: m if m is None or m.dim() == 2 else m.flatten(2).any(-1), mask)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the output: that of the layer inside, or which steps had anything that counts."""
        if self._steps_apart:
            return mask
        sizes = flatten(inputs)[0].shape[:2]
        return self._output_mask(mask, self.layer.compute_mask(_folded(inputs), _folded(mask)), sizes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of what the layer makes of one step, with the steps behind the batch."""
        steps = flatten_shapes(input_shape)[0][1]
        shape = self.layer.compute_output_shape(_of_one_step(input_shape))
        return map_shapes(lambda one: (one[0], steps, *one[1:]), shape)

    def reset_states(self) -> None:
        """Clear the states of the layer inside."""
        self.layer.reset_states()


def _of_one_step(shape: Tree) -> Tree:
    return map_shapes(lambda one: (one[0], *one[2:]), shape)


def _folded(tree: Tree) -> Tree:
    """Return tensors with the steps folded into the batch."""
    return map_tree(lambda x: None if x is None else x.flatten(0, 1), tree)


def _unfolded(tree: Tree, sizes: Sequence[int]) -> Tree:
    """Return tensors with the batch and the steps as axes of their own again."""
    return map_tree(lambda x: None if x is None else x.unflatten(0, sizes), tree)


@registry.register("layer")
class TimeDistributedDense(Dense):
    """`Dense` for every step of sequences, as Keras 1 had it; `Dense` does so by itself now.

    Args:
        args: The arguments of `Dense`.
        kwargs: Likewise; `input_dim` and `input_length` are the features and the number of steps.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, steps, units)`.

    Example:
        >>> from torchkeras_compat.layers import TimeDistributedDense
        >>> TimeDistributedDense(4, input_dim=3, input_length=7).batch_input_shape
        (None, 7, 3)
    """

    _sequence_input = True
    _input_rank = 3
    _check_rank = Layer._check_rank


_MERGED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum": operator.add,
    "mul": operator.mul,
    "ave": lambda forward, backward: (forward + backward) / 2,
    "concat": lambda forward, backward: torch.cat((forward, backward), -1),
}


@registry.register("layer")
class Bidirectional(Wrapper):
    """Runs a recurrent layer over sequences from both ends, with weights of its own for each direction.

    The layer itself stays as it is, in `layer`; two copies run, `forward_layer` and `backward_layer`.

    Args:
        layer: The recurrent layer: LSTM, GRU, SimpleRNN, or one of a user's with the same arguments.
        merge_mode: What becomes of the outputs: `'concat'`, `'sum'`, `'mul'`, `'ave'`, or `None` for a list of both.
        weights: Initial weights, those of the forward layer first.
        backward_layer: The layer for the way back, with the other `go_backwards`; a copy of `layer` if `None`.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: that of the layer, twice as wide with `'concat'`; behind it, with
        `return_state`, the states of the forward layer and those of the backward layer.

    Raises:
        TypeError: No recurrent layer.
        ValueError: An unknown `merge_mode`, or a `backward_layer` that does not fit.

    Source:
        Schuster and Paliwal, 1997.

    Example:
        >>> import torchkeras_compat as keras
        >>> from torchkeras_compat.layers import LSTM, Bidirectional
        >>> keras.Sequential([Bidirectional(LSTM(10), input_shape=(5, 3))]).output_shape
        (None, 20)
    """

    _class_traits = Traits(row_wise=True, joins_batches=True)

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        layer = _recurrent("layer", layer)
        kwargs.setdefault("trainable", layer.trainable)
        super().__init__(layer, weights=weights, **kwargs)
        self.__dict__["layer"] = self._modules.pop("layer")  # no part of this one: the two copies run
        self.merge_mode = None if merge_mode is None else choice("Bidirectional", "merge_mode", merge_mode, _MERGED)
        self._backward_config: dict[str, Any] | None = None
        self.forward_layer = _copied(layer, layer.go_backwards)
        if backward_layer is None:
            self.backward_layer = _copied(layer, not layer.go_backwards)
        else:
            self.backward_layer = _recurrent("backward_layer", backward_layer)
            self._backward_config = registry.serialize("layer", self.backward_layer)
        self.forward_layer._initial_weights = layer._initial_weights
        self._check_pair()
        self.forward_layer.name = f"forward_{self.forward_layer.name}"
        self.backward_layer.name = f"backward_{self.backward_layer.name}"
        self.stateful = bool(layer.stateful)
        self.return_sequences = bool(layer.return_sequences)
        self.return_state = bool(getattr(layer, "return_state", False))
        self._states = 0  # how many each direction gives

    def _check_pair(self) -> None:
        """Raise where a backward layer of the user's does not go with the forward layer."""
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"Bidirectional(backward_layer={backward}): it goes the same way as the layer; write "
                f"go_backwards={not forward.go_backwards} in it."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            one, other = getattr(forward, name, False), getattr(backward, name, False)
            if one != other:
                raise ValueError(
                    f"Bidirectional(backward_layer={backward}): {name} must be {one}, as in the layer; got {other}."
                )

    # --- shapes --------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Build the layers of both directions."""
        device = torch.empty(0).device  # the one that `_build_from` builds on
        for layer in (self.forward_layer, self.backward_layer):
            layer._build_from(input_shape, device)
        if self.return_state:
            self._states = len(flatten_shapes(self.forward_layer.compute_output_shape(input_shape))) - 1
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, or a list of that and those of the states."""
        both = [layer.compute_output_shape(input_shape) for layer in (self.forward_layer, self.backward_layer)]
        forward, backward = ([shapes] if is_shape(shapes) else list(shapes) for shapes in both)
        outputs: list[Shape] = [tuple(forward[0]), tuple(backward[0])]
        if self.merge_mode == "concat":
            width, other = outputs[0][-1], outputs[1][-1]
            outputs = [(*outputs[0][:-1], None if width is None or other is None else width + other)]
        elif self.merge_mode is not None:
            outputs = outputs[:1]
        shapes = [*outputs, *forward[1:], *backward[1:]]
        return shapes if len(shapes) > 1 else shapes[0]

    # --- running -------------------------------------------------------------------------------------------------

    def _normalised_call(self, inputs: Any, call_arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the sequences alone, and the first states among the arguments: `[x, *states]` may stand for both."""
        if is_branch(inputs) and len(inputs) > 1 and all(hasattr(part, "shape") for part in inputs):
            call_arguments = {**call_arguments, "initial_state": list(inputs[1:])}
            inputs = inputs[0]
        constants = call_arguments.get("constants")
        if constants is not None and not isinstance(constants, (list, tuple)):
            call_arguments = {**call_arguments, "constants": [constants]}
        return super()._normalised_call(inputs, call_arguments)

    def _call_symbolic(self, inputs: Tree, args: Sequence[Any], call_arguments: dict[str, Any]) -> Any:
        """Make a node of the graph; first states that are no two halves are refused here, and not when it runs."""
        self._halves(call_arguments.get("initial_state"))
        return super()._call_symbolic(inputs, args, call_arguments)

    def _inputs_in_config(self, inputs: Tree, keywords: Mapping[str, Any]) -> tuple[Tree, Mapping[str, Any]]:
        """Return the sequences and their first states as one list, which Keras's configurations have for inputs."""
        return states_as_inputs(inputs, keywords)

    def call(
        self,
        inputs: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        initial_state: Any = None,
        constants: Any = None,
    ) -> Any:
        """Return the outputs of both directions as `merge_mode` says, and their last states with `return_state`.

        Args:
            inputs: The sequences.
            mask: Which steps count.
            training: The mode.
            initial_state: The first states of the forward layer, then those of the backward layer.
            constants: What the cells of both get at every step.
        """
        options = {} if constants is None else {"constants": constants}
        first, second = self._halves(initial_state)
        forward = self._run_one_way(self.forward_layer, inputs, mask, training, {**options, **first})
        backward = self._run_one_way(self.backward_layer, inputs, mask, training, {**options, **second})
        outputs = [forward[0], backward[0]]
        if self.return_sequences:
            outputs[1] = outputs[1].flip(0 if getattr(self.forward_layer, "time_major", False) else 1)
        if self.merge_mode is not None:
            outputs = [_MERGED[self.merge_mode](*outputs)]
        if mask is not None and self._zeroes_masked_steps():
            outputs = [_zero_where_masked(y, mask) for y in outputs]
        everything = [*outputs, *forward[1:], *backward[1:]]
        return everything if len(everything) > 1 else everything[0]

    def _halves(self, states: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments of the calls of both layers that say their first states."""
        if states is None:
            return {}, {}
        if not isinstance(states, (list, tuple)) or len(states) % 2:
            got = len(states) if isinstance(states, (list, tuple)) else type(states).__name__
            raise ValueError(
                f"{self}: initial_state must be a list, the states of the forward layer and then as many of the "
                f"backward layer; got {got}."
            )
        half = len(states) // 2
        return {"initial_state": list(states[:half])}, {"initial_state": list(states[half:])}

    @staticmethod
    def _run_one_way(
        layer: Layer, inputs: Tensor, mask: Tensor | None, training: bool, options: dict[str, Any]
    ) -> list[Any]:
        """Return the output of one direction and its states."""
        outputs, _ = layer._run(inputs, mask, training, **options)
        return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]

    def _zeroes_masked_steps(self) -> bool:
        return self.return_sequences and self._rules.bidirectional_zeroes_masked and _is_built_in(self.forward_layer)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask as it came where sequences are returned, `None` otherwise and for states."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        outputs = [mask if self.return_sequences else None] * (2 if self.merge_mode is None else 1)
        masks = [*outputs, *[None] * (2 * self._states)]
        return masks if len(masks) > 1 else masks[0]

    def reset_states(self, states: Any = None) -> None:
        """Set the kept states of both layers to zero, or to these states.

        Args:
            states: Those of the forward layer, then those of the backward layer.

        Raises:
            AttributeError: The layers are not stateful.
        """
        if not self.stateful:
            raise AttributeError(f"{self}: reset_states needs a layer made with stateful=True.")
        first, second = self._halves(states)
        self.forward_layer.reset_states(*first.values())
        self.backward_layer.reset_states(*second.values())

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; `backward_layer` where there was one."""
        config = super().get_config()
        del config["backward_layer"]
        return config if self._backward_config is None else {**config, "backward_layer": self._backward_config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a layer from what `get_config` returned; the dictionary is not changed.

        Args:
            config: The configuration, Keras's own too.
            custom_objects: The user's own classes by name.
        """
        return super().from_config({k: v for k, v in config.items() if k != "num_constants"}, custom_objects)


def _recurrent(argument: str, layer: Any) -> Any:
    """Return a layer that can run both ways, or raise."""
    layer = _checked("Bidirectional", argument, layer)
    missing = [name for name in ("go_backwards", "return_sequences", "stateful") if not hasattr(layer, name)]
    if missing:
        wanted = "a recurrent layer, such as LSTM(units), with go_backwards and return_sequences"
        raise argument_error("Bidirectional", argument, wanted, layer, TypeError)
    return layer


def _copied(layer: Any, go_backwards: bool) -> Any:
    """Return a layer with the configuration of another, its dialect, and new weights."""
    config = {**layer.get_config(), "go_backwards": go_backwards}
    # A configuration has a function by its name alone, and a user's class too.
    functions = {name: f for name in config if isinstance(f := getattr(layer, name, None), FunctionType)}
    cell = getattr(layer, "cell", None)
    parts = [*nn.Module.modules(layer), cell, *(getattr(cell, "cells", None) or ())]
    classes = {type(part).__name__: type(part) for part in parts if not is_ours(type(part))}
    with dialects.using(layer._dialect or dialects.DEFAULT), registry.custom_object_scope(classes):
        return type(layer).from_config({**config, **functions})


def _zero_where_masked(y: Tensor, mask: Tensor) -> Tensor:
    valid = mask.bool()
    return y.masked_fill(~valid.reshape(*valid.shape, *[1] * (y.dim() - valid.dim())), 0)
