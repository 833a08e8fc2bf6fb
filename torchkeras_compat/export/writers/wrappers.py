"""Layers around a layer: every step of a sequence by itself, and both ways over it."""

from __future__ import annotations

from typing import Any

from ... import layers
from ..._core.ownership import origin
from ..._core.tree import flatten_shapes
from ...layers.recurrent.cells import RecurrentCell
from ..emission import Emission, NotExportable, Value, arguments, text, writes
from .recurrent import module_for, walk

MERGED = {"sum": "{0} + {1}", "mul": "{0} * {1}", "ave": "({0} + {1}) / 2", "concat": "torch.cat([{0}, {1}], dim=-1)"}


@writes(layers.TimeDistributed, masks=True, modes=True)
def time_distributed(emission: Emission, layer: Any, x: Value) -> Value:
    """A layer at every step: the steps are folded into the batch."""
    inner, mask = layer.layer, x.mask
    if layer._steps_apart:
        raise NotExportable(f"{layer}: its steps run one after the other, which has no form in plain torch.")
    if origin(type(inner)) is layers.Dense:  # which looks at the last axis alone
        with emission.inside(layer.name):
            every: Value = emission.call(inner, emission.with_mask(x, None))
        every.mask = mask
        return every
    x = emission.as_keras(x)
    shape, inside = layer.compute_output_shape(x.shape), (x.shape[0], *x.shape[2:])
    folded = emission.compute("{0}.flatten(0, 1)", x, inside)
    folded.mask = None
    with emission.inside(layer.name):
        y = emission.as_keras(emission.call(inner, folded))
    sizes = text((-1, shape[1])) if shape[1] is not None else "{1}.shape[:2]"
    y = emission.compute(f"{{0}}.unflatten(0, {sizes})", [y, x] if shape[1] is None else [y], shape, layer=layer)
    y.mask = mask
    return y


@writes(layers.SpectralNormalization, masks=True, modes=True)
def spectral_normalization(emission: Emission, layer: Any, x: Value) -> Value:
    """A layer whose kernel is divided by its largest singular value at each call in training."""
    inner = layer.layer
    with emission.inside(layer.name):
        y: Value = emission.call(inner, x)
        name = emission.name(inner)
    module = emission.modules.get(name)
    if module is None or not {"weight", "module.weight"} & module.state.keys():
        raise NotExportable(f"{layer}: the kernel of {inner} is no weight of one module of torch.")
    if not emission.infers:
        dim = 1 if isinstance(inner, layers.Embedding) else 0  # where Keras's last axis lies
        told = arguments(dim, layer.power_iterations)
        emission.wrap(name, f"SpectralNorm({module.constructor}, {told})", {"u": layer.vector_u.detach().clone()})
    y.mask = x.mask
    return y


@writes(layers.Bidirectional, masks=True, modes=True)
def bidirectional(emission: Emission, layer: Any, x: Value, initial_state: Any = None) -> Any:
    """A recurrent layer both ways."""
    forward, backward = layer.forward_layer, layer.backward_layer
    for one in (forward, backward):
        if not isinstance(getattr(one, "cell", None), (RecurrentCell, layers.StackedRNNCells)):
            raise NotExportable(f"{layer}: {type(one).__name__} both ways has no form in plain torch.")
    if _is_one_module(layer, x, initial_state):
        return _by_one_module(emission, layer, x)
    x = emission.as_keras(x)
    half = len(initial_state) // 2 if initial_state else 0
    starts = (initial_state[:half], initial_state[half:]) if initial_state else (None, None)
    one = _listed(walk(emission, forward, x, starts[0], "forward", layer))
    other = _listed(walk(emission, backward, x, starts[1], "backward", layer))
    outputs = [one[0], other[0]]
    shapes = flatten_shapes(layer.compute_output_shape(x.shape))
    mask = x.mask if layer.return_sequences else None
    if layer.return_sequences:
        outputs[1] = emission.compute("{0}.flip(1)", outputs[1], outputs[1].shape, layer=layer)
    if layer.merge_mode is not None:
        outputs = [emission.compute(MERGED[layer.merge_mode], outputs, shapes[0], layer=layer)]
    if mask is not None and layer._zeroes_masked_steps():
        outputs = [emission.compute("{0} * {1}.unsqueeze(-1)", [y, mask], y.shape, layer=layer) for y in outputs]
    everything = [*outputs, *one[1:], *other[1:]]
    for value in everything:
        value.mask = mask if value in outputs else None
    return everything if len(everything) > 1 else everything[0]


def _listed(outputs: Any) -> list[Value]:
    return outputs if isinstance(outputs, list) else [outputs]


def _is_one_module(layer: Any, x: Value, initial_state: Any) -> bool:
    """Tell whether torch's module that runs both ways computes the same."""
    forward, backward = layer.forward_layer, layer.backward_layer
    cells = (forward.cell, backward.cell)
    if not all(isinstance(cell, RecurrentCell) for cell in cells):
        return False
    parts = zip((forward, backward), cells)
    alike = len({(origin(type(part)), c.units, c.use_bias, c._torch_function()) for part, c in parts}) == 1
    own = all(c._torch_function() is not None and not c.dropout and not c.recurrent_dropout for c in cells)
    states = initial_state or layer.return_state or layer.stateful or forward.time_major
    return alike and own and not states and x.mask is None and layer.merge_mode == "concat" and not forward.go_backwards


def _by_one_module(emission: Emission, layer: Any, x: Value) -> Value:
    made = module_for(layer.forward_layer, layer.forward_layer.cell, layer.backward_layer.cell)
    name = emission.module(layer, made.constructor, made.state, zero=made.zero)
    x = emission.as_keras(x)
    shape, units = layer.compute_output_shape(x.shape), layer.forward_layer.cell.units
    both = (x.shape[0], x.shape[1], 2 * units)
    if layer.return_sequences:
        (y,) = emission.several(f"self.{name}({{0}})", [x], "{0}, _", [both], layer)
        return y
    target = "{0}, ({1}, _)" if made.has_pair else "{0}, {1}"
    _, last = emission.several(f"self.{name}({{0}})", [x], target, [both, (2, None, units)], layer)
    last.hint = "last"
    return emission.compute("{0}.transpose(0, 1).flatten(1)", last, shape, layer=layer)
