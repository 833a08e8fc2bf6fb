"""Steps that a user makes by hand, from a loss or from gradients of weights: `minimize` and `apply_gradients`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from torch import Tensor

from .._core.border import user_stacklevel
from .._core.errors import argument_error
from .._core.user_tensors import plain_torch
from .._core.weights import Codec, Variable, Weight
from .clipping import Clipping
from .gradients import WeightGradient, gradients_by_parameter, in_layout, loss_value, parameters, split
from .hyperparameters import Iterations
from .slots import Binding, SlotOwner, gather_reached, name_parameters


class BoundOptimizer(SlotOwner, Protocol):
    """What steps by weight need of their optimizer."""

    param_groups: list[dict[str, Any]]

    has_own_steps: ClassVar[bool]
    iterations: Any

    @property
    def clipping(self) -> Clipping:
        """How gradients are clipped."""

    def prepare_variables(self, variables: Sequence[Any]) -> None:
        """Let a user's step make its state."""

    def step_variables(self, variables: Sequence[Any], grads: Sequence[Tensor]) -> None:
        """Make a step that a user wrote."""

    def take_awaited(self) -> None:
        """Take the state that was restored before there were slots."""

    def bind(
        self,
        named_params: Iterable[tuple[str, Tensor]],
        codecs: Mapping[str, Codec] | None = None,
        constrained: Sequence[Weight] = (),
        table: Sequence[Weight] = (),
    ) -> Binding:
        """Take on parameters."""


class StepsByWeight:
    """Finds the gradients of weights and makes the step of one optimizer from them.

    Args:
        optimizer: The optimizer.
    """

    def __init__(self, optimizer: BoundOptimizer) -> None:
        self.optimizer = optimizer

    def gradients_of(self, owner: str, loss: Any, var_list: Any, tape: Any, grad_loss: Any) -> list[WeightGradient]:
        """Return the gradients of a loss by weights; the arguments are those of `minimize`.

        Args:
            owner: Who asks, for errors.
            loss: The loss, or a function that computes it.
            var_list: The weights, or a function that returns them; all that are bound and reached if `None`.
            tape: What finds the gradients, autograd if `None`.
            grad_loss: The weight of each element of the loss.
        """
        variables = self._weights(owner, var_list)
        if tape is not None:
            if not callable(getattr(tape, "gradient", None)):
                raise argument_error(owner, "tape", "an object with gradient(loss, variables)", tape, TypeError)
            target = loss() if callable(loss) and not isinstance(loss, Tensor) else loss
            return [split(owner, g, v) for g, v in zip(tape.gradient(target, variables), variables)]
        behind = [parameters(variable) for variable in variables]
        gradient = gradients_by_parameter(loss_value(owner, loss), [p for params in behind for p in params], grad_loss)
        entries = [WeightGradient(v, params, [gradient(p) for p in params]) for v, params in zip(variables, behind)]
        return entries if var_list is not None else [entry for entry in entries if entry.reached] or entries

    def _weights(self, owner: str, var_list: Any) -> list[Tensor]:
        if var_list is None:
            bound: list[Tensor] = self.optimizer.param_groups[0]["params"]
            if not bound:
                method = owner.rpartition(".")[2]
                raise ValueError(
                    f"{owner}: the optimizer serves no weights yet; name them, as in "
                    f"{method}(loss, model.trainable_variables)."
                )
            return bound
        variables = list(var_list() if callable(var_list) else var_list)
        for variable in variables:
            if not isinstance(variable, Tensor):
                raise argument_error(owner, "var_list", "weights, as model.trainable_variables", variable, TypeError)
        return variables

    def step(
        self,
        owner: str,
        entries: Sequence[WeightGradient],
        constrained: Sequence[Weight],
        global_step: Any,
        clip: bool = True,
    ) -> Iterations:
        """Make one step, apply the constraints of what was stepped, and return the number of steps made.

        Args:
            owner: Who asks, for errors.
            entries: The weights and their gradients.
            constrained: More weights whose constraints apply.
            global_step: A variable that counts one more, or `None`.
            clip: Whether the gradients are still to be clipped.

        Raises:
            ValueError: Not one of the weights has a gradient.
        """
        reached = [entry for entry in entries if entry.reached]
        if entries and not reached:
            raise ValueError(f"{owner}: no gradient was given for any weight.")
        if missing := len(entries) - len(reached):
            warnings.warn(f"{owner}: {missing} weights have no gradient.", stacklevel=user_stacklevel())
        with plain_torch():  # a user's method may have called, whose tensors have Keras's manners
            self._step_reached(reached, constrained, clip)
        if global_step is not None:
            global_step.assign_add(1)
        made: Iterations = self.optimizer.iterations
        return made

    def _step_reached(self, reached: Sequence[WeightGradient], constrained: Sequence[Weight], clip: bool) -> None:
        """Make a step of weights that have a gradient."""
        if reached:
            weights = [entry.variable._weight for entry in reached if isinstance(entry.variable, Variable)]
            params = [param for entry in reached for param in entry.params]
            self._bind_new(weights, params)
            if self.optimizer.has_own_steps:
                self._step_variables(reached)
            else:
                grads = [grad for entry in reached for grad in entry.grads]
                self.optimizer.step_groups(gather_reached(self.optimizer, params, grads), clip=clip)
            for weight in [*weights, *constrained]:
                weight.constrain()

    def _step_variables(self, entries: Sequence[WeightGradient]) -> None:
        """Make one step that a user wrote a variable at a time."""
        variables = [entry.variable for entry in entries]
        grads = [in_layout(entry.variable, entry.grads) for entry in entries]
        self.optimizer.prepare_variables(variables)
        self.optimizer.take_awaited()
        self.optimizer.step_variables(variables, self.optimizer.clipping([g for g in grads if g is not None]))
        self.optimizer.iterations += 1

    def build(self, variables: Sequence[Tensor]) -> None:
        """Bind weights and make their slots."""
        weights = [variable._weight for variable in variables if isinstance(variable, Variable)]
        params = [param for variable in variables for param in parameters(variable)]
        self._bind_new(weights, params)
        self.optimizer.slots_of_each(params)

    def _bind_new(self, weights: Sequence[Weight], params: Sequence[Tensor]) -> None:
        """Bind parameters of weights, and others, that the optimizer does not serve yet."""
        known = set(self.optimizer.param_groups[0]["params"])
        if known.issuperset(params):
            return
        named, codecs = name_parameters(weights, known)
        known.update(named.values())
        others = [(str(i), param) for i, param in enumerate(params) if param not in known]
        constrained = [w for w in weights if w.constraint is not None]
        self.optimizer.bind([*named.items(), *others], codecs, constrained, weights)
