"""`RNN`: a cell over the steps of a sequence, with masks, states and constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from ..._core import dialects, registry, settings
from ..._core.errors import show
from ..._core.graph_capture import not_traced
from ..._core.ownership import is_ours
from ..._core.precision import cast_floats
from ..._core.shapes import compatible
from ..._core.symbolic import is_symbolic
from ..._core.tree import Tree
from ..._core.user_tensors import take_back
from ..._core.weights import Variable, Weight
from ...backend.control import rnn
from ..base import Layer, Traits
from .cells import AbstractRNNCell, DropoutMasks, RecurrentCell
from .choose_kernel import Runs, choose_kernel, step_by_step
from .masks import beside, compact, pick
from .stacked_cells import StackedRNNCells, call_cell, check_cell, takes
from .states import as_list, batch_shapes, first_size, initial_states, leaf_shapes, packed, states_as_inputs

IN_PYTHON = "its steps run one by one in Python, and a graph would hold each of them"


@dataclass(frozen=True)
class Walkers:
    """The cells that walk over a whole sequence, one behind the other.

    Attributes:
        cells: The cells.
        layers: Whose hooks would see each step: the cells, and what joins them.
        begin_at_zero: Whether all states are zero without an initial_state.
        states: The number of states.
    """

    cells: list[Any]
    layers: list[AbstractRNNCell]
    begin_at_zero: bool
    states: int

    def hooked(self) -> bool:
        """Tell whether a hook wants to see each step."""
        for layer in self.layers:
            if layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks or layer._backward_pre_hooks:
                return True
        return False


@registry.register("layer")
class RNN(Layer):
    """Walks a cell over the steps of a sequence.

    The cells of this package, also several of them in a row, walk by the fastest kernel there is for the whole
    sequence; others are called for each step.

    Args:
        cell: A layer or object with `call(inputs, states)`, which returns the output and the new states, and with
            `state_size`; it may have `output_size`, and `get_initial_state(inputs, batch_size, dtype)`. A list of cells
            stands for `StackedRNNCells`.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last states are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        unroll: Accepted; the result is the same.
        time_major: Whether input and output are `(steps, batch, …)`.
        zero_output_for_mask: Whether the output of a masked step is zero instead of that of the step before.
        kwargs: The arguments of every layer.

    Shape:
        Input: `(batch, steps, …)`, or a list of that and the first states. Output: `(batch, …)`, or `(batch, steps, …)`
        with `return_sequences`; with `return_state` a list of that and the states.

    Raises:
        ValueError: `cell` is no cell, or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> cells = [keras.layers.LSTMCell(8), keras.layers.GRUCell(4)]
        >>> keras.layers.RNN(cells, return_sequences=True).compute_output_shape((None, 5, 3))
        (None, 5, 4)
    """

    supports_masking = True
    _sequence_input = True
    _class_traits = Traits(row_wise=True, walks_over_time=True)
    _takes_trees = True
    _positional_arguments = ("initial_state", "constants")
    _num_constants = 0
    _walking: Walkers | None = None  # known once the layer is built
    _state_names: Sequence[str] = ()

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        if isinstance(cell, (list, tuple)):
            with dialects.using(dialects.of(self).name):
                cell = StackedRNNCells([check_cell(owner, "cell", one) for one in cell])
        self.cell = check_cell(owner, "cell", cell)
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful = bool(go_backwards), bool(stateful)
        self.unroll, self.time_major = bool(unroll), bool(time_major)
        self.zero_output_for_mask = bool(zero_output_for_mask)

    # --- building ------------------------------------------------------------------------------------------------

    def _check_rank(self, shape: Any) -> None:
        """Raise when the input has no steps."""
        super()._check_rank(shape)
        sequence = _first_shape(self._sequence_shape(shape))
        if len(sequence) < 3:
            raise ValueError(
                f"{self}: the input must have 3 axes or more, the batch included; got shape {sequence} with "
                f"{len(sequence)}."
            )

    def build(self, input_shape: Any) -> None:
        """Build the cell for one step, and make the states of a stateful layer."""
        shape = self._sequence_shape(input_shape)
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._names_weights = self._rules.cells_name_weights
            steps = tree_map(self._step_shape, shape, is_leaf=_is_shape)
            self.cell._build_from(steps, torch.empty(0).device)  # the device that `_build_from` builds on
        self._walking = self._find_walkers()
        if self.stateful:
            self._make_states(_first_shape(shape))

    def _sequence_shape(self, input_shape: Any) -> Any:
        """Return the shape of the sequence, or those of several walked over together, out of those of all inputs."""
        several = isinstance(input_shape, (list, tuple)) and not _is_shape(input_shape)
        beside = several and (isinstance(input_shape, list) or self._walkers() is not None)
        return input_shape[0] if beside else input_shape

    def _step_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(shape[1:]) if self.time_major else (shape[0], *shape[2:])

    def _make_states(self, input_shape: Sequence[int | None]) -> None:
        batch = input_shape[self._batch_axis]
        if batch is None:
            rest = ", ".join(map(str, input_shape[1:]))
            raise ValueError(
                f"{self}: a stateful layer needs a fixed batch size; write batch_input_shape=(batch, steps, features) "
                f"in the first layer, for instance batch_input_shape=(32, {rest})."
            )
        dtype = settings.torch_dtype(getattr(self.cell, "dtype", self.dtype))
        for i, state in enumerate(tree_leaves(take_back(initial_states(self.cell, batch, dtype)))):
            self.register_buffer(f"_state_{i}", torch.as_tensor(state, dtype=dtype).clone(), persistent=False)

    @property
    def _batch_axis(self) -> int:
        return 1 if self.time_major else 0

    # --- states --------------------------------------------------------------------------------------------------

    def _held_states(self) -> list[Tensor]:
        """Return the states that a stateful layer keeps, in a row; none where it is not built."""
        return [self._buffers[name] for name in self._held_names()]  # type: ignore[misc]

    def _held_names(self) -> list[str]:
        buffers = self._buffers.items()
        return [name for name, state in buffers if name.startswith("_state_") and state is not None]

    def _state_variable(self, name: str) -> Variable:
        """Return a kept state as users know it: it can be assigned to, and what was read of it stays as it was."""
        return Weight(f"{self.name}/Variable:0", self, (name,), trainable=False).variable()

    @property
    def states(self) -> list[Any]:
        """The variables in which a stateful layer keeps its states, by cell; `None` for each where it keeps none."""
        size = as_list(self.cell.state_size)
        held: list[Any] = [self._state_variable(name) for name in self._held_names()]
        held = held or [None] * len(leaf_shapes(size, None))
        return packed(size, held, self)  # type: ignore[no-any-return]

    def reset_states(self, states: Any = None) -> None:
        """Set the kept states to zero, or to other values.

        Args:
            states: One array a state, (batch, units); `None` is zero.

        Raises:
            AttributeError: The layer is not stateful.
            ValueError: The layer is not built, or the number or a shape of the states is wrong.
        """
        if not self.stateful:
            raise AttributeError(f"{self}: reset_states needs a layer made with stateful=True.")
        held = self._held_states()
        if not held:
            raise ValueError(f"{self}: reset_states needs a built layer; give batch_input_shape=(batch, …).")
        values = [None] * len(held) if states is None else self._in_a_row(states)
        for i, (state, value) in enumerate(zip(held, values)):
            shape = () if value is None else tuple(getattr(value, "shape", torch.as_tensor(value).shape))
            if value is not None and shape != tuple(state.shape):
                raise ValueError(f"{self}: state {i} must have shape {tuple(state.shape)}; got {show(value)}.")
        with torch.no_grad():
            for state, value in zip(held, values):
                state.zero_() if value is None else state.copy_(torch.as_tensor(value))

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Return the states that a batch begins with without an initial_state, zero unless the cell says otherwise.

        Args:
            inputs: The batch, (batch, steps, …).
        """
        first = tree_leaves(inputs)[0]
        states = take_back(initial_states(self.cell, first.shape[self._batch_axis], first.dtype))
        states = tree_map(lambda s: torch.as_tensor(s).to(first.device, first.dtype), states)
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def _in_a_row(self, states: Any) -> list[Any]:
        """Return states, in lists by cell or in a row, in a row."""
        return tree_leaves(packed(as_list(self.cell.state_size), states, self, self._state_names))

    def _start(self, x: Tensor, batch: int, initial_state: Any) -> list[Tensor | None]:
        """Return the states before the first step, in a row; `None` for those that are zero.

        Args:
            x: The input.
            batch: The number of samples.
            initial_state: What the caller gave.
        """
        told = None if initial_state is None else self._told_states(initial_state, batch)
        if self.stateful:
            return self._kept_or(told, batch)
        if told is not None:
            return told
        if self._walking is not None and self._walking.begin_at_zero:
            return [None] * self._walking.states
        return tree_leaves(self.get_initial_state(x))

    def _told_states(self, initial_state: Any, batch: int) -> list[Tensor | None]:
        states = [self._to_input(state) for state in self._in_a_row(initial_state)]
        self._expect_states(states, batch)
        return states

    def _expect_states(self, states: Sequence[Any], batch: int | None) -> None:
        """Raise where first states, symbolic or not, are of another number or shape than those of the cell."""
        shapes = leaf_shapes(self.cell.state_size, batch)
        if len(states) != len(shapes):
            raise ValueError(f"{self}: initial_state must be {len(shapes)} tensors; got {len(states)}.")
        for i, (state, shape) in enumerate(zip(states, shapes)):
            if not compatible(shape, tuple(state.shape)):
                name = self._state_names[i] if self._state_names else str(i)
                raise ValueError(f"{self}: initial_state {name} must have shape {shape}; got {show(state)}.")

    def _call_symbolic(self, inputs: Tree, args: Sequence[Any], call_arguments: dict[str, Any]) -> Any:
        """Make a node of the graph; first states that do not fit are refused here, and not when it runs."""
        states = call_arguments.get("initial_state")
        if states is not None:
            self._expect_states(self._in_a_row(states), None)
        return super()._call_symbolic(inputs, args, call_arguments)

    def _expect_sizes(self, inputs: Tree) -> None:
        """Raise where a sequence is not of the size that the weights of the cell were made for."""
        super()._expect_sizes(inputs)
        if isinstance(self.cell, Layer):
            self.cell._expect_sizes(inputs)

    def _inputs_in_config(self, inputs: Tree, keywords: Mapping[str, Any]) -> tuple[Tree, Mapping[str, Any]]:
        """Return a sequence and its first states as one list, which Keras's configurations have for inputs."""
        return states_as_inputs(inputs, keywords)

    def _kept_or(self, told: list[Tensor | None] | None, batch: int) -> list[Tensor | None]:
        """Return the kept states; those that the caller told only where the kept ones are zero, as in Keras."""
        held = self._held_states()
        if self._casts:
            held = [cast_floats(s, self._kind) for s in held]  # they are kept as weights are
        if torch.is_grad_enabled():
            held = [s.clone() for s in held]  # the next batch writes into the kept ones
        if held and len(held[0]) != batch:
            raise ValueError(
                f"{self}: a stateful layer takes batches of the size in batch_input_shape, {len(held[0])}; "
                f"got {batch} samples."
            )
        if told is None:
            return list(held)
        moved = torch.stack([(s != 0).any() for s in held]).any()
        return [torch.where(moved, h, s) for h, s in zip(held, told) if s is not None]

    @torch.no_grad()
    def _keep(self, states: Sequence[Tensor]) -> None:
        """Keep the last states of a stateful layer."""
        for kept, state in zip(self._held_states(), states):
            kept.copy_(state)  # in place: a captured graph keeps writing to the same memory

    # --- traits --------------------------------------------------------------------------------------------------

    def _walkers(self) -> list[Any] | None:
        """Return the cells that walk over the sequence one behind the other; `None` where each step is called."""
        walking = self._walking if self.built else self._find_walkers()
        return None if walking is None or walking.hooked() else walking.cells

    def _find_walkers(self) -> Walkers | None:
        cells = self.cell._walkers() if isinstance(self.cell, (RecurrentCell, StackedRNNCells)) else None
        if cells is None:
            return None
        layers = [layer for layer in nn.Module.modules(self.cell) if isinstance(layer, AbstractRNNCell)]
        return Walkers(cells, layers, is_ours(type(self).get_initial_state), sum(len(c._state_names) for c in cells))

    def _own_traits(self) -> Traits:
        own, walks = super()._own_traits(), is_ours(type(self)) and self._walkers() is not None
        # Several batches may come as one: a stateful layer walks over them one after the other.
        joins = self.stateful and not self.return_state and walks
        samples_first = own.row_wise and walks and not self.time_major
        return replace(own, row_wise=samples_first, joins_batches=joins, runs_user_code=own.runs_user_code or not walks)

    def _joined_batches(self, rows: int) -> int:
        """Return how many batches, one after the other, the rows in hand are; 1 but for inference over many."""
        size = settings.joined_batch_size() if self.stateful else 0
        return rows // size if size else 1

    # --- calling -------------------------------------------------------------------------------------------------

    def _normalised_call(self, inputs: Any, call_arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the sequence alone, and the first states and constants among the arguments of the call.

        Args:
            inputs: A sequence, or a list of one, its first states and constants, symbolic or not.
            call_arguments: The further arguments of the call, by name.
        """
        splits = isinstance(inputs, list) or (isinstance(inputs, tuple) and self._walkers() is not None)
        if splits and inputs and all(_is_tensor_tree(part) for part in inputs):
            count = len(inputs) - self._num_constants
            inputs, states, constants = inputs[0], list(inputs[1:count]), list(inputs[count:])
            beside = {"initial_state": states, "constants": constants}
            call_arguments = {**call_arguments, **{name: value for name, value in beside.items() if value}}
        if call_arguments.get("constants") is not None:
            constants = call_arguments["constants"]
            call_arguments["constants"] = list(constants) if isinstance(constants, (list, tuple)) else [constants]
            self._num_constants = len(call_arguments["constants"])
        if self.stateful and not self.built and not is_symbolic(inputs):
            inputs = self._to_input(inputs)  # a stateful layer by itself takes the size of its first batch
            self._build_from(tuple(inputs.shape), inputs.device)
        return inputs, call_arguments

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        initial_state: Any = None,
        constants: Sequence[Any] | None = None,
    ) -> Any:
        """Return the last output, or all of them; with `return_state` a list of that and the last states."""
        mask = None if mask is None else self._mask_of_steps(_first_mask(mask))
        walkers = self._walkers()
        if walkers is None or constants is not None:
            return self._call_steps(inputs, mask, training, initial_state, constants)
        x = inputs if self.time_major else inputs.transpose(0, 1)
        count, batches = None, self._joined_batches(x.shape[1])
        if self.go_backwards:
            x = x.flip(0)
        if batches > 1:  # (steps, batches · rows, …) → (batches · steps, rows, …)
            x = x.reshape(len(x), batches, -1, *x.shape[2:]).transpose(0, 1).flatten(0, 1)
        start = self._start(inputs, x.shape[1], initial_state)
        if mask is not None:
            valid = mask.bool() if self.time_major else mask.bool().transpose(0, 1)
            valid = valid.flip(0) if self.go_backwards else valid
            x, count = compact(x, valid)
        keeps = self.stateful or self.return_state
        runs = self._walk(walkers, x, start, training, every_state=keeps and count is not None)
        output, last = runs[-len(walkers[-1]._state_names)]
        if batches > 1:
            whole = output.view(batches, -1, *output.shape[1:])
            output, last = whole.transpose(0, 1).flatten(1, 2), whole[:, -1].flatten(0, 1)
        if count is not None:
            output = pick(output, count if self.return_sequences else count[-1])
            if self.zero_output_for_mask:
                output = torch.where(beside(valid if self.return_sequences else valid[-1], output), output, 0)
        elif not self.return_sequences:
            output = last
        if self.return_sequences and not self.time_major:
            output = output.transpose(0, 1)
        if not keeps:
            return output
        states = [final for _, final in runs]
        if count is not None:
            states = [pick(sequence, count[-1], first) for (sequence, _), first in zip(runs, start)]
        return self._with_states(output, states)

    def _walk(
        self, walkers: list[Any], x: Tensor, start: Sequence[Tensor | None], training: bool, every_state: bool
    ) -> Runs:
        """Return for each state all its values, (steps, batch, units), and the last one.

        Only that of h is sure to hold all values; the others do where `every_state` asks for it.
        """
        runs: Runs = []
        for cell in walkers:
            facts, dropped = cell._facts, None
            if training and (cell.dropout or cell.recurrent_dropout):
                x, dropped = cell._drop(x, self._drops_each_step())
            kernel = choose_kernel(facts, x, dropped is not None, every_state)
            if kernel is step_by_step:
                not_traced(self, IN_PYTHON)
            first, start = start[: facts.formula.states], start[facts.formula.states :]
            runs += kernel(facts, x, first, dropped)
            x = runs[-facts.formula.states][0]
        return runs

    def _drops_each_step(self) -> bool:
        """Tell whether input dropout is drawn for each step."""
        return False

    def _call_steps(
        self, inputs: Any, mask: Tensor | None, training: bool, initial_state: Any, constants: Sequence[Any] | None
    ) -> Any:
        """Return what `call` returns, by calling the cell for each step."""
        not_traced(self, IN_PYTHON)
        if constants is not None and "constants" not in takes(self.cell):
            raise ValueError(
                f"{self}: constants need a cell with call(inputs, states, constants); {type(self.cell).__name__}.call "
                f"takes {', '.join(sorted(takes(self.cell)))}."
            )
        first = tree_leaves(inputs)[0]
        start = self._start(inputs, first.shape[self._batch_axis], initial_state)
        if any(state is None for state in start):
            start = tree_leaves(self.get_initial_state(inputs))
        count = len(as_list(self.cell.state_size))

        def step(x: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
            output, after = call_cell(self.cell, x, list(states[:count]), constants, training)
            return output, list(after) if isinstance(after, (list, tuple)) else [after]

        self._reset_dropout()
        last, outputs, states = rnn(
            step,
            tuple(inputs) if isinstance(inputs, list) else inputs,
            packed(as_list(self.cell.state_size), start, self),
            self.go_backwards,
            mask,
            unroll=self.unroll,
            time_major=self.time_major,
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
        )
        self._reset_dropout()
        return self._with_states(outputs if self.return_sequences else last, tree_leaves(states))

    def _reset_dropout(self) -> None:
        """Have each cell draw new masks."""
        for cell in nn.Module.modules(self):
            if isinstance(cell, DropoutMasks):
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()

    def _with_states(self, output: Any, states: Sequence[Tensor]) -> Any:
        """Keep the states of a stateful layer, and return the output, with the states where they are returned."""
        if self.stateful:
            self._keep(states)
        if not self.return_state:
            return output
        outputs = output if isinstance(output, list) else [output]
        return [*outputs, *packed(as_list(self.cell.state_size), states, self)]

    def _mask_of_steps(self, mask: Any) -> Any:
        """Return a mask with one truth value for each step; a last axis of one is taken off it, as in Keras."""
        if mask is not None and mask.dim() == 3 and mask.shape[-1] == 1:
            return mask.squeeze(-1)
        if mask is not None and mask.dim() != 2:
            raise ValueError(
                f"{self}: its mask must have one truth value for each step, (batch, steps); got the shape "
                f"{tuple(mask.shape)}. The compute_mask of the layer before decides; a layer that takes steps together "
                f"returns None there."
            )
        return mask

    # --- masks and shapes ----------------------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask as it came where sequences are returned, `None` otherwise."""
        kept = _first_mask(mask) if self.return_sequences else None
        return [kept, *tree_map(lambda _: None, self.states)] if self.return_state else kept

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `(batch, steps, …)` or `(batch, …)`; with `return_state` a list of that and the states'."""
        shape = _first_shape(self._sequence_shape(input_shape))
        batch = shape[self._batch_axis]
        before = tuple(shape[:2]) if self.return_sequences else (batch,)
        output = batch_shapes(first_size(self.cell), *before)
        if not self.return_state:
            return output
        outputs = output if isinstance(output, list) else [output]
        return [*outputs, *batch_shapes(as_list(self.cell.state_size), batch)]

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, the cell among them as a configuration."""
        if not hasattr(self.cell, "get_config"):
            raise NotImplementedError(
                f"{self}: get_config needs a cell with get_config(); {type(self.cell).__name__} has none. Write "
                f"it as a subclass of layers.Layer."
            )
        config = super().get_config()
        if not self.zero_output_for_mask:
            config.pop("zero_output_for_mask", None)  # as in Keras's files
        if self._num_constants:
            config["num_constants"] = self._num_constants
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RNN:
        """Make a layer from what `get_config` returned; the dictionary is not changed."""
        arguments = dict(config)
        count = arguments.pop("num_constants", 0)
        layer = cls(**arguments)
        layer._num_constants = count
        return layer


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(n is None or hasattr(n, "__index__") for n in value)


def _is_tensor_tree(value: Any) -> bool:
    """Tell whether something is a tensor or an array, symbolic or not, or a tree of such; plain numbers are not."""
    leaves = tree_leaves(value)
    return bool(leaves) and all(hasattr(leaf, "shape") and hasattr(leaf, "dtype") for leaf in leaves)


def _first_shape(shape: Any) -> Any:
    return tree_leaves(shape, is_leaf=_is_shape)[0]


def _first_mask(mask: Any) -> Any:
    """Return the mask of the steps, also out of one for each input."""
    return next((m for m in tree_leaves(mask) if m is not None), None) if isinstance(mask, (list, tuple)) else mask
