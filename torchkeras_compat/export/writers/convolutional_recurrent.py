"""Convolutional recurrent layers."""

from __future__ import annotations

from typing import Any

from ... import layers
from ..._core.ownership import is_ours
from ..._core.shapes import Shape, same_padding
from ...layers.conv_lstm_cells import GATES
from ..emission import Emission, NotExportable, Value, arguments, kept, sizes, weight, weight_if, writes
from .activations import module_of
from .recurrent import refuse_kept_states
from .spatial import Pads, as_torch, lengths, outputs_first, window_options, zeros_around


@writes(layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D, layers.ConvRNN2D)
def convolutional_recurrent(emission: Emission, layer: Any, x: Value, initial_state: Any = None) -> Any:
    """An LSTM over steps whose products with the weights are convolutions."""
    refuse_kept_states(layer)
    if not is_ours(type(layer.cell)):
        raise NotExportable(f"{layer}: its cell {type(layer.cell).__name__} is code of yours; use ConvLSTM2DCell.")
    step = (x.shape[0], *x.shape[2:])
    state_shape = layer.cell.state_shape(step)
    name = emission.module(layer, *_module(layer, step))
    x = _steps_behind_channels(emission, layer, x)
    if layer.go_backwards:
        x = emission.compute("{0}.flip(2)", x, x.shape, (), x.channels_first)
    first = [as_torch(emission, layer.cell, state) for state in initial_state or ()]
    call = f"self.{name}({{0}}{', ({1}, {2})' if first else ''})"
    shapes = [(*x.shape[:2], *state_shape[1:]), state_shape, state_shape]
    steps, *last = emission.several(call, [x, *first], "{0}, ({1}, {2})", shapes, layer)
    for value in (steps, *last):
        value.channels_first, value.mask = x.channels_first, None
    if layer.return_sequences and not x.channels_first:
        steps = emission.compute("{0}.transpose(1, 2)", steps, shapes[0], layer=layer)
    y = steps if layer.return_sequences else last[0]
    return [y, *last] if layer.return_state else y


def _steps_behind_channels(emission: Emission, layer: Any, x: Value) -> Value:
    """Return sequences with the channels on axis 1 and the steps on axis 2."""
    if layer.cell.data_format == "channels_last":
        return emission.turned(x, True)
    return emission.compute("{0}.transpose(1, 2)", emission.as_keras(x), x.shape)


def _module(layer: Any, step: Shape) -> tuple[str, dict[str, Any]]:
    """Return the expression that makes the module of a layer, and its parameters."""
    cell = layer.cell
    options = window_options(cell) | ({} if cell.use_bias else {"bias": False})
    of_input, place = _convolution(cell, step[cell.channel_axis], _pads(layer, step), options)
    pads = [same_padding(size, size, 1) for size in cell.kernel_size]
    of_state, state_place = _convolution(cell, cell.filters, pads, {"bias": False})
    rates = {name: getattr(cell, name) for name in ("dropout", "recurrent_dropout") if getattr(cell, name)}
    parts = [of_input, of_state, module_of(layer, cell.activation), module_of(layer, cell.recurrent_activation)]
    state = {
        f"of_input{place}.weight": kept(outputs_first, weight(cell, "kernel")),
        f"of_input{place}.bias": weight_if(cell, "bias"),
        f"of_state{state_place}.weight": kept(outputs_first, weight(cell, "recurrent_kernel")),
    }
    return f"ConvLSTM({', '.join([*parts, *([arguments(**rates)] if rates else [])])})", state


def _convolution(cell: Any, channels: Any, pads: Pads, options: dict[str, Any]) -> tuple[str, str]:
    """Return a convolution to all gates, and where its parameters are in the module that is made."""
    around = [before for before, _ in pads]
    even = all(before == after for before, after in pads)
    padding = {"padding": sizes(around)} if even and any(around) else {}
    numbers = arguments(channels, GATES * cell.filters, sizes(cell.kernel_size), **padding, **options)
    made = f"nn.Conv{cell.rank}d({numbers})"
    return (made, "") if even else (f"nn.Sequential(nn.ZeroPad{cell.rank}d({zeros_around(pads)}), {made})", ".1")


def _pads(layer: Any, step: Shape) -> Pads:
    """Return the zeros around the input of a step."""
    cell = layer.cell
    if cell.padding == "valid":
        return [(0, 0)] * cell.rank
    space = lengths(layer, cell, step) if max(cell.strides) > 1 else [1] * cell.rank  # a stride of 1 asks for no size
    return [same_padding(*one) for one in zip(space, cell.kernel_size, cell.strides, cell.dilation_rate)]
