"""What executors share that keep a graph for each shape of batch: when one is made, when it goes, what is said."""

from __future__ import annotations

import functools
import random
import warnings
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from torch import Tensor, nn

from ..._core.border import user_stacklevel
from ..._core.graph_capture import CannotCapture
from ..._core.ownership import is_ours
from ..._core.rollback import Kept, unchanged
from ..._core.strings import StringTensor
from ..._core.tree import flatten
from ...layers.base import Layer
from ..data.batch import Batch
from ..step.step import Step

Key = tuple[Any, ...]
G = TypeVar("G")


class FallsBack:
    """What makes graphs, and says in one line why something runs eagerly instead.

    Attributes:
        announces: What stands before the line.
        verb: What is done to a step.
    """

    announces: ClassVar[str]
    verb: ClassVar[str]

    def __init__(self) -> None:
        self._said: set[str] = set()

    def attempt(self, make: Callable[[], G]) -> G | None:
        """Return what a function makes, `None` where it cannot, after a line that says why."""
        try:
            return make()
        except CannotCapture as error:
            self.say(f"{error}; the model runs eagerly.")
        except (
            Exception
        ) as error:  # torch's own, of many kinds; an error of the user's code comes again in the eager step
            place = layer_of(error)
            where = "the step" if place is None else str(place)
            self.say(f"{where} could not be {self.verb} ({first_line(error)}); the model runs eagerly.")
        return None

    def say(self, text: str) -> None:
        """Say once why something runs eagerly."""
        if text not in self._said:
            self._said.add(text)
            warnings.warn(f"{self.announces}: {text}", stacklevel=user_stacklevel())


class GraphExecutor(FallsBack, Generic[G]):
    """The graphs of a training step, one for each shape of batch that is worth it.

    Args:
        step: The step.
    """

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.step = step
        self._places: Any = None
        self.forget()

    def forget(self) -> None:
        """Forget the graphs, whose tensors are no longer those of the model."""
        self._graphs: dict[Key, G | None] = {}
        self._seen: Counter[Key] = Counter()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the graphs, which cannot be copied; a copy makes its own."""
        return {"step": self.step, "_said": self._said}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._places = None
        self.forget()

    def _where(self) -> Any:
        """Return what graphs were made for beside the shape of a batch."""
        model: Any = self.step.model
        tensors = (*nn.Module.parameters(model), *nn.Module.buffers(model))
        return tuple((id(t), t.data_ptr()) for t in tensors), self.step.update.frozen()

    def prepare(self, rebuilt: bool) -> None:
        """Make ready for training; graphs go where parameters, states or what they froze have moved."""
        where = self._where()
        if rebuilt or self._places != where:
            self.forget()
            self._places = where

    def train(self, batch: Batch) -> bool:
        """Train on a batch, or tell that it has to be done eagerly."""
        if self.step.model._standing_metrics:
            self.say("the model has metrics of symbolic tensors, which only eager steps know; it runs eagerly.")
            return False
        if any(head.head.is_annealed for head in self.step.heads):
            self.say("loss_weights hold a variable, whose value a graph would take for ever; the model runs eagerly.")
            return False
        if self.step._has_hooks:
            self.say("hooks see eager steps only; the model runs eagerly while it has hooks.")
            return False
        scalars = self.step.update.scalars()
        key = (layout(batch.x), layout(batch.y), layout(batch.weight), *scalars)
        self._seen[key] += 1
        if key not in self._graphs:
            if not self._worth(key):
                return False
            self._graphs[key] = self.attempt(functools.partial(self._of_numbers, batch, scalars))
        graph = self._graphs[key]
        return graph is not None and self._run(graph, batch, scalars)

    def held_bytes(self) -> int:
        """Return how much memory the graphs hold beside the model's own tensors."""
        return 0

    def _of_numbers(self, batch: Batch, scalars: dict[str, float]) -> G:
        refuse_strings(batch.x)
        return self._make(batch, scalars)

    @abstractmethod
    def _worth(self, key: Key) -> bool:
        """Tell whether this shape of batch comes often enough."""

    @abstractmethod
    def _make(self, batch: Batch, scalars: dict[str, float]) -> G:
        """Make a graph for batches like this one; nothing is trained."""

    @abstractmethod
    def _run(self, graph: G, batch: Batch, scalars: dict[str, float]) -> bool:
        """Train on a batch, or tell that it has to be done eagerly."""


def first_line(error: BaseException) -> str:
    """Return the kind of an error and the first line of its message."""
    reason = (str(error).strip().splitlines() or [""])[0][:200]
    return f"{type(error).__name__}: {reason}"


def layout(tree: Any) -> Any:
    """Return what tells batches of different shapes or memory apart."""
    return tuple(None if t is None else (tuple(t.shape), t.stride(), t.dtype, t.device) for t in flatten(tree))


def layer_of(error: BaseException) -> Layer | None:
    """Return the layer whose code raised, the innermost one."""
    innermost, traceback = None, error.__traceback__
    while traceback is not None:
        owner = traceback.tb_frame.f_locals.get("self")
        if isinstance(owner, Layer) and hasattr(owner, "name"):
            innermost = owner
        traceback = traceback.tb_next
    return innermost


def refuse_strings(x: Any) -> None:
    """Refuse a batch that holds strings.

    Args:
        x: The inputs.

    Raises:
        CannotCapture: Some are strings.
    """
    if any(isinstance(leaf, StringTensor) for leaf in flatten(x)):
        raise CannotCapture("it reads strings, which happens in Python")


# --- what a graph would take for ever ----------------------------------------------------------------------------


def host_randomness() -> tuple[Any, ...]:
    """Return the states of the generators of numpy and Python."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    return kind, np.asarray(keys).tobytes(), rest, random.getstate()


def _set_host_randomness(state: tuple[Any, ...]) -> None:
    kind, keys, rest, of_python = state
    np.random.set_state((kind, np.frombuffer(keys, np.uint32), *rest))
    random.setstate(of_python)


def refuse_host_randomness(before: tuple[Any, ...]) -> None:
    """Refuse code that has drawn on the host since `host_randomness` was asked.

    Raises:
        CannotCapture: It has.
    """
    if host_randomness() != before:
        raise CannotCapture("something in it draws from numpy.random or random, and a graph would repeat one draw")


@contextmanager
def leaving_no_trace(model: Any, python_counts: bool) -> Iterator[None]:
    """Run a step for show: attributes are as before, and what would have changed from step to step is refused.

    Args:
        model: The model.
        python_counts: Whether numbers and lists in attributes of users' layers are refused, too, and not only tensors.

    Raises:
        CannotCapture: The step keeps something in Python, or draws on the host: a graph would do so once.
    """
    randomness = host_randomness()
    try:
        with unchanged(model) as kept:
            yield
            refuse_host_randomness(randomness)
            _refuse_kept_values(kept, python_counts)
    finally:
        _set_host_randomness(randomness)


def _refuse_kept_values(kept: Kept, python_counts: bool) -> None:
    """Refuse modules that have put something else into their attributes: a graph would never change it."""
    for module, attributes in kept:
        users = python_counts and not is_ours(type(module)) and not type(module).__module__.startswith("torch.")
        places = [(vars(module), attributes)]
        buffers = attributes.get("_buffers", (None, None))[1]
        places += [(module._buffers, {name: (value, None) for name, value in (buffers or {}).items()})]
        for now, before in places:
            for name, value in now.items():
                if _differs(value, before.get(name, (None, None)), users and not _is_of_base(name, type(module))):
                    what = "a new tensor" if isinstance(value, Tensor) else "something else"
                    owner = str(module).splitlines()[0]  # of a torch module the first line of many
                    raise CannotCapture(f"it puts {what} into its attribute {name!r} at each step", owner)


_OF_MODULES = frozenset(vars(nn.Module()))


def _is_of_base(name: str, cls: type) -> bool:
    """Tell whether an attribute is one that torch, or a class of this package, gives its subclasses."""
    bases = [base for base in cls.__mro__ if is_ours(base)]
    return name in _OF_MODULES or any(
        name in vars(base) or name in vars(base).get("__annotations__", {}) for base in bases
    )


def _differs(value: Any, before: tuple[Any, Any], users: bool) -> bool:
    """Tell whether an attribute counts as changed: tensors in every module, other values in those of users."""
    was, inside = before
    if isinstance(value, Tensor):
        return value is not was
    if not users or callable(value):
        return False
    if isinstance(value, (list, dict, set)):
        return value is not was or _identities(value) != _identities(inside)
    return value is not was and isinstance(value, (int, float, str, bool, type(None))) and value != was


def _identities(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: id(item) for key, item in value.items()}
    return [id(item) for item in value] if isinstance(value, (list, set)) else value
