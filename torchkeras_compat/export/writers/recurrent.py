"""SimpleRNN, LSTM and GRU: by torch's modules where these compute the same, else with their steps written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ... import layers
from ..._core.ownership import is_ours
from ..._core.tree import flatten_shapes
from ...layers.recurrent.cells import RecurrentCell
from ..emission import Emission, NotExportable, Value, arguments, in_brackets, parameters_of, text, writes
from .activations import module_of

BUILT_IN = {"rnn_tanh": "RNN", "rnn_relu": "RNN", "lstm": "LSTM", "gru": "GRU"}
WRITTEN_OUT = {
    "SimpleRNNFormula": "SimpleRNN",
    "LSTMFormula": "LSTM",
    "GRUResetBeforeFormula": "GRU",
    "GRUFormula": "GRUResetAfter",
}


@dataclass(frozen=True)
class Recurrent:
    """The module of a recurrent layer.

    Attributes:
        constructor: The expression that makes it.
        state: Its parameters.
        zero: Those that Keras has not.
        has_pair: Whether its states are a tuple for torch, h and c or the one of what is written out.
    """

    constructor: str
    state: dict[str, Tensor]
    zero: tuple[str, ...]
    has_pair: bool


def module_for(layer: Any, cell: Any, back: Any = None) -> Recurrent:
    """Return the module of a cell of a layer, or of two that run both ways.

    Args:
        layer: The layer.
        cell: The cell.
        back: The cell of the way back, for torch's own module.
    """
    function = cell._torch_function()
    state = parameters_of(cell.rnn, cell)
    inputs, units = state["weight_ih_l0"].shape[1], cell.units
    bias = {} if cell.use_bias else {"bias": False}
    zero: tuple[str, ...] = ("bias_hh_l0",) if cell.use_bias and "bias_hh_l0" in cell.rnn._buffers else ()
    if function is not None and not cell.recurrent_dropout and not (cell.dropout and _by_gate(layer, cell)):
        if back is not None:
            state |= {f"{name}_reverse": value for name, value in parameters_of(back.rnn, back).items()}
            zero += tuple(f"{name}_reverse" for name in zero)
        relu = {"nonlinearity": "relu"} if function == "rnn_relu" else {}
        way = {} if back is None else {"bidirectional": True}
        numbers = arguments(inputs, units, **relu, **bias, batch_first=True, **way)
        kind = BUILT_IN[function]
        return Recurrent(f"nn.{kind}({numbers})", state, zero, kind == "LSTM")
    return _written_out(layer, cell, state, inputs, bias)


def _written_out(layer: Any, cell: Any, state: dict[str, Tensor], inputs: int, bias: dict[str, Any]) -> Recurrent:
    kind = WRITTEN_OUT[type(cell._facts.formula).__name__]
    gate = cell.recurrent_activation
    gates = module_of(layer, gate) if gate is not None else "nn.Identity()"
    by_gate = _by_gate(layer, cell)
    rates = {"dropout": cell.dropout if by_gate else 0, "recurrent_dropout": cell.recurrent_dropout}
    options = {**bias, **{name: rate for name, rate in rates.items() if rate}}
    options |= {"by_gate": True} if by_gate and any(rates.values()) else {}
    tail = f", {arguments(**options)}" if options else ""
    constructor = f"{kind}({inputs}, {cell.units}, {module_of(layer, cell.activation)}, {gates}{tail})"
    renamed = {"weight_ih": state["weight_ih_l0"], "weight_hh": state["weight_hh_l0"]}
    if cell.use_bias:
        renamed["bias"] = state["bias_ih_l0"]
        if kind == "GRUResetAfter":
            renamed["recurrent_bias"] = state["bias_hh_l0"]
    return Recurrent(constructor, renamed, (), True)


def _by_gate(layer: Any, cell: Any) -> bool:
    """Tell whether each gate has a draw of its own in dropout."""
    return bool(cell._drops_by_gate()) and not layer._drops_each_step()


def refuse_kept_states(layer: Any) -> None:
    """Raise where a layer keeps or reads what no exported module does.

    Raises:
        NotExportable: It does.
    """
    why = {"stateful": "it keeps its states from batch to batch", "time_major": "it has the steps on the first axis"}
    for name, reason in why.items():
        if getattr(layer, name, False):
            raise NotExportable(f"{layer}({name}=True): {reason}, which has no form in an exported model.")


def cells_of(layer: Any) -> list[Any]:
    """Return the cells of a layer, of which each walks over what the one before gave.

    Raises:
        NotExportable: One is none of this package's recurrent cells.
    """
    cell = layer.cell
    stacked = isinstance(cell, layers.StackedRNNCells) and is_ours(type(cell)) and not cell.reverse_state_order
    cells: list[Any] = [cell] if not stacked else cell.cells
    for one in cells:
        if not isinstance(one, RecurrentCell) or not is_ours(type(one)):
            raise NotExportable(
                f"{layer}: its cell {type(one).__name__} has no form in plain torch; use LSTM, GRU or SimpleRNN."
            )
    return cells


def _dropped(emission: Emission, layer: Any, cell: Any, x: Value, suffix: str) -> Value:
    """Return the input after a cell's dropout."""
    if not cell.dropout or _by_gate(layer, cell):
        return x
    suffix = f"{suffix}_dropout" if suffix else "dropout"
    if layer._drops_each_step():
        name = emission.module(layer, f"nn.Dropout({text(cell.dropout)})", suffix=suffix)
    else:
        name = emission.module(layer, f"SharedDropout({text(cell.dropout)}, (1,))", suffix=suffix)
    return emission.apply(name, x, x.shape)


@writes(layers.SimpleRNN, layers.LSTM, layers.GRU, layers.CuDNNLSTM, layers.CuDNNGRU, layers.RNN, masks=True)
def recurrent(emission: Emission, layer: Any, x: Value, initial_state: Sequence[Value] | None = None) -> Any:
    """A recurrent layer over sequences."""
    return walk(emission, layer, x, initial_state)


def walk(emission: Emission, layer: Any, x: Value, initial_state: Any = None, suffix: str = "", of: Any = None) -> Any:
    """Write down a layer that walks over a sequence.

    Args:
        emission: What is written down.
        layer: The layer.
        x: The sequences.
        initial_state: The first states.
        suffix: What is added to the name of its module.
        of: The layer that it stands in.
    """
    refuse_kept_states(layer)
    first = [initial_state] if isinstance(initial_state, Value) else list(initial_state or ())
    named, mask, cells = of or layer, x.mask, cells_of(layer)
    shapes = flatten_shapes(layer.compute_output_shape(x.shape))
    x, count = emission.as_keras(x), None
    states: list[Value] = []
    for i, cell in enumerate(cells):
        own = suffix if len(cells) == 1 else "_".join(filter(None, (suffix, str(i))))
        x, made = _dropped(emission, layer, cell, x, own), module_for(layer, cell)
        name = emission.module(named, made.constructor, made.state, own, made.zero)
        if i == 0 and layer.go_backwards:
            x = emission.compute("{0}.flip(1)", x, x.shape)
        if i == 0 and mask is not None:
            valid = emission.compute("{0}.flip(1)", mask, mask.shape, hint="mask") if layer.go_backwards else mask
            x, count = emission.valid_first(x, valid)
        start, first = first[: len(cell._state_names)], first[len(cell._state_names) :]
        x, *last = _run(emission, layer, cell, name, made, [x, *start], count, named)
        states += _states(emission, made, last, start, count, named)
    y = _output(emission, layer, x, count, shapes[0], named)
    y.mask = mask if layer.return_sequences else None
    return [y, *states] if layer.return_state else y


def _run(
    emission: Emission,
    layer: Any,
    cell: Any,
    name: str,
    made: Recurrent,
    inputs: list[Value],
    count: Value | None,
    named: Any,
) -> list[Value]:
    """Write down the call of a recurrent module, and return all its outputs and its last states."""
    x, *first = inputs
    arguments_of_call = "{0}" if not first else f"{{0}}, {_states_in(len(first), made)}"
    call = f"self.{name}({arguments_of_call})"
    if count is not None and layer.return_state:
        if not _is_torchs(made):
            raise NotExportable(
                f"{layer}: last states under a mask have no form in plain torch where its steps are written out."
            )
        call = f"run_valid_steps(self.{name}, {arguments_of_call.replace('{0}', f'{{0}}, {{{len(inputs)}}}')})"
        inputs = [*inputs, count]
    steps, state = (x.shape[0], x.shape[1], cell.units), (x.shape[0], cell.units)
    number = len(cell._state_names)
    states = "({1}, {2})" if number == 2 else "({1},)" if made.has_pair else "{1}"
    return emission.several(call, inputs, f"{{0}}, {states}", [steps, *[state] * number], named)


def _states(
    emission: Emission,
    made: Recurrent,
    last: Sequence[Value],
    first: Sequence[Value],
    count: Value | None,
    named: Any,
) -> list[Value]:
    """Return the last states; those of a sample in which no step counts are the first."""
    values = []
    for i, state in enumerate(last):
        if _is_torchs(made):
            state = emission.compute("{0}[0]", state, state.shape, layer=named)
        if count is not None:
            inputs = [count, state, *first[i : i + 1]]
            expression = f"torch.where({{0}}[:, -1:] > 0, {{1}}, {'{2}' if first else '0'})"
            state = emission.compute(expression, inputs, state.shape, layer=named)
        state.mask = None
        values.append(state)
    return values


def _is_torchs(made: Recurrent) -> bool:
    return made.constructor.startswith("nn.")


def _states_in(number: int, made: Recurrent) -> str:
    """Return the first states as a module takes them; torch's have an axis of layers in front."""
    places = [f"{{{i}}}.unsqueeze(0)" if _is_torchs(made) else f"{{{i}}}" for i in range(1, number + 1)]
    return in_brackets(places) if made.has_pair else ", ".join(places)


def _output(emission: Emission, layer: Any, outputs: Value, count: Value | None, shape: Any, named: Any) -> Value:
    """Return all outputs, or the last."""
    if count is None:
        return outputs if layer.return_sequences else emission.compute("{0}[:, -1]", outputs, shape, layer=named)
    if layer.zero_output_for_mask:
        raise NotExportable(f"{layer}(zero_output_for_mask=True): it has no form in plain torch.")
    if layer.return_sequences:
        return emission.compute("after_valid_steps({0}, {1})", [outputs, count], shape, layer=named)
    return emission.compute("after_valid_steps({0}, {1}[:, -1:])[:, 0]", [outputs, count], shape, layer=named)
