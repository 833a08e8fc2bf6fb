"""The configuration of a model as Keras 2.15 reads it: functions of tensors and Lambdas in its own form.

Everything else this package writes in that form from the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core import registry, stored_configs
from .._core.graph_calls import Call, Place, keras_2_call, put

Config = dict[str, Any]

# Operator → TensorFlow's name of it, and what it calls its operands.
_OPERANDS = ("x", "y")
OPERATORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "add": ("__operators__.add", _OPERANDS),
    "sub": ("math.subtract", _OPERANDS),
    "mul": ("math.multiply", _OPERANDS),
    "truediv": ("math.truediv", _OPERANDS),
    "floordiv": ("math.floordiv", _OPERANDS),
    "mod": ("math.floormod", _OPERANDS),
    "pow": ("math.pow", _OPERANDS),
    "matmul": ("linalg.matmul", ("a", "b")),
    "lt": ("math.less", _OPERANDS),
    "le": ("math.less_equal", _OPERANDS),
    "gt": ("math.greater", _OPERANDS),
    "ge": ("math.greater_equal", _OPERANDS),
    "eq": ("math.equal", _OPERANDS),
    "ne": ("math.not_equal", _OPERANDS),
    "and": ("math.logical_and", _OPERANDS),
    "or": ("math.logical_or", _OPERANDS),
    "neg": ("math.negative", ("x",)),
    "abs": ("math.abs", ("x",)),
    "invert": ("math.logical_not", ("x",)),
}
COMMUTATIVE = frozenset(("add", "mul"))
# Class → argument that only this package has → the values at which it goes.
_ONE_ORDER: Mapping[str, tuple[Any, ...]] = {"data_format": ("channels_last", None)}
HARMLESS = dict.fromkeys(("UpSampling1D", "ZeroPadding1D", "Cropping1D"), _ONE_ORDER)
_PLACE = ("module", "registered_name")
_SLICE = ("__operators__.getitem", ("tensor", "slice_spec"))
# Functions here whose first parameter Keras 2.15 gives by name, too.
_FUNCTIONS_OF = ("function", "output_shape", "mask")


def for_file_of_keras_2(config: Mapping[str, Any]) -> Config:
    """Return a configuration as files of Keras 2.15 have it: a layer that says its input's shape says no module.

    Keras 3 takes a layer with both for one of its own, which has no `batch_input_shape`.

    Args:
        config: As for `for_keras_2`.
    """
    return _without_modules(for_keras_2(config))


def _without_modules(config: Config) -> Config:
    inner = config.get("config")
    if not isinstance(inner, dict):
        return config
    written = dict(config)
    if isinstance(inner.get("layers"), list):
        written["config"] = {**inner, "layers": [_without_modules(entry) for entry in inner["layers"]]}
    elif "batch_input_shape" in inner and config["class_name"] != "InputLayer":
        written = {key: value for key, value in written.items() if key not in _PLACE}
    return written


def for_keras_2(config: Mapping[str, Any]) -> Config:
    """Return a configuration in the form of Keras 2.15.

    A function of tensors that it does not have stays as this package writes it, and Keras 2.15 refuses it by name.

    Args:
        config: A model's or layer's, `{'class_name': …, 'config': …}` as `layers.serialize` returns it; not changed.

    Raises:
        ValueError: A function of tensors that Keras 2.15 does not have.

    Example:
        >>> import torchkeras_compat as keras
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, x * 2.0)
        >>> for_keras_2(keras.layers.serialize(model))['config']['layers'][1]['config']['function']
        'math.multiply'
    """
    inner = config.get("config")
    if config["class_name"] == "Lambda":
        return {**config, "config": _lambda(inner or {})}
    if not isinstance(inner, Mapping):
        return dict(config)
    gone = HARMLESS.get(config["class_name"], {})
    kept = {key: value for key, value in inner.items() if key not in gone or value not in gone[key]}
    written = {**config, "config": {key: _part(value) for key, value in kept.items()}}
    layers = inner.get("layers")
    if isinstance(layers, list):
        if _is_chain(config) and layers and _is_chain(layers[0]) and inner.get("build_input_shape") is not None:
            # Built in the order of a file, a chain whose first layer is a chain has no layers with weights there.
            layers = [input_before(layers[0], written["config"].pop("build_input_shape")), *layers]
        names = {entry["name"] for entry in layers} if "input_layers" in inner else set()
        written["config"]["layers"] = [_entry(entry, names) for entry in layers]
    elif registry.KINDS["layer"].find(config["class_name"]) is not None:
        written |= {"module": "keras.layers", "registered_name": None}
    return written


def _is_chain(config: Mapping[str, Any]) -> bool:
    return bool(config["class_name"] == "Sequential")


def input_before(entry: Mapping[str, Any], shape: Any) -> Config:
    """Return the InputLayer that stands before the first layer of a chain in Keras's files.

    Args:
        entry: The first layer.
        shape: Keras shape of its input, with the batch size.
    """
    told = {
        "batch_input_shape": shape,
        "dtype": "int32" if entry["class_name"] == "Embedding" else "float32",
        "sparse": False,
        "ragged": False,
        "name": f"{entry['config'].get('name')}_input",
    }
    return {"class_name": "InputLayer", "config": told}


def _part(value: Any) -> Any:
    """Return an argument, which may be a layer inside a layer."""
    is_layer = isinstance(value, Mapping) and registry.KINDS["layer"].find(str(value.get("class_name"))) is not None
    return for_keras_2(value) if is_layer else value


def _entry(entry: Mapping[str, Any], names: set[str]) -> Config:
    """Return a layer of a model."""
    if entry["class_name"] == "TFOpLambda":
        return _operation(entry, names)
    return for_keras_2(entry)


def _lambda(config: Mapping[str, Any]) -> Config:
    """Return the configuration of a Lambda, whose functions stand by name; what has none stays, and is no JSON."""
    told = dict(config)
    for argument in _FUNCTIONS_OF:
        value = told.get(argument)
        name = getattr(value, "__name__", value)
        function = callable(value) or (argument == "function" and isinstance(value, str))
        told[argument] = name if function and name != "<lambda>" else value
        told[f"{argument}_type"] = "function" if function else "raw"
        told["module" if argument == "function" else f"{argument}_module"] = getattr(value, "__module__", None)
    if told["mask"] is None:
        told = {name: value for name, value in told.items() if not name.startswith("mask")}
    return told


# --- functions of tensors ----------------------------------------------------------------------------------------


class _NotThere(Exception):
    """A function that Keras 2.15 does not have, or cannot be given these arguments."""


def _operation(entry: Mapping[str, Any], names: set[str]) -> Config:
    """Return a function of tensors with its calls, unchanged where Keras 2.15 has none such."""
    try:
        return _as_in_tensorflow(entry, names)
    except _NotThere:
        return dict(entry)


def _as_in_tensorflow(entry: Mapping[str, Any], names: set[str]) -> Config:
    config, nodes = entry["config"], entry["inbound_nodes"]
    calls = [keras_2_call(entry["name"], i, node, names) for i, node in enumerate(nodes)]
    function, written = config["function"], []
    for call in calls:
        function, parameters, arguments = _named(config["function"], call)
        told = {**dict(zip(parameters, arguments)), **call.keywords}
        written.append(_node(told, parameters[0], function))
    is_slice = function == _SLICE[0]
    cls = "SlicingOpLambda" if is_slice else "TFOpLambda"
    return {**entry, "class_name": cls, "config": {**config, "function": function}, "inbound_nodes": written}


def _named(function: str, call: Call) -> tuple[str, Sequence[str], list[Any]]:
    """Return a function's name in TensorFlow, the names of its parameters, and its arguments in their order."""
    arguments = list(call.arguments)
    if function == "__getitem__":
        return (*_SLICE, [arguments[0], _slices(arguments[1])])
    operator = function.strip("_")
    if function.startswith("__") and operator not in OPERATORS and operator.removeprefix("r") in OPERATORS:
        operator = operator.removeprefix("r")
        if operator not in COMMUTATIVE:
            arguments = [_leading(arguments[1]), arguments[0]]
    if function.startswith("__") and operator in OPERATORS:
        return (*OPERATORS[operator], arguments)
    known = stored_configs.TABLES.names_in_keras_2(function)
    if known is None:
        raise _NotThere(function)
    return (*known, arguments)


def _leading(value: Any) -> Any:
    """Return a number that leads an operation as TensorFlow needs it there, where no tensor has told a type yet."""
    return float(value) if type(value) is int else value


def _slices(key: Any) -> Any:
    keys = list(key) if isinstance(key, (list, tuple)) else [key]
    ends = ("start", "stop", "step")
    return [{end: getattr(part, end) for end in ends} if isinstance(part, slice) else part for part in keys]


def _node(told: Config, first: str, function: str) -> Any:
    """Return a call as Keras 2.15 writes one of a function: its first argument with all others beside it."""
    inputs = told.pop(first) if first in told else told.pop(next(iter(told)))

    def at(place: Place) -> list[Any]:
        return [place.layer, place.call, place.output]

    beside = put(told, at)
    if isinstance(inputs, Place):
        return [*at(inputs), beside]
    if isinstance(inputs, (list, tuple)) and any(isinstance(part, Place) for part in inputs):
        if not all(isinstance(part, Place) for part in inputs):
            raise _NotThere(function)
        return [[*at(part), beside] for part in inputs]
    return ["_CONSTANT_VALUE", -1, inputs, beside]
