"""Rates of each weight's own: Adagrad, Adadelta, Ftrl, Adafactor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from .._core import registry
from .._core.weights import IDENTITY, Codec
from . import foreach
from .float_scalars import quotient
from .foreach import Scalar, Tensors, joined_positions
from .fused_kernels import adagrad_kernel
from .learning_rate import Rate
from .optimizer import Optimizer
from .slot_variables import Place, SlotNames
from .slots import Scalars, Slots
from .sparse_rows import SparseRule

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .hyperparameters import Options


@registry.register("optimizer")
class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer, 2011): the gradient over the root of the sum of its squares.

    `a ← a + g²; w ← w − lr · g / (√a + ε)`; the newer class of 2.15 takes `√(a + ε)`.

    Args:
        learning_rate: A float or a schedule.
        initial_accumulator_value: What `a` starts from: 0 in classic Keras, .1 in `tf.keras` and 2.15.
        epsilon: Guards the division; `None` is `backend.epsilon()`.
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import Adagrad
        >>> Adagrad().lr
        0.01
    """

    hyper = ("epsilon",)
    keras_slots: ClassVar[dict[str, SlotNames]] = {"accumulator": SlotNames("accumulator", "_accumulators")}

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value = self._number("initial_accumulator_value", initial_accumulator_value)
        self.epsilon = self._epsilon(epsilon)

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("accumulator",),)

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        if name == "accumulator":
            return self._filled(param, self.initial_accumulator_value)
        return super().initial_slot(name, param)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        sums, rate, epsilon = slots["accumulator"], scalars["lr"], scalars["epsilon"]
        inside = self._rules.epsilon_in_root
        if not inside and adagrad_kernel(params, grads, sums, rate, epsilon):
            return
        foreach.addcmul_(sums, grads, grads, 1.0)
        if inside:
            below = foreach.shift(sums, epsilon)
            foreach.sqrt_(below)
        else:
            below = foreach.sqrt(sums)
            foreach.shift_(below, epsilon)
        foreach.addcdiv_(params, grads, below, -rate)

    def _sparse_rule(self) -> SparseRule:
        return SparseRule(rests=True)


@registry.register("optimizer")
class Adadelta(Optimizer):
    """Adadelta (Zeiler, 2012): the gradient times the root mean square of past steps over that of past gradients.

    `a ← ρ a + (1 − ρ) g²; s = g · √(d + ε) / √(a + ε); w ← w − lr · s; d ← ρ d + (1 − ρ) s²`, in every Keras.

    Args:
        learning_rate: A float or a schedule; 1 in classic Keras.
        rho: The share of the old means in each step.
        epsilon: Guards the division; `None` is `backend.epsilon()`.
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import Adadelta
        >>> Adadelta().lr
        1.0
    """

    hyper = ("rho", "epsilon")
    keras_slots: ClassVar[dict[str, SlotNames]] = {
        "accum_grad": SlotNames("accumulated_grad", "_accumulated_grads", "accumulator"),
        "accum_var": SlotNames("accumulated_delta_var", "_accumulated_delta_vars", "delta_accumulator"),
    }

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float | None = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho = self._number("rho", rho, 1.0)
        self.epsilon = self._epsilon(epsilon)

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        names = ("accum_grad", "accum_var")
        return (names,) if self._rules.interleaved_slots else tuple((name,) for name in names)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        squares, steps, rho = slots["accum_grad"], slots["accum_var"], scalars["rho"]
        foreach.mul_(squares, rho)
        foreach.addcmul_(squares, grads, grads, 1 - rho)
        step, below = foreach.shift(steps, scalars["epsilon"]), foreach.shift(squares, scalars["epsilon"])
        foreach.over_(step, below)
        foreach.sqrt_(step)
        foreach.times_(step, grads)
        foreach.add_(params, step, -scalars["lr"])
        foreach.mul_(steps, rho)
        foreach.addcmul_(steps, step, step, 1 - rho)

    def _sparse_rule(self) -> SparseRule:
        return SparseRule(stays_in_tf=True)


@registry.register("optimizer")
class Ftrl(Optimizer):
    """Follow the regularised leader (McMahan et al., 2013), with the shrinkage of Keras 2.15.

    Args:
        learning_rate: A float or a schedule.
        learning_rate_power: At most 0; how the rate falls with the sum of squares, -.5 for its root.
        initial_accumulator_value: What the sum of squares starts from.
        l1_regularization_strength: The penalty on absolute values.
        l2_regularization_strength: The penalty on squares.
        l2_shrinkage_regularization_strength: The penalty on squares that is added to the gradient.
        beta: Added to `l2_regularization_strength` as `beta / (2 lr)`.
        **options: What every optimizer takes; see `Optimizer`.

    Raises:
        ValueError: `learning_rate_power` is positive, or one of the others negative.

    Example:
        >>> from torchkeras_compat.optimizers import Ftrl
        >>> Ftrl().slot_names
        ('accumulator', 'linear')
    """

    hyper = (
        "learning_rate_power",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )
    keras_slots: ClassVar[dict[str, SlotNames]] = {
        "accumulator": SlotNames("accumulator", "_accumulators"),
        "linear": SlotNames("linear", "_linears"),
    }
    always_interleaved = True

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        number = self._bounded
        self.learning_rate_power = number("learning_rate_power", learning_rate_power, 0.0, -float("inf"))
        self.initial_accumulator_value = number("initial_accumulator_value", initial_accumulator_value)
        self.l1_regularization_strength = number("l1_regularization_strength", l1_regularization_strength)
        self.l2_regularization_strength = number("l2_regularization_strength", l2_regularization_strength)
        self.l2_shrinkage_regularization_strength = number(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = number("beta", beta)

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("accumulator", "linear"),)

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        if name == "accumulator":
            return self._filled(param, self.initial_accumulator_value)
        return super().initial_slot(name, param)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        sums, linear, rate = slots["accumulator"], slots["linear"], scalars["lr"]
        l1, l2 = scalars["l1_regularization_strength"], scalars["l2_regularization_strength"]
        power: Scalar = -scalars["learning_rate_power"]
        before = foreach.power(sums, power)
        foreach.addcmul_(sums, grads, grads, 1.0)
        curvature = foreach.power(sums, power)
        foreach.mul_(before, -1.0)
        foreach.add_(before, curvature)
        foreach.add_(linear, grads)
        if self.l2_shrinkage_regularization_strength:
            foreach.add_(linear, params, 2 * scalars["l2_shrinkage_regularization_strength"])
        foreach.addcmul_(linear, before, params, quotient(-1.0, rate))
        foreach.mul_(curvature, quotient(1.0, rate))
        foreach.shift_(curvature, 2 * l2 + quotient(scalars["beta"], rate))
        foreach.copy_(params, foreach.clamp(linear, -l1, l1))
        foreach.add_(params, linear, -1.0)
        foreach.over_(params, curvature)

    def _sparse_rule(self) -> SparseRule:
        return SparseRule(stays_in_tf=True)


@registry.register("optimizer")
class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern, 2018), as Keras 2.15 has it: mean squares by rows and columns alone.

    Args:
        learning_rate: A float or a schedule.
        beta_2_decay: The share of the old mean in step t is `1 − t^beta_2_decay`.
        epsilon_1: Added to the squared gradient.
        epsilon_2: The least root mean square of a weight that a step is scaled by.
        clip_threshold: The greatest root mean square of a step, before the learning rate.
        relative_step: Whether the rate is at most `1 / √t`; it is so either way in 2.15's formula.
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import Adafactor
        >>> Adafactor().elementwise
        False
    """

    hyper = ("epsilon_1", "epsilon_2", "clip_threshold")
    keras_slots: ClassVar[dict[str, SlotNames]] = {
        "r": SlotNames("r", "_r"),
        "c": SlotNames("c", "_c"),
        "v": SlotNames("v", "_v"),
    }
    numbers = ("beta_2_decay",)
    epsilon_1: float
    epsilon_2: float
    clip_threshold: float
    beta_2_decay: float
    elementwise = False

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_2_decay = self._number("beta_2_decay", beta_2_decay, 0.0, -float("inf"))
        self.epsilon_1 = self._number("epsilon_1", epsilon_1)
        self.epsilon_2 = self._number("epsilon_2", epsilon_2)
        self.clip_threshold = self._number("clip_threshold", clip_threshold)
        self.relative_step = bool(relative_step)

    mean_slots = frozenset(("r", "c"))

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("r", "c", "v"),)

    def _keras_view(self, param: Tensor, tensor: Tensor) -> Tensor:
        view: Tensor = (self._codec(param) or IDENTITY).read(tensor)
        return view

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        if name not in ("r", "c"):
            return super().initial_slot(name, param)
        shape = self._keras_view(param, param.detach()).shape
        if param in self.parts:  # one row of a matrix
            shape = torch.Size((1, *shape))
        if len(shape) < 2:
            return param.new_zeros(())
        return param.new_zeros(shape[:-1] if name == "r" else (*shape[:-2], shape[-1]))

    def _has_slot(self, name: str, param: Tensor) -> bool:
        factored = param in self.parts or self._keras_view(param, param).dim() > 1
        return name not in ("r", "c") or factored

    def _join_parts(self, place: Place, slots: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(slots)) if place.name == "r" else place.codec.read(*slots)[0]

    def _split_parts(self, place: Place, value: Tensor) -> Sequence[Tensor]:
        count = len(place.params)
        if place.name == "r":
            return [value[i : i + 1] for i in range(count)]
        return place.codec.write(value.expand(count, *value.shape))

    def _correct_scalars(self, values: dict[str, float], step: int) -> None:
        values["lr"] = min(values["lr"], step**-0.5)
        values["fresh"] = step ** self.hyperparameters.numbers["beta_2_decay"]

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        # Each weight needs its own row and column means.
        for part in joined_positions(params, self.parts):
            i = part[0]
            if len(part) == 1:
                own = {name: slot[i] for name, slot in slots.items()}
                self._update_one(params[i], grads[i], own, self._codec(params[i]) or IDENTITY, scalars)
            else:
                rows = {name: [slot[i] for i in part] for name, slot in slots.items()}
                self._update_rows([params[i] for i in part], [grads[i] for i in part], rows, scalars)

    def _update_rows(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        """Step the parameters that are the rows of one weight; each has the column means."""
        param, mean = torch.stack(params), torch.stack(slots["v"])
        rows, columns = torch.cat(slots["r"]), slots["c"][0].clone()
        self._update_one(param, torch.stack(grads), {"r": rows, "c": columns, "v": mean}, IDENTITY, scalars)
        for i in range(len(params)):
            params[i].copy_(param[i])
            slots["v"][i].copy_(mean[i])
            slots["r"][i].copy_(rows[i : i + 1])
            slots["c"][i].copy_(columns)

    def _update_one(
        self, param: Tensor, grad: Tensor, slots: dict[str, Tensor], codec: Codec, scalars: Scalars
    ) -> None:
        step = self._step_of(grad, slots, codec, scalars)
        scale = _rms(param).clamp(min=scalars["epsilon_2"]) * scalars["lr"]
        param.sub_(step * scale)

    def _step_of(self, grad: Tensor, slots: dict[str, Tensor], codec: Codec, scalars: Scalars) -> Tensor:
        square, fresh, mean = grad.square() + scalars["epsilon_1"], scalars["fresh"], slots["v"]
        seen = codec.read(square)
        if seen.dim() > 1:  # in Keras's layout: biases of attention have an axis of heads there
            rows, columns = slots["r"], slots["c"]
            rows.lerp_(seen.mean(-1), fresh)
            columns.lerp_(seen.mean(-2), fresh)
            relative = rows / rows.mean(-1, keepdim=True)
            mean.copy_(codec.write(relative.unsqueeze(-1) * columns.unsqueeze(-2))[0])
        else:
            mean.lerp_(square, fresh)
        step = grad * mean.rsqrt()
        return step / (_rms(step) / scalars["clip_threshold"]).clamp(min=1.0)


def _rms(x: Tensor) -> Tensor:
    return torch.sqrt(x.square().mean())
