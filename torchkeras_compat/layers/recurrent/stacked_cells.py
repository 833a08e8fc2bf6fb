"""`StackedRNNCells`: several cells as one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ..._core import registry
from ..._core.config import plain
from ..._core.errors import argument_error, show
from ..._core.ownership import is_ours
from ..._core.user_tensors import call_user
from ..base import ROW_WISE, Layer
from .cells import AbstractRNNCell, RecurrentCell
from .states import batch_shapes, first_size, initial_states, packed


def check_cell(owner: str, argument: str, cell: Any) -> Any:
    """Return a cell; a configuration becomes one.

    Args:
        owner: Who takes it.
        argument: The name of the argument.
        cell: A layer or object with `call(inputs, states)` and `state_size`, or the configuration of a layer.

    Raises:
        ValueError: Something else.
    """
    if isinstance(cell, dict):
        cell = registry.get("layer", cell)
    is_class = isinstance(cell, type)
    if is_class or not callable(getattr(cell, "call", None)) or not has_state_size(cell):
        expected = "a cell: an object with call(inputs, states) and state_size, such as LSTMCell(units)"
        raise argument_error(owner, argument, expected, cell)
    return cell


def has_state_size(cell: Any) -> bool:
    """Tell whether something says the sizes of its states; a property that depends on `build` counts."""
    return hasattr(type(cell), "state_size") or "state_size" in dir(cell)


def call_cell(cell: Any, inputs: Any, states: Any, constants: Sequence[Any] | None, training: bool) -> Any:
    """Return the output and the new states of one step.

    Args:
        cell: A layer, or a plain object with `call(inputs, states)`.
        inputs: The inputs of the step.
        states: The states before.
        constants: What a cell that has an argument of this name gets in each step.
        training: The mode, for a cell that has such an argument.
    """
    accepted = takes(cell)
    options: dict[str, Any] = {"training": training} if "training" in accepted or isinstance(cell, Layer) else {}
    if constants is not None and "constants" in accepted:
        options["constants"] = constants
    if isinstance(cell, Layer):
        return cell(inputs, states, **options)
    return call_user(cell.call, inputs, states, **options)


def takes(cell: Any) -> frozenset[str]:
    """Return the names of the arguments of a cell's `call`."""
    return _arguments_of(getattr(cell.call, "__func__", cell.call))


@functools.lru_cache(maxsize=256)
def _arguments_of(function: Any) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


@registry.register("layer")
class StackedRNNCells(AbstractRNNCell):
    """Several cells as one: at each step the output of each is the input of the next.

    Args:
        cells: The cells, the first one first.
        reverse_state_order: Whether the states are listed from the last cell to the first, as before Keras 2.1.6;
            from TensorFlow 2 on a step takes and gives them in the cells' order all the same.
        kwargs: The arguments of every layer.

    Shape:
        Input: that of the first cell, and a list with the states of each cell. Output: that of the last cell, and the
        new states.

    Raises:
        ValueError: Something among `cells` is no cell.

    Example:
        >>> import torchkeras_compat as keras
        >>> cells = keras.layers.StackedRNNCells([keras.layers.LSTMCell(8), keras.layers.GRUCell(4)])
        >>> cells.state_size, cells.output_size
        (([8, 8], 4), 4)
    """

    _class_traits = ROW_WISE

    def __init__(self, cells: Sequence[Any], reverse_state_order: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        if not isinstance(cells, (list, tuple)) or not cells:
            raise argument_error(owner, "cells", "a list of cells", cells)
        self.cells = [check_cell(owner, "cells", cell) for cell in cells]
        self.reverse_state_order = bool(reverse_state_order)
        for i, cell in enumerate(self.cells):
            if isinstance(cell, nn.Module):
                self.add_module(f"cell_{i}", cell)

    def _in_state_order(self, values: Sequence[Any]) -> list[Any]:
        return list(values)[::-1] if self.reverse_state_order else list(values)

    def _in_order_of_steps(self, values: Sequence[Any]) -> list[Any]:
        """Return what belongs to cells in the order in which a step takes and gives their states."""
        sizes = [cell.state_size for cell in self.cells]
        # Where the sizes differ, Keras fails in a dialect that does not reverse them.
        reverses = self._rules.stacked_states_reversed or self._in_state_order(sizes) != sizes
        return self._in_state_order(values) if reverses else list(values)

    @property
    def state_size(self) -> tuple[Any, ...]:
        """The sizes of the states of each cell."""
        return tuple(self._in_state_order([cell.state_size for cell in self.cells]))

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return first_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        """Build each cell for the output of the one before."""
        device = torch.empty(0).device
        for cell in self.cells:
            if isinstance(cell, Layer):
                cell._build_from(input_shape, device)
            input_shape = batch_shapes(first_size(cell), input_shape[0])

    def call(self, inputs: Any, states: Any, constants: Sequence[Any] | None = None, training: bool = False) -> Any:
        """Return the output of the last cell, and the new states of all.

        Args:
            inputs: The inputs of the step.
            states: The states before, in a list by cell, or all of them in a row.
            constants: For the cells that take such an argument.
            training: The mode.
        """
        size = self.state_size
        after = []
        for cell, state in zip(self.cells, self._in_order_of_steps(packed(size, states, self))):
            held = list(state) if isinstance(state, (list, tuple)) else [state]
            inputs, state = call_cell(cell, inputs, held, constants, training)
            after.append(state)
        return inputs, packed(size, self._in_order_of_steps(after), self)

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """Return the first states of each cell.

        Args:
            inputs: Tells batch size and type where it is given.
            batch_size: The number of samples.
            dtype: The type of the states.
        """
        if inputs is not None:
            batch_size, dtype = inputs.shape[0], inputs.dtype
        if batch_size is None:
            raise ValueError(f"{self}.get_initial_state: give inputs, or batch_size and dtype; got {show(inputs)}.")
        made = [initial_states(cell, batch_size, dtype) for cell in self.cells]
        return tuple(self._in_state_order(made))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, and those of the states."""
        batch = input_shape[0]
        return batch_shapes(self.output_size, batch), batch_shapes(self.state_size, batch)

    def _walkers(self) -> list[RecurrentCell] | None:
        """Return the cells that walk over a sequence one behind the other; `None` where each step has to be called."""
        if not is_ours(type(self)) or self.reverse_state_order:
            return None
        walkers: list[RecurrentCell] = []
        for cell in self.cells:
            inner = cell._walkers() if isinstance(cell, (RecurrentCell, StackedRNNCells)) else None
            if inner is None:
                return None
            walkers += inner
        return walkers

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make equal cells."""
        config = super().get_config()
        config["cells"] = [plain(cell) for cell in self.cells]
        if not self.reverse_state_order:
            del config["reverse_state_order"]  # as in Keras's files
        return config
