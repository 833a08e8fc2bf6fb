"""Optimizers whose step a user wrote, a variable at a time, and what such code asks of its base class.

Keras 2.11 to 2.15 call `update_step(gradient, variable)`, tf.keras before them `_resource_apply_dense(grad, var)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from .. import initializers
from .._core import settings
from .._core.errors import argument_error
from .._core.user_tensors import call_user
from .._core.weights import Variable
from ..backend.variables import variable as make_variable
from .float_scalars import FloatScalar
from .hyperparameters import Hyperparameter
from .schedules import LearningRateSchedule, serialize

WRITTEN = ("update_step", "_resource_apply_dense")


class WrittenSteps:
    """What an optimizer has for a subclass that writes its step a variable at a time."""

    has_own_steps: ClassVar[bool] = False  # whether a user wrote it so
    _rate_of_step: float | None = None
    _prepared: tuple[Any, ...] = ()  # the variables that it was built for

    # What it asks of the optimizer.
    learning_rate: Any
    weight_decay: float | None
    use_ema: bool
    initial_decay: float
    iterations: Any
    current_rate: Callable[[], float]

    @classmethod
    def _note_written_steps(cls) -> None:
        cls.has_own_steps = cls.has_own_steps or any(name in cls.__dict__ for name in WRITTEN)

    @property
    def rate_of_step(self) -> float:
        """The learning rate of the step that is made, or was made last, as Keras has it under a schedule."""
        return self.current_rate() if self._rate_of_step is None else self._rate_of_step

    # --- the step ------------------------------------------------------------------------------------------------

    def prepare_variables(self, variables: Sequence[Any]) -> None:
        """Call the user's `build` or `_create_slots` where there are variables that it was not called for."""
        if self.use_ema:
            name = type(self).__name__
            raise argument_error(name, "use_ema", "False; an update_step of your own may keep its averages", True)
        if {*map(self._var_key, variables)} <= {*map(self._var_key, self._prepared)}:
            return
        self._prepared = tuple(variables)
        call_user(self._create_slots if hasattr(self, "_resource_apply_dense") else self.build, list(variables))

    def step_variables(self, variables: Sequence[Any], grads: Sequence[Tensor]) -> None:
        """Make one step, without clipping and counting.

        Args:
            variables: The weights.
            grads: Their gradients, already clipped, in Keras's layout.
        """
        step = getattr(self, "update_step", None) or getattr(self, "_resource_apply_dense")  # noqa: B009
        self._rate_of_step = self.current_rate()
        decay = (self.weight_decay or 0.0) * self._rate_of_step
        with torch.no_grad():
            for variable, grad in zip(variables, grads):
                if decay:
                    variable.assign_sub(variable * decay)
                call_user(step, grad, variable)

    # --- Keras 2.11 to 2.15 --------------------------------------------------------------------------------------

    _index_dict: dict[str, int]

    def build(self, var_list: Sequence[Any]) -> None:
        """Make the state for some weights before the first step.

        Args:
            var_list: `model.trainable_variables`.
        """
        self._index_dict = {self._var_key(variable): i for i, variable in enumerate(var_list)}

    def _var_key(self, variable: Any) -> str:
        """Return the key of a variable in `_index_dict`."""
        return f"{id(variable._weight) if isinstance(variable, Variable) else id(variable)}"

    def add_variable(
        self, shape: Any, dtype: Any = None, initializer: Any = "zeros", name: str | None = None
    ) -> Variable:
        """Return a variable of the optimizer's own, which is part of its state.

        Args:
            shape: Its shape.
            dtype: Its type.
            initializer: What it begins with.
            name: Its name.
        """
        made = initializers.get(initializer)(tuple(int(n) for n in shape))
        return self._kept(make_variable(made, dtype=dtype, name=name))

    def add_variable_from_reference(
        self, model_variable: Any, variable_name: str, shape: Any = None, initial_value: Any = None
    ) -> Variable:
        """Return a variable of the shape, type and device of another one, which is part of the optimizer's state.

        Args:
            model_variable: The other one.
            variable_name: Its name.
            shape: Another shape.
            initial_value: What it begins with, zeros if `None`.
        """
        like = model_variable.value() if isinstance(model_variable, Variable) else model_variable
        size = tuple(like.shape) if shape is None else tuple(int(n) for n in shape)
        start = torch.zeros(size, dtype=like.dtype, device=like.device) if initial_value is None else initial_value
        return self._kept(make_variable(start, dtype=settings.dtype_name(like.dtype), name=variable_name))

    def _kept(self, made: Variable) -> Variable:
        self.__dict__.setdefault("_own_variables", []).append(made)
        return made

    def _build_learning_rate(self, learning_rate: Any) -> Any:
        """Take on a learning rate, and return it as it is then."""
        self.learning_rate = learning_rate
        return learning_rate if isinstance(learning_rate, LearningRateSchedule) else self.learning_rate

    def _serialize_hyperparameter(self, hyperparameter: Any) -> Any:
        """Return a hyperparameter, or that of a name, as configurations hold it."""
        value = self._get_hyper(hyperparameter) if isinstance(hyperparameter, str) else hyperparameter
        if isinstance(value, LearningRateSchedule):
            return serialize(value)
        return float(value) if isinstance(value, (Hyperparameter, Tensor, np.ndarray, np.generic)) else value

    # --- tf.keras before them ------------------------------------------------------------------------------------

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Make the slots; a subclass that has some writes it."""

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Variable:
        """Return the slot of a variable, made at the first call.

        Args:
            var: The variable.
            slot_name: The name of the slot.
            initializer: What it begins with: an initializer, or a value.
            shape: Its shape, that of the variable if `None`.
        """
        slots = self.__dict__.setdefault("_own_slots", {})
        key = (self._var_key(var), slot_name)
        if key not in slots:
            size = tuple(var.shape) if shape is None else tuple(shape)
            named = isinstance(initializer, (str, dict)) or callable(initializer)
            start = initializers.get(initializer)(size) if named else initializer
            slots[key] = self.add_variable_from_reference(var, slot_name, size, start)
        slot: Variable = slots[key]
        return slot

    def get_slot(self, var: Any, slot_name: str) -> Variable:
        """Return a slot that `add_slot` made."""
        slot: Variable = self.__dict__["_own_slots"][self._var_key(var), slot_name]
        return slot

    @property
    def _initial_decay(self) -> float:
        """The `decay` that the constructor was given, which a subclass hands to `_set_hyper`."""
        return self.initial_decay

    def _set_hyper(self, name: str, value: Any) -> None:
        """Take on a hyperparameter."""
        if name in ("learning_rate", "lr"):
            self.learning_rate = value
        else:
            self.__dict__.setdefault("_hyper", {})[name] = value

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        """Return a hyperparameter."""
        if name in ("learning_rate", "lr"):
            return self.learning_rate
        value = self.__dict__["_hyper"][name]
        return value() if callable(value) and not isinstance(value, LearningRateSchedule) else value

    def _decayed_lr(self, var_dtype: Any = None) -> FloatScalar:
        """Return the learning rate of the step: what a schedule says, and `decay` makes of it."""
        return FloatScalar(self.current_rate() / (1.0 + self.initial_decay * int(self.iterations)))


class OwnVariables:
    """The state of an optimizer that makes variables of its own: it goes to files in their order.

    Args:
        optimizer: The optimizer.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer

    def tensors(self) -> list[Any]:
        """Return the variables."""
        return list(self.optimizer.__dict__.get("_own_variables", ()))

    def arrays(self) -> list[np.ndarray[Any, Any]]:
        """Return the counter and the variables as arrays."""
        counter = np.asarray(int(self.optimizer._iterations), np.int64)
        return [counter, *(variable.numpy().copy() for variable in self.tensors())]

    def set_arrays(self, weights: Sequence[Any]) -> None:
        """Set the counter and the variables from arrays in the order of `arrays`.

        Raises:
            ValueError: Their number or one of their shapes is wrong; nothing is changed then.
        """
        variables = self.tensors()
        if len(weights) != 1 + len(variables):
            raise ValueError(
                f"{self.optimizer.name}: set_weights needs {1 + len(variables)} arrays; got {len(weights)}."
            )
        for variable, value in zip(variables, weights[1:]):
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"{self.optimizer.name}: {variable.name!r} has shape {tuple(variable.shape)}; got "
                    f"{tuple(np.shape(value))}."
                )
        self.optimizer.iterations = int(np.asarray(weights[0]))
        for variable, value in zip(variables, weights[1:]):
            variable.assign(value)
