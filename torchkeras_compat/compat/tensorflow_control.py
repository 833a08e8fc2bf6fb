"""Choices, loops, calls of Python and scopes of `tensorflow`: what runs eagerly here is Python's own.

On symbolic tensors a choice computes both branches, and a loop over elements waits until they are known.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import backend as K
from .._core import symbolic
from .._core.errors import argument_error
from .._core.tree import flatten, is_branch, map_tree
from .._core.user_tensors import hand_out
from ..backend.control import with_elements
from .tensorflow_calls import are_known, tensor
from .tensorflow_gradients import custom_gradient, gradients

Branch = Callable[[], Any]


# --- choices -----------------------------------------------------------------------------------------------------


def cond(
    pred: Any,
    true_fn: Branch | None = None,
    false_fn: Branch | None = None,
    name: str | None = None,
    strict: bool = False,
    fn1: Branch | None = None,
    fn2: Branch | None = None,
) -> Any:
    """Return what one of two functions returns.

    Args:
        pred: One truth value; of a symbolic one both functions are called.
        true_fn: Called where it holds.
        false_fn: Called where it does not.
        name: Accepted.
        strict: Accepted.
        fn1: The old name of `true_fn`.
        fn2: The old name of `false_fn`.

    Raises:
        TypeError: A function is missing.

    Example:
        >>> cond(torch.tensor(True), lambda: 1, lambda: 2)
        1
    """
    if_true, if_false = true_fn or fn1, false_fn or fn2
    if if_true is None or if_false is None:
        raise argument_error("tf.cond", "true_fn, false_fn", "two functions", (if_true, if_false), TypeError)
    if are_known(pred):
        return if_true() if bool(pred) else if_false()
    return map_tree(lambda a, b: K.switch(pred, tensor(a), tensor(b)), if_true(), if_false())


def case(
    pred_fn_pairs: Any,
    default: Branch | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Return what the function beside the first true value returns.

    Args:
        pred_fn_pairs: Pairs of a truth value and a function.
        default: Called where none is true; the last of the functions if `None` and truth is not known yet.
        exclusive: Whether more than one true value is an error.
        strict: Accepted.
        name: Accepted.

    Raises:
        ValueError: None is true and there is no default, or more than one is where that must not be.

    Example:
        >>> case([(False, lambda: 1), (True, lambda: 2)])
        2
    """
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, Mapping) else pred_fn_pairs)
    if are_known(*(pred for pred, _ in pairs)):
        true = [branch for pred, branch in pairs if bool(pred)]
        if exclusive and len(true) > 1:
            raise argument_error("tf.case", "pred_fn_pairs", "true at most once", f"{len(true)} that are true")
        if not true and default is None:
            raise argument_error("tf.case", "default", "a function where no value is true", default)
        return (true[0] if true else default)()  # type: ignore[misc]
    last = default or pairs[-1][1]
    chosen: Branch = last
    for pred, branch in reversed(pairs if default else pairs[:-1]):
        chosen = _between(pred, branch, chosen)
    return chosen()


def _between(pred: Any, branch: Branch, other: Branch) -> Branch:
    return lambda: cond(pred, branch, other)


def switch_case(branch_index: Any, branch_fns: Any, default: Branch | None = None, name: str = "switch_case") -> Any:
    """Return what one of several functions returns.

    Args:
        branch_index: The number of the function.
        branch_fns: The functions, or pairs of a number and a function, or a dictionary of them.
        default: Called for other numbers, the last function if `None`.
        name: Accepted.

    Example:
        >>> switch_case(1, [lambda: 'a', lambda: 'b'])
        'b'
    """
    if isinstance(branch_fns, Mapping):
        branches = sorted(branch_fns.items())
    else:
        branches = [b if isinstance(b, tuple) else (i, b) for i, b in enumerate(branch_fns)]
    return case([(K.equal(branch_index, i), branch) for i, branch in branches], default or branches[-1][1])


# --- loops -------------------------------------------------------------------------------------------------------


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Return the loop's variables after the last step.

    Args:
        cond: Whether to go on, of the variables.
        body: Returns the new variables.
        loop_vars: The first ones.
        shape_invariants: Accepted.
        parallel_iterations: Accepted.
        back_prop: Accepted.
        swap_memory: Accepted.
        maximum_iterations: How many steps there are at most.
        name: Accepted.

    Raises:
        TypeError: A variable is symbolic.

    Example:
        >>> while_loop(lambda i: i < 3, lambda i: (i + 1,), [0])
        [tensor(3, dtype=torch.int32)]
    """
    if symbolic.is_symbolic(loop_vars):
        raise TypeError("tf.while_loop: how often it runs is not known of symbolic tensors; call it in a layer.")
    values = map_tree(_loop_value, loop_vars)
    steps = 0
    while bool(cond(*values)) and (maximum_iterations is None or steps < int(maximum_iterations)):
        after = body(*values)
        after = after if isinstance(after, (list, tuple)) else (after,)
        values = type(values)([map_tree(_loop_value, value) for value in after])
        steps += 1
    return values


def _loop_value(value: Any) -> Any:
    return value if isinstance(value, Tensor) or hasattr(value, "stack") else tensor(value)


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Return the results of a function on each element along the first axis, joined.

    Args:
        fn: Called with one element, with a tuple of them where `elems` is one.
        elems: A tensor, or a tuple of tensors of one length.
        dtype: The type of the results.
        parallel_iterations: Accepted.
        back_prop: Accepted.
        swap_memory: Accepted.
        infer_shape: Accepted.
        name: Accepted.
        fn_output_signature: The new name of `dtype`.

    Example:
        >>> map_fn(lambda x: x * 2, torch.tensor([1, 2]))
        tensor([2, 4])
    """
    kind = dtype if fn_output_signature is None else fn_output_signature
    kind = getattr(kind, "dtype", kind)  # of a TensorSpec
    # Several types belong to several results, which have them already.
    return K.map_fn(fn, map_tree(tensor, elems), dtype=None if is_branch(kind) else kind)


def vectorized_map(fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """Return the results of a function on each element along the first axis, joined.

    Args:
        fn: Called with one element.
        elems: A tensor, or a tuple of tensors of one length.
        fallback_to_while_loop: Accepted.
        warn: Accepted.
    """
    return K.map_fn(fn, map_tree(tensor, elems))


def _steps_of(elems: Any, reverse: bool) -> list[Any]:
    numbers = range(len(flatten(elems)[0]))
    return [map_tree(lambda values, i=i: values[i], elems) for i in (reversed(numbers) if reverse else numbers)]


@with_elements
def _accumulated(fn: Callable[..., Any], elems: Any, initializer: Any, reverse: bool, every: bool) -> Any:
    """Return the results so far after each element, or the last alone."""
    elements = _steps_of(elems, reverse)
    result = elements.pop(0) if initializer is None else initializer
    results = [result] if initializer is None else []
    for element in elements:
        result = map_tree(tensor, fn(result, element))
        results.append(result)
    if not every:
        return result
    results = results[::-1] if reverse else results
    return map_tree(lambda *parts: torch.stack(parts), *results)


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Return what a function has gathered after each element along the first axis.

    Args:
        fn: `(result so far, element) -> result`.
        elems: A tensor, or a tree of tensors of one length.
        initializer: The result before the first element; the first element if `None`.
        parallel_iterations: Accepted.
        back_prop: Accepted.
        swap_memory: Accepted.
        infer_shape: Accepted.
        reverse: Whether to begin with the last element.
        name: Accepted.

    Example:
        >>> scan(lambda a, x: a + x, torch.tensor([1, 2, 3]))
        tensor([1, 3, 6])
    """
    start = None if initializer is None else map_tree(tensor, initializer)
    return _accumulated(fn, map_tree(tensor, elems), start, reverse, True)


def _fold(reverse: bool) -> Callable[..., Any]:
    def fold(
        fn: Callable[[Any, Any], Any],
        elems: Any,
        initializer: Any = None,
        parallel_iterations: int = 10,
        back_prop: bool = True,
        swap_memory: bool = False,
        name: str | None = None,
    ) -> Any:
        start = None if initializer is None else map_tree(tensor, initializer)
        return _accumulated(fn, map_tree(tensor, elems), start, reverse, False)

    return fold


# --- scopes, and statements in their order -----------------------------------------------------------------------


@contextlib.contextmanager
def scope(name_or_scope: Any = None, *args: Any, **kwargs: Any) -> Iterator[str]:
    """Accept a prefix for the names of a graph's operations, of which there are none here.

    Args:
        name_or_scope: The prefix, given to the `with` block with a slash behind it.
        args: Accepted.
        kwargs: Accepted: `reuse`, `values`, `default_name` and so on.
    """
    name = name_or_scope or kwargs.get("name") or kwargs.get("default_name") or ""
    yield f"{name}/" if name else ""


@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """Accept what a graph would compute first: statements run in their order.

    Args:
        control_inputs: Accepted.
    """
    yield


def group(*inputs: Any, **kwargs: Any) -> None:
    """Accept operations: they ran where they stand.

    Args:
        inputs: The operations, or lists of them.
        kwargs: Accepted: `name`.
    """


def _assigning(update: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def assign(ref: Any, value: Any, validate_shape: Any = None, use_locking: Any = None, name: Any = None) -> Any:
        return update(ref, tensor(value, beside=ref))

    return assign


# --- functions of Python -----------------------------------------------------------------------------------------


def _typed(results: Any, kinds: Any) -> Any:
    """Return what a function of Python returned as tensors of the types told."""
    if not isinstance(kinds, (list, tuple)):
        if kinds is None:
            return results
        return tensor(results, kinds)
    parts = results if isinstance(results, (list, tuple)) else [results]
    if len(parts) != len(kinds):
        raise argument_error("tf.py_function", "func", f"a function that returns {len(kinds)} values", len(parts))
    return [tensor(part, kind) for part, kind in zip(parts, kinds)]


def _calling(arguments_of: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function that calls one of Python with what becomes of tensors."""

    def compute(func: Callable[..., Any], inp: Sequence[Any], kinds: Any) -> Any:
        return _typed(func(*map(arguments_of, inp)), kinds)

    def on_shapes(func: Callable[..., Any], inp: Sequence[Any], kinds: Any) -> Any:
        """Try the function on zeros: nothing else tells the shapes of what it returns."""
        zeros = [torch.zeros(x.shape, dtype=x.dtype) if isinstance(x, Tensor) else x for x in inp]
        return map_tree(lambda y: y.to("meta") if isinstance(y, Tensor) else y, compute(func, zeros, kinds))

    compute._on_shapes = on_shapes  # type: ignore[attr-defined]

    def call(
        func: Callable[..., Any], inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
    ) -> Any:
        inputs = [] if inp is None else list(inp) if isinstance(inp, (list, tuple)) else [inp]
        if symbolic.is_symbolic(inputs):
            return symbolic.apply(compute, func, inputs, Tout)
        tensors = [tensor(value) for value in inputs]
        return (compute if are_known(*tensors) else on_shapes)(func, tensors, Tout)

    return call


def _array(value: Any) -> Any:
    """Return a value as numpy has it: one alone as a number, and one string as bytes."""
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)[()]


CONTROL: dict[str, Any] = {
    "cond": cond,
    "case": case,
    "switch_case": switch_case,
    "while_loop": while_loop,
    "map_fn": map_fn,
    "vectorized_map": vectorized_map,
    "scan": scan,
    "foldl": _fold(reverse=False),
    "foldr": _fold(reverse=True),
    "gradients": gradients,
    "custom_gradient": custom_gradient,
    "name_scope": scope,
    "variable_scope": scope,
    "control_dependencies": control_dependencies,
    "group": group,
    "assign": _assigning(K.update),
    "assign_add": _assigning(K.update_add),
    "assign_sub": _assigning(K.update_sub),
    "py_function": _calling(hand_out),
    "numpy_function": _calling(_array),
    "py_func": _calling(_array),
}
