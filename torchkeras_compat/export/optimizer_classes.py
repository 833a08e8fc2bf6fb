"""Optimizers of plain torch with formulas of Keras that torch.optim has not; carried as those of `modules.py`."""

# ruff: noqa: D102  (the methods are those of torch's optimizers)

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class Optimizer(torch.optim.Optimizer):
    """A step by one formula, `update`, for each parameter."""

    def __init__(self, params: Iterable[Tensor], lr: float, **options: float) -> None:
        super().__init__(params, {"lr": lr, **options})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state[p]
                    state["step"] = state.get("step", 0) + 1
                    self.update(p, p.grad, state, group)

    def update(self, p: Tensor, grad: Tensor, state: Any, group: Any) -> None:
        raise NotImplementedError


class SGD(Optimizer):
    """SGD whose velocity holds the rates of its steps; torch's takes the last rate."""

    def update(self, p: Tensor, grad: Tensor, state: Any, group: Any) -> None:
        velocity = state.setdefault("velocity", torch.zeros_like(p))
        velocity.mul_(group["momentum"]).sub_(group["lr"] * grad)
        if group["nesterov"]:
            p.add_(group["momentum"] * velocity - group["lr"] * grad)
        else:
            p.add_(velocity)


class RMSprop(Optimizer):
    """RMSprop as Keras has it."""

    def update(self, p: Tensor, grad: Tensor, state: Any, group: Any) -> None:
        square = state.setdefault("square", torch.zeros_like(p))
        square.lerp_(grad.square(), 1 - group["rho"])
        spread = square
        if group["centered"]:
            mean = state.setdefault("mean", torch.zeros_like(p))
            mean.lerp_(grad, 1 - group["rho"])
            spread = square - mean.square()
        if group["eps_in_root"]:
            step = grad / (spread + group["eps"]).sqrt()
        else:
            step = grad / (spread.sqrt() + group["eps"])
        if group["momentum"]:
            velocity = state.setdefault("velocity", torch.zeros_like(p))
            step = velocity.mul_(group["momentum"]).add_(group["lr"] * step)
            p.sub_(step)
        else:
            p.sub_(group["lr"] * step)


class Adagrad(Optimizer):
    """Adagrad with epsilon inside the root."""

    def update(self, p: Tensor, grad: Tensor, state: Any, group: Any) -> None:
        square = state.setdefault("square", torch.full_like(p, group["start"]))
        square.add_(grad.square())
        p.sub_(group["lr"] * grad / (square + group["eps"]).sqrt())


class Nadam(Optimizer):
    """Adam with Nesterov's momentum and the schedule of momenta that Keras has."""

    def update(self, p: Tensor, grad: Tensor, state: Any, group: Any) -> None:
        step, (beta_1, beta_2) = state["step"], group["betas"]
        mean = state.setdefault("mean", torch.zeros_like(p))
        square = state.setdefault("square", torch.zeros_like(p))
        now = beta_1 * (1 - 0.5 * 0.96 ** (step * group["schedule_decay"]))
        then = beta_1 * (1 - 0.5 * 0.96 ** ((step + 1) * group["schedule_decay"]))
        product = state["product"] = state.get("product", 1.0) * now
        mean.lerp_(grad, 1 - beta_1)
        square.lerp_(grad.square(), 1 - beta_2)
        ahead = (1 - now) / (1 - product) * grad + then / (1 - product * then) * mean
        below = (square / (1 - beta_2**step)).sqrt() + group["eps"]
        p.sub_(group["lr"] * ahead / below)


class Lion(Optimizer):
    """Steps by the sign of a momentum (Chen et al., 2023)."""

    def update(self, p: Tensor, grad: Tensor, state: Any, group: Any) -> None:
        beta_1, beta_2 = group["betas"]
        mean = state.setdefault("mean", torch.zeros_like(p))
        p.sub_(group["lr"] * torch.lerp(mean, grad, 1 - beta_1).sign())
        mean.lerp_(grad, 1 - beta_2)


class Ftrl(Optimizer):
    """Follow the regularised leader (McMahan et al., 2013)."""

    def update(self, p: Tensor, grad: Tensor, state: Any, group: Any) -> None:
        lr, power = group["lr"], -group["power"]
        sums = state.setdefault("sums", torch.full_like(p, group["start"]))
        linear = state.setdefault("linear", torch.zeros_like(p))
        before = sums**power
        sums.add_(grad.square())
        after = sums**power
        linear.add_(grad + 2 * group["shrinkage"] * p - (after - before) / lr * p)
        curvature = after / lr + 2 * group["l2"] + group["beta"] / lr
        p.copy_((linear.clamp(-group["l1"], group["l1"]) - linear) / curvature)
