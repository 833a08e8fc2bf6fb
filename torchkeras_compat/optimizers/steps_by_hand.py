"""Steps that a user makes with an optimizer by hand: from a loss, from gradients, or as an update of a graph."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor

from .._core.symbolic import SymbolicTensor
from .clipping import Clipping
from .get_updates import SymbolicGradients, loss_and_params, step_when_run, weights_before
from .gradients import in_layout, split
from .slots import SlotTable
from .written_methods import WrittenMethods


class StepsByHand(WrittenMethods):
    """What an optimizer has for training loops of one's own."""

    # What it asks of the optimizer.
    _slots: SlotTable
    symbolic_gradients: SymbolicGradients

    @property
    def clipping(self) -> Clipping:
        """How gradients are clipped."""
        raise NotImplementedError

    def minimize(
        self,
        loss: Any,
        var_list: Any = None,
        tape: Any = None,
        *,
        grad_loss: Any = None,
        name: str | None = None,
        global_step: Any = None,
    ) -> Any:
        """Make one step against the gradients of a loss, and return the number of steps made.

        Of a symbolic loss a step is made each time that a session runs what this returns, or `K.function` computes it.

        Args:
            loss: A tensor that was computed from the weights, or a function without arguments that computes it, or a
                symbolic tensor. Of several elements the sum counts.
            var_list: The weights to change, or a function that returns them; if `None`, all that the optimizer is bound
                to, or that a symbolic loss is computed from.
            tape: Anything with a method `gradient(loss, var_list)`; autograd needs none.
            grad_loss: The weight of each element of the loss.
            name: Accepted; it has no effect in Keras either.
            global_step: A variable that counts one more.

        Raises:
            ValueError: No weights are known, or the loss depends on none of them.

        Example:
            >>> from torchkeras_compat import backend as K
            >>> from torchkeras_compat.optimizers import SGD
            >>> v = K.variable([1.0, 2.0])
            >>> SGD(0.1).minimize(lambda: K.sum(v * v), [v])
            1
            >>> v.numpy()
            array([0.8, 1.6], dtype=float32)
        """
        if self.own_methods:
            return self.apply_pairs(self.pairs_to_apply(loss, var_list, tape, grad_loss))
        owner = f"{type(self).__name__}.minimize"
        if isinstance(loss, SymbolicTensor):
            weights = weights_before(loss) if var_list is None else var_list() if callable(var_list) else list(var_list)
            return step_when_run(functools.partial(self.apply_gradients, global_step=global_step), loss, weights)[0]
        entries = self._by_weight.gradients_of(owner, loss, var_list, tape, grad_loss)
        constrained = [w for binding in self._slots.bindings for w in binding.constrained] if var_list is None else []
        return self._by_weight.step(owner, entries, constrained, global_step)

    def compute_gradients(
        self, loss: Any, var_list: Any = None, tape: Any = None, grad_loss: Any = None
    ) -> list[tuple[Tensor | None, Tensor]]:
        """Return pairs of gradient and weight, as `apply_gradients` takes them.

        Args:
            loss: As in `minimize`.
            var_list: As in `minimize`.
            tape: As in `minimize`.
            grad_loss: As in `minimize`.

        Example:
            >>> from torchkeras_compat import backend as K
            >>> from torchkeras_compat.optimizers import SGD
            >>> v = K.variable(3.0)
            >>> SGD().compute_gradients(lambda: v * v, [v])[0][0]
            tensor(6.)
        """
        owner = f"{type(self).__name__}.compute_gradients"
        entries = self._by_weight.gradients_of(owner, loss, var_list, tape, grad_loss)
        return [(in_layout(entry.variable, entry.grads), entry.variable) for entry in entries]

    def _compute_gradients(
        self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None
    ) -> list[tuple[Tensor | None, Tensor]]:
        """Do what `compute_gradients` does; the name that the classes of `optimizers.legacy` have for it."""
        return self.compute_gradients(loss, var_list, tape, grad_loss)

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Any, Tensor]],
        name: str | None = None,
        skip_gradients_aggregation: bool = False,
        experimental_aggregate_gradients: bool = True,
        *,
        global_step: Any = None,
    ) -> int:
        """Make one step from pairs of gradient and weight, and return the number of steps made.

        Args:
            grads_and_vars: `zip(gradients, model.trainable_weights)`; gradients are tensors or arrays in the layout of
                the weights.
            name: Accepted; it has no effect in Keras either.
            skip_gradients_aggregation: Accepted; on one device there is nothing to add up.
            experimental_aggregate_gradients: Accepted, likewise.
            global_step: A variable that counts one more.

        Raises:
            ValueError: Not one gradient was given, or one has another shape than its weight.
        """
        owner = f"{type(self).__name__}.apply_gradients"
        entries = [split(owner, gradient, variable) for gradient, variable in grads_and_vars]
        return self._by_weight.step(owner, entries, (), global_step)

    def aggregate_gradients(self, grads_and_vars: Iterable[tuple[Any, Tensor]]) -> list[tuple[Any, Tensor]]:
        """Return pairs of gradient and weight as they are: on one device there is nothing to add up.

        Args:
            grads_and_vars: The pairs.
        """
        return list(grads_and_vars)

    def get_gradients(self, loss: Any, params: Sequence[Tensor]) -> list[Any]:
        """Return the clipped gradients of `loss` by `params`; symbolic ones where the loss is symbolic.

        Args:
            loss: A tensor, or a symbolic one such as `model.total_loss`.
            params: Weights.

        Raises:
            ValueError: The loss does not depend on one of them.
        """
        return self.symbolic_gradients.of(loss, params, self.clipping)

    def get_updates(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Return the update that `K.function(inputs, outputs, updates)` makes: one step from a symbolic loss.

        A subclass may write its own, from `self.get_gradients(loss, params)` and `K.update`, as in classic Keras;
        training then evaluates what it returns at each step.

        Args:
            args: `(loss, params)`, or `(params, constraints, loss)` as in Keras 1.
            kwargs: The same by name.

        Raises:
            NotImplementedError: A loss that is not symbolic.
        """
        loss, params = loss_and_params(type(self).__name__, args, kwargs)
        return list(step_when_run(self.apply_gradients, loss, params))
