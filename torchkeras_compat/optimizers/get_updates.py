"""`get_updates`: what an optimizer of classic Keras is made of, written by a user or asked for by one.

A user's optimizer builds its updates once, from symbolic gradients, variables and functions of the backend; training
evaluates them at each step.  Its numbers are variables then, so that what is built from them follows when they are set.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.errors import show
from .._core.symbolic import SymbolicTensor, inputs_before, nodes_before
from .._core.tree import flatten
from .._core.weights import Variable
from ..backend.graph import gradients
from ..backend.variables import get_value, set_value, variable
from .clipping import Clipping
from .gradients import in_layout, parameters


def _kept(name: str) -> property:
    """Return the attribute of a number that an optimizer with its own `get_updates` keeps as a variable."""

    def get(optimizer: Any) -> Any:
        held = optimizer.__dict__.setdefault("_own_variables", {})
        if name not in held and name == "iterations":
            held[name] = variable(0, "int64", name)
        if name not in held:
            raise AttributeError(f"{type(optimizer).__name__} has no {name!r} yet.")
        return held[name]

    def put(optimizer: Any, value: Any) -> None:
        held = optimizer.__dict__.setdefault("_own_variables", {})
        if isinstance(value, (Variable, SymbolicTensor)) or callable(value):
            held[name] = value
        elif isinstance(held.get(name), Variable):
            set_value(held[name], get_value(value))
        else:
            held[name] = variable(get_value(value), "int64" if name == "iterations" else None, name)

    return property(get, put, doc=f"`{name}` as a variable.")


def _alias(name: str) -> property:
    return property(
        lambda optimizer: getattr(optimizer, name),
        lambda optimizer, value: setattr(optimizer, name, value),
        doc=f"The older name of `{name}`.",
    )


def _set_through(optimizer: Any, name: str, value: Any) -> None:
    """Set an attribute; a number for a variable goes into it, for the updates were built of that."""
    held = optimizer.__dict__.get(name)
    if isinstance(held, Variable) and not isinstance(value, (Tensor, SymbolicTensor)):
        set_value(held, get_value(value))
    else:
        object.__setattr__(optimizer, name, value)


def keep_variables(cls: Any) -> None:
    """Let a class that writes its own `get_updates` keep its numbers as variables, and its `weights` as it likes."""
    cls.__setattr__ = _set_through
    for name in dict.fromkeys((*cls.hyper, *cls.numbers, "decay", "learning_rate", "iterations")):
        setattr(cls, name, _kept(name))
    cls.lr = _alias("learning_rate")
    cls.weights = property(
        lambda optimizer: optimizer._weight_io.tensors(),
        lambda optimizer, variables: optimizer._weight_io.take(variables),
        doc="The variables that `get_updates` made, as it lists them.",
    )


class ListedWeights:
    """The state of an optimizer that writes its own `get_updates`: the variables that it lists there.

    Args:
        optimizer: The optimizer.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self._waiting: list[np.ndarray[Any, Any]] | None = None  # what the variables are set to when they are listed

    def take(self, variables: Any) -> None:
        """Take what `get_updates` lists, and set it to what was loaded before."""
        self.optimizer.__dict__["_own_weights"] = variables
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self.optimizer.set_weights(waiting)

    def tensors(self) -> Any:
        """Return the variables."""
        return self.optimizer.__dict__.get("_own_weights", [])

    def arrays(self) -> Sequence[Any]:
        """Return their values."""
        return [get_value(held) for held in self.optimizer.weights] if self._waiting is None else [*self._waiting]

    def set_arrays(self, weights: Sequence[Any]) -> None:
        """Set the variables; those that are not listed yet, when they are.

        Raises:
            ValueError: Another number of arrays, or one of another shape; nothing is changed then.
        """
        arrays = [np.asarray(value) for value in weights]
        if "_own_weights" not in self.optimizer.__dict__:
            self._waiting = arrays
            return
        wanted = [tuple(np.shape(value)) for value in self.arrays()]
        if wanted != [array.shape for array in arrays]:
            owner = type(self.optimizer).__name__
            raise ValueError(f"{owner}.set_weights: arrays of the shapes {wanted} are needed; got {show(arrays)}.")
        for held, array in zip(self.optimizer.weights, arrays, strict=True):
            set_value(held, array)


def loss_and_params(owner: str, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[SymbolicTensor, list[Any]]:
    """Return the loss and the parameters from `(loss, params)`, or from Keras 1's `(params, constraints, loss)`.

    Raises:
        NotImplementedError: One of them is missing, or the loss is not symbolic.
    """
    values = [*args, *kwargs.values()]
    params = next((v for v in values if isinstance(v, (list, tuple)) and v), None)
    loss = next((v for v in values if isinstance(v, SymbolicTensor)), None)
    if params is None or loss is None:
        raise NotImplementedError(
            f"{owner}.get_updates: a symbolic loss, such as model.total_loss, and a list of weights are needed; got "
            f"{show(tuple(values))}. With the value of a loss, write "
            f"optimizer.apply_gradients(zip(optimizer.get_gradients(loss, weights), weights))."
        )
    return loss, list(params)


def step_when_run(apply: Callable[[Any], Any], loss: Any, params: Sequence[Tensor]) -> list[SymbolicTensor]:
    """Return the update that `K.function` makes when it runs: one step from the gradients of a symbolic loss.

    Args:
        apply: `apply_gradients` of the optimizer.
        loss: The symbolic loss.
        params: The weights.
    """

    def step(value: Tensor) -> Tensor:
        behind = [p for variable in params for p in parameters(variable)]
        grads = iter(torch.autograd.grad(value.sum(), behind, retain_graph=True, allow_unused=True))
        apply([(in_layout(variable, [next(grads) for _ in parameters(variable)]), variable) for variable in params])
        return value.detach()

    return [SymbolicTensor(tuple(loss.shape), loss.dtype, step, (loss,), {}, "step")]


def weights_before(loss: SymbolicTensor) -> list[Any]:
    """Return the weights and variables that train and that a symbolic loss is computed from.

    Args:
        loss: The loss.
    """
    variables: dict[int, Any] = {}
    for node in nodes_before(loss, {id(tensor) for tensor in inputs_before(loss)}):
        named = [leaf for leaf in flatten((node.arguments, node.keywords)) if isinstance(leaf, Variable)]
        for weight in (*getattr(node.origin, "trainable_weights", ()), *named):
            if all(parameter.requires_grad for parameter in parameters(weight)):
                variables.setdefault(id(parameters(weight)[0]), weight)
    return list(variables.values())


class SymbolicGradients:
    """What `get_gradients` returns: gradients of a loss by weights, symbolic ones where the loss is symbolic.

    A training step that evaluates an optimizer's own updates has found the gradients of its loss already; they are
    `known` then.

    Args:
        owner: The name of the optimizer's class, for errors.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._loss: SymbolicTensor | None = None
        self._by_weight: Mapping[int, SymbolicTensor] = {}

    @contextmanager
    def known(self, loss: SymbolicTensor, by_weight: Mapping[int, SymbolicTensor]) -> Iterator[None]:
        """Let `of` return these in the block.

        Args:
            loss: The loss it is called with.
            by_weight: id of a weight → its gradient, which is clipped already.
        """
        self._loss, self._by_weight = loss, by_weight
        try:
            yield
        finally:
            self._loss, self._by_weight = None, {}

    def of(self, loss: Any, params: Sequence[Tensor], clipping: Clipping) -> list[Any]:
        """Return the clipped gradients of a loss.

        Args:
            loss: A tensor, or a symbolic one such as `model.total_loss`.
            params: Weights.
            clipping: How they are clipped.

        Raises:
            ValueError: The loss does not depend on one of them.
        """
        if loss is not None and loss is self._loss:
            return [self._by_weight[id(p)] for p in params]
        grads = gradients(loss, list(params))
        if missing := sum(g is None for g in grads):
            raise ValueError(
                f"{self.owner}.get_gradients: the loss does not depend on {missing} of the {len(grads)} parameters."
            )
        if not clipping.limits:
            return grads
        if not isinstance(loss, SymbolicTensor):
            return clipping(grads)
        return [
            SymbolicTensor(g.shape, g.dtype, functools.partial(_clipped, clipping, i), (grads,), {}, "clipped gradient")
            for i, g in enumerate(grads)
        ]


def _clipped(clipping: Clipping, index: int, grads: Sequence[Tensor]) -> Tensor:
    return clipping(list(grads))[index]
