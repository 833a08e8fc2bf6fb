"""Adam and its relatives: Adam, AdamW, Adamax, Nadam."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core import registry
from . import foreach
from .float_scalars import quotient
from .foreach import Tensors
from .fused_kernels import adam_kernel
from .learning_rate import Rate
from .optimizer import Optimizer
from .slot_variables import Place, SlotNames
from .slots import Scalars, Slots
from .sparse_rows import SparseRule

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .hyperparameters import Common, Options

N = TypeVar("N", bound="Nadam")


class _Moments(Optimizer):
    """Base of those that keep running means of the gradient and of its size."""

    hyper = ("beta_1", "beta_2", "epsilon")
    keras_slots: ClassVar[dict[str, SlotNames]] = {
        "m": SlotNames("m", "_momentums"),
        "v": SlotNames("v", "_velocities"),
    }
    beta_1: float
    beta_2: float
    epsilon: float

    def _set_moments(self, beta_1: float, beta_2: float, epsilon: float | None) -> None:
        self.beta_1 = self._number("beta_1", beta_1, 1.0)
        self.beta_2 = self._number("beta_2", beta_2, 1.0)
        self.epsilon = self._epsilon(epsilon)

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("m", "v"),) if self._rules.interleaved_slots else (("m",), ("v",))


class _AdamStep(_Moments):
    """What Adam and AdamW share: the step, with or without the greatest mean square."""

    options = ("amsgrad",)
    keras_slots: ClassVar[dict[str, SlotNames]] = {**_Moments.keras_slots, "vhat": SlotNames("vhat", "_velocity_hats")}
    amsgrad: bool

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (*super().slot_groups, ("vhat",)) if self.amsgrad else super().slot_groups

    def _file_groups(self) -> tuple[tuple[str, ...], ...]:
        groups = super()._file_groups()
        return groups if self.amsgrad or not self._rules.idle_vhat else (*groups, ("vhat",))

    def _idle_slot(self, name: str, param: Tensor) -> Tensor:
        return torch.zeros(1)

    def _surplus(self, count: int, order: Sequence[Place]) -> bool:
        return not self.amsgrad and len(order) % 2 == 0 and count == 1 + len(order) // 2 * 3

    def _correct_scalars(self, values: dict[str, float], step: int) -> None:
        root, correction = math.sqrt(1.0 - values["beta_2"] ** step), 1.0 - values["beta_1"] ** step
        try:
            values["lr"] *= root / correction
        except ZeroDivisionError:  # beta_1 = 1
            values["lr"] *= quotient(root, correction)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        mean, square, greatest = (
            slots["m"],
            slots["v"],
            slots["vhat"] if self.hyperparameters.options["amsgrad"] else None,
        )
        numbers = (scalars["lr"], scalars["beta_1"], scalars["beta_2"], scalars["epsilon"])
        if adam_kernel(params, grads, mean, square, greatest, numbers):
            return
        rate, beta_1, beta_2, epsilon = numbers
        foreach.lerp_(mean, grads, 1 - beta_1)
        foreach.mul_(square, beta_2)
        foreach.addcmul_(square, grads, grads, 1 - beta_2)
        if greatest is not None:
            foreach.maximum_(greatest, square)
            square = greatest
        below = foreach.sqrt(square)
        foreach.shift_(below, epsilon)
        foreach.addcdiv_(params, mean, below, -rate)


@registry.register("optimizer")
class Adam(_AdamStep):
    """Adam (Kingma and Ba, 2014): steps of the gradient's mean over the root of its mean square.

    `m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − lr_t · m / (√v + ε)` with
    `lr_t = lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ)`, in every Keras.

    Args:
        learning_rate: A float or a schedule.
        beta_1: The share of the old mean in each step.
        beta_2: The share of the old mean square.
        epsilon: Guards the division; `None` is `backend.epsilon()`.
        amsgrad: Whether to divide by the greatest `v` so far (Reddi et al., 2018).
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import Adam
        >>> Adam(amsgrad=True).slot_names
        ('m', 'v', 'vhat')
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self._set_moments(beta_1, beta_2, epsilon)
        self.amsgrad = bool(amsgrad)


@registry.register("optimizer")
class AdamW(_AdamStep):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2017), as Keras 2.15 has it.

    Args:
        learning_rate: A float or a schedule.
        weight_decay: Each step first takes `weight_decay * learning_rate` of every weight off it.
        beta_1: The share of the old mean in each step.
        beta_2: The share of the old mean square.
        epsilon: Guards the division; `None` is `backend.epsilon()`.
        amsgrad: Whether to divide by the greatest `v` so far.
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import AdamW
        >>> AdamW().weight_decay
        0.004
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **options)
        self._set_moments(beta_1, beta_2, epsilon)
        self.amsgrad = bool(amsgrad)


@registry.register("optimizer")
class Adamax(_Moments):
    """Adamax: Adam with the greatest gradient in place of the mean square (Kingma and Ba, 2014, section 7).

    Args:
        learning_rate: A float or a schedule.
        beta_1: The share of the old mean in each step.
        beta_2: The share of the old maximum.
        epsilon: Guards the division; `None` is `backend.epsilon()`.
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import Adamax
        >>> Adamax().slot_names
        ('m', 'v')
    """

    keras_slots: ClassVar[dict[str, SlotNames]] = {"m": SlotNames("m", "_m"), "v": SlotNames("u", "_u", "u")}

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self._set_moments(beta_1, beta_2, epsilon)

    def _correct_scalars(self, values: dict[str, float], step: int) -> None:
        values["lr"] = quotient(values["lr"], 1.0 - values["beta_1"] ** step)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        mean, greatest = slots["m"], slots["v"]
        foreach.lerp_(mean, grads, 1 - scalars["beta_1"])
        foreach.mul_(greatest, scalars["beta_2"])
        foreach.maximum_(greatest, foreach.absolute(grads))
        foreach.addcdiv_(params, mean, foreach.shift(greatest, scalars["epsilon"]), -scalars["lr"])

    def _sparse_rule(self) -> SparseRule:
        return SparseRule(stays_in_tf=True)


@registry.register("optimizer")
class Nadam(_Moments):
    """Nadam: Adam with Nesterov momentum (Dozat, 2016), with its warming schedule of the momentum.

    Args:
        learning_rate: A float or a schedule.
        beta_1: The share of the old mean in each step.
        beta_2: The share of the old mean square.
        epsilon: Guards the division; `None` is `backend.epsilon()`.
        schedule_decay: How fast the momentum warms, `β₁ (1 − .5 · .96^(t · schedule_decay))`: .004 in classic Keras and
            `tf.keras`, 1 in keras-2.15, which has no argument for it.
        **options: What every optimizer takes; see `Optimizer`.

    Example:
        >>> from torchkeras_compat.optimizers import Nadam
        >>> Nadam().schedule_decay
        0.004
    """

    numbers = ("schedule_decay",)
    schedule_decay: float

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        schedule_decay: float = 1.0,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, **options)
        self._set_moments(beta_1, beta_2, epsilon)
        self.schedule_decay = self._number("schedule_decay", schedule_decay)
        self._product = (0, 1.0)  # number of steps, product of their momenta

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer; the dialect says what `schedule_decay` is called."""
        config = super().get_config()
        if self._rules.schedule_decay_is_decay and "schedule_decay" in config:
            config["decay"] = config.pop("schedule_decay")
        return config

    @classmethod
    def from_config(cls: type[N], config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> N:
        """Make an optimizer from its configuration; `tf.keras` calls the `schedule_decay` in it `decay`."""
        config = dict(config)
        if decay := config.pop("decay", None):
            config.setdefault("schedule_decay", decay)
        return super().from_config(config, custom_objects)

    def _momentum(self, t: int) -> float:
        beta_1, decay = self.hyperparameters.numbers["beta_1"], self.hyperparameters.numbers["schedule_decay"]
        return beta_1 * (1.0 - 0.5 * float(0.96 ** (t * decay)))

    def _momentum_product(self, t: int) -> float:
        """Return the product of the momenta of steps 1 … t; the usual call is for one step more than the last."""
        known, product = self._product
        if known > t:
            known, product = 0, 1.0
        for step in range(known + 1, t + 1):
            product *= self._momentum(step)
        self._product = (t, product)
        return product

    def _correct_scalars(self, values: dict[str, float], step: int) -> None:
        now, following = self._momentum(step), self._momentum(step + 1)
        product = self._momentum_product(step)
        values["of_mean"] = quotient(following, 1.0 - product * following)
        values["of_gradient"] = quotient(1.0 - now, 1.0 - product)
        # w −= lr · (a g + b m) / (√(v / c) + ε) is w −= lr √c · (a g + b m) / (√v + ε √c)
        root = math.sqrt(1.0 - values["beta_2"] ** step)
        values["lr"] *= root
        values["epsilon"] *= root

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        mean, square = slots["m"], slots["v"]
        foreach.lerp_(mean, grads, 1 - scalars["beta_1"])
        foreach.mul_(square, scalars["beta_2"])
        foreach.addcmul_(square, grads, grads, 1 - scalars["beta_2"])
        ahead = foreach.mul(mean, scalars["of_mean"])
        foreach.add_(ahead, grads, scalars["of_gradient"])
        below = foreach.sqrt(square)
        foreach.shift_(below, scalars["epsilon"])
        foreach.addcdiv_(params, ahead, below, -scalars["lr"])

    def _extra_state(self) -> list[np.ndarray[Any, Any]]:
        if self._rules.interleaved_slots:
            return []
        return [np.asarray(self._momentum_product(self._iterations), np.float32)]

    def _set_extra_state(self, values: Sequence[Any]) -> None:
        self._product = (self._iterations, float(values[0])) if values else (0, 1.0)

    def _sparse_rule(self) -> SparseRule:
        numbers = self.hyperparameters.numbers
        return SparseRule(stays_in_tf=True, decays={"m": numbers["beta_1"], "v": numbers["beta_2"]})
