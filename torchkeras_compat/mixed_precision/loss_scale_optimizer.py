"""`LossScaleOptimizer`: an optimizer around another one, for gradients that float16 would lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .. import optimizers
from .._core import registry
from .._core.errors import argument_error, show
from .._core.user_tensors import hand_out, take_back
from ..optimizers.clipping import Clipping
from ..optimizers.foreach import Tensors
from ..optimizers.gradients import WeightGradient, in_layout
from ..optimizers.optimizer import Optimizer
from ..optimizers.slots import Gradients, Scalars, Slots
from ..optimizers.steps_by_weight import StepsByWeight
from ..optimizers.weight_io import SlotGroups
from .loss_scale import Kept, LossScale, all_finite

INITIAL_SCALE = 2.0**15
GROWTH_STEPS = 2000
_OWN = frozenset({"inner_optimizer", "dynamic", "_scale", "_by_weight", "_rules", "_dialect"})


@registry.register("optimizer")
class LossScaleOptimizer(Optimizer):
    """Scales the loss, so that small gradients survive in float16, and takes the scale off the gradients again.

    With a dynamic scale, a step whose gradients are not all finite changes no weight, and halves the scale; it counts
    in `iterations` all the same, as in Keras.  What it is asked beside that, such as its learning rate, is asked of the
    optimizer inside, and what is set is set there.  `compile` makes one by itself for a model under `mixed_float16`.

    Args:
        inner_optimizer: The optimizer that makes the steps.
        dynamic: Whether the scale follows the gradients.
        initial_scale: The scale to begin with, 2**15 if `None`; a fixed scale has to be given.
        dynamic_growth_steps: After how many finite steps in a row the scale doubles, 2000 if `None`.

    Raises:
        TypeError: No optimizer of this package, another `LossScaleOptimizer`, or `dynamic` is no bool.
        ValueError: A fixed scale that is not given, or that has growth steps.

    Source:
        Keras 2.15; Micikevicius et al., 2018.

    Example:
        >>> from torchkeras_compat.mixed_precision import LossScaleOptimizer
        >>> from torchkeras_compat.optimizers import SGD
        >>> optimizer = LossScaleOptimizer(SGD(0.1), initial_scale=1024)
        >>> float(optimizer.loss_scale), optimizer.learning_rate
        (1024.0, 0.1)
    """

    inner_optimizer: Optimizer

    def __init__(
        self,
        inner_optimizer: Any,
        dynamic: bool = True,
        initial_scale: float | None = None,
        dynamic_growth_steps: int | None = None,
    ) -> None:
        owner = type(self).__name__
        _check_inner(owner, inner_optimizer)
        if not isinstance(dynamic, bool):
            raise argument_error(owner, "dynamic", "a bool", dynamic, TypeError)
        if not dynamic and initial_scale is None:
            raise ValueError(f"{owner}(dynamic=False): a fixed scale must be given in initial_scale.")
        if not dynamic and dynamic_growth_steps is not None:
            raise ValueError(
                f"{owner}(dynamic=False, dynamic_growth_steps={dynamic_growth_steps}): a fixed scale does not grow; "
                f"leave dynamic_growth_steps out."
            )
        growth = GROWTH_STEPS if dynamic and dynamic_growth_steps is None else dynamic_growth_steps
        scale = INITIAL_SCALE if initial_scale is None else float(initial_scale)
        self.inner_optimizer = inner_optimizer
        self.dynamic = dynamic
        self._initial_scale = scale
        self._scale = LossScale(scale, growth if growth is None else int(growth))
        self._by_weight = StepsByWeight(self)

    # --- the scale -----------------------------------------------------------------------------------------------

    @property
    def loss_scale(self) -> Tensor:
        """What the loss of the next step is multiplied by, a 0-d tensor of its own."""
        scale: Tensor = hand_out(self._scale.value.clone())
        return scale

    @property
    def dynamic_counter(self) -> Tensor | None:
        """How many finite steps there have been since the scale changed; `None` for a fixed scale."""
        counter: Tensor | None = hand_out(self._scale.good_steps.clone()) if self.dynamic else None
        return counter

    @property
    def initial_scale(self) -> float:
        """The scale to begin with."""
        return self._initial_scale

    @property
    def dynamic_growth_steps(self) -> int | None:
        """After how many finite steps in a row the scale doubles; `None` for a fixed scale."""
        return self._scale.growth_steps

    def move_to(self, device: torch.device) -> None:
        """Have the scale on the device of the gradients; the first step does so by itself."""
        self._scale.move_to(device)

    def get_scaled_loss(self, loss: Any) -> Any:
        """Return a loss times the scale, in the type of the loss.

        Args:
            loss: A tensor, or a function without arguments that computes it; of that a function is returned.

        Example:
            >>> import torch
            >>> from torchkeras_compat.mixed_precision import LossScaleOptimizer
            >>> from torchkeras_compat.optimizers import SGD
            >>> optimizer = LossScaleOptimizer(SGD())
            >>> optimizer.get_scaled_loss(torch.tensor(2.0))
            tensor(65536.)
        """
        if callable(loss) and not isinstance(loss, Tensor):
            return lambda: self.get_scaled_loss(loss())
        self._scale.move_to(loss.device)
        return loss * self._scale.value.to(loss.dtype)

    def get_unscaled_gradients(self, grads: Sequence[Any]) -> list[Any]:
        """Return gradients without the scale.

        Args:
            grads: Gradients of a scaled loss; `None` stays `None`.
        """
        return [None if grad is None else self._unscaled(grad) for grad in grads]

    def _unscaled(self, grad: Tensor) -> Tensor:
        self._scale.move_to(grad.device)
        return grad * self._scale.value.reciprocal().to(grad.dtype)

    # --- steps ---------------------------------------------------------------------------------------------------

    def gradients(self, loss: Tensor, params: Sequence[Tensor]) -> list[Tensor | None]:
        """Return the gradients of a loss by autograd, found at the scaled loss and without its scale."""
        grads = torch.autograd.grad(self.get_scaled_loss(loss), params, allow_unused=True)
        return self.get_unscaled_gradients(grads)

    @torch.no_grad()
    def step_groups(self, gradients: Gradients, scalars: Scalars | None = None, clip: bool = True) -> None:
        """Make one step, or none where a gradient is not finite, and let the scale follow.

        The host does not learn which: the step is made, and put back where it was none.

        Args:
            gradients: Pairs of a group and its gradients, without the scale.
            scalars: The numbers of a step that whoever makes it counts.
            clip: Whether the gradients are still to be clipped.
        """
        tensors = [grad for _, grads in gradients for grad in grads]
        if not self.dynamic or not tensors:
            self.inner_optimizer.step_groups(gradients, scalars, clip)
            return
        self._scale.move_to(tensors[0].device)
        finite = all_finite(tensors)
        kept = Kept(self._changed_by_step(gradients))
        self.inner_optimizer.step_groups(gradients, scalars, clip)
        kept.put_back_unless(finite)
        self._scale.follow(finite)

    def _changed_by_step(self, gradients: Gradients) -> list[Tensor]:
        """Return what the step of some groups writes to: the parameters and their slots, once for each memory."""
        changed: list[Tensor] = []
        for group, _ in gradients:
            flat, slots = getattr(group, "flat", None), getattr(group, "slots", {})
            changed += group.params if flat is None else [flat]
            changed += [slot for held in slots.values() for slot in held]
        return changed

    def minimize(
        self,
        loss: Any,
        var_list: Any = None,
        tape: Any = None,
        *,
        grad_loss: Any = None,
        name: str | None = None,
        global_step: Any = None,
    ) -> int:
        """Make one step against the gradients of a loss, and return the number of steps made.

        Args:
            loss: As in `Optimizer.minimize`, without the scale.
            var_list: As there.
            tape: As there.
            grad_loss: As there.
            name: As there.
            global_step: As there.
        """
        owner = f"{type(self).__name__}.minimize"
        entries = self._entries(owner, loss, var_list, tape, grad_loss)
        bindings = self.inner_optimizer._slots.bindings
        constrained = [w for binding in bindings for w in binding.constrained] if var_list is None else []
        return self._by_weight.step(owner, entries, constrained, global_step)

    def compute_gradients(
        self, loss: Any, var_list: Any = None, tape: Any = None, grad_loss: Any = None
    ) -> list[tuple[Tensor | None, Tensor]]:
        """Return pairs of gradient and weight, found at the scaled loss and without its scale.

        Args:
            loss: As in `Optimizer.minimize`, without the scale.
            var_list: As there.
            tape: As there.
            grad_loss: As there.
        """
        entries = self._entries(f"{type(self).__name__}.compute_gradients", loss, var_list, tape, grad_loss)
        return [(in_layout(entry.variable, entry.grads), entry.variable) for entry in entries]

    def _entries(self, owner: str, loss: Any, var_list: Any, tape: Any, grad_loss: Any) -> list[WeightGradient]:
        scaled = self.get_scaled_loss(loss if callable(loss) and not isinstance(loss, Tensor) else take_back(loss))
        entries = self._by_weight.gradients_of(owner, scaled, var_list, tape, grad_loss)
        return [entry._replace(grads=self.get_unscaled_gradients(entry.grads)) for entry in entries]

    # --- what the optimizer inside answers -----------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        inner = self.__dict__.get("inner_optimizer")
        if inner is None:
            raise AttributeError(f"type object {type(self).__name__!r} has no attribute {name!r}")
        try:
            return getattr(inner, name)
        except AttributeError:
            message = f"{type(self).__name__} and the {type(inner).__name__} inside have no attribute {name!r}."
            raise AttributeError(message) from None

    def __setattr__(self, name: str, value: Any) -> None:
        inner = self.__dict__.get("inner_optimizer")
        if inner is not None and name not in _OWN and not name.startswith("_initial") and hasattr(inner, name):
            setattr(inner, name, value)
        else:
            object.__setattr__(self, name, value)

    elementwise = property(lambda self: self.inner_optimizer.elementwise)
    always_interleaved = property(lambda self: self.inner_optimizer.always_interleaved)

    @property
    def clipping(self) -> Clipping:
        """How gradients are clipped."""
        return self.inner_optimizer.clipping

    @property
    def slot_groups(self) -> SlotGroups:
        """The slots of the optimizer inside."""
        return self.inner_optimizer.slot_groups

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The names of the slots of a weight."""
        return self.inner_optimizer.slot_names

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        """Return the slot `name` of `param` before the first step."""
        return self.inner_optimizer.initial_slot(name, param)

    def scalars(self, iteration: int) -> dict[str, float]:
        """Return the numbers that `update` needs in step `iteration` (from 0)."""
        return self.inner_optimizer.scalars(iteration)

    def update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        """Make one step of the formula, in place, without the scale."""
        self.inner_optimizer.update(params, grads, slots, scalars)

    # --- state and configuration ---------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return torch's state dictionary, with the counter, the scale and the number of finite steps."""
        own = {"loss_scale": float(self._scale.value), "good_steps": int(self._scale.good_steps)}
        return {**self.inner_optimizer.state_dict(), **own}

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` returned; one without a scale leaves the scale as it is."""
        self.inner_optimizer.load_state_dict(state_dict)
        self._scale.value.fill_(state_dict.get("loss_scale", float(self._scale.value)))
        self._scale.good_steps.fill_(state_dict.get("good_steps", int(self._scale.good_steps)))

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer."""
        return {
            "inner_optimizer": optimizers.serialize(self.inner_optimizer),
            "dynamic": self.dynamic,
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> LossScaleOptimizer:
        """Make an optimizer from what `get_config` returned.

        Args:
            config: The configuration.
            custom_objects: The user's own classes by name.
        """
        inner = optimizers.deserialize(config["inner_optimizer"], dict(custom_objects or {}))
        return cls(**{**config, "inner_optimizer": inner})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} loss_scale={float(self._scale.value):g} around {self.inner_optimizer!r}>"


def _check_inner(owner: str, inner: Any) -> None:
    if isinstance(inner, LossScaleOptimizer):
        raise TypeError(f"{owner}: it cannot stand around another LossScaleOptimizer; got {show(inner)}.")
    if not isinstance(inner, Optimizer):
        hint = f"; write optimizers.get({inner!r})" if isinstance(inner, str) else ""
        raise TypeError(f"{owner}: inner_optimizer must be an optimizer of this package; got {show(inner)}{hint}.")
    if inner.has_own_updates:
        raise TypeError(f"{owner}: {type(inner).__name__} finds its gradients in get_updates, where none are scaled.")
    if inner.is_written:
        raise TypeError(
            f"{owner}: the step of {type(inner).__name__} is its user's, and could not be put back where a gradient is "
            f"not finite; take mixed_bfloat16, which needs no scale."
        )
