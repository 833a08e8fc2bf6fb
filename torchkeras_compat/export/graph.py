"""The walk over a model: the calls of its layers, one after the other, written down."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from .. import models
from .._core.symbolic import Node, replaced
from .._core.tree import flatten, is_branch
from ..models.network_symbols import ordered
from ..models.operation import name_of
from . import writers  # noqa: F401  (which fills the table)
from .emission import Emission, NotExportable, Value, identifier, text, writes
from .writers.activations import FORMS

OPERATORS = {
    "__add__": "{0} + {1}",
    "__radd__": "{1} + {0}",
    "__sub__": "{0} - {1}",
    "__rsub__": "{1} - {0}",
    "__mul__": "{0} * {1}",
    "__rmul__": "{1} * {0}",
    "__truediv__": "{0} / {1}",
    "__rtruediv__": "{1} / {0}",
    "__pow__": "{0}**{1}",
    "__matmul__": "{0} @ {1}",
    "__neg__": "-{0}",
    "__abs__": "{0}.abs()",
}
ELEMENTWISE = {name: f"{{0}}.{name}()" for name in "square sqrt abs exp log tanh sigmoid sign round sin cos".split()}
REDUCTIONS = {"mean": "mean", "sum": "sum", "max": "amax", "min": "amin"}


def write_down(model: Any) -> Emission:
    """Return what is written down of a model.

    Args:
        model: A Sequential or a model made of tensors, built.

    Raises:
        NotExportable: A layer has no form in plain torch.
        ValueError: The model is not built.
    """
    if model._is_users:
        raise NotExportable(
            f"{model}: a subclass with a call of its own is Python code; its layers can be exported one by one, "
            f"Sequential([layer, …]).to_torch(), or write the model as Model(inputs, outputs)."
        )
    model._need_built("to_torch")
    if model._input_tree is None or not flatten(model._input_tree):
        raise ValueError(f"{model}: the model has no layers; add some first.")
    emission = Emission()
    symbols = ordered(model._input_tree)
    emission.is_chain = bool(model._chain) and len(symbols) == 1
    names = model.input_names
    for symbol, name in zip(symbols, names):
        hint = "x" if emission.is_chain else identifier(name)
        emission.inputs.append(Value(tuple(symbol.shape), hint, mask=None))
    outputs = _write_model(emission, model, list(emission.inputs))
    emission.masked_outputs = any(value.mask is not None for value in outputs)
    turned = [emission.as_keras(value) for value in outputs]
    if isinstance(model._output_tree, dict) and len(turned) == len(model._output_tree):
        emission.output_keys = sorted(map(str, model._output_tree))
    emission.outputs = [value.same_as or value for value in turned]
    return emission


def _write_model(emission: Emission, model: Any, inputs: list[Value]) -> list[Value]:
    """Write down the layers of a model, and return its outputs in order."""
    if model._chain:
        value: Any = inputs[0] if len(inputs) == 1 else inputs
        for layer in model._chain:
            value = emission.call(layer, value)
        return value if isinstance(value, list) else [value]
    values = dict(zip(map(id, model._plan.inputs), inputs))
    for node in model._plan.nodes:
        outputs = _write_node(emission, node, values)
        values.update(zip(map(id, flatten(node.outputs)), outputs))
    return [values[id(symbol)] for symbol in model._plan.outputs]


def _write_node(emission: Emission, node: Node, values: dict[int, Value]) -> list[Value]:
    arguments = replaced(node.arguments, lambda symbol: values[id(symbol)])
    keywords = replaced({k: v for k, v in node.keywords.items() if v is not None}, lambda symbol: values[id(symbol)])
    if not node.is_layer:
        return [_write_function(emission, node, arguments, keywords)]
    layer = node.layer
    inputs, *more = arguments
    if more or isinstance(inputs, dict):
        raise NotExportable(f"{layer}: a call with a dictionary or several arguments has no form in plain torch.")
    outputs = emission.call(layer, flatten(inputs) if is_branch(inputs) else inputs, keywords)
    return outputs if isinstance(outputs, list) else [outputs]


def _write_function(emission: Emission, node: Node, arguments: Any, keywords: dict[str, Any]) -> Value:
    """Write down a function of tensors."""
    try:
        name = name_of(node.origin)
    except ValueError as error:
        raise NotExportable(f"{getattr(node.origin, '__name__', 'a function')} in the graph: {error}") from None
    operands = [emission.as_keras(a) if isinstance(a, Value) else a for a in arguments]
    expression = _expression(name, operands, keywords)
    if expression is None:
        raise NotExportable(f"the function {name} in the graph has no form in plain torch; use a layer in its place.")
    places = (f"{{{i}}}" for i in count())
    written = [next(places) if isinstance(operand, Value) else text(operand) for operand in operands]
    tensors = [operand for operand in operands if isinstance(operand, Value)]
    value = emission.compute(expression.format(*written), tensors, tuple(flatten(node.outputs)[0].shape))
    value.mask = None
    if not emission.is_chain:
        value.hint = identifier(name.rpartition(".")[2].strip("_"))
    return value


def _expression(name: str, operands: list[Any], keywords: dict[str, Any]) -> str | None:
    """Return what a function computes of its operands, `{0}`, `{1}`; `None` where there is no form for it."""
    if not operands or not any(isinstance(operand, Value) for operand in operands):
        return None
    room, short = name.partition(".")[0], name.rpartition(".")[2]
    if name == "__getitem__":
        return _index(operands[1])
    if room == "backend" and short in REDUCTIONS:
        return _reduction(REDUCTIONS[short], operands[1:], keywords) if isinstance(operands[0], Value) else None
    if keywords or not all(isinstance(operand, (Value, int, float)) for operand in operands):
        return None
    if room == "activations" and short in FORMS and len(operands) == 1:
        return FORMS[short].function.replace("{dim}", "-1")
    return ELEMENTWISE.get(short) if room == "backend" else OPERATORS.get(name)


def _index(key: Any) -> str | None:
    """Return what takes a part of a tensor by numbers and slices; `None` for other keys."""
    keys = key if isinstance(key, tuple) else (key,)
    parts = [_part(one) for one in keys]
    return None if None in parts else f"{{0}}[{', '.join(filter(None, parts))}]"


def _part(key: Any) -> str | None:
    if key is None or key is Ellipsis:
        return "None" if key is None else "..."
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    if isinstance(key, slice) and all(n is None or isinstance(n, int) for n in (key.start, key.stop, key.step)):
        start, stop = ("" if n is None else str(n) for n in (key.start, key.stop))
        return f"{start}:{stop}" if key.step in (None, 1) else f"{start}:{stop}:{key.step}" if key.step > 0 else None
    return None


def _reduction(function: str, positional: Sequence[Any], keywords: dict[str, Any]) -> str | None:
    options = {**dict(zip(("axis", "keepdims"), positional)), **keywords}
    axis, keep = options.pop("axis", None), options.pop("keepdims", False)
    if options or axis is None or isinstance(axis, Value):
        return None
    dim = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return f"{{0}}.{function}(dim={text(dim)}{', keepdim=True' if keep else ''})"


@writes(models.Sequential, models.Model, masks=True, several=True, modes=True)
def _write_nested(emission: Emission, model: Any, inputs: list[Value]) -> Any:
    """A model inside a model: its layers, with its name before theirs."""
    if model._is_users:
        raise NotExportable(f"{model}: a subclass with a call of its own is Python code, which cannot be written down.")
    with emission.inside(model.name):
        outputs = _write_model(emission, model, inputs)
    return outputs if len(outputs) > 1 else outputs[0]
