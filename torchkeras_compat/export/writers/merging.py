"""Layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from ... import layers
from ..._core.ownership import origin
from ..emission import Emission, NotExportable, Value, text, writes

# Layer → how the inputs are joined, or what is called on the first two, and so on.
OPERATORS: dict[type, str] = {layers.Add: " + ", layers.Subtract: " - ", layers.Multiply: " * "}
FUNCTIONS: dict[type, str] = {layers.Maximum: "torch.maximum", layers.Minimum: "torch.minimum"}


def _aligned(emission: Emission, inputs: Sequence[Value]) -> tuple[list[Value], bool]:
    """Return inputs of one rank in one order of axes, and whether the channels are in front."""
    rank = max(x.rank for x in inputs)
    first = all(x.channels_first for x in inputs) and all(x.rank == rank for x in inputs)
    aligned = [x if first else emission.as_keras(x) for x in inputs]
    for i, x in enumerate(aligned):
        if x.rank < rank:
            shape = (x.shape[0], *[1] * (rank - x.rank), *x.shape[1:])
            ones = ", ".join(["None"] * (rank - x.rank))
            aligned[i] = emission.compute(f"{{0}}[:, {ones}]", x, shape)
            aligned[i].mask = x.mask
    return aligned, first


def _joint_mask(emission: Emission, inputs: Sequence[Value]) -> Value | None:
    """Return where all inputs that have a mask count."""
    masks: list[Value] = [x.mask for x in inputs if x.mask is not None]
    if not masks:
        return None
    return reduce(lambda one, other: one if one is other else _both(emission, one, other), masks)


def _both(emission: Emission, one: Value, other: Value) -> Value:
    return emission.compute("{0} & {1}", [one, other], one.shape, hint="mask")


@writes(layers.Add, layers.Subtract, layers.Multiply, layers.Maximum, layers.Minimum, layers.Average, several=True)
def elementwise(emission: Emission, layer: Any, inputs: list[Value]) -> Value:
    """What tensors make together, element by element."""
    mask = _joint_mask(emission, inputs)
    shape = layer.compute_output_shape([x.shape for x in inputs])
    values, first = _aligned(emission, inputs)
    places = [f"{{{i}}}" for i in range(len(values))]
    if origin(type(layer)) in FUNCTIONS:
        function = FUNCTIONS[origin(type(layer))]
        expression = reduce(lambda one, other: f"{function}({one}, {other})", places)
    elif origin(type(layer)) is layers.Average:
        expression = f"({' + '.join(places)}) / {len(places)}"
    else:
        expression = OPERATORS[origin(type(layer))].join(places)
    value = emission.compute(expression, values, shape, (), first, layer)
    value.mask = mask
    return value


@writes(layers.Concatenate, several=True)
def concatenate(emission: Emission, layer: Any, inputs: list[Value]) -> Value:
    """Tensors one behind the other."""
    shape = layer.compute_output_shape([x.shape for x in inputs])
    rank = len(shape)
    if layer.axis % rank == 0:
        raise NotExportable(f"{layer}: a join along the samples has no form in plain torch.")
    mask = None
    if any(x.mask is not None for x in inputs):
        if layer.axis % rank < 2:
            raise NotExportable(f"{layer}: masks joined along the steps have no form in plain torch.")
        mask = _joint_mask(emission, inputs)
    values, first = _aligned(emission, inputs)
    dim = values[0].axis(layer.axis) if first else layer.axis
    places = ", ".join(f"{{{i}}}" for i in range(len(values)))
    value = emission.compute(f"torch.cat([{places}], dim={dim})", values, shape, (), first, layer)
    value.mask = mask
    return value


@writes(layers.Dot, several=True)
def dot(emission: Emission, layer: Any, inputs: list[Value]) -> Value:
    """Products of samples, summed over an axis of each."""
    one, other = (emission.as_keras(x) for x in inputs)
    shape = layer.compute_output_shape([one.shape, other.shape])
    a, b = layer._pair(one.rank, other.rank)
    if layer.normalize:
        one, other = (
            emission.compute(f"F.normalize({{0}}, dim={axis}, eps=1e-6)", x, x.shape)
            for x, axis in ((one, a), (other, b))
        )
    letters = iter("bcdefghijklm")
    first = ["n", *(next(letters) for _ in range(one.rank - 1))]
    second = ["n", *(next(letters) for _ in range(other.rank - 1))]
    first[a] = second[b] = "a"
    result = [letter for letter in first + second[1:] if letter != "a"]
    equation = f"{''.join(first)},{''.join(second)}->{''.join(result)}"
    tail = ".unsqueeze(1)" if len(result) == 1 else ""
    value = emission.compute(f"torch.einsum({text(equation)}, {{0}}, {{1}}){tail}", [one, other], shape, layer=layer)
    value.mask = None
    return value


@writes(layers.Merge, masks=True, several=True)
def merge(emission: Emission, layer: Any, inputs: list[Value]) -> Value:
    """Keras 1's layer with a mode, of tensors or of the models before it."""
    for branch in layer._branches:
        if branch.output is not None:
            raise NotExportable(f"{layer}: a branch with several outputs has no form in plain torch.")
    if layer._branches:
        values = []
        for branch in layer._branches:
            own = [inputs[place] for place in branch.places]
            values.append(emission.call(branch.layer, own if len(own) > 1 else own[0]))
        inputs = values
    return emission.call(layer._merger, inputs)  # type: ignore[no-any-return]
