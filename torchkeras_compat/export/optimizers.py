"""The optimizer of a compiled model as an expression of plain torch, and what changes from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from .. import optimizers
from .._core.ownership import origin
from ..mixed_precision import LossScaleOptimizer
from ..optimizers import schedules
from .emission import NotExportable, arguments, display_name, text

Rate = tuple[tuple[str, str], ...]  # pairs of a condition and an expression of `step`; the last has no condition


@dataclass(frozen=True)
class OptimizerText:
    """An optimizer in torch.

    Attributes:
        constructor: The expression that makes it, with `{parameters}`.
        rate: The learning rate of a step, counted from 0, where it changes.
        epsilon: Epsilon of a step, likewise.
        decay: What a step multiplies every weight by first, where torch's optimizer does not.
        clipping: Pairs of a clipping and its bound, in order.
    """

    constructor: str
    rate: Rate = ()
    epsilon: str = ""
    decay: str = ""
    clipping: tuple[tuple[str, float], ...] = ()


def optimizer_text(optimizer: Any) -> OptimizerText:
    """Return what is written down of an optimizer.

    Raises:
        NotExportable: Its step has no form in plain torch.
    """
    if not isinstance(optimizer, optimizers.Optimizer):
        return OptimizerText(_of_torch(optimizer))
    if isinstance(optimizer, LossScaleOptimizer):  # float32 needs no scale
        optimizer = optimizer.inner_optimizer
    owner = type(optimizer).__name__
    write = FORMS.get(origin(type(optimizer)))
    if write is None or optimizer.is_written:
        raise NotExportable(f"compile(optimizer={owner}): its step has no form in plain torch; write it into the file.")
    if optimizer.use_ema:
        raise NotExportable(
            f"compile(optimizer={owner}(use_ema=True)): the average of weights has no form in plain torch."
        )
    if optimizer._weight_decay.by_parameter:
        raise NotExportable(f"compile(optimizer={owner}): weights without decay have no form in plain torch.")
    rate = rate_text(optimizer)
    constructor, epsilon = write(optimizer, bool(rate))
    decay = ""
    if optimizer.weight_decay and "weight_decay=" not in constructor:
        now = 'optimizer.param_groups[0]["lr"]'
        decay = f"1 - {text(float(optimizer.weight_decay))} * {now}"
    return OptimizerText(constructor, rate, epsilon, decay, optimizer.clipping.limits)


def _rate(optimizer: Any) -> float:
    return float(optimizer.current_rate(0))


def _call(name: str, **options: Any) -> str:
    return f"{name}({{parameters}}, {arguments(**options)})"


def _sgd(optimizer: Any, changes: bool) -> tuple[str, str]:
    options: dict[str, Any] = {"lr": _rate(optimizer)}
    momentum = float(optimizer.momentum)
    if not momentum:
        return _call("torch.optim.SGD", **options), ""
    options["momentum"] = momentum
    if changes:  # the velocity holds the rates of its steps
        return _call("SGD", **options, nesterov=bool(optimizer.nesterov)), ""
    return _call("torch.optim.SGD", **options, **({"nesterov": True} if optimizer.nesterov else {})), ""


def _betas(optimizer: Any) -> tuple[float, float]:
    return float(optimizer.beta_1), float(optimizer.beta_2)


def _unusual_betas(optimizer: Any) -> dict[str, Any]:
    betas = _betas(optimizer)
    return {} if betas == (0.9, 0.999) else {"betas": betas}


def _adam(optimizer: Any, changes: bool) -> tuple[str, str]:
    decays, epsilon = bool(optimizer.weight_decay), float(optimizer.epsilon)
    options: dict[str, Any] = {"lr": _rate(optimizer), **_unusual_betas(optimizer), "eps": epsilon}
    options |= {"amsgrad": True} if optimizer.amsgrad else {}
    options |= {"weight_decay": float(optimizer.weight_decay)} if decays else {}
    grown = f"{text(epsilon)} / (1 - {text(float(optimizer.beta_2))} ** (step + 1)) ** 0.5"
    name = "torch.optim.AdamW" if decays else "torch.optim.Adam"
    return _call(name, **options), grown


def _adamax(optimizer: Any, changes: bool) -> tuple[str, str]:
    if float(optimizer.epsilon) > 1e-6:
        raise NotExportable("compile(optimizer=Adamax): torch adds another epsilon; it must be at most 1e-6.")
    options = {"lr": _rate(optimizer), **_unusual_betas(optimizer), "eps": float(optimizer.epsilon)}
    return _call("torch.optim.Adamax", **options), ""


def _nadam(optimizer: Any, changes: bool) -> tuple[str, str]:
    numbers = {"eps": float(optimizer.epsilon), "schedule_decay": float(optimizer.schedule_decay)}
    return _call("Nadam", lr=_rate(optimizer), betas=_betas(optimizer), **numbers), ""


def _rmsprop(optimizer: Any, changes: bool) -> tuple[str, str]:
    moves = float(optimizer.momentum) > 0
    rules, epsilon, rho = optimizer._rules, float(optimizer.epsilon), float(optimizer.rho)
    in_root = rules.epsilon_in_root or (rules.momentum_epsilon_in_root and moves)
    if in_root or (moves and changes):
        numbers = {"rho": rho, "momentum": float(optimizer.momentum), "eps": epsilon}
        kind = {"centered": bool(optimizer.centered), "eps_in_root": in_root}
        return _call("RMSprop", lr=_rate(optimizer), **numbers, **kind), ""
    options = {"momentum": float(optimizer.momentum)} if moves else {}
    options |= {"centered": True} if optimizer.centered else {}
    return _call("torch.optim.RMSprop", lr=_rate(optimizer), alpha=rho, eps=epsilon, **options), ""


def _adagrad(optimizer: Any, changes: bool) -> tuple[str, str]:
    start, epsilon = float(optimizer.initial_accumulator_value), float(optimizer.epsilon)
    if optimizer._rules.epsilon_in_root:
        return _call("Adagrad", lr=_rate(optimizer), start=start, eps=epsilon), ""
    begin = {"initial_accumulator_value": start} if start else {}
    return _call("torch.optim.Adagrad", lr=_rate(optimizer), **begin, eps=epsilon), ""


def _adadelta(optimizer: Any, changes: bool) -> tuple[str, str]:
    rho, epsilon = float(optimizer.rho), float(optimizer.epsilon)
    return _call("torch.optim.Adadelta", lr=_rate(optimizer), rho=rho, eps=epsilon), ""


def _lion(optimizer: Any, changes: bool) -> tuple[str, str]:
    return _call("Lion", lr=_rate(optimizer), betas=_betas(optimizer)), ""


def _ftrl(optimizer: Any, changes: bool) -> tuple[str, str]:
    return _call(
        "Ftrl",
        lr=_rate(optimizer),
        power=float(optimizer.learning_rate_power),
        start=float(optimizer.initial_accumulator_value),
        l1=float(optimizer.l1_regularization_strength),
        l2=float(optimizer.l2_regularization_strength),
        shrinkage=float(optimizer.l2_shrinkage_regularization_strength),
        beta=float(optimizer.beta),
    ), ""


FORMS: dict[type, Callable[[Any, bool], tuple[str, str]]] = {
    optimizers.SGD: _sgd,
    optimizers.Adam: _adam,
    optimizers.AdamW: _adam,
    optimizers.Adamax: _adamax,
    optimizers.Nadam: _nadam,
    optimizers.RMSprop: _rmsprop,
    optimizers.Adagrad: _adagrad,
    optimizers.Adadelta: _adadelta,
    optimizers.Lion: _lion,
    optimizers.Ftrl: _ftrl,
}


def _of_torch(optimizer: torch.optim.Optimizer) -> str:
    """Return the expression that makes an optimizer of torch as it is set."""
    kind: Any = type(optimizer)
    group, *others = optimizer.param_groups
    if kind.__module__.split(".")[:2] != ["torch", "optim"] or others:
        raise NotExportable(f"compile(optimizer={kind.__name__}): only torch.optim's, with one group, can be written.")
    usual = kind([torch.nn.Parameter(torch.zeros(1))]).defaults
    options = {k: v for k, v in group.items() if k != "params" and (k == "lr" or usual.get(k, v) != v)}
    return _call(f"torch.optim.{kind.__name__}", **options)


# --- the learning rate of a step -------------------------------------------------------------------------------------


def rate_text(optimizer: Any) -> Rate:
    """Return the learning rate of a step by expressions of `step`; nothing where it stays what it is.

    Raises:
        NotExportable: It follows a function or a schedule of a user's.
    """
    schedule, decay = optimizer._rate.schedule, float(optimizer.hyperparameters.numbers["decay"])
    if schedule is None:
        return (("", f"{text(_rate(optimizer))} / (1 + {text(decay)} * step)"),) if decay else ()
    write = SCHEDULES.get(origin(type(schedule)))
    if write is None or decay:
        rate = f"{display_name(schedule)}{' and decay' if decay else ''}"
        raise NotExportable(f"compile(optimizer=…): the learning rate follows {rate}, which has no form here.")
    return write(schedule)


def _periods(schedule: Any) -> str:
    return f"step {'//' if schedule.staircase else '/'} {schedule.decay_steps}"


def _exponential(schedule: Any) -> Rate:
    start, share = text(float(schedule.initial_learning_rate)), text(schedule.decay_rate)
    return (("", f"{start} * {share} ** ({_periods(schedule)})"),)


def _inverse(schedule: Any) -> Rate:
    start, share = text(float(schedule.initial_learning_rate)), text(schedule.decay_rate)
    return (("", f"{start} / (1 + {share} * ({_periods(schedule)}))"),)


def _piecewise(schedule: Any) -> Rate:
    values = [text(float(value)) for value in schedule.values]
    early = [(f"step <= {text(bound)}", value) for value, bound in zip(values, schedule.boundaries)]
    return (*early, ("", values[-1]))


def _polynomial(schedule: Any) -> Rate:
    if schedule.cycle:
        raise NotExportable("compile(optimizer=…): PolynomialDecay(cycle=True) has no form in plain torch.")
    start, end, steps = float(schedule.initial_learning_rate), float(schedule.end_learning_rate), schedule.decay_steps
    power = "" if schedule.power == 1 else f" ** {text(schedule.power)}"
    return (("", f"{text(start - end)} * (1 - min(step, {steps}) / {steps}){power} + {text(end)}"),)


def _cosine(schedule: Any) -> Rate:
    start, alpha, steps = float(schedule.initial_learning_rate), float(schedule.alpha), schedule.decay_steps
    top, now = start, "step"
    early: list[tuple[str, str]] = []
    if schedule.warmup_target is not None:
        top, count = float(schedule.warmup_target), schedule.warmup_steps
        early.append((f"step < {count}", f"{text(start)} + {text(top - start)} * step / {count}"))
        now = f"step - {count}"
    curve = f"0.5 * (1 + math.cos(math.pi * min({now}, {steps}) / {steps}))"
    share = curve if not alpha else f"({text(1 - alpha)} * {curve} + {text(alpha)})"
    return (*early, ("", f"{text(top)} * {share}"))


SCHEDULES: dict[type, Callable[[Any], Rate]] = {
    schedules.ExponentialDecay: _exponential,
    schedules.InverseTimeDecay: _inverse,
    schedules.PiecewiseConstantDecay: _piecewise,
    schedules.PolynomialDecay: _polynomial,
    schedules.CosineDecay: _cosine,
}
