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
from .._core.user_tensors import call_user, plain_torch
from .._core.weights import Variable
from ..backend.variables import variable as make_variable
from .float_scalars import FloatScalar
from .foreach import Tensors
from .gradients import split
from .hyperparameters import Hyperparameter
from .schedules import LearningRateSchedule, serialize
from .slot_variables import Place
from .slots import Scalars, Slots
from .steps_by_weight import StepsByWeight
from .weight_io import WeightIO

WRITTEN = ("update_step", "_resource_apply_dense")


class WrittenSteps:
    """What an optimizer has for a subclass that writes its step a variable at a time."""

    has_own_steps: ClassVar[bool] = False  # whether a user wrote it so
    _own_step: ClassVar[str] = ""  # which of the two methods
    has_formula: ClassVar[bool] = False  # whether there is a step to fall back on: that of Adam, say
    _rate_of_step: float | None = None
    _prepared: tuple[Any, ...] = ()  # the variables that it was built for

    # What it asks of the optimizer.
    learning_rate: Any
    weight_decay: float | None
    use_ema: bool
    initial_decay: float
    iterations: Any
    _iterations: Any
    _by_weight: StepsByWeight
    scalars: Callable[[int], dict[str, float]]
    slots_of_each: Callable[[Sequence[Tensor]], Slots]
    _update: Callable[[Tensors, Tensors, Slots, Scalars], None]
    current_rate: Callable[[], float]

    @classmethod
    def _note_written_steps(cls) -> None:
        cls._own_step = next((name for name in WRITTEN if name in cls.__dict__), cls._own_step)
        cls.has_own_steps = bool(cls._own_step)

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
        call_user(self._create_slots if self._own_step == "_resource_apply_dense" else self.build, list(variables))

    def step_variables(self, variables: Sequence[Any], grads: Sequence[Tensor]) -> None:
        """Make one step, without clipping and counting.

        Args:
            variables: The weights.
            grads: Their gradients, already clipped, in Keras's layout.
        """
        step = getattr(self, self._own_step)
        self._rate_of_step = self.current_rate()
        decay = (self.weight_decay or 0.0) * self._rate_of_step
        with torch.no_grad():
            for variable, grad in zip(variables, grads):
                if decay:
                    variable.assign_sub(variable * decay)
                call_user(step, grad, variable)

    def update_step(self, gradient: Any, variable: Any) -> None:
        """Make the step of this optimizer's formula for one weight; a subclass calls it from a step of its own.

        Args:
            gradient: The gradient, in the layout of the weight.
            variable: The weight.

        Raises:
            NotImplementedError: There is no formula: the subclass must write its own.
        """
        owner = type(self).__name__
        if not self.has_formula:
            raise NotImplementedError(f"{owner} must write update_step(self, gradient, variable).")
        entry = split(f"{owner}.update_step", gradient, variable)
        self._by_weight.build([variable])
        with torch.no_grad(), plain_torch():
            grads = [grad.clone() for grad in entry.grads if grad is not None]  # which the formula may write into
            self._update(list(entry.params), grads, self.slots_of_each(entry.params), self.scalars(self._iterations))

    # --- Keras 2.11 to 2.15 --------------------------------------------------------------------------------------

    _index_dict: dict[str, int]

    def build(self, var_list: Sequence[Any]) -> None:
        """Make the state for some weights before the first step.

        Args:
            var_list: `model.trainable_variables`.
        """
        self._index_dict = {self._var_key(variable): i for i, variable in enumerate(var_list)}
        if self.has_formula:
            self._by_weight.build(var_list)

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

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any = None) -> None:
        """Do what `update_step` does; the classes of `optimizers.legacy` call it so.

        Args:
            grad: The gradient.
            var: The weight.
            apply_state: Accepted; numbers are looked up.
        """
        self.update_step(grad, var)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Make the slots of the formula; a subclass that has some of its own writes it."""
        if self.has_formula:
            self._by_weight.build(var_list)

    def _create_all_weights(self, var_list: Sequence[Any]) -> None:
        """Make the state for some weights before the first step; a subclass may make more.

        Args:
            var_list: `model.trainable_variables`.
        """
        if self.has_own_steps:
            self.prepare_variables(list(var_list))
        else:
            self._by_weight.build(list(var_list))

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

    def _added_slot(self, var: Any, slot_name: str) -> Variable | None:
        """Return a slot that `add_slot` made, `None` where it made none of that name."""
        slots: dict[tuple[str, str], Variable] = self.__dict__.get("_own_slots", {})
        return slots.get((self._var_key(var), slot_name))

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


class OwnVariables(WeightIO):
    """The state of an optimizer that makes variables of its own: behind the slots of its formula, in their order.

    Args:
        optimizer: The optimizer.
    """

    optimizer: Any

    def order(self) -> list[Place]:
        """Return the slots that the user's code has let the formula make."""
        state = self.optimizer.state
        held = [place for place in super().order() if self.optimizer.has_formula]
        return [p for p in held if all(param in state and p.name in state[param] for param in p.params)]

    def tensors(self) -> list[Any]:
        """Return the variables."""
        return [*self.variables(self.order()), *self.optimizer.__dict__.get("_own_variables", ())]

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
