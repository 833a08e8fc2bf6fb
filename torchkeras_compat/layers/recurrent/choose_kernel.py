"""The kernels that walk a cell over a whole sequence, and the one place that chooses among them.

Everything here is time-major.  A kernel takes a cell's weights, a sequence, the first states and what dropout hands to
it, and returns for each state all its values, (steps, batch, units), and the last one.  All kernels compute the same
numbers; they differ in what they cover and in how fast they are where.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..._core import devices
from ..._core.graph_capture import tracing
from ..._core.precision import SHORT
from ..._core.transforms import in_torch_func, is_recorded, is_transformed
from .formulas import Formula, Recurrence
from .onednn import LSTM_MODE
from .products import Product

Runs = list[tuple[Tensor, Tensor]]
Start = Sequence[Tensor | None]


@dataclass(frozen=True)
class CellFacts:
    """What a kernel needs of a cell that is built.

    Attributes:
        formula: The mathematics of one step.
        module: The torch module that holds the weights.
        units: The size of each state.
        torch_function: The name of torch's function over sequences that computes the same, if there is one.
        on_onednn: Whether oneDNN has a kernel for it, forward and backward.
        has_gradient: Whether the formula's gradient is written out for its activations.
    """

    formula: Formula
    module: nn.RNNBase
    units: int
    torch_function: str | None
    on_onednn: bool
    has_gradient: bool

    def weights(self) -> list[Tensor]:
        """Return kernel, recurrent kernel and, where there are any, torch's two biases, as the module has them now."""
        own: dict[str, Any] = self.module._parameters
        weights = [own["weight_ih_l0"], own["weight_hh_l0"]]
        if self.module.bias:
            second = "bias_hh_l0"
            weights += [own["bias_ih_l0"], own[second] if second in own else self.module._buffers[second]]
        return weights

    def formula_weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Return what the formula takes: kernel, recurrent kernel and both biases, `None` where there is none."""
        w, r, *biases = self.weights()
        b, rb = biases or (None, None)
        return w, r, b, rb


class SummedBiases(CellFacts):
    """Facts of a cell that trains both of torch's biases where the formula has one: their sum."""

    def formula_weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Return kernel, recurrent kernel and the sum of both biases."""
        w, r, b, rb = super().formula_weights()
        return w, r, b if b is None or rb is None else b + rb, None


class Dropped(NamedTuple):
    """What dropout leaves to the steps.

    Attributes:
        inputs: What multiplies the input in the product of each gate, (gates, batch, features), if it is drawn so.
        states: What multiplies the state in the recurrent product, (1 or gates, batch, units), if anything does.
    """

    inputs: Tensor | None
    states: Tensor | None


Kernel = Callable[[CellFacts, Tensor, Start, Dropped | None], Runs]


def choose_kernel(cell: CellFacts, x: Tensor, dropped: bool = False, every_state: bool = False) -> Kernel:
    """Return the kernel that walks a cell over a sequence.

    It depends on the cell, on device and type of the sequence, and on what torch does at the moment: whether autograd
    records, operations are traced, or a training step is being captured as a graph.

    Args:
        cell: The cell.
        x: The sequence.
        dropped: Whether dropout leaves something to the steps.
        every_state: Whether all values of each state are wanted, not those of the first alone.
    """
    if in_torch_func():
        return step_by_step
    hides_states = every_state and cell.formula.states > 1  # torch's kernels give all values of h only
    if cell.torch_function is not None and not dropped and not hides_states:
        if cell.on_onednn and not is_transformed(x) and devices.on_onednn(x):
            return _lstm_in_graph(cell) if tracing() else onednn_lstm
        # On the CPU torch's other kernels are faster only where nothing is recorded.
        if not torch.is_grad_enabled() or x.device.type != "cpu" or is_transformed(x):
            return torch_kernel
    if cell.has_gradient and not is_transformed(x) and not (dropped and tracing()):
        return written_out_in_graph if tracing() else written_out
    return step_by_step


def _lstm_in_graph(cell: CellFacts) -> Kernel:
    from .native import native_lstm  # compiled code, which only graphs need

    return onednn_in_graph if native_lstm(cell.units) is None else native_lstm_in_graph


# --- the kernels -----------------------------------------------------------------------------------------------------


def torch_kernel(cell: CellFacts, x: Tensor, start: Start, dropped: Dropped | None) -> Runs:
    """Walk by torch's function, which is cuDNN's kernel on CUDA.

    The function behind the module: it is told to keep what a backward pass needs whenever one may come, whatever mode
    the module is in, and skips checks that cost as much as a small batch.
    """
    first, weights = start[0], cell.weights()
    if first is None:
        zero = x.new_zeros(1, x.shape[1], cell.units)
        hx: Any = zero if len(start) == 1 else (zero, zero)
    else:
        states = tuple(s.unsqueeze(0) for s in start if s is not None)
        hx = states[0] if len(states) == 1 else states
    train = torch.is_grad_enabled() or is_recorded()
    function: Any = getattr(torch, str(cell.torch_function))
    arguments = (x, hx, weights, len(weights) > 2, 1, 0.0, train, False, False)
    if x.dtype in SHORT and devices.on_cuda(x):
        with warnings.catch_warnings():  # that weights which were cast lie in pieces, and cuDNN joins them
            warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk")
            output, *last = function(*arguments)
    else:
        output, *last = function(*arguments)
    return [(output, final[0]) for final in last]


def onednn_lstm(cell: CellFacts, x: Tensor, start: Start, dropped: Dropped | None) -> Runs:
    """Walk by the kernel that torch.lstm calls for each of its layers.

    Alone it does without stacking and splitting layers, which saves a tenth of a small batch's time.  Its arguments are
    the same from torch 2.0 to 2.13.
    """
    weights, h, c = _onednn_arguments(cell, x, start)
    options: Any = (False, [], LSTM_MODE, cell.units, 1, True, False, False, torch.is_grad_enabled())
    kernel: Any = torch.mkldnn_rnn_layer  # typed for other arguments in torch's stubs
    output, last_h, last_c, _ = kernel(x.contiguous(), *weights, h, c, *options)
    return [(output, last_h), (output, last_c)]


def onednn_in_graph(cell: CellFacts, x: Tensor, start: Start, dropped: Dropped | None) -> Runs:
    """Walk by oneDNN's LSTM as one operator of a captured graph."""
    from .graph_ops import OnednnLSTM  # operators take time to define, which only graphs need

    weights, h, c = _onednn_arguments(cell, x, start)
    output, last_h, last_c = OnednnLSTM.apply(x.contiguous(), *weights, h, c)  # type: ignore[no-untyped-call]
    return [(output, last_h), (output, last_c)]


def native_lstm_in_graph(cell: CellFacts, x: Tensor, start: Start, dropped: Dropped | None) -> Runs:
    """Walk by compiled code for LSTMs of few units, as one operator of a captured graph."""
    from .graph_ops import GraphRecurrence
    from .native import native_lstm

    _, h, c = _onednn_arguments(cell, x, start)
    w, r, b, _ = cell.formula_weights()
    formula = native_lstm(cell.units)
    output, last_h, _, last_c = GraphRecurrence.apply(formula, x, w, b, r, None, h, c)  # type: ignore[no-untyped-call]
    return [(output, last_h), (output, last_c)]


def _onednn_arguments(cell: CellFacts, x: Tensor, start: Start) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return the weights with both biases, and the first h and c."""
    weights, (h, c) = cell.weights(), start
    if len(weights) == 2:
        weights += [x.new_zeros(4 * cell.units)] * 2
    if h is None or c is None:
        h = c = x.new_zeros(x.shape[1], cell.units)
    return weights, h, c


def written_out(cell: CellFacts, x: Tensor, start: Start, dropped: Dropped | None) -> Runs:
    """Walk by the formula whose gradient is written out."""
    w, r, b, rb = cell.formula_weights()
    inputs: tuple[Tensor | None, ...] = (x, w, b)
    if dropped is not None and dropped.inputs is not None:
        inputs = (project(cell, x, dropped), None, None)
    return walked(Recurrence, cell.formula, None if dropped is None else dropped.states, *inputs, r, rb, *start)


def written_out_in_graph(cell: CellFacts, x: Tensor, start: Start, dropped: Dropped | None) -> Runs:
    """Walk by the formula as one operator of a captured graph."""
    from .graph_ops import GraphRecurrence

    w, r, b, rb = cell.formula_weights()
    return walked(GraphRecurrence, cell.formula, x, w, b, r, rb, *start)


def walked(walk: Any, *arguments: Any) -> Runs:
    """Return the states of a walk, an autograd function of these arguments.

    Args:
        walk: The function.
        arguments: What it takes.
    """
    states = walk.apply(*arguments)
    return list(zip(states[::2], states[1::2]))


def step_by_step(cell: CellFacts, x: Tensor, start: Start, dropped: Dropped | None) -> Runs:
    """Walk by the formula's definition, which autograd records."""
    _, r, _, rb = cell.formula_weights()
    drop = None if dropped is None else dropped.states
    return [(torch.stack(kind), kind[-1]) for kind in cell.formula.walk(project(cell, x, dropped), r, rb, start, drop)]


def project(cell: CellFacts, x: Tensor, dropped: Dropped | None) -> Tensor:
    """Return the product of inputs, (…, batch, features), with the kernel, and its bias; gate by gate after dropout."""
    w, _, b, _ = cell.formula_weights()
    if dropped is None or dropped.inputs is None:
        return F.linear(x, w, b)
    gates = cell.formula.gates
    parts = zip(dropped.inputs.unbind(0), w.chunk(gates), [None] * gates if b is None else b.chunk(gates))
    return torch.cat([F.linear(x * mask, part, bias) for mask, part, bias in parts], -1)


def step(cell: CellFacts, x: Tensor, states: Sequence[Tensor], dropped: Dropped | None) -> tuple[Tensor, ...]:
    """Return the states after one step with the inputs (batch, features)."""
    _, r, _, rb = cell.formula_weights()
    product = Product(r, None if dropped is None else dropped.states)
    return cell.formula.step(project(cell, x, dropped), tuple(states), product, rb)
