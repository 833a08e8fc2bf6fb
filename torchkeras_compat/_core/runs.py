"""What goes on in this thread while a graph runs: values that code may ask for, and what is done otherwise there."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from .tree import Tree, flatten


class _Run(threading.local):
    """What goes on in this thread."""

    values: dict[int, Any] | None = None  # what layers gave in the run in progress, where somebody may ask for it
    asked: bool = False  # whether somebody did
    defers_updates: bool = False
    held_updates: list[Callable[[], Any]] | None = None  # changes that wait for the end of the layer's call in progress
    lent: list[Any] | None = None  # layers whose weights the user's call in progress has given other values
    on_zeros: bool = False  # whether layers run for the shape of what they give, on inputs that have no past


RUN = _Run()  # models read its `values` in each step


@contextlib.contextmanager
def on_recorded_zeros(zeros: Tree) -> Iterator[None]:
    """Let what is computed of zeros have gradients by them in the block; what they do not reach has gradients of 0.

    Args:
        zeros: Tensors that stand in for those of a graph.
    """
    for tensor in flatten(zeros):
        if isinstance(tensor, Tensor) and tensor.is_floating_point():
            tensor.requires_grad_()
    before, RUN.on_zeros = RUN.on_zeros, True
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        RUN.on_zeros = before


@contextlib.contextmanager
def with_values(values: Mapping[int, Any]) -> Iterator[None]:
    """Give symbolic tensors values in the block.

    Args:
        values: The values by the ids of the symbolic tensors.
    """
    with run_values():
        RUN.values = {**values}
        yield


class run_values:
    """Keeps the values that symbolic tensors have in the run in the block, by id: `layer.output` can be used there.

    A class, not a generator: a training step enters one.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = RUN.values
        RUN.values = {}

    def __exit__(self, *error: object) -> None:
        RUN.values = self._before


def was_asked() -> bool:
    """Tell whether somebody asked for a value since the last call."""
    asked, RUN.asked = RUN.asked, False
    return asked


@contextlib.contextmanager
def deferred_updates() -> Iterator[None]:
    """Let changes of variables inside the block be made later, as a graph would."""
    before, RUN.defers_updates = RUN.defers_updates, True
    try:
        yield
    finally:
        RUN.defers_updates = before


def defers_updates() -> bool:
    """Tell whether changes of variables are made later."""
    return RUN.defers_updates
