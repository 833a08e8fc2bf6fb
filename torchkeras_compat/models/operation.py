"""What stands among the layers of a model for a function of tensors, such as `x + y` or `K.mean(x)`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .._core import stored_configs
from .._core.errors import show
from .._core.ownership import PACKAGE, is_ours
from .._core.symbolic import Node
from .._core.tensor_operators import OPERATORS, item
from ..layers.base import Layer, Traits

# Operator or function of the backend → the name that Keras 2.15 has for its layer.
NAMES = {
    "__add__": "tf.__operators__.add",
    "__radd__": "tf.__operators__.add",
    "__sub__": "tf.math.subtract",
    "__rsub__": "tf.math.subtract",
    "__mul__": "tf.math.multiply",
    "__rmul__": "tf.math.multiply",
    "__truediv__": "tf.math.truediv",
    "__rtruediv__": "tf.math.truediv",
    "__floordiv__": "tf.compat.v1.floor_div",
    "__rfloordiv__": "tf.compat.v1.floor_div",
    "__mod__": "tf.math.floormod",
    "__rmod__": "tf.math.floormod",
    "__pow__": "tf.math.pow",
    "__rpow__": "tf.math.pow",
    "__eq__": "tf.__operators__.eq",
    "__ne__": "tf.__operators__.ne",
    "__lt__": "tf.math.less",
    "__le__": "tf.math.less_equal",
    "__gt__": "tf.math.greater",
    "__ge__": "tf.math.greater_equal",
    "__and__": "tf.math.logical_and",
    "__or__": "tf.math.logical_or",
    "__invert__": "tf.math.logical_not",
    "__neg__": "tf.math.negative",
    "__abs__": "tf.math.abs",
    "__matmul__": "tf.linalg.matmul",
    "__getitem__": "tf.__operators__.getitem",
    "mean": "tf.math.reduce_mean",
    "sum": "tf.math.reduce_sum",
    "max": "tf.math.reduce_max",
    "min": "tf.math.reduce_min",
    "prod": "tf.math.reduce_prod",
    "expand_dims": "tf.expand_dims",
    "concatenate": "tf.concat",
    "reshape": "tf.reshape",
    "stack": "tf.stack",
    "squeeze": "tf.compat.v1.squeeze",
    "l2_normalize": "tf.math.l2_normalize",
    "dot": "tf.linalg.matmul",
    "cast": "tf.cast",
    "clip": "tf.clip_by_value",
    "one_hot": "tf.one_hot",
    "ones_like": "tf.ones_like",
    "zeros_like": "tf.zeros_like",
    "permute_dimensions": "tf.compat.v1.transpose",
    "relu": "tf.nn.relu",
    "reverse": "tf.reverse",
    "shape": "tf.compat.v1.shape",
    "softmax": "tf.nn.softmax",
    "stop_gradient": "tf.stop_gradient",
    "tile": "tf.tile",
}
# Functions of `tensorflow` whose layers have another name than they.
_OF_TENSORFLOW = {
    **{name: f"compat.v1.{name}" for name in "gather gather_nd nn.conv2d pad shape squeeze transpose".split()},
    "image.extract_image_patches": "image.extract_patches",
    "linalg.l2_normalize": "math.l2_normalize",
    "math.accumulate_n": "math.add_n",
    "math.softmax": "nn.softmax",
    "nn.top_k": "math.top_k",
}
_OPERATOR_OF: dict[int, str] = {id(function): name for name, function in OPERATORS.items()} | {id(item): "__getitem__"}


class TFOpLambda(Layer):
    """A function of tensors in a graph, as a layer that has a name and a configuration.

    Args:
        function: The function.
        name: The layer's name; numbered automatically when `None`.
        kwargs: The arguments of every layer.
    """

    _class_traits = Traits(runs_user_code=True)
    _takes_trees = True
    _autocast = False  # it computes in the type that comes

    def __init__(self, function: Callable[..., Any], name: str | None = None, **kwargs: Any) -> None:
        self.function = function
        super().__init__(name=name, **kwargs)
        self.built = True

    def _automatic_name(self) -> str:
        from .._core import settings

        prefix = _keras_name(self.function)
        number = settings.get_uid(prefix)
        return prefix if number == 1 else f"{prefix}_{number - 1}"

    def get_config(self) -> dict[str, Any]:
        """Return the name of the function.

        Raises:
            ValueError: It is no function of this package, and cannot be found again by name.
        """
        return {"name": self.name, "trainable": self.trainable, "dtype": self.dtype, "function": name_of(self.function)}


def _keras_name(function: Callable[..., Any]) -> str:
    """Return the name that Keras 2.15 has for the layer of a function, without a number."""
    short = str(_OPERATOR_OF.get(id(function)) or getattr(function, "__name__", "operation"))
    path = str(getattr(function, "_name_in_graphs", "backend."))
    if not path.startswith("backend."):  # a function of `tensorflow`
        return f"tf.{_OF_TENSORFLOW.get(path, path)}"
    return NAMES.get(short, f"tf.math.{short}" if is_ours(function) else short)


def name_of(function: Callable[..., Any]) -> str:
    """Return the name by which `function_named` finds a function again.

    Raises:
        ValueError: It is no function of this package.
    """
    name = _OPERATOR_OF.get(id(function)) or getattr(function, "_name_in_graphs", None)
    if name is not None:
        return str(name)
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
    if not getattr(function, "_is_operation", False):
        raise ValueError(
            f"get_config: {show(function)} in the graph has no name by which it could be found again; put it into "
            f"layers.Lambda, or a layer of your own with get_config."
        )
    return str(name).removeprefix(f"{PACKAGE}.")


def is_named(function: Callable[..., Any]) -> bool:
    """Tell whether a function can be found again by a name."""
    try:
        return bool(name_of(function))
    except ValueError:
        return False


def function_named(name: str) -> Callable[..., Any]:
    """Return the function of tensors that a configuration names, in this package's way or that of Keras 2 or 3.

    Raises:
        ValueError: There is none; nothing but functions of tensors can be named.
    """
    if name == "__getitem__":
        return item
    if name in OPERATORS:
        return OPERATORS[name]
    module, _, attribute = str(name).rpartition(".")
    known = stored_configs.TABLES.function(str(name))
    if known is None and module.partition(".")[0] in ("backend", "activations", "losses", "metrics"):
        known = getattr(sys.modules.get(f"{PACKAGE}.{module}"), attribute, None)
        known = known if getattr(known, "_is_operation", False) else None
    if known is None:
        raise ValueError(f"{name!r} is no function of tensors that is known here.")
    return getattr(known, "_in_graphs", known)  # type: ignore[no-any-return]


def call_it(node: Node, name: str) -> None:
    """Give what stands among the layers for a call of a function its name in a file."""
    node.operation = TFOpLambda(node.origin, name=name)  # type: ignore[attr-defined]
    node.operation._nodes.append(node)  # type: ignore[attr-defined]


def layer_of(node: Node) -> Layer:
    """Return the layer of a node: the one that was called, or what stands for a function."""
    if node.is_layer:
        layer: Layer = node.layer
        return layer
    standing: Layer | None = getattr(node, "operation", None)
    if standing is None:
        standing = node.operation = TFOpLambda(node.origin)  # type: ignore[attr-defined]
        standing._nodes.append(node)
    return standing
