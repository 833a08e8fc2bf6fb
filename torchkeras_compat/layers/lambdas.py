"""`Lambda`: a function of tensors as a layer."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from .._core import registry
from .._core.border import user_stacklevel
from .._core.bound_functions import as_bound_now, variables_around
from .._core.errors import argument_error
from .._core.shape_runs import sizes_in
from .._core.stored_functions import with_functions
from .._core.tree import flatten_shapes, map_shapes
from .._core.user_tensors import calling
from .base import Layer, Traits, as_told


@registry.register("layer")
class Lambda(Layer):
    """Applies a function of tensors.

    Args:
        function: Called with the input, with `arguments`, and with `mask` or `training` where it names them.
        output_shape: The shape without the batch, or a function of the input shape; found by running when `None`.
        mask: The mask for the next layer, or a function of input and mask.
        arguments: Further keyword arguments of the function.
        kwargs: The arguments of every layer.

    Shape:
        Input: any. Output: what the function makes.

    Example:
        >>> import numpy as np, torchkeras_compat as keras
        >>> keras.layers.Lambda(lambda x: x ** 2)(np.array([3.])).tolist()
        [9.0]
    """

    _class_traits = Traits(runs_user_code=True)
    _takes_trees = True
    _keeps_integers = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise argument_error("Lambda", "function", "a function of tensors", function, TypeError)
        self.function = function
        self._bound: tuple[Any, Any] = (None, None)  # the function, and the same with the variables around it kept
        self.arguments = dict(arguments or {})
        self._output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        self._named = frozenset(inspect.signature(function).parameters) if _has_signature(function) else frozenset()

    def call(self, inputs: Any, mask: Tensor | None = None, training: bool = False) -> Any:
        """Return `function(inputs, **arguments)`."""
        extra = {k: v for k, v in (("mask", mask), ("training", training)) if k in self._named}
        y = calling(self._bound_function)(inputs, **{**extra, **self.arguments})
        # `K.gradients` returns a list, of which a function with a shape of one output means the only item.
        return y[0] if isinstance(y, list) and len(y) == 1 and self._output_shape is not None else y

    @property
    def _bound_function(self) -> Callable[..., Any]:
        """The function, with the variables around it as they stood when it was first called in a graph."""
        bound, function = self._bound
        return function if bound is self.function else self.function

    def _call_symbolic(self, inputs: Any, args: Sequence[Any], call_arguments: dict[str, Any]) -> Any:
        if self._rules.lambdas_run_once:
            self._bind()
        return super()._call_symbolic(inputs, args, call_arguments)

    def _output_dtype(self, input_dtype: str) -> str:
        return str(self.compute_dtype)  # where a shape is given, and the function does not run to tell

    def _bind(self) -> None:
        """Keep the variables around the function as they stand."""
        bound, function = self._bound
        if bound is not self.function:
            self._bound = self.function, as_bound_now(self.function)
            return
        before, now = variables_around(function), variables_around(self.function)
        changed = [name for name, value in now.items() if before.get(name) is not value]
        if changed:
            warnings.warn(
                f"{self}: {changed[0]!r} has changed since it was first called, and counts as it was then; make a "
                f"Lambda for each value.",
                stacklevel=user_stacklevel(),
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask given, or what the mask function makes; without either a mask ends here, as in Keras 2."""
        return calling(self.mask)(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape given, or find it by running."""
        if callable(self._output_shape):
            return map_shapes(tuple, self._output_shape(as_told(input_shape, self._rules)))
        if self._output_shape is not None:
            first = flatten_shapes(input_shape)[0]
            return map_shapes(lambda shape: (first[0], *shape), self._output_shape)
        return super().compute_output_shape(input_shape)

    def _symbolic_outputs(self, inputs: Any, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Any:
        if self._output_shape is None:
            return self._output_by_running(inputs, args, call_arguments)
        return super()._symbolic_outputs(inputs, args, call_arguments)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the bound form of a function that pickle finds by its name; no other one can be pickled at all."""
        state = super().__getstate__()
        by_name = "<" not in getattr(self.function, "__qualname__", "")
        return {**state, "_bound": (None, None)} if by_name else state

    def _functions_of_users(self) -> list[Any]:
        return [self.function]

    def _sizes_in_code(self) -> set[int]:
        return super()._sizes_in_code() | sizes_in(self.arguments) | _sizes_in_function(self.function)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; the function and a shape function stand there as they are."""
        base = {k: v for k, v in super().get_config().items() if k not in ("function", "output_shape", "mask")}
        return {**base, "function": self.function, "output_shape": self._output_shape, "mask": self.mask}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Make a layer from what `get_config` returned, here or in any Keras; the dictionary is not changed.

        Args:
            config: The configuration.
            custom_objects: The user's own functions by name, or by the name of the layer.

        Raises:
            ValueError: The function stands there as code, which is not run, or only by a name that nobody knows.
        """
        with registry.custom_object_scope(custom_objects):
            return cls(**with_functions("Lambda", config, ("function", "output_shape", "mask")))

    def _config_of(self, name: str) -> Any:
        return getattr(self, f"_{name}" if name == "output_shape" else name)


def _sizes_in_function(function: Any) -> set[int]:
    """Return the sizes that a function written in Python names: its constants, and variables such as `batch_size`."""
    constants = function.__code__.co_consts if inspect.isfunction(function) else ()
    return sizes_in([*constants, *variables_around(function).values()])


def _has_signature(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function)
    except ValueError:  # builtins written in C have none; they take no mask
        return False
    return True
