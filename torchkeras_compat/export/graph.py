"""The walk over a model: the calls of its layers, one after the other, written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers, models
from .._core.symbolic import Node, SymbolicTensor, nodes_before, replaced
from .._core.tree import flatten, is_branch
from ..models.network_symbols import ordered
from ..models.operation import name_of
from . import modules, writers  # noqa: F401  (writers fill the table)
from .emission import Emission, NotExportable, Value, identifier, writes
from .function_calls import Call, NoForm
from .functions import form_of


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
        emission.inputs.append(Value(tuple(symbol.shape), hint, mask=None, dtype=str(symbol.dtype)))
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
    return _write_nodes(
        emission, model._plan.nodes, dict(zip(map(id, model._plan.inputs), inputs)), model._plan.outputs
    )


def _write_nodes(
    emission: Emission, nodes: Sequence[Node], values: dict[int, Value], outputs: Sequence[SymbolicTensor]
) -> list[Value]:
    """Write down calls in their order, and return the values of the outputs; `values` knows those of the inputs."""
    for node in nodes:
        written = _write_node(emission, node, values)
        values.update(zip(map(id, flatten(node.outputs)), written))
    return [values[id(symbol)] for symbol in outputs]


def _write_node(emission: Emission, node: Node, values: dict[int, Value]) -> list[Value]:
    arguments = replaced(node.arguments, lambda symbol: values[id(symbol)])
    keywords = replaced({k: v for k, v in node.keywords.items() if v is not None}, lambda symbol: values[id(symbol)])
    if not node.is_layer:
        return _write_function(emission, node, arguments, keywords)
    layer = node.layer
    inputs, *more = arguments
    if more or isinstance(inputs, dict):
        raise NotExportable(f"{layer}: a call with a dictionary or several arguments has no form in plain torch.")
    outputs = emission.call(layer, flatten(inputs) if is_branch(inputs) else inputs, keywords)
    return outputs if isinstance(outputs, list) else [outputs]


def _write_function(emission: Emission, node: Node, arguments: Any, keywords: dict[str, Any]) -> list[Value]:
    """Write down a function of tensors."""
    try:
        name = name_of(node.origin)
    except ValueError:
        name = getattr(node.origin, "__name__", "of yours").strip("_")
        raise NotExportable(
            f"the function {name} in the graph is Python code; write it into forward yourself."
        ) from None
    call, form = Call(emission, node.origin, arguments, keywords), form_of(name)
    try:
        if form is None:
            raise NoForm
        expression = form(call)
        call.finish()
    except NoForm:
        raise NotExportable(
            f"the function {name} in the graph has no form in plain torch; use a layer in its place."
        ) from None
    outputs = flatten(node.outputs)
    hint = identifier(name.rpartition(".")[2].strip("_"))
    hint = f"{hint}_" if hasattr(modules, hint) else hint  # which would hide a function that the steps call
    if len(outputs) > 1:
        target = ", ".join(f"{{{i}}}" for i in range(len(outputs)))
        values = emission.several(expression, call.operands, target, [tuple(o.shape) for o in outputs], None)
    else:
        values = [emission.compute(expression, call.operands, tuple(outputs[0].shape))]
    for value, output in zip(values, outputs):
        value.mask, value.dtype = None, emission.kept_type(str(output.dtype))
        if not emission.is_chain:
            value.hint = hint
    return values


@writes(models.Sequential, models.Model, masks=True, several=True, modes=True)
def _write_nested(emission: Emission, model: Any, inputs: list[Value]) -> Any:
    """A model inside a model: its layers, with its name before theirs."""
    if model._is_users:
        raise NotExportable(f"{model}: a subclass with a call of its own is Python code, which cannot be written down.")
    with emission.inside(model.name):
        outputs = _write_model(emission, model, inputs)
    return outputs if len(outputs) > 1 else outputs[0]


@writes(layers.Lambda, masks=True, several=True, modes=True)
def _write_lambda(emission: Emission, layer: Any, inputs: list[Value]) -> Any:
    """A function of a user's: the functions of tensors that it calls, found by calling it on symbolic tensors."""
    symbols = [SymbolicTensor(value.shape, value.dtype or layer.compute_dtype) for value in inputs]
    outputs = _outputs_of_lambda(layer, symbols, masked=any(value.mask is not None for value in inputs))
    ends, values = flatten(outputs), dict(zip(map(id, symbols), inputs))
    if not ends or not all(isinstance(end, SymbolicTensor) for end in ends):
        raise NotExportable(f"{layer}: its function returns what no calculation on its input gave; write it yourself.")
    nodes = nodes_before(ends, values)
    calls = [node for node in nodes if node.is_layer]
    for call in calls:
        call.layer._forget_call(call)
    if calls:
        raise NotExportable(f"{layer}: its function calls {calls[0].layer}; make that a layer of the model.")
    try:
        results = _write_nodes(emission, nodes, values, ends)
    except NotExportable as error:
        raise NotExportable(f"{layer}: {error}") from None
    for value in results:
        if value not in inputs:
            value.hint = emission.hint(layer, value)
    results = [emission.with_mask(value, None) for value in results]
    return results if isinstance(outputs, (list, tuple)) else results[0]


def _outputs_of_lambda(layer: Any, symbols: list[SymbolicTensor], masked: bool) -> Any:
    """Return what a layer's function gives for symbolic tensors.

    Raises:
        NotExportable: It asks for what no symbolic tensor has, such as its numbers, or for the mask or the mode.
    """
    asked = layer._named & ({"mask", "training"} if masked else {"training"})
    if asked or callable(layer.mask):
        raise NotExportable(
            f"{layer}: a function of the mask or the mode has no form in plain torch; write it yourself."
        )
    try:
        return layer._bound_function(symbols if len(symbols) > 1 else symbols[0], **layer.arguments)
    except (TypeError, ValueError, AttributeError, RuntimeError, LookupError) as error:
        raise NotExportable(
            f"{layer}: its function is Python code that runs on numbers only: write it into forward yourself; "
            f"called on a tensor without numbers, it raises {type(error).__name__}: {error}"
        ) from error
