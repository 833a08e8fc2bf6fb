"""Functions of tensors as operations of Keras 3: what its classes of operations take, and which function is which.

Read off the signatures of `keras.ops` of 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OperationClass:
    """A class of operations of Keras 3.

    Attributes:
        module: Where it is.
        operands: How many arguments stand in a call.
        arguments: Those that stand in its configuration.
    """

    module: str = "keras.src.ops.numpy"
    operands: int = 1
    arguments: tuple[str, ...] = ()


_MODULES = {
    "keras.src.ops.nn": "Sigmoid Softplus Softsign Relu Relu6 LeakyRelu Elu Selu Silu Gelu Softmax LogSoftmax OneHot "
    "Normalize",
    "keras.src.ops.math": "Rsqrt Logsumexp",
    "keras.src.ops.core": "Cast StopGradient",
}
_OPERANDS = {
    2: "Add Subtract Multiply TrueDivide Divide FloorDivide Mod Power Maximum Minimum Equal NotEqual Greater "
    "GreaterEqual Less LessEqual LogicalAnd LogicalOr LogicalXor Matmul Take GetItem",
    3: "Where",
}
_ARGUMENTS = {
    ("axis", "keepdims"): "Mean Sum Max Min Prod Std Var Any All Argmax Argmin Logsumexp",
    ("axis",): "Softmax LogSoftmax ExpandDims Squeeze Concatenate Stack Flip Take Cumsum Cumprod",
    ("axis", "order", "epsilon"): "Normalize",
    ("dtype",): "Cast OnesLike ZerosLike",
    ("alpha",): "Elu",
    ("negative_slope",): "LeakyRelu",
    ("approximate",): "Gelu",
    ("newshape",): "Reshape",
    ("axes",): "Transpose",
    ("x_min", "x_max"): "Clip",
    ("repeats",): "Tile",
    ("repeats", "axis"): "Repeat",
    ("num_classes", "axis", "dtype"): "OneHot",
}


def _by_name(table: Mapping[Any, str]) -> dict[str, Any]:
    return {name: key for key, names in table.items() for name in names.split()}


_module_of, _operands_of, _arguments_of = _by_name(_MODULES), _by_name(_OPERANDS), _by_name(_ARGUMENTS)


def operation_class(name: str) -> OperationClass:
    """Return what is known of a class of operations; most take one tensor and nothing else."""
    own = {"module": _module_of.get(name), "operands": _operands_of.get(name), "arguments": _arguments_of.get(name)}
    return OperationClass(**{key: value for key, value in own.items() if value is not None})


@dataclass(frozen=True)
class Operation:
    """A function of tensors as an operation of Keras 3.

    Attributes:
        name: The class of the operation.
        parameters: The function's parameters here, in order, the operands first.
        renamed: Parameter here → in Keras 3.
        defaults: The values that parameters have here where a call leaves them out.
        constants: Arguments of the operation that the function does not have.
        swapped: Its two operands stand the other way round.
    """

    name: str
    parameters: tuple[str, ...] = ("x",)
    renamed: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    swapped: bool = False

    @property
    def cls(self) -> OperationClass:
        """What Keras 3 has of its class."""
        return operation_class(self.name)


def _binary(name: str, swapped: bool = False) -> Operation:
    return Operation(name, ("x", "other"), swapped=swapped)


def _of_backend(module: str, names: str, *parameters: str, **defaults: Any) -> dict[str, Operation]:
    """Return functions of K whose operations have their names, in capitals, and their parameters."""
    return {
        f"backend.{module}.{name}": Operation(name.title().replace("_", ""), parameters, defaults=defaults)
        for name in names.split()
    }


_OPERATORS = {
    "add": "Add",
    "sub": "Subtract",
    "mul": "Multiply",
    "truediv": "TrueDivide",
    "floordiv": "FloorDivide",
    "mod": "Mod",
    "pow": "Power",
    "matmul": "Matmul",
}
_COMPARISONS = {"lt": "Less", "le": "LessEqual", "gt": "Greater", "ge": "GreaterEqual", "eq": "Equal", "ne": "NotEqual"}

# Function → operation.
OPERATIONS: dict[str, Operation] = {
    **{f"__{name}__": _binary(cls) for name, cls in {**_OPERATORS, **_COMPARISONS}.items()},
    **{f"__r{name}__": _binary(cls, swapped=True) for name, cls in _OPERATORS.items()},
    "__neg__": Operation("Negative"),
    "__abs__": Operation("Absolute"),
    "__getitem__": Operation("GetItem", ("x", "key")),
    **_of_backend("math", "square sqrt exp log sign round sin cos", "x"),
    **_of_backend("math", "maximum minimum equal not_equal less less_equal greater greater_equal", "x", "y"),
    **_of_backend("math", "mean sum max min prod std var any all logsumexp", "x", "axis", "keepdims"),
    **_of_backend("math", "argmax argmin", "x", "axis", axis=-1),
    **_of_backend("math", "cumsum cumprod", "x", "axis", axis=0),
    "backend.math.abs": Operation("Absolute"),
    "backend.math.pow": Operation("Power", ("x", "a")),
    "backend.math.clip": Operation(
        "Clip", ("x", "min_value", "max_value"), {"min_value": "x_min", "max_value": "x_max"}
    ),
    # K bounds the square of the norm by 1e-12, the operation its inverse by that of its epsilon.
    "backend.math.l2_normalize": Operation(
        "Normalize", ("x", "axis"), defaults={"axis": None}, constants={"order": 2, "epsilon": 1e-6}
    ),
    "backend.control._where": Operation("Where", ("condition", "x", "y")),
    "backend.variables.stop_gradient": Operation("StopGradient", ("variables",)),
    **{f"activations.{name}": Operation(name.title()) for name in ("tanh", "sigmoid", "softplus", "softsign")},
    "activations.relu": Operation("Relu"),  # its other arguments make it a composition of operations
    "activations.elu": Operation("Elu", ("x", "alpha")),
    "activations.softmax": Operation("Softmax", ("x", "axis"), defaults={"axis": -1}),
    **_of_backend("shaping", "ones_like zeros_like cast", "x", "dtype"),
    **_of_backend("shaping", "expand_dims", "x", "axis", axis=-1),
    **_of_backend("shaping", "squeeze", "x", "axis"),
    **_of_backend("shaping", "stack", "x", "axis", axis=0),
    **_of_backend("shaping", "concatenate", "tensors", "axis", axis=-1),
    **_of_backend("shaping", "one_hot", "indices", "num_classes"),
    **_of_backend("shaping", "transpose", "x"),
    "backend.shaping.permute_dimensions": Operation("Transpose", ("x", "pattern"), {"pattern": "axes"}),
    "backend.shaping.reshape": Operation("Reshape", ("x", "shape"), {"shape": "newshape"}),
    "backend.shaping.reverse": Operation("Flip", ("x", "axes"), {"axes": "axis"}),
    "backend.shaping.tile": Operation("Tile", ("x", "n"), {"n": "repeats"}),
    "backend.shaping.repeat_elements": Operation("Repeat", ("x", "rep", "axis"), {"rep": "repeats"}),
    "backend.shaping.gather": Operation("Take", ("reference", "indices"), constants={"axis": 0}),
}
