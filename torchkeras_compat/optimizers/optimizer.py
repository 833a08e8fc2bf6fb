"""The base of all optimizers: made without parameters, bound to a model's, one pure update formula each.

What an optimizer consists of stands beside this file, one thing a file: `hyperparameters`, `learning_rate`, `clipping`,
`weight_decay`, `weight_average`, `slots` (what it keeps for each parameter), `sparse_rows` (tables of which a batch
touches few rows), `own_state` and `weight_io` (its state, in Keras's order), `steps_by_hand` (`minimize`,
`apply_gradients` and their like), `gradients` and `steps_by_weight` (what these do), `get_updates` (classic Keras's
way), `written_steps` and `written_methods` (what users write).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

from .._core import dialects, registry, settings
from .._core.config import Configurable, plain
from .._core.errors import argument_error, show
from .._core.ownership import is_ours
from .._core.weights import Codec, Variable, Weight
from . import weight_average
from .clipping import Clipping
from .foreach import Tensors
from .get_updates import (
    ListedWeights,
    SymbolicGradients,
    keep_variables,
)
from .gradients import parameters
from .hyperparameters import Hyperparameter, Hyperparameters, define, number_between, usual_number
from .learning_rate import Followed, LearningRate, Rate
from .own_state import OwnState
from .schedules import LearningRateSchedule
from .slots import Binding, Gradients, Scalars, Slots, SlotTable, gather_reached
from .sparse_rows import SparseRows, SparseRule
from .steps_by_hand import StepsByHand
from .steps_by_weight import StepsByWeight
from .weight_decay import WeightDecay
from .weight_io import SlotGroups, WeightIO
from .written_steps import OwnVariables, WrittenSteps

O = TypeVar("O", bound="Optimizer")  # noqa: E741


@registry.base("optimizer")
class Optimizer(Configurable, OwnState, WrittenSteps, StepsByHand, torch.optim.Optimizer):
    """Base of all optimizers: Keras's arguments and attributes over a working `torch.optim.Optimizer`.

    A subclass names its hyperparameters in `hyper`, which are the numbers that `scalars` hands to `update`, and in
    `numbers` those that it uses itself; `options` decide which formulas a step is made of.  It names its slots in
    `slot_groups` and writes `_update`, and `_correct_scalars` where a step depends on its number; all else is here.

    Args:
        learning_rate: A float, a schedule, or a function without arguments that is asked before each step.
        name: The optimizer's name.
        weight_decay: Each step first takes `weight_decay * learning_rate` of every weight off it.
        clipnorm: Bound of a gradient's norm: over all weights in classic Keras, each weight's own in `tf.keras`.
        clipvalue: Bound of each gradient element's absolute value.
        global_clipnorm: Bound of the norm over all gradients together.
        use_ema: Keep a moving average of the weights, which replaces them at the end of `fit`.
        ema_momentum: The share of the old average in each step of it.
        ema_overwrite_frequency: Number of steps after which the average replaces the weights, again and again.
        jit_compile: Accepted; the result is the same.
        decay: The learning rate of a step is `learning_rate / (1 + decay * iterations)`; classic Keras and `tf.keras`.

    Raises:
        ValueError: A negative bound, or both `clipnorm` and `global_clipnorm`.

    Example:
        >>> import torch
        >>> from torchkeras_compat.optimizers import SGD
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = SGD(learning_rate=0.1, momentum=0.9)
        >>> binding = optimizer.bind(model.named_parameters())
        >>> model(torch.ones(1, 2)).sum().backward()
        >>> optimizer.step()
        >>> optimizer.iterations
        1
    """

    hyper: ClassVar[tuple[str, ...]] = ()
    numbers: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = True
    always_interleaved: bool = False
    has_own_updates: ClassVar[bool] = False  # whether a user wrote `get_updates`
    _awaited: Callable[[Any], bool] | None = None  # gives the slots of a checkpoint once they are there

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_overwrite_frequency: int | None
    decay: float

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        define(cls, (*cls.hyper, *cls.numbers), cls.options)
        cls.has_formula = cls._update is not Optimizer._update
        if "get_updates" in cls.__dict__ and not is_ours(cls):
            cls.has_own_updates = True
            keep_variables(cls)
        if not is_ours(cls):
            cls._note_written_steps()
            cls._note_written_methods()

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
        if isinstance(learning_rate, str) and self.has_own_steps:  # in Keras the base takes the name first
            learning_rate, name = 0.001, learning_rate
        self.name = owner if name is None else name
        self._compose(owner)
        self.learning_rate = learning_rate
        self.weight_decay = None if weight_decay is None else self._number("weight_decay", weight_decay)
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm, "decay": decay}
        for argument, value in limits.items():
            setattr(self, argument, value if value is None else self._bounded(argument, value))
        self.initial_decay = float(self.decay)
        if clipnorm is not None and global_clipnorm is not None:
            raise ValueError(f"{owner}: give clipnorm or global_clipnorm, not both; got {clipnorm}, {global_clipnorm}.")
        self.use_ema = bool(use_ema)
        every = ema_overwrite_frequency
        if use_ema and every and (type(every) is not int or every < 1):
            raise argument_error(owner, "ema_overwrite_frequency", "a positive integer or None", every)
        self.ema_momentum = self._bounded("ema_momentum", ema_momentum, 1.0) if use_ema else float(ema_momentum)
        self.ema_overwrite_frequency = every
        self.jit_compile = bool(jit_compile)

    def _compose(self, owner: str) -> None:
        """Make the parts that an optimizer consists of."""
        torch.optim.Optimizer.__init__(self, [{"params": []}], {"lr": 0.0})
        self._iterations, self._counter = 0, None
        self._rate = LearningRate(owner, self.param_groups[0])
        self._slots = SlotTable(self)
        self.sparse_rows = SparseRows(self)
        self.hyperparameters = Hyperparameters(before_change=self.sparse_rows.settle)
        self._weight_decay = WeightDecay()
        kind: Any = ListedWeights if self.has_own_updates else OwnVariables if self.has_own_steps else WeightIO
        self._weight_io = kind(self)
        self._by_weight = StepsByWeight(self)
        self.symbolic_gradients = SymbolicGradients(owner)

    def _number(self, argument: str, value: Any, most: float = float("inf"), least: float = 0.0) -> float:
        """Return an argument as a float, with a warning where it is outside [least, most]."""
        return usual_number(type(self).__name__, argument, value, least, most)

    def _bounded(self, argument: str, value: Any, most: float = float("inf"), least: float = 0.0) -> float:
        """Return an argument as a float in [least, most], or raise where Keras does, too."""
        return number_between(type(self).__name__, argument, value, least, most)

    def _epsilon(self, value: float | None) -> float:
        missing = value is None or (self._rules.zero_epsilon_is_default and value == 0)
        return settings.epsilon() if missing else self._number("epsilon", value)

    # --- learning rate and counter --------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a float that can be set, or the schedule; in keras-2.15 the last step's rate under it.

        Example:
            >>> from torchkeras_compat.optimizers import Adam
            >>> optimizer = Adam(0.01)
            >>> optimizer.lr = optimizer.lr / 2
            >>> optimizer.learning_rate
            0.005
        """
        schedule = self._rate.schedule
        if isinstance(schedule, LearningRateSchedule):
            if self.has_own_steps:
                return self.rate_of_step
            return self._shown_rate() if self._rules.schedules_are_numbers else schedule
        return Hyperparameter(self.current_rate(), self.current_rate, self._set_rate, self._called("learning_rate"))

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._set_rate(value)

    lr = learning_rate  # as classic Keras calls it

    def _set_rate(self, value: Any) -> None:
        follows = isinstance(value, Variable) and self._rules.rates_follow_variables
        self._rate.set(Followed(value) if follows else value, self._iterations)

    def _shown_rate(self) -> Hyperparameter:
        """Return the rate of the last step, which follows a schedule, as a number that cannot be set."""

        def last() -> float:
            return float(self.param_groups[0]["lr"])

        return Hyperparameter(last(), last, self._refuse_rate, f"current_{self._called('learning_rate')}")

    def _refuse_rate(self, rate: Any) -> None:
        raise TypeError(
            f"the learning rate of {type(self).__name__} follows {show(self._rate.schedule)}, and cannot be set to "
            f"{show(rate)}; make the optimizer with a number."
        )

    def current_rate(self, iteration: int | None = None) -> float:
        """Return the learning rate of a step, after the schedule and before `decay`.

        Args:
            iteration: The step; the next one if `None`.
        """
        return self._rate.current(self._iterations if iteration is None else iteration)

    # --- what a step computes -------------------------------------------------------------------------------------

    @property
    def slot_groups(self) -> SlotGroups:
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
        numbers, options = self.hyperparameters.numbers, self.hyperparameters.options
        values = {name: numbers[name] for name in self.hyper}
        values["lr"] = rate = self._rate.of_step(iteration, numbers["decay"])
        if options["weight_decay"]:
            values["keep"] = 1.0 - options["weight_decay"] * rate
        if options["use_ema"]:
            values |= weight_average.average_scalars(self.ema_momentum, options["ema_overwrite_frequency"], iteration)
        self._correct_scalars(values, iteration + 1)
        return values

    def _correct_scalars(self, values: dict[str, float], step: int) -> None:
        """Change the numbers of a step (from 1) that depend on how many there have been."""

    def update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        """Make one step of the formula, in place, without clipping and counting; autograd must be off.

        Args:
            params: The tensors to change; for an elementwise optimizer one flat tensor does as well as many.
            grads: Their gradients, already clipped; used as scratch space.
            slots: Slot name → one tensor for each of `params`.
            scalars: What `scalars` returned; 0-d tensors in place of floats are allowed.
        """
        options = self.hyperparameters.options
        if options["weight_decay"]:
            self._weight_decay.apply(params, scalars["keep"])
        self._update(params, grads, slots, scalars)
        if options["use_ema"]:
            weight_average.follow(slots["average"], params, scalars, options["ema_overwrite_frequency"])

    def _update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        raise NotImplementedError(f"{type(self).__name__} must write _update(params, grads, slots, scalars).")

    def _sparse_rule(self) -> SparseRule:
        """Return what the formula does to the rows of a table that a batch did not touch."""
        return SparseRule()

    @cached_property
    def clipping(self) -> Clipping:
        """How gradients are clipped."""
        return Clipping.of(self.hyperparameters.options, self._rules)

    @torch.no_grad()
    def step_groups(self, gradients: Gradients, scalars: Scalars | None = None, clip: bool = True) -> None:
        """Make one step: clip the gradients, let each group of parameters follow its own, count.

        Args:
            gradients: Pairs of a group and its gradients.
            scalars: The numbers of a step that is not made by this call alone, and so counted by who makes it: 0-d
                tensors in a graph, which is captured once and runs often.
            clip: Whether the gradients are still to be clipped.
        """
        if clip and self.clipping.limits:
            gradients = self.clipping.together(gradients, self.parts)
        if self._counter is not None:
            self._iterations = int(self._counter)
        numbers = self.scalars(self._iterations) if scalars is None else scalars
        for group, grads in gradients:
            group.step(grads, numbers)
        if scalars is None:
            self._iterations += 1
            if self._counter is not None:
                self._counter.assign(self._iterations)

    # --- parameters -----------------------------------------------------------------------------------------------

    def bind(
        self,
        named_params: Iterable[tuple[str, Tensor]],
        codecs: Mapping[str, Codec] | None = None,
        constrained: Sequence[Weight] = (),
        table: Sequence[Weight] = (),
    ) -> Binding:
        """Take on a model's parameters; one that was bound before keeps its slots.

        Args:
            named_params: Names and parameters, in the order of Keras's weights.
            codecs: Name → the way between a parameter and Keras's layout, for `get_weights` and `set_weights`.
            constrained: The weights whose constraint `minimize` applies after a step of all bound parameters.
            table: The weights, some of several parameters.
        """
        named = list(named_params)
        self._slots.note_parts(table)
        binding = self._slots.bind(named, codecs or {}, constrained)
        params = self.param_groups[0]["params"]
        known = set(params)
        params += [p for p in binding.params if p not in known]
        self._weight_decay.note_names(named)
        self.take_awaited()
        return binding

    def take_awaited(self) -> None:
        """Take the state of a checkpoint that was restored before there were slots for it."""
        if self._awaited is not None and self._awaited(self):
            self._awaited = None

    @property
    def parts(self) -> Mapping[Tensor, int]:
        """Parameter → a number that those of one weight have in common, for weights of several parameters."""
        return self._slots.parts

    def slots_of(self, param: Tensor) -> dict[str, Tensor]:
        """Return the slots of a parameter, made at the first call."""
        self.sparse_rows.settle_params([param])
        return self._slots.of(param, self.slot_names)

    def slots_of_each(self, params: Sequence[Tensor]) -> Slots:
        """Return slot name → one tensor for each parameter, made at the first call."""
        self.sparse_rows.settle_params(params)
        names = self.slot_names
        held = [self._slots.of(param, names) for param in params]
        return {name: [slots[name] for slots in held] for name in names}

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
        self.step_groups(gather_reached(self, params, [p.grad for p in params]))
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
        more = param_group["params"]
        params = [more] if isinstance(more, Tensor) else list(more)
        self.bind([(str(i), p) for i, p in enumerate(params)])

    def exclude_from_weight_decay(
        self, var_list: Sequence[Tensor] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave some weights out of `weight_decay`; the optimizer then needs one tensor a weight.

        Args:
            var_list: The parameters or weights themselves.
            var_names: Parts of their names.
        """
        decay = self._weight_decay
        decay.excluded |= {p for variable in var_list or () for p in parameters(variable)}
        decay.excluded_names += list(var_names or ())
        for binding in self._slots.bindings:
            decay.note_names(zip(binding.names, binding.params))

    @property
    def is_written(self) -> bool:
        """Whether a user wrote a part of the step."""
        return self.has_own_updates or self.has_own_steps or bool(self.own_methods)

    @property
    def needs_each(self) -> bool:
        """Whether `update` must see one tensor a weight, not one flat tensor for many."""
        return not self.elementwise or self._weight_decay.by_parameter

    # --- state of weights ------------------------------------------------------------------------------------------

    def build(self, var_list: Sequence[Any]) -> None:
        """Make the state for some weights before the first step, as Keras 2.11 to 2.15 does.

        Args:
            var_list: `model.trainable_variables`.

        Example:
            >>> from torchkeras_compat import backend as K
            >>> from torchkeras_compat.optimizers import SGD
            >>> optimizer = SGD(momentum=0.9)
            >>> optimizer.build([K.variable([1.0, 2.0])])
            >>> [value.shape for value in optimizer.get_weights()]
            [(), (2,)]
        """
        if self.has_own_steps:
            super().build(var_list)
        else:
            self._by_weight.build(var_list)

    @torch.no_grad()
    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Put the moving averages in place of weights, as `fit` does at its end under `use_ema`.

        Args:
            var_list: The weights, as in `model.trainable_variables`, or their parameters.

        Example:
            >>> from torchkeras_compat import backend as K
            >>> from torchkeras_compat.optimizers.experimental import SGD
            >>> v = K.variable([1.0])
            >>> optimizer = SGD(0.1, use_ema=True, ema_momentum=0.5)
            >>> _ = optimizer.minimize(lambda: K.sum(v), [v])
            >>> optimizer.finalize_variable_values([v])
            >>> v.numpy()
            array([0.95], dtype=float32)
        """
        if self.use_ema:
            weight_average.replace_by_averages([p for weight in var_list for p in parameters(weight)], self.state)

    # --- state ----------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return torch's state dictionary, with the counter."""
        self.sparse_rows.settle()
        return {**super().state_dict(), "iterations": self._iterations}

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` returned; slots are written into, not replaced."""
        self.sparse_rows.settle()
        with self._slots.in_place():
            super().load_state_dict({key: state_dict[key] for key in ("state", "param_groups")})
        self._iterations = int(state_dict.get("iterations", self._iterations))

    def __getstate__(self) -> dict[str, Any]:
        self.sparse_rows.settle()
        hooks = ("_optimizer_", "_zero_grad_")  # which torch makes anew
        return {key: value for key, value in self.__dict__.items() if not key.startswith(hooks)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._rate.group = self.param_groups[0]  # `load_state_dict` brings a new one

    # --- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer: those that this dialect's Keras has."""
        if self.has_own_updates:  # the user's override adds its own
            clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue")}
            return {name: value for name, value in clips.items() if value is not None}
        config = super().get_config()
        schedule = self._rate.schedule
        follows = isinstance(schedule, LearningRateSchedule)
        config["learning_rate"] = plain(schedule) if follows else float(config["learning_rate"])
        dialect = dialects.of(self)
        for cls in type(self).__mro__:
            for argument in dialect.refuses.get(cls.__name__, ()):
                config.pop(argument, None)
        for clip in ("clipnorm", "clipvalue", "global_clipnorm"):
            if config.get(clip) is None and "use_ema" not in config:
                config.pop(clip, None)
        if self.has_own_steps and not config.get("decay"):
            config.pop("decay", None)  # the base of Keras has none
        config = {"name": config.pop("name"), **config}
        if "use_ema" in config and self._rules.interleaved_slots:
            config["is_legacy_optimizer"] = False
        return config

    @classmethod
    def from_config(cls: type[O], config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> O:
        """Make an optimizer from what `get_config` returned; a configuration of Keras 2.11–2.15 brings its dialect.

        Args:
            config: The configuration; it is not changed.
            custom_objects: The user's own schedules by name.
        """
        config = dict(config)
        newer = config.pop("is_legacy_optimizer", None) is False
        dialect = dialects.making(dialects.KERAS_2_15.name) if newer else nullcontext()
        with registry.custom_object_scope(dict(custom_objects or {})), dialect:
            return cls(**config)

    def __repr__(self) -> str:
        schedule = self._rate.schedule
        rate = schedule if schedule is not None else self.param_groups[0]["lr"]
        return f"<{type(self).__name__} learning_rate={rate!r} iterations={self._iterations}>"


define(
    Optimizer,
    ("decay",),
    ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_overwrite_frequency"),
)
