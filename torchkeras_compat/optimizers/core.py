"""The step of an optimizer: learning rate, update, clipping, and the parameters it is bound to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypedDict

import torch
from torch import Tensor

from .._core import registry, settings
from .._core.config import Configurable
from .._core.errors import argument_error
from .._core.weights import Codec, Variable
from . import foreach
from .binding import Binding
from .bound import Hyperparameter, Iterations
from .clipping import CLIPS
from .foreach import Scalar, Tensors
from .hyperparameters import as_number, define
from .schedules import LearningRateSchedule

Rate = float | LearningRateSchedule | Callable[[], Any] | Mapping[str, Any]
Slots = dict[str, Tensors]
Scalars = Mapping[str, Scalar]


class Common(TypedDict, total=False):
    """The arguments that every optimizer takes by keyword (see `Optimizer`), but for `weight_decay`."""

    name: str | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    jit_compile: bool
    decay: float


class Options(Common, total=False):
    """All arguments that every optimizer takes by keyword (see `Optimizer`)."""

    weight_decay: float | None


class Stepper(Configurable, torch.optim.Optimizer):
    """What every optimizer does: the arguments of all, the learning rate, the step, the parameters it serves.

    A subclass names its hyperparameters in `hyper`, which are the numbers that `scalars` hands to `update`, and in
    `numbers` those that it uses itself; `options` decide which formulas a step is made of.
    """

    hyper: ClassVar[tuple[str, ...]] = ()
    numbers: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = True
    always_interleaved: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        define(cls, (*cls.hyper, *cls.numbers), cls.options)

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        *,
        name: str | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        decay: float = 0.0,
    ) -> None:
        owner = type(self).__name__
        self.name = owner if name is None else name
        self._schedule: LearningRateSchedule | Callable[[], Any] | None = None
        self._iterations = 0
        self._hyper: dict[str, float] = {}
        self._in_use: set[str] = set()  # hyperparameters that have been set to something else than 0
        self._formulas = 0  # counts changes after which a step is made of other formulas
        self._clips: tuple[int, tuple[str, ...]] = (-1, ())
        self._bindings: list[Binding] = []
        self._undecayed: set[int] = set()
        self._undecayed_names: list[str] = []
        self._before_change: list[Callable[[], None]] = []
        self._pending_decay: dict[int, Any] = {}  # id of a parameter → `sparse_rows.PendingDecay`
        torch.optim.Optimizer.__init__(self, [{"params": []}], {"lr": 0.0})
        self.learning_rate = learning_rate
        limits = {"weight_decay": weight_decay, "clipnorm": clipnorm, "clipvalue": clipvalue, "decay": decay}
        for argument, value in {**limits, "global_clipnorm": global_clipnorm}.items():
            setattr(self, argument, value if value is None else self._number(argument, value))
        self.initial_decay = float(self.decay)
        if clipnorm is not None and global_clipnorm is not None:
            raise ValueError(f"{owner}: give clipnorm or global_clipnorm, not both; got {clipnorm}, {global_clipnorm}.")
        self.use_ema = bool(use_ema)
        self.ema_momentum = self._number("ema_momentum", ema_momentum, 1.0)
        if ema_overwrite_frequency is not None and (
            type(ema_overwrite_frequency) is not int or ema_overwrite_frequency < 1
        ):
            raise argument_error(
                owner, "ema_overwrite_frequency", "a positive integer or None", ema_overwrite_frequency
            )
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.jit_compile = bool(jit_compile)

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    decay: float
    _weight_decay: float | None  # where the options are kept: a step reads them there
    _use_ema: bool

    def _number(self, argument: str, value: Any, most: float = float("inf"), least: float = 0.0) -> float:
        """Return an argument as a float in [least, most], or raise."""
        expected = f"a number in [{least:g}, {most:g}]" if most != float("inf") else f"a number ≥ {least:g}"
        number = as_number(type(self).__name__, argument, value, expected)
        if not least <= number <= most:
            raise argument_error(type(self).__name__, argument, expected, value)
        return number

    def _epsilon(self, value: float | None) -> float:
        return settings.epsilon() if value is None else self._number("epsilon", value)

    # --- learning rate and counter --------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a float that can be set, or the schedule.

        Example:
            >>> from torchkeras_compat.optimizers import Adam
            >>> optimizer = Adam(0.01)
            >>> optimizer.lr = optimizer.lr / 2
            >>> optimizer.learning_rate
            0.005
        """
        if isinstance(self._schedule, LearningRateSchedule):
            return self._schedule
        return Hyperparameter(self.current_rate(), self.current_rate, self._set_rate)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._set_rate(value)

    @property
    def lr(self) -> Any:
        """The learning rate, as classic Keras calls it."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self._set_rate(value)

    def _set_rate(self, value: Any) -> None:
        if isinstance(value, Mapping):
            value = registry.get("schedule", dict(value))
        if isinstance(value, LearningRateSchedule) or callable(value):
            self._schedule = value
            self.param_groups[0]["lr"] = self.current_rate(self._iterations)
            return
        self.param_groups[0]["lr"] = self._number("learning_rate", value)
        self._schedule = None

    def current_rate(self, iteration: int | None = None) -> float:
        """Return the learning rate of a step, after the schedule and before `decay`.

        Args:
            iteration: The step; the next one if `None`.
        """
        schedule = self._schedule
        if schedule is None:
            return float(self.param_groups[0]["lr"])
        if not isinstance(schedule, LearningRateSchedule):
            return float(schedule())
        return float(schedule(self._iterations if iteration is None else iteration))

    @property
    def iterations(self) -> Iterations:
        """The number of steps made, over all models this optimizer serves."""
        return Iterations(self._iterations, lambda: self._iterations, self._set_iterations)

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self._set_iterations(value)

    def _set_iterations(self, value: Any) -> None:
        self._iterations = int(value)

    # --- what a step computes -------------------------------------------------------------------------------------

    @property
    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        """The subclass's slots; each group is stored weight by weight in the files of keras-2.15."""
        return ()

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The names of the slots of a weight; there is one more once `momentum` has been set away from 0."""
        averages = ("average",) if self.use_ema else ()
        return averages + tuple(name for group in self.slot_groups for name in group)

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        """Return the slot `name` of `param` before the first step."""
        if name == "average":
            return param.detach().clone()
        return self._filled(param, 0.0)

    @staticmethod
    def _filled(param: Tensor, value: float) -> Tensor:
        return torch.full_like(param.detach(), value, requires_grad=False)

    def scalars(self, iteration: int) -> dict[str, float]:
        """Return the numbers that `update` needs in step `iteration` (from 0), by host arithmetic alone."""
        rate = self.current_rate(iteration)
        if self._schedule is not None:
            self.param_groups[0]["lr"] = rate
        table = self._hyper
        if table["decay"]:
            rate /= 1.0 + table["decay"] * iteration
        values = {name: table[name] for name in self.hyper}
        values["lr"] = rate
        if self._weight_decay:
            values["keep"] = 1.0 - self._weight_decay * rate
        if self._use_ema:
            values["ema"] = 1.0 - self.ema_momentum
            frequency = self.ema_overwrite_frequency
            values["overwrite"] = float(bool(frequency) and (iteration + 1) % (frequency or 1) == 0)
        return values

    @torch.no_grad()
    def update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        """Make one step, in place.

        Args:
            params: The tensors to change; for an elementwise optimizer one flat tensor does as well as many.
            grads: Their gradients, already clipped; used as scratch space.
            slots: Slot name → one tensor for each of `params`.
            scalars: What `scalars` returned; 0-d tensors in place of floats are allowed.
        """
        if self._weight_decay:
            decayed = [p for p in params if id(p) not in self._undecayed] if self._undecayed else params
            if decayed:
                foreach.mul_(decayed, scalars["keep"])
        self._update(params, grads, slots, scalars)
        if self._use_ema:
            averages = slots["average"]
            foreach.lerp_(averages, params, scalars["ema"])
            overwrite = scalars["overwrite"]
            if self.ema_overwrite_frequency and (isinstance(overwrite, Tensor) or overwrite):
                foreach.lerp_(params, averages, overwrite)

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        raise NotImplementedError(f"{type(self).__name__} must write _update(params, grads, slots, scalars).")

    @property
    def clips(self) -> tuple[str, ...]:
        """The clippings that apply, in their order: of `'clipvalue'`, `'clipnorm'`, `'global_clipnorm'`."""
        formulas, clips = self._clips
        if formulas != self._formulas:
            names = tuple(name for name in self._rules.clip_order if getattr(self, name))
            names = names[:1] if self._rules.clip_once else names
            together = {"clipnorm": "global_clipnorm"} if self._rules.global_clipnorm else {}
            clips = tuple(together.get(name, name) for name in names)
            self._clips = self._formulas, clips
        return clips

    def _limit(self, clip: str) -> float:
        return float((self.clipnorm if clip == "global_clipnorm" and self.clipnorm else getattr(self, clip)) or 0.0)

    @torch.no_grad()
    def clip(self, grads: Tensors) -> Tensors:
        """Clip gradients in place as this optimizer was told, and return them.

        Args:
            grads: One tensor a weight where `'clipnorm' in optimizer.clips`; otherwise flat ones will do.
        """
        if grads:
            for clip in self.clips:
                CLIPS[clip](grads, self._limit(clip))
        return grads

    # --- parameters -----------------------------------------------------------------------------------------------

    def bind(self, named_params: Iterable[tuple[str, Tensor]], codecs: Mapping[str, Codec] | None = None) -> Binding:
        """Take on a model's parameters; one that was bound before keeps its slots.

        Args:
            named_params: Names and parameters, in the order of Keras's weights.
            codecs: Name → the way between a parameter and Keras's layout, for `get_weights` and `set_weights`.
        """
        named = list(named_params)
        binding = Binding(self, named, codecs or {})
        known = {id(p) for p in self.param_groups[0]["params"]}
        self.param_groups[0]["params"] += [p for p in binding.params if id(p) not in known]
        if not any(other.covers(binding) for other in self._bindings):
            self._bindings = [other for other in self._bindings if not binding.covers(other)] + [binding]
        for name, param in named:
            if any(part in name for part in self._undecayed_names):
                self._undecayed.add(id(param))
        return binding

    def slots_of(self, param: Tensor) -> dict[str, Tensor]:
        """Return the slots of a parameter, made at the first call."""
        if id(param) in self._pending_decay:
            self._pending_decay[id(param)].apply()
        held: dict[str, Tensor] = self.state[param]
        for name in self.slot_names:
            if name not in held:
                held[name] = self.initial_slot(name, param)
            elif held[name].device != param.device or (
                held[name].is_floating_point() and held[name].dtype != param.dtype
            ):
                moved = (
                    param.dtype if held[name].is_floating_point() else held[name].dtype
                )  # after model.double() or .to()
                held[name] = held[name].to(param.device, moved)
        return held

    def step_with(self, params: Sequence[Tensor], grads: Sequence[Tensor | None]) -> None:
        """Make one step for the parameters that have a gradient."""
        pairs = [(p, g) for p, g in zip(params, grads) if g is not None]
        if pairs:
            chosen, given = [p for p, _ in pairs], [g for _, g in pairs]
            held = [self.slots_of(p) for p in chosen]
            slots = {name: [h[name] for h in held] for name in self.slot_names}
            if self.clips:
                given = self.clip([g.clone() for g in given])
            self.update(chosen, given, slots, self.scalars(self._iterations))
        self._iterations += 1

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step from the parameters' `grad`, as torch's optimizers do.

        Args:
            closure: Evaluates the model again and returns the loss.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        params = self.param_groups[0]["params"]
        if not params:
            raise RuntimeError(
                f"{type(self).__name__}.step(): no parameters; write optimizer.bind(model.named_parameters()) first."
            )
        self.step_with(params, [p.grad for p in params])
        return loss

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take on more parameters; they share this optimizer's one learning rate."""
        if not self.param_groups:  # torch's constructor
            self.param_groups.append({**self.defaults, **param_group})
            return
        if extra := set(param_group) - {"params"}:
            raise ValueError(
                f"{type(self).__name__}.add_param_group: all parameters share one set of options; got {sorted(extra)}; "
                "make a second optimizer for them."
            )
        given = param_group["params"]
        params = [given] if isinstance(given, Tensor) else list(given)
        self.bind([(str(i), p) for i, p in enumerate(params)])

    def exclude_from_weight_decay(
        self, var_list: Sequence[Tensor] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave some weights out of `weight_decay`; the optimizer then needs one tensor a weight.

        Args:
            var_list: The parameters or weights themselves.
            var_names: Parts of their names.
        """
        for variable in var_list or ():
            self._undecayed |= {id(p) for p in parameters(variable)}
        self._undecayed_names += list(var_names or ())
        for binding in self._bindings:
            for name, param in zip(binding.names, binding.params):
                if any(part in name for part in self._undecayed_names):
                    self._undecayed.add(id(param))

    @property
    def needs_each(self) -> bool:
        """Whether `update` must see one tensor a weight, not one flat tensor for many."""
        return not self.elementwise or bool(self._undecayed or self._undecayed_names)


define(
    Stepper,
    ("decay",),
    ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_overwrite_frequency"),
)


def parameters(variable: Tensor) -> tuple[Tensor, ...]:
    """Return the torch parameters of a weight, which may be a Keras view of them."""
    return variable._weight.parameters if isinstance(variable, Variable) else (variable,)
