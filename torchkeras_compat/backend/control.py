"""Choices and loops: `switch`, `in_train_phase`, `rnn`, `map_fn`, folds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core import settings, symbolic
from .._core.errors import argument_error
from .._core.operations import as_tensor, operation, tensor_kinds
from .._core.symbolic import SymbolicTensor
from .._core.user_tensors import dressed, hand_out, take_back
from .graph import learning_phase

F = TypeVar("F", bound=Callable[..., Any])


def _value(expression: Any) -> Any:
    return expression() if callable(expression) and not isinstance(expression, SymbolicTensor) else expression


@operation
def _where(condition: Tensor, then: Tensor, other: Tensor) -> Tensor:
    condition = condition.to(torch.bool)
    if condition.ndim > max(then.ndim, other.ndim):
        raise argument_error("switch", "condition", f"of at most {max(then.ndim, other.ndim)} axes", condition)
    # Keras lines a condition up with the first axes of the expressions, not with the last.
    missing = max(then.ndim, other.ndim) - condition.ndim
    return torch.where(condition.reshape((*condition.shape, *([1] * missing))), then, other)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two values: by a single condition, or element by element.

    Args:
        condition: A truth value or a tensor; one with fewer axes than the expressions counts along their first axes.
        then_expression: A tensor, or a function without arguments that returns one.
        else_expression: Likewise.

    Raises:
        ValueError: The condition has more axes than the expressions.

    Example:
        >>> switch(torch.tensor([True, False]), torch.ones(2, 2), torch.zeros(2, 2))
        tensor([[1., 1.],
                [0., 0.]])
    """
    if not isinstance(condition, (Tensor, SymbolicTensor)) and getattr(condition, "ndim", 0) == 0:
        return _value(then_expression if condition else else_expression)
    single = isinstance(condition, Tensor) and condition.ndim == 0 and condition.device.type != "meta"
    if single and (callable(then_expression) or callable(else_expression)):
        chosen = _value(then_expression if bool(condition) else else_expression)
        return chosen if isinstance(chosen, (Tensor, SymbolicTensor)) else dressed(as_tensor(chosen))
    return _where(condition, _value(then_expression), _value(else_expression))


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` in training and `alt` in inference.

    Args:
        x: A tensor, or a function without arguments that returns one.
        alt: Likewise.
        training: The mode; `None` for that of the running call.

    Example:
        >>> in_train_phase(1.0, 2.0, training=True)
        1.0
    """
    if training is None:
        training = learning_phase()
    if isinstance(training, SymbolicTensor) and not symbolic.is_symbolic([_value(x), _value(alt)]):
        training = bool(training)
    return switch(training, x, alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` in inference and `alt` in training; the arguments are those of `in_train_phase`.

    Example:
        >>> in_test_phase(1.0, 2.0, training=True)
        2.0
    """
    return in_train_phase(alt, x, training)


def with_elements(function: F) -> F:
    """Let a function call a user's with elements that have Keras's manners; arrays among its arguments are copied.

    What torch hands in comes back as torch's.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if symbolic.is_symbolic(args) or symbolic.is_symbolic(kwargs):
            return symbolic.apply(call, *args, **kwargs)
        kinds = tensor_kinds([*args, *kwargs.values()])
        result = function(*map(_handed, args), **{name: _handed(value) for name, value in kwargs.items()})
        return take_back(result) if kinds == {Tensor} else hand_out(result)

    return call  # type: ignore[return-value]


def _handed(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and any(isinstance(v, (Tensor, np.ndarray)) for v in value):
        return type(value)(map(_handed, value))
    return hand_out(as_tensor(value) if isinstance(value, np.ndarray) else value)


def _mapped(function: Callable[[Tensor], Any], value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(function, v) for v in value)
    return function(value)


def _at(value: Any, index: int) -> Any:
    return _mapped(lambda v: v[index], value)


def _first(value: Any) -> Tensor:
    return _first(value[0]) if isinstance(value, (list, tuple)) else as_tensor(value)


def _chosen(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(mask.reshape(mask.shape + (1,) * (new.ndim - mask.ndim)), new, old)


def _step_mask(mask: Any, input_length: Any, steps: int, device: torch.device, time_major: bool) -> Tensor | None:
    """Return the mask as (steps, batch), or `None`."""
    if mask is not None:
        valid = as_tensor(mask, device).to(torch.bool)
        if valid.ndim == 3:
            valid = valid.squeeze(-1)
        return valid if time_major else valid.transpose(0, 1)
    if isinstance(input_length, (int, type(None))):
        return None
    lengths = as_tensor(input_length, device).reshape(1, -1)
    return torch.arange(steps, device=device).reshape(-1, 1) < lengths


@with_elements
def rnn(
    step_function: Callable[..., Any],
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, list[Any]]:
    """Run a step function along the time axis.

    Args:
        step_function: `(input, states) -> (output, new_states)`, where `states` ends with the constants.
        inputs: A tensor, or a tuple of tensors that are stepped through together.
        initial_states: The states before the first step.
        go_backwards: Whether to begin with the last step; the outputs are in the order they were made.
        mask: True at steps that count; at others the states stay and the output is that of the step before.
        constants: Given to every step after the states.
        unroll: Accepted for Keras's sake: the result is the same.
        input_length: The number of steps of each sample, instead of a mask.
        time_major: Whether inputs and outputs are (steps, batch, …) instead of (batch, steps, …).
        zero_output_for_mask: Whether the output of a masked step is zero instead.
        return_all_outputs: Whether to keep every output, not the last alone.

    Returns:
        The last output, all outputs, and the last states.

    Source:
        `keras.backend.rnn`, Keras 2.15.

    Example:
        >>> last, outputs, states = rnn(lambda x, s: (x + s[0], [x + s[0]]), torch.ones(1, 3, 2), [torch.zeros(1, 2)])
        >>> outputs[0, :, 0]
        tensor([1., 2., 3.])
    """
    stepped = _mapped(as_tensor, inputs) if time_major else _mapped(lambda t: as_tensor(t).transpose(0, 1), inputs)
    steps = _first(stepped).shape[0]
    valid = _step_mask(mask, input_length, steps, _first(stepped).device, time_major)
    order = range(steps - 1, -1, -1) if go_backwards else range(steps)
    states: list[Any] = list(initial_states)
    outputs: list[Any] = []
    for t in order:
        output, new_states = step_function(_at(stepped, t), [*states, *(constants or ())])
        _expect_values("rnn", "step_function", [output, new_states], "constants")
        if valid is not None:
            now = valid[t]
            before = outputs[-1] if outputs and not zero_output_for_mask else _mapped(torch.zeros_like, output)
            output = _zipped(now, output, before)
            new_states = [_zipped(now, new, old) for new, old in zip(new_states, states)]
        outputs = [*outputs, output] if return_all_outputs else [output]
        states = list(new_states)
    joined = _stacked(outputs)
    if not time_major:
        joined = _mapped(lambda s: s.transpose(0, 1), joined)
    return outputs[-1], joined, states


def _zipped(mask: Tensor, new: Any, old: Any) -> Any:
    if isinstance(new, (list, tuple)):
        return type(new)(_zipped(mask, n, o) for n, o in zip(new, old))
    return _chosen(mask, new, old)


def _stacked(outputs: list[Any]) -> Any:
    if isinstance(outputs[0], (list, tuple)):
        return type(outputs[0])(_stacked(list(parts)) for parts in zip(*outputs))
    return torch.stack(outputs)


@with_elements
def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """Return the results of `fn` on each element along the first axis, joined.

    Args:
        fn: Called with one element (with a tuple of them where `elems` is one).
        elems: A tensor, or a tuple of tensors of one length.
        name: Accepted for Keras's sake.
        dtype: The type of the result, where it differs.

    Example:
        >>> map_fn(lambda row: row.sum(), torch.ones(2, 3))
        tensor([3., 3.])
    """
    elems = _mapped(as_tensor, elems)
    results = [fn(_at(elems, i)) for i in range(len(_first(elems)))]
    _expect_values("map_fn", "fn", results, "elems, a tuple of tensors then")
    joined = _stacked([_mapped(as_tensor, r) for r in results])
    return joined if dtype is None else _mapped(lambda r: r.to(settings.torch_dtype(dtype)), joined)


@with_elements
def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Return `fn(… fn(fn(initializer, first), second) …, last)` over the first axis.

    Args:
        fn: `(result so far, element) -> result`.
        elems: A tensor.
        initializer: The result before the first element, the first element itself if `None`.
        name: Accepted for Keras's sake.

    Example:
        >>> foldl(lambda a, x: a * 2 + x, torch.tensor([1.0, 0.0, 1.0]))
        tensor(5.)
    """
    return _fold(fn, list(as_tensor(elems)), initializer)


@with_elements
def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Fold from the last element to the first; the arguments are those of `foldl`.

    Example:
        >>> foldr(lambda a, x: a * 2 + x, torch.tensor([1.0, 1.0, 0.0]))
        tensor(3.)
    """
    return _fold(fn, list(as_tensor(elems))[::-1], initializer)


def _fold(fn: Callable[[Any, Any], Any], elements: list[Tensor], initializer: Any) -> Any:
    result = elements.pop(0) if initializer is None else initializer
    for element in elements:
        result = fn(result, element)
    _expect_values("foldl", "fn", result, "elems, joined by K.concatenate")
    return result


def _expect_values(owner: str, argument: str, result: Any, place: str) -> None:
    """Raise where a user's function has mixed in a symbolic tensor that the loop does not know."""
    if symbolic.is_symbolic(result):
        raise ValueError(
            f"{owner}: {argument} uses a symbolic tensor from outside; hand it over among {place}, or call {owner} in "
            f"a Lambda layer that gets all tensors."
        )
