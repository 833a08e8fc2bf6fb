"""Optimizers of which a user wrote what lies around the formula: how gradients are found, or what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from torch import Tensor

from .._core.dialects import Rules
from .._core.user_tensors import call_user, hand_out
from .gradients import split
from .steps_by_weight import StepsByWeight

# What Keras's `fit` calls of an optimizer, in the order of the calls.
CALLED = ("minimize", "compute_gradients", "_compute_gradients", "get_gradients", "apply_gradients")


class WrittenMethods:
    """What an optimizer has for a subclass that changes the gradients on their way, as centralization of them does."""

    _own_methods: ClassVar[frozenset[str]] = frozenset()
    has_own_updates: ClassVar[bool]

    # What it asks of the optimizer.
    _rules: Rules
    compute_gradients: Callable[..., list[tuple[Tensor | None, Tensor]]]
    get_gradients: Callable[..., list[Any]]
    apply_gradients: Callable[..., int]
    _by_weight: StepsByWeight

    @classmethod
    def _note_written_methods(cls) -> None:
        cls._own_methods = cls._own_methods | {name for name in CALLED if name in cls.__dict__}

    @property
    def own_methods(self) -> frozenset[str]:
        """The methods that a user wrote and training calls."""
        return self._own_methods if self._rules.asks_get_gradients else self._own_methods - {"get_gradients"}

    def pairs_to_apply(
        self, loss: Any, var_list: Any, tape: Any = None, grad_loss: Any = None
    ) -> Sequence[tuple[Any, Tensor]]:
        """Return pairs of gradient and weight, found by the methods that a user wrote.

        Args:
            loss: As in `minimize`.
            var_list: As in `minimize`.
            tape: As in `minimize`.
            grad_loss: As in `minimize`.
        """
        own = self.own_methods
        if "get_gradients" in own:
            variables = list(var_list() if callable(var_list) else var_list)
            return list(zip(self.get_gradients(hand_out(loss), variables), variables))
        more: dict[str, Any] = {} if tape is None else {"tape": tape}
        if grad_loss is not None:
            more["grad_loss"] = grad_loss
        name = next((one for one in ("compute_gradients", "_compute_gradients") if one in own), "compute_gradients")
        pairs: Iterable[tuple[Any, Tensor]] = getattr(self, name)(hand_out(loss), var_list, **more)
        return list(pairs)

    def apply_pairs(self, pairs: Sequence[tuple[Any, Tensor]]) -> int:
        """Make one step from what `pairs_to_apply` returned; `get_gradients` has clipped them already.

        Args:
            pairs: Pairs of gradient and weight.
        """
        if "apply_gradients" in self.own_methods:
            made: int = call_user(self.apply_gradients, list(pairs))
            return made
        owner = f"{type(self).__name__}.minimize"
        entries = [split(owner, gradient, variable) for gradient, variable in pairs]
        return self._by_weight.step(owner, entries, (), None, clip="get_gradients" not in self.own_methods)
