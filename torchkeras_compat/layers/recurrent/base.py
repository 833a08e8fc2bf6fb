"""`Recurrent`: what SimpleRNN, LSTM and GRU share: weights, dropout, masks, states and the choice of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import activations
from ..._core import settings
from ..._core.errors import argument_error, fraction, positive_int, show
from ..._core.graph_capture import capturing, not_in_graphs
from ..._core.shapes import Shape
from ..._core.symbolic import SymbolicTensor
from ..._core.weights import IDENTITY, TRANSPOSED, Codec
from ..base import Layer, Traits
from ..base.weight_options import keep_options, options_of
from .formulas import Cell, Recurrence
from .masks import compact, pick


class Recurrent(Layer):
    """Base of SimpleRNN, LSTM and GRU; a torch module holds the parameters, whichever kernel runs."""

    _sequence_input = True
    supports_masking = True
    _input_rank = 3
    _class_traits = Traits(row_wise=True, walks_over_time=True)

    module_class: ClassVar[type[nn.RNNBase]]
    rnn: Any
    matrix_codec: ClassVar[Codec] = TRANSPOSED
    state_names: ClassVar[tuple[str, ...]] = ("h",)
    recurrent_activation: Any = None
    torch_faster_on_cpu: ClassVar[bool] = False

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        owner = type(self).__name__
        self.units = positive_int(owner, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )
        self.dropout = fraction(owner, "dropout", dropout)
        self.recurrent_dropout = fraction(owner, "recurrent_dropout", recurrent_dropout)
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful = bool(go_backwards), bool(stateful)
        self.unroll, self.time_major = bool(unroll), bool(time_major)
        if implementation not in (0, 1, 2):
            raise argument_error(owner, "implementation", "0, 1 or 2", implementation)
        self.implementation = implementation

    # --- what the kinds of layer differ in -----------------------------------------------------------------------

    @property
    def cell(self) -> Cell:
        """The mathematics of one step."""
        raise NotImplementedError

    @property
    def is_torchs(self) -> bool:
        """Whether torch's own kernel computes the same."""
        raise NotImplementedError

    @property
    def torch_function(self) -> str:
        """The name of torch's function that runs its kernel over a sequence."""
        raise NotImplementedError

    def module_options(self) -> dict[str, Any]:
        """Return further arguments of the torch module."""
        return {}

    def bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        """Return the torch names behind the bias, its codec and its initializer."""
        return ("bias_ih_l0",), IDENTITY, self.bias_initializer

    # --- building ------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the torch module that holds the weights, and the states of a stateful layer."""
        features = self._last_axis(input_shape)
        self.rnn = self._module(features)
        self._cell, self._torch_name = self.cell, self.torch_function if self.is_torchs else None
        matrices = (("kernel", "weight_ih_l0", "kernel"), ("recurrent_kernel", "weight_hh_l0", "recurrent"))
        for name, attribute, prefix in matrices:
            self._enter_weight(name, self.rnn, attribute, self.matrix_codec, **options_of(self, prefix))
        if self.use_bias:
            names, codec, initializer = self.bias_entry()
            self._enter_weight(
                "bias", self.rnn, names, codec, **{**options_of(self, "bias"), "initializer": initializer}
            )
            if "bias_hh_l0" not in names:
                self._freeze_second_bias()
        if self.stateful:
            self._make_states(input_shape)

    def _module(self, features: int) -> nn.RNNBase:
        device = torch.empty(0).device  # the one that `_build_from` builds on
        options = {"bias": self.use_bias, "batch_first": not self.time_major, **self.module_options()}
        dtype = settings.torch_dtype(self.dtype)
        make: Any = self.module_class  # torch's stubs describe the base class only
        module: nn.RNNBase = make(features, self.units, device="meta", dtype=dtype, **options)
        return module.to_empty(device=device)

    def _freeze_second_bias(self) -> None:
        # Keras has one bias where torch has two: the second is a zero that no optimizer sees.
        zero = torch.zeros_like(self.rnn.bias_hh_l0.detach())
        del self.rnn.bias_hh_l0
        self.rnn.register_buffer("bias_hh_l0", zero)
        self.rnn._init_flat_weights()

    def _make_states(self, input_shape: Any) -> None:
        batch = input_shape[1 if self.time_major else 0]
        if batch is None:
            raise ValueError(
                f"{self}: a stateful layer needs a fixed batch size; write batch_input_shape=(batch, steps, features) "
                f"in the first layer, for instance batch_input_shape=(32, {input_shape[1]}, {input_shape[2]})."
            )
        for i in range(len(self.state_names)):
            zeros = torch.zeros(batch, self.units, dtype=settings.torch_dtype(self.dtype))
            self.register_buffer(f"_state_{i}", zeros, persistent=False)

    # --- states --------------------------------------------------------------------------------------------------

    @property
    def states(self) -> list[Tensor | None]:
        """The states a stateful layer keeps between batches; `None` for each where it keeps none."""
        return [self._buffers.get(f"_state_{i}") for i in range(len(self.state_names))]

    def reset_states(self, states: Any = None) -> None:
        """Set the kept states to zero, or to what is given.

        Args:
            states: One array a state, (batch, units); `None` is zero.

        Raises:
            AttributeError: The layer is not stateful.
            ValueError: The layer is not built, or the number or a shape of the states is wrong.
        """
        if not self.stateful:
            raise AttributeError(f"{self}: reset_states needs a layer made with stateful=True.")
        held = [s for s in self.states if s is not None]
        if not held:
            raise ValueError(f"{self}: reset_states needs a built layer; give batch_input_shape=(batch, …).")
        values = [None] * len(held) if states is None else self._state_list(states)
        for i, (state, value) in enumerate(zip(held, values)):
            if value is not None and tuple(np.shape(value)) != tuple(state.shape):
                raise ValueError(f"{self}: state {i} must have shape {tuple(state.shape)}; got {show(value)}.")
        with torch.no_grad():
            for state, value in zip(held, values):
                state.zero_() if value is None else state.copy_(torch.as_tensor(value))

    def get_initial_state(self, inputs: Tensor) -> list[Tensor]:
        """Return zeros for each state, (batch, units)."""
        batch = inputs.shape[1 if self.time_major else 0]
        return [inputs.new_zeros(batch, self.units) for _ in self.state_names]

    def _state_list(self, states: Any) -> list[Any]:
        found = list(states) if isinstance(states, (list, tuple)) else [states]
        if len(found) != len(self.state_names):
            expected = f"{len(self.state_names)} states ({', '.join(self.state_names)})"
            raise ValueError(f"{self}: there must be {expected}; got {len(found)}.")
        return found

    def _start(self, x: Tensor, initial_state: Any) -> list[Tensor | None]:
        given: list[Any] = [None] * len(self.state_names)
        if initial_state is not None:
            given = [self._to_input(s) for s in self._state_list(initial_state)]
            for name, state in zip(self.state_names, given):
                if tuple(state.shape) != (x.shape[1], self.units):
                    expected = (x.shape[1], self.units)
                    raise ValueError(f"{self}: initial_state {name} must have shape {expected}; got {show(state)}.")
        if not self.stateful:
            return given
        held = [s for s in self.states if s is not None]
        if torch.is_grad_enabled():
            held = [s.clone() for s in held]  # the next batch writes into the kept ones
        if len(held[0]) != x.shape[1]:
            raise ValueError(
                f"{self}: a stateful layer takes batches of the size in batch_input_shape, {len(held[0])}; "
                f"got {x.shape[1]} samples."
            )
        if initial_state is None:
            return list(held)
        moved = torch.stack([(s != 0).any() for s in held]).any()  # Keras: what is kept goes before what is given
        return [torch.where(moved, h, g) for h, g in zip(held, given)]

    def _own_traits(self) -> Traits:
        # Several batches may come as one: a stateful layer walks over them one after the other.
        return replace(super()._own_traits(), joins_batches=self.stateful and not self.return_state)

    def _joined_batches(self, rows: int) -> int:
        """Return how many batches, one after the other, the rows in hand are; 1 but for inference over many."""
        size = settings.joined_batch_size() if self.stateful else 0
        return rows // size if size else 1

    # --- calling -------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the layer; `[x, *initial_state]` may stand for `x`, as in Keras.

        Args:
            inputs: (batch, steps, features), or a list of that and the first states.
            args: `mask`.
            kwargs: `mask`, `training` and `initial_state`.
        """
        if isinstance(inputs, (list, tuple)) and [np.ndim(i) for i in inputs] == [3] + [2] * len(self.state_names):
            inputs, kwargs["initial_state"] = inputs[0], list(inputs[1:])
        if self.stateful and not self.built and not isinstance(inputs, SymbolicTensor):
            inputs = self._to_input(inputs)
            self._build_from(tuple(inputs.shape), inputs.device)
        return super().__call__(inputs, *args, **kwargs)

    def call(
        self, inputs: Tensor, mask: Tensor | None = None, training: bool = False, initial_state: Any = None
    ) -> Any:
        """Return the last output, or all of them; with `return_state` a list of that and the last states."""
        x = inputs if self.time_major else inputs.transpose(0, 1)
        count, batches = None, self._joined_batches(x.shape[1])
        if self.go_backwards:
            x = x.flip(0)
        if batches > 1:  # (steps, batches · rows, …) → (batches · steps, rows, …)
            x = x.reshape(len(x), batches, -1, x.shape[-1]).transpose(0, 1).flatten(0, 1)
        start = self._start(x, initial_state)
        if mask is not None:
            valid = mask.bool() if self.time_major else mask.bool().transpose(0, 1)
            x, count = compact(x, valid.flip(0) if self.go_backwards else valid)
        keeps = self.stateful or self.return_state
        runs = self._walk(x, start, training, every_state=keeps and count is not None)
        output, last = runs[0]
        if batches > 1:
            whole = output.view(batches, -1, *output.shape[1:])
            output, last = whole.transpose(0, 1).flatten(1, 2), whole[:, -1].flatten(0, 1)
        if count is not None:
            output = pick(output, count if self.return_sequences else count[-1])
        elif not self.return_sequences:
            output = last
        if self.return_sequences and not self.time_major:
            output = output.transpose(0, 1)
        if not keeps:
            return output
        states = [final for _, final in runs]
        if count is not None:
            states = [pick(sequence, count[-1], first) for (sequence, _), first in zip(runs, start)]
        self._keep(states)
        return [output, *states] if self.return_state else output

    @torch.no_grad()
    def _keep(self, states: Sequence[Tensor]) -> None:
        if self.stateful:
            for kept, state in zip(self.states, states):
                if kept is not None:
                    kept.copy_(state)  # in place: a captured graph keeps writing to the same memory

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask as it came where sequences are returned, `None` otherwise."""
        kept = mask if self.return_sequences else None
        return [kept, *([None] * len(self.state_names))] if self.return_state else kept

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `(batch, steps, units)` or `(batch, units)`; with `return_state` a list of that and the states'."""
        batch = input_shape[1 if self.time_major else 0]
        output: Shape = (*input_shape[:2], self.units) if self.return_sequences else (batch, self.units)
        return [output, *([(batch, self.units)] * len(self.state_names))] if self.return_state else output

    # --- the choice of the kernel --------------------------------------------------------------------------------

    def _walk(
        self, x: Tensor, start: Sequence[Tensor | None], training: bool, every_state: bool
    ) -> list[tuple[Tensor, Tensor]]:
        """Return for each state all its values, (steps, batch, units), and the last one.

        Only that of h is sure to hold all values; the others do where `every_state` asks for it.
        """
        drop, by_gate = None, False
        if training and (self.dropout or self.recurrent_dropout):
            x, drop, by_gate = self._drop(x)
        simple = drop is None and not by_gate
        every_c = every_state and len(start) > 1
        if self._torch_name is not None and simple and not every_c and self._torch_is_faster(x):
            return self._torch(self._torch_name, x, start)
        rnn, cell = self.rnn, self._cell
        w, r = rnn.weight_ih_l0, rnn.weight_hh_l0
        b, rb = (rnn.bias_ih_l0, rnn.bias_hh_l0) if self.use_bias else (None, None)
        if simple and cell.has_gradient and not is_traced(x):
            walk: Any = Recurrence
            if capturing():
                from .graph_ops import GraphRecurrence as walk  # operators take time to define
            found = walk.apply(cell, x, w, b, r, rb, *start)
            return list(zip(found[::2], found[1::2]))
        not_in_graphs(self, "its steps run one by one in Python, and a graph would hold each of them")
        z = self._projected_by_gate(x, w, b, cell.gates) if by_gate else F.linear(x, w, b)
        return [(torch.stack(kind), kind[-1]) for kind in cell.plain(z, r, rb, start, drop)]

    def _torch(self, name: str, x: Tensor, start: Sequence[Tensor | None]) -> list[tuple[Tensor, Tensor]]:
        # The function behind the module: it is told to keep what a backward pass needs whenever one may come, whatever
        # mode the module is in, and skips checks that cost as much as a small batch.
        first = start[0]
        if first is None:
            zero = x.new_zeros(1, x.shape[1], self.units)
            hx: Any = zero if len(start) == 1 else (zero, zero)
        else:
            given = tuple(s.unsqueeze(0) for s in start if s is not None)
            hx = given[0] if len(given) == 1 else given
        train = torch.is_grad_enabled() or is_tracing()
        found = getattr(torch, name)(x, hx, self.rnn._flat_weights, self.use_bias, 1, 0.0, train, False, False)
        return [(found[0], final[0]) for final in found[1:]]

    def _torch_is_faster(self, x: Tensor) -> bool:
        """Tell where torch's kernel is: on accelerators, and on the CPU where oneDNN has one or nothing is recorded."""
        if x.device.type != "cpu" or not torch.is_grad_enabled() or is_traced(x):
            return True
        return self.torch_faster_on_cpu and runs_on_onednn(x)

    # --- dropout -------------------------------------------------------------------------------------------------

    def _drops_by_step(self) -> bool:
        """Tell whether input dropout is drawn for each step: tf.keras does so where its fused kernel fits."""
        fits = self.use_bias and not self.unroll and not self.recurrent_dropout and self.is_torchs
        return self._rules.recurrent_dropout_by_kernel and fits and self.recurrent_activation is not None

    def _drops_by_gate(self, cell: Cell) -> bool:
        """Tell whether each gate has its own draw; tf.keras turns to `implementation=1` for recurrent dropout."""
        by_rule = self._rules.recurrent_dropout_by_kernel and self.recurrent_dropout > 0
        return cell.gates > 1 and not self._drops_by_step() and (self.implementation != 2 or by_rule)

    def _drop(self, x: Tensor) -> tuple[Tensor, Tensor | None, bool]:
        """Return the input after dropout, the masks of the state, and whether the input is still to drop by gate."""
        by_gate, drop = self._drops_by_gate(self._cell), None
        if self.recurrent_dropout:
            ones = x.new_ones(self._cell.gates if by_gate else 1, x.shape[1], self.units)
            drop = F.dropout(ones, self.recurrent_dropout, True)
        if not self.dropout or by_gate:
            return x, drop, by_gate and self.dropout > 0
        if self._drops_by_step():
            return F.dropout(x, self.dropout, True), drop, False
        return x * F.dropout(x.new_ones(x.shape[1:]), self.dropout, True), drop, False

    def _projected_by_gate(self, x: Tensor, w: Tensor, b: Tensor | None, gates: int) -> Tensor:
        masks = F.dropout(x.new_ones(gates, *x.shape[1:]), self.dropout, True)
        biases = [None] * gates if b is None else b.chunk(gates)
        parts = zip(masks.unbind(0), w.chunk(gates), biases)
        return torch.cat([F.linear(x * mask, part, bias) for mask, part, bias in parts], -1)


def is_tracing() -> bool:
    """Tell whether `torch.jit.trace` records."""
    return torch._C._get_tracing_state() is not None


def is_traced(x: Tensor) -> bool:
    """Tell whether operations are recorded or recast, where a gradient written out by hand would stand in the way."""
    kind = x.device.type
    recast = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
    return recast or torch.compiler.is_compiling() or is_tracing()


def runs_on_onednn(x: Tensor) -> bool:
    """Tell whether torch gives a sequence on the CPU to oneDNN."""
    return x.dtype == torch.float32 and x.device.type == "cpu" and torch._C._get_mkldnn_enabled()


def is_tanh(function: Any) -> bool:
    """Tell whether this is the hyperbolic tangent."""
    return function in (activations.tanh, torch.tanh)


def is_sigmoid(function: Any) -> bool:
    """Tell whether this is the logistic function."""
    return function in (activations.sigmoid, torch.sigmoid)
