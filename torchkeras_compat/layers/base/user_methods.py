"""How methods that users write for their layers are called: with tensors and shapes as they know them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ..._core.dialects import Rules
from ..._core.ownership import is_ours
from ..._core.runs import RUN
from ..._core.tensor_shape import TensorShape
from ..._core.tree import is_shape, map_shapes
from ..._core.user_tensors import call_user

# One method under two names, that of Keras 2 and that of Keras 1.
SHAPE_METHODS = ("compute_output_shape", "get_output_shape_for")


def join_names(cls: type) -> None:
    """Let a class that writes a method under one of its names have it under the other, too.

    Each class in turn, so that `super()` finds the base's under either.
    """
    written = [name for name in SHAPE_METHODS if name in cls.__dict__]
    if len(written) == 1:
        (other,) = set(SHAPE_METHODS) - set(written)
        setattr(cls, other, cls.__dict__[written[0]])


class Written(Protocol):
    """What these calls need of a layer whose methods a user wrote."""

    built: bool
    _has_run: bool
    _swapped: tuple[tuple[Any, str, Any], ...]
    _rules: Rules

    def _naming_inner_layers(self) -> AbstractContextManager[None]:
        """Return the block in which layers that are built have this one in the names of their weights."""

    def _enter_late_weights(self) -> None:
        """Enter the weights that the call has just made."""

    def _swap_weights_back(self) -> None:
        """Put the weights back for which the call had another value."""

    def _updates_count(self) -> bool:
        """Tell whether what the call changes is changed in this run."""

    def _finish_build(self, shape: Any) -> None:
        """Note that the layer is built."""


def with_manners(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method that a user wrote get tensors with Keras's manners, and take back what it gives."""

    @functools.wraps(method)
    def call(self: Written, *args: Any, **kwargs: Any) -> Any:
        return call_user(method.__get__(self), *args, **kwargs)

    return call


def as_user_call(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a user's `call` get and give tensors as `with_manners` does.

    The weights that its first call made are entered, and those it gave another value for the call have their own again.
    """

    @functools.wraps(method)
    def call(self: Written, *args: Any, **kwargs: Any) -> Any:
        if not self._has_run and self.built:
            with self._naming_inner_layers():
                result = _called(method, self, args, kwargs)
            self._has_run = True
            self._enter_late_weights()
            return result
        return _called(method, self, args, kwargs)

    return call


def _called(method: Callable[..., Any], layer: Written, args: Any, kwargs: Any) -> Any:
    before, RUN.held_updates = RUN.held_updates, [] if layer._rules.updates_end_the_call else None
    around, RUN.lent = RUN.lent, []
    try:
        result = call_user(method.__get__(layer), *args, **kwargs)
        if RUN.held_updates and layer._updates_count():
            for change in RUN.held_updates:
                call_user(change)
        return result
    finally:
        RUN.held_updates = before
        lent, RUN.lent = RUN.lent, around
        for other in lent:
            other._swap_weights_back()
        if layer._swapped:
            layer._swap_weights_back()


def told_shapes(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method that a user wrote get shapes as `as_told` gives them."""

    @functools.wraps(method)
    def call(self: Written, input_shape: Any) -> Any:
        return method(self, as_told(input_shape, self._rules))

    return call


def as_told(shape: Any, rules: Rules) -> Any:
    """Return a shape, or a list or dictionary of shapes, as user code gets it.

    A shape alone answers `as_list()`. Those in a list are plain tuples in classic Keras, whose scripts tell one from
    the other by `type(input_shape[0]) is tuple`.
    """
    if not isinstance(shape, (dict, list, tuple)):
        return shape
    if is_shape(shape):
        return TensorShape(shape)
    shapes = map_shapes(tuple if rules.shapes_in_lists_are_tuples else TensorShape, shape)
    return list(shapes) if isinstance(shapes, tuple) else shapes


def finishing(build: Callable[..., None]) -> Callable[..., None]:
    """Let `build` be called by users too, as in Keras: the layer is built then."""

    @functools.wraps(build)
    def call(self: Written, input_shape: Any = None) -> None:
        build(self, input_shape if is_ours(build) else as_told(input_shape, self._rules))
        if input_shape is not None and getattr(type(self), "build", None) is call:
            self._finish_build(input_shape)

    return call
