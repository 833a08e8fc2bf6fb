"""The base of all optimizers: made without parameters, bound to a model's, one pure update kernel each."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, TypeVar

import torch
from torch import Tensor

from .._core import dialects, registry
from .._core.config import is_ours
from .._core.symbolic import SymbolicTensor
from .._core.weights import Variable
from ..backend.graph import gradients
from .core import Common, Options, Rate, Scalars, Slots, parameters
from .get_updates import keep_variables, loss_and_params, step_when_run
from .schedules import LearningRateSchedule
from .weight_io import Stored

O = TypeVar("O", bound="Optimizer")  # noqa: E741


@registry.base("optimizer")
class Optimizer(Stored):
    """Base of all optimizers: Keras's arguments and attributes over a working `torch.optim.Optimizer`.

    A subclass names its slots and writes `_update`; everything else is here.

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
        ValueError: A negative rate or bound, or both `clipnorm` and `global_clipnorm`.

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

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor | None, Tensor]], name: str | None = None) -> int:
        """Make one step from pairs of gradient and weight.

        Args:
            grads_and_vars: `zip(gradients, model.trainable_weights)`; gradients in the layout of the weights.
            name: Accepted; it has no effect in Keras either.

        Raises:
            ValueError: Not one gradient was given.
        """
        pairs = [pair for gradient, weight in grads_and_vars for pair in _pairs(gradient, weight)]
        given = [g for g, _ in pairs if g is not None]
        if pairs and not given:
            raise ValueError(f"{type(self).__name__}.apply_gradients: no gradient was given for any weight.")
        if len(given) < len(pairs):
            warnings.warn(
                f"{type(self).__name__}.apply_gradients: {len(pairs) - len(given)} weights have no gradient.",
                stacklevel=2,
            )
        known = {id(p) for p in self.param_groups[0]["params"]}
        if new := [p for _, p in pairs if id(p) not in known]:
            self.bind([(str(i), p) for i, p in enumerate(new)])
        if pairs:
            self.step_with([p for _, p in pairs], [g for g, _ in pairs])
        return self.iterations

    def get_gradients(self, loss: Any, params: Sequence[Tensor]) -> list[Any]:
        """Return the clipped gradients of `loss` by `params`; symbolic ones where the loss is symbolic.

        Args:
            loss: A tensor, or a symbolic one such as `model.total_loss`.
            params: Weights.

        Raises:
            ValueError: The loss does not depend on one of them.
        """
        if loss is self._symbolic_loss:  # of a training step, whose gradients are clipped already
            return [self._symbolic_gradients[id(p)] for p in params]
        grads = gradients(loss, list(params))
        found = [g for g in grads if g is not None]
        if len(found) < len(grads):
            raise ValueError(
                f"{type(self).__name__}.get_gradients: the loss does not depend on "
                f"{len(grads) - len(found)} of the {len(grads)} parameters."
            )
        if not isinstance(loss, SymbolicTensor):
            return self.clip([g.clone() for g in found])
        if not self.clips:
            return found
        return [
            SymbolicTensor(g.shape, g.dtype, functools.partial(self._clipped, i), (found,), {}, "clipped gradient")
            for i, g in enumerate(found)
        ]

    def _clipped(self, index: int, grads: Sequence[Tensor]) -> Tensor:
        return self.clip([g.clone() for g in grads])[index]

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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "get_updates" in cls.__dict__ and not is_ours(cls):
            cls.has_own_updates = True
            keep_variables(cls)

    has_own_updates: ClassVar[bool] = False  # whether a user wrote `get_updates`
    _symbolic_loss: Any = None
    _symbolic_gradients: Mapping[int, SymbolicTensor] = MappingProxyType({})

    @contextmanager
    def symbolic_gradients(self, loss: SymbolicTensor, gradients: Mapping[int, SymbolicTensor]) -> Iterator[None]:
        """Let `get_gradients` return these in the block.

        Args:
            loss: The loss it is called with.
            gradients: id of a weight → its gradient.
        """
        self._symbolic_loss, self._symbolic_gradients = loss, gradients
        try:
            yield
        finally:
            self._symbolic_loss, self._symbolic_gradients = None, {}

    def minimize(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: a loss keeps no list of what to differentiate by."""
        raise NotImplementedError(
            f"{type(self).__name__}.minimize: write optimizer.zero_grad(); loss.backward(); optimizer.step(), after "
            "optimizer.bind(model.named_parameters())."
        )

    @torch.no_grad()
    def finalize_variable_values(self, params: Iterable[Tensor]) -> None:
        """Put the moving averages in place of the parameters, as `fit` does at its end under `use_ema`."""
        if self.use_ema:
            for param in params:
                if "average" in self.state.get(param, {}):
                    param.copy_(self.state[param]["average"])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer: those that this dialect's Keras has."""
        if self.has_own_updates:  # the user's override adds its own
            clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue")}
            return {name: value for name, value in clips.items() if value is not None}
        config = super().get_config()
        if not isinstance(self._schedule, LearningRateSchedule):
            config["learning_rate"] = float(config["learning_rate"])
        dialect = dialects.of(self)
        for cls in type(self).__mro__:
            for argument in dialect.refuses.get(cls.__name__, ()):
                config.pop(argument, None)
        for clip in ("clipnorm", "clipvalue", "global_clipnorm"):
            if config.get(clip) is None and "use_ema" not in config:
                config.pop(clip, None)
        config = {"name": config.pop("name"), **config}
        return (
            {**config, "is_legacy_optimizer": False}
            if "use_ema" in config and self._rules.interleaved_slots
            else config
        )

    @classmethod
    def from_config(cls: type[O], config: dict[str, Any]) -> O:
        """Make an optimizer from what `get_config` returned; a configuration of Keras 2.11–2.15 brings its dialect."""
        config = dict(config)
        legacy = config.pop("is_legacy_optimizer", None)
        if legacy is False and cls._dialect is None:
            with dialects.using(dialects.KERAS_2_15.name):
                return cls(**config)
        return cls(**config)

    def __repr__(self) -> str:
        rate = self._schedule if self._schedule is not None else self.param_groups[0]["lr"]
        return f"<{type(self).__name__} learning_rate={rate!r} iterations={self._iterations}>"


def _pairs(gradient: Tensor | None, variable: Tensor) -> list[tuple[Tensor | None, Tensor]]:
    """Return (gradient, torch parameter) for a weight, which may be a Keras view of one."""
    found = parameters(variable)
    if gradient is None or not isinstance(variable, Variable):
        return [(gradient, p) for p in found]
    return list(zip(variable._weight.codec.write(gradient), found))


__all__ = ["Common", "Optimizer", "Options", "Rate", "Scalars", "Slots"]
