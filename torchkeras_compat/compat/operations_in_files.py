"""Functions of tensors that graphs in files have, as data: their names in TensorFlow and in Keras 3.

Read off what Keras 2.15 and 3.15 write for them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import backend, losses
from .._core.errors import show
from .._core.stored_configs import value_in
from .._core.tensor_operators import item
from ..saving.keras3_operations import Operation


@dataclass(frozen=True)
class OperationOfKeras3:
    """An operation of Keras 3 as a function of TensorFlow.

    Attributes:
        function: Its name there.
        written_for: The function that is written as it, where that is another, of fewer arguments; `''` for the same.
        arguments: What configurations call its arguments → what the function does; others have one name.
        values: Argument of the function → its value there of the value in configurations.
        defaults: Argument of the function → what `None` stands for there.
    """

    function: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    written_for: str = ""


def _same(**names: str) -> dict[str, OperationOfKeras3]:
    return {name: OperationOfKeras3(function) for name, function in names.items()}


# What TensorFlow's graphs call a function → the name in `tensorflow_functions`.
OTHER_NAMES = {
    "__operators__.add": "math.add",
    "math.truediv": "truediv",
    "realdiv": "truediv",
    "__operators__.eq": "math.equal",
    "__operators__.ne": "math.not_equal",
    "floor_div": "math.floordiv",
    "nn.l2_normalize": "math.l2_normalize",
}
# The functions that all take a slice of a tensor.
SLICES = frozenset(("__operators__.getitem", "_slice_helper"))

# Class of an operation of Keras 3 → the function.
KERAS_3: dict[str, OperationOfKeras3] = {
    **_same(
        Add="math.add",
        Subtract="math.subtract",
        Multiply="math.multiply",
        TrueDivide="truediv",
        Divide="truediv",
        FloorDivide="math.floordiv",
        Mod="math.floormod",
        Power="math.pow",
        Maximum="math.maximum",
        Minimum="math.minimum",
        Equal="math.equal",
        NotEqual="math.not_equal",
        Greater="math.greater",
        GreaterEqual="math.greater_equal",
        Less="math.less",
        LessEqual="math.less_equal",
        LogicalAnd="math.logical_and",
        LogicalOr="math.logical_or",
        LogicalXor="math.logical_xor",
        LogicalNot="math.logical_not",
        Absolute="math.abs",
        Abs="math.abs",
        Negative="math.negative",
        Square="math.square",
        Sqrt="math.sqrt",
        Rsqrt="math.rsqrt",
        Exp="math.exp",
        Expm1="math.expm1",
        Log="math.log",
        Log1p="math.log1p",
        Sign="math.sign",
        Round="math.round",
        Floor="math.floor",
        Ceil="math.ceil",
        Sin="math.sin",
        Cos="math.cos",
        Tanh="math.tanh",
        Sigmoid="math.sigmoid",
        Softplus="math.softplus",
        Relu="nn.relu",
        Relu6="nn.relu6",
        Selu="nn.selu",
        Softsign="nn.softsign",
        Silu="nn.swish",
        Mean="math.reduce_mean",
        Sum="math.reduce_sum",
        Max="math.reduce_max",
        Min="math.reduce_min",
        Prod="math.reduce_prod",
        Std="math.reduce_std",
        Var="math.reduce_variance",
        Any="math.reduce_any",
        All="math.reduce_all",
        Matmul="linalg.matmul",
        ExpandDims="expand_dims",
        Squeeze="squeeze",
        Concatenate="concat",
        Stack="stack",
        Where="where",
        Cast="cast",
        ConvertToTensor="identity",
        StopGradient="stop_gradient",
        OnesLike="ones_like",
        ZerosLike="zeros_like",
        Identity="identity",
        GetItem="__operators__.getitem",
    ),
    "Reshape": OperationOfKeras3("reshape", {"newshape": "shape"}),
    "Transpose": OperationOfKeras3("transpose", {"axes": "perm"}),
    "Clip": OperationOfKeras3("clip_by_value", {"x_min": "clip_value_min", "x_max": "clip_value_max"}),
    "Tile": OperationOfKeras3("tile", {"repeats": "multiples"}),
    "Flip": OperationOfKeras3("reverse"),
    "Elu": OperationOfKeras3("keras.backend.elu", written_for="nn.elu"),
    "Gelu": OperationOfKeras3("nn.gelu"),
    "LeakyRelu": OperationOfKeras3("nn.leaky_relu", {"negative_slope": "alpha"}),
    "Repeat": OperationOfKeras3("repeat"),
    "Take": OperationOfKeras3("gather", defaults={"axis": 0}),
    "Argmax": OperationOfKeras3("math.argmax", defaults={"axis": 0}),
    "Argmin": OperationOfKeras3("math.argmin", defaults={"axis": 0}),
    "Cumsum": OperationOfKeras3("math.cumsum"),
    "Cumprod": OperationOfKeras3("keras.backend.cumprod"),
    "Logsumexp": OperationOfKeras3("math.reduce_logsumexp"),
    "OneHot": OperationOfKeras3("one_hot", {"num_classes": "depth"}, defaults={"axis": -1}),
    "Softmax": OperationOfKeras3("nn.softmax", defaults={"axis": -1}),
    "LogSoftmax": OperationOfKeras3("nn.log_softmax", defaults={"axis": -1}),
    # It bounds the inverse of the norm by that of its epsilon; TensorFlow bounds the square of the norm.
    "Normalize": OperationOfKeras3("math.l2_normalize", values={"epsilon": lambda value: (value or 1e-7) ** 2}),
    "Einsum": OperationOfKeras3("einsum", {"subscripts": "equation"}),
}
# Arguments that TensorFlow's functions have not → the values at which they have no effect.
HARMLESS: dict[str, tuple[Any, ...]] = {"order": (2,), "decimals": (0,)}  # any other one at None or False


def function_of_graph(name: str) -> Callable[..., Any] | None:
    """Return the function of tensors that a graph of Keras 2 names, `None` where there is none.

    Args:
        name: Such as `'math.multiply'`, `'compat.v1.transpose'` or `'keras.backend.batch_flatten'`.
    """
    from .tensorflow_names import FUNCTIONS

    name = name.removeprefix("compat.v1.")
    if name in SLICES:
        return item
    room = name.removeprefix("keras.").partition(".")[0]
    if name.startswith("keras.") and room in _ROOMS:
        function = getattr(_ROOMS[room], name.rpartition(".")[2], None)
        return function if getattr(function, "_is_operation", False) else None
    if name == "convert_to_tensor":
        return _converted
    known: Callable[..., Any] | None = FUNCTIONS.get(OTHER_NAMES.get(name, name))
    return known


def _converted(x: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """Return what `tf.convert_to_tensor` makes of a tensor of a graph."""
    return function_of_graph("identity")(x) if dtype is None else backend.cast(x, dtype)  # type: ignore[misc]


def operation_of_keras_3(name: str, config: Mapping[str, Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function that an operation of Keras 3 is, and the arguments that stand in its configuration.

    Args:
        name: The class of the operation.
        config: Its configuration.

    Raises:
        ValueError: There is none here, or an argument is not served.
    """
    known = KERAS_3.get(name)
    function = None if known is None else function_of_graph(known.function)
    if known is None or function is None:
        raise ValueError(f"the operation keras.ops {name} of Keras 3 is not known here; put it into a layer.")
    parameters = inspect.signature(function).parameters
    told = {}
    for argument, value in config.items():
        parameter = known.arguments.get(argument, argument)
        if parameter in parameters and parameter != "name":
            convert = known.values.get(parameter, value_in)
            told[parameter] = convert(value)
        elif not (argument == "name" or value is None or value is False or value in HARMLESS.get(argument, ())):
            raise ValueError(f"the operation keras.ops {name} with {argument}={show(value)} is not served here.")
    return function, told


def class_of_operation(name: str) -> Operation | None:
    """Return the operation of Keras 3 that a function of TensorFlow is, `None` where there is none.

    Args:
        name: The function's name, such as `'math.reduce_mean'`.
    """
    function = function_of_graph(name)
    if function is None or function is item:
        return None
    parameters = {name: one for name, one in inspect.signature(function).parameters.items() if name != "name"}
    if any(one.kind is one.VAR_POSITIONAL for one in parameters.values()):
        return None
    for cls, known in KERAS_3.items():
        # An argument with another value there would have to be turned back.
        name_here = known.written_for or known.function
        if known.function != "identity" and not known.values and function_of_graph(name_here) is function:
            defaults = {name: one.default for name, one in parameters.items() if one.default is not one.empty}
            renamed = {ours: theirs for theirs, ours in known.arguments.items()}
            return Operation(cls, tuple(parameters), renamed, {**defaults, **known.defaults})
    return None


_ROOMS = {"backend": backend, "activations": backend, "losses": losses}
# Functions of K that its K cannot be asked for by name → TensorFlow's.
_NOT_IN_BACKEND = {"backend.math.logsumexp": "math.reduce_logsumexp", "backend.control._where": "where"}
# What Keras 2.15 calls the first parameter of some functions, where it is not `x`.
_FIRST = {"math.reduce": "input_tensor", "concat": "values", "stack": "values", "expand_dims": "input"}


def names_in_keras_2(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return what Keras 2.15 calls a function of tensors and its parameters, `None` where it has none.

    Args:
        name: The name that configurations here have: `'backend.math.mean'`, `'math.reduce_mean'`, `'activations.relu'`.
    """
    name = _NOT_IN_BACKEND.get(name, name)
    module, _, attribute = name.rpartition(".")
    room = module.partition(".")[0]
    if room in _ROOMS:
        function, there = getattr(_ROOMS[room], attribute, None), f"keras.{room}.{attribute}"
    else:
        function, there = function_of_graph(name), name
    if function is None or attribute.startswith("_"):
        return None
    signature = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in signature.values()):
        return None  # it does not read these itself
    parameters = [parameter for parameter in signature if parameter != "name"]
    if not there.startswith("keras."):
        parameters[0] = next((first for start, first in _FIRST.items() if there.startswith(start)), parameters[0])
    return there, tuple(parameters)


def arguments_of_heads(arguments: list[Any], keywords: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call of MultiHeadAttention, whose masks Keras 3 gives one by one.

    Args:
        arguments: Without a name.
        keywords: With a name.
    """
    masks = [keywords.pop(f"{name}_mask", None) for name in ("query", "value", "key")]
    if any(mask is not None for mask in masks):
        count = 3 if masks[2] is not None or len(arguments) > 2 or "key" in keywords else 2
        keywords["mask"] = masks[:count]
    return arguments, keywords
