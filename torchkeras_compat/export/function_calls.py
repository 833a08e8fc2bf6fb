"""The arguments of a call of a function of tensors, as they are written in torch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from .._core.tree import is_branch
from .emission import Emission, Value, text

SMALL = 64
"""Elements of an array that is written into the text."""

FLOATS = ("float16", "bfloat16", "float32", "float64")

SIZES = ",)"
"""The end of a tuple of sizes."""


class NoForm(Exception):
    """A call has no form in plain torch."""


class Call:
    """The arguments of a call of a function, by name, as they are written.

    Args:
        emission: What is written down.
        function: The function.
        positional: Its arguments by place.
        named: Its arguments by name.

    Attributes:
        operands: The values that have been written, in the order of their places `{0}`, `{1}`.
    """

    def __init__(
        self, emission: Emission, function: Callable[..., Any], positional: Sequence[Any], named: dict[str, Any]
    ) -> None:
        self._emission = emission
        self.operands: list[Value] = []
        parameters = list(inspect.signature(function).parameters.values())
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):  # an operator
            self._given = {**dict(zip("xyz", positional)), **named}
        else:
            names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
            defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
            self._given = {**defaults, **dict(zip(names, positional)), **named}
        self._asked: set[str] = {"name", "validate_indices", "conjugate", "output_type", "sorted", "num", "index_type"}

    def has(self, *names: str) -> bool:
        """Tell whether an argument of one of these names was given."""
        return any(self._given.get(name) is not None for name in names)

    def given(self, *names: str, default: Any = None) -> Any:
        """Return the argument of one of these names as it is.

        Args:
            names: The names.
            default: What it is where none was given.
        """
        self._asked.update(names)
        return next((self._given[name] for name in names if self._given.get(name) is not None), default)

    def plain(self, *names: str, default: Any = None) -> Any:
        """Return an argument that holds no tensors.

        Raises:
            NoForm: It does.
        """
        value = self.given(*names, default=default)
        if _holds_values(value):
            raise NoForm
        return value.tolist() if isinstance(value, (np.ndarray, np.generic, Tensor)) else value

    def value(self, *names: str) -> Value:
        """Return a tensor of the graph, in Keras's order of axes.

        Raises:
            NoForm: It is something else.
        """
        argument = self.given(*names)
        if not isinstance(argument, Value):
            raise NoForm
        return self._emission.as_keras(argument)

    def place(self, *names: str) -> str:
        """Return an argument as it is written: a place for a tensor of the graph, else its numbers."""
        return self.written(self.given(*names))

    def written(self, item: Any) -> str:
        """Return a tensor, number or small array as it is written.

        Raises:
            NoForm: It is something else.
        """
        if isinstance(item, Value):
            item = self._emission.as_keras(item)
            if item not in self.operands:
                self.operands.append(item)
            return f"{{{self.operands.index(item)}}}"
        if isinstance(item, (bool, int, float)):
            return text(item)
        if isinstance(item, (np.ndarray, np.generic, Tensor, list, tuple)) and not _holds_values(item):
            return self._array(np.asarray(item.detach().cpu() if isinstance(item, Tensor) else item))
        raise NoForm

    def _array(self, array: np.ndarray[Any, Any]) -> str:
        if array.size > SMALL or array.dtype.kind not in "bif":
            raise NoForm
        if array.ndim == 0:
            return text(array.item())
        beside = next((one for one in self._given.values() if isinstance(one, Value)), None)
        device = "" if beside is None else f", device={self.written(beside)}.device"
        dtype = str(array.dtype)
        if array.dtype.kind == "f" and beside is not None and beside.dtype in FLOATS:
            dtype = beside.dtype  # as Keras converts an operand
        kind = f", dtype=torch.{dtype}" if dtype in FLOATS and dtype != "float32" else ""
        return f"torch.tensor({array.tolist()}{kind}{device})"

    def device(self) -> str:
        """Return the place of the model's first input, on whose device new tensors are made."""
        return f"{self.written(self._emission.inputs[0])}.device"

    def places(self, *names: str) -> list[str]:
        """Return the tensors of a list as they are written.

        Raises:
            NoForm: It is no list.
        """
        items = self.given(*names)
        if not isinstance(items, (list, tuple)):
            raise NoForm
        return [self.written(item) for item in items]

    def size(self, *names: str) -> str:
        """Return a list of sizes as it is written, some of them perhaps known only when it runs."""
        sizes = self.given(*names)
        if isinstance(sizes, Value) and self.are_sizes(sizes):
            return self.written(sizes)
        if isinstance(sizes, (list, tuple)) and any(isinstance(item, Value) for item in sizes):
            items = [self.written(item) for item in sizes]
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        if isinstance(sizes, Value):
            raise NoForm
        constant = self.plain(*names)
        return text(tuple(constant) if isinstance(constant, (list, tuple)) else constant)

    def are_sizes(self, value: Any) -> bool:
        """Tell whether a value is no tensor but sizes, as `x.shape` gives them."""
        if not isinstance(value, Value) or len(value.shape) != 1 or value in self._emission.inputs:
            return False
        step = self._emission.step_of(value)
        if step.expression.startswith("{0}["):
            return self.are_sizes(step.inputs[0])
        return step.expression.endswith((".shape", SIZES))

    def is_size(self, value: Any) -> bool:
        """Tell whether a value is one size, as `x.shape[0]` gives it."""
        if not isinstance(value, Value) or value.shape or value in self._emission.inputs:
            return False
        step = self._emission.step_of(value)
        return step.expression.startswith("{0}[") and self.are_sizes(step.inputs[0])

    def finish(self) -> None:
        """Make sure that every argument has been heeded.

        Raises:
            NoForm: One has not.
        """
        ignored = {name for name, value in self._given.items() if value is not None} - self._asked
        if ignored or not self.operands:
            raise NoForm


def _holds_values(item: Any) -> bool:
    if is_branch(item):
        return any(map(_holds_values, item.values() if isinstance(item, dict) else item))
    return isinstance(item, Value)


Form = Callable[[Call], str]
X = (
    "x",
    "input",
    "input_tensor",
    "tensor",
    "features",
    "logits",
    "value",
    "values",
    "a",
    "t",
    "params",
    "reference",
    "variables",
)


def axis_of(call: Call, default: int = -1) -> int:
    """Return the one axis that a call names.

    Args:
        call: The call.
        default: The axis of a call that names none.

    Raises:
        NoForm: It names several, or none at all.
    """
    axis = call.plain("axis", "dim", default=default)
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    if not isinstance(axis, int):
        raise NoForm
    return axis
