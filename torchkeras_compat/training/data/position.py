"""Where training stands in its data, written down so that another process gets to the same batch."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from ..._core import randomness
from ..._core.tree import Tree, flatten
from ...utils.read_ahead import END, Reader

T = TypeVar("T")

# A source that can be read once → how many of its items this process has drawn in training that is backed up.
_DRAWN: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


class Position:
    """Where training stands in its data; data have one where a backup of the training is kept.

    Args:
        generators: Generators of random numbers that the data have beside the global ones.
        reader: Reads the data, ahead of the training maybe.

    Attributes:
        begun: How many passes over the data have begun.
        batches: How many batches of the last one have been handed out.
        drawn: How many items have been drawn of a source that can be read once.
        samples: How many samples of the last pass have been handed out, where it is they that are counted.
        goes_on: Whether what begins next is the rest of the last pass.
    """

    def __init__(self, generators: Sequence[torch.Generator] = (), reader: Reader | None = None) -> None:
        self.generators, self.reader = generators, reader
        if reader is not None:
            reader.note = _numbers_of_sources
        self.begun = self.batches = self.drawn = self.samples = 0
        self._before_pass: dict[str, Any] = {}
        self._before_first_item: dict[str, Any] = {}
        self._before_epoch_ends: list[dict[str, Any]] = []
        self.goes_on = False

    # --- passes --------------------------------------------------------------------------------------------------

    @contextmanager
    def beginning(self) -> Iterator[int]:
        """Let a pass begin in the block, which draws its order; yields how many of its batches are past.

        A pass that had begun before is given the random numbers that it was given then.
        """
        if not self.goes_on:
            self.begun, self.batches, self.samples = self.begun + 1, 0, 0
            self._before_pass = self._random()
            yield 0
            return
        self.goes_on = False
        with self._with_random(self._before_pass):
            yield self.batches

    def counted(self, batches: Iterator[T]) -> Iterator[T]:
        """Yield batches, and count them."""
        for batch in batches:
            self.batches += 1
            yield batch

    def go_on(self) -> None:
        """Let the next pass be the rest of the last one."""
        self.goes_on = self.begun > 0

    # --- sources that can be read once ---------------------------------------------------------------------------

    def begin_drawing(self) -> None:
        """Take note of the random numbers before the first item."""
        if not self.drawn:
            self._before_first_item = self._random()

    def draw(self, source: Any) -> None:
        """Take note of an item."""
        self.drawn += 1
        _note_drawn(source, self.drawn)

    def advance(self, source: Any, draw: Callable[[], Any]) -> None:
        """Draw what was drawn before, so that the next item is the one behind it.

        Args:
            source: What can be read once.
            draw: Returns its next item, or `END`.

        Raises:
            ValueError: The source ends before.
        """
        known = _DRAWN.get(source, 0) if can_be_told_apart(source) else 0
        with self._with_random(self._before_first_item):
            for number in range(known, self.drawn):
                if draw() is END:
                    raise ValueError(
                        f"fit: the generator ended after {number} of the {self.drawn} batches that the training took "
                        f"before it was interrupted; give it a new one, which begins where that one did."
                    )
        _note_drawn(source, self.drawn)

    # --- ends of epochs ------------------------------------------------------------------------------------------

    @contextmanager
    def ending_epoch(self) -> Iterator[None]:
        """Take note of what a source draws when it is told that an epoch has ended."""
        before = self._random()
        yield
        after = self._random()
        self._before_epoch_ends.append({name: before[name] for name in before if _differ(before[name], after[name])})

    def end_epochs_again(self, source: Any) -> None:
        """Tell a source of each epoch that has ended, with the random numbers of that time."""
        for before in self._before_epoch_ends:
            with self._with_random(before):
                source.on_epoch_end()

    # --- as a tree -----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the position as a tree of numbers, arrays and tensors."""
        return {
            "begun": self.begun,
            "batches": self.batches,
            "drawn": self.drawn,
            "samples": self.samples,
            "before_pass": self._before_pass,
            "before_first_item": self._before_first_item,
            "before_epoch_ends": list(self._before_epoch_ends),
            "random": {**self._random(), **self._as_of_the_batch_in_use()},
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take the position that `state` returned; the random numbers go on from there."""
        self.begun, self.batches = state["begun"], state["batches"]
        self.drawn, self.samples = state["drawn"], state["samples"]
        self._before_pass, self._before_first_item = state["before_pass"], state["before_first_item"]
        self._before_epoch_ends = list(state["before_epoch_ends"])
        self._set_random(state["random"])

    def _as_of_the_batch_in_use(self) -> Mapping[str, Any]:
        """Return where generators stood when the batch in use had been read, if others have been read behind it."""
        return (self.reader.noted or {}) if self.reader is not None else {}

    def _random(self) -> dict[str, Any]:
        own = {f"own {i}": generator.get_state() for i, generator in enumerate(self.generators)}
        return {**randomness.get_state(), **own}

    def _set_random(self, states: Mapping[str, Any]) -> None:
        randomness.set_state(states)
        for i, generator in enumerate(self.generators):
            if f"own {i}" in states:
                generator.set_state(states[f"own {i}"])

    @contextmanager
    def _with_random(self, states: Mapping[str, Any]) -> Iterator[None]:
        """Run the block with the random numbers of another time."""
        now = self._random()
        self._set_random(states)
        try:
            yield
        finally:
            self._set_random(now)


def _numbers_of_sources() -> dict[str, Any]:
    # Of torch's generator, draws of the model and those of a thread beside it cannot be told apart.
    states = randomness.get_state()
    return {name: states[name] for name in ("numpy", "python")}


def can_be_told_apart(source: Any) -> bool:
    """Tell whether a source can be told from others for as long as it lives; some iterators of Python cannot."""
    kind = type(source)
    return kind.__hash__ is not None and bool(getattr(kind, "__weakrefoffset__", 0))


def _note_drawn(source: Any, count: int) -> None:
    if can_be_told_apart(source):
        _DRAWN[source] = count


def _differ(one: Tree, other: Tree) -> bool:
    return [_bytes(leaf) for leaf in flatten(one)] != [_bytes(leaf) for leaf in flatten(other)]


def _bytes(leaf: Any) -> Any:
    return leaf.cpu().numpy().tobytes() if isinstance(leaf, torch.Tensor) else getattr(leaf, "tobytes", lambda: leaf)()
