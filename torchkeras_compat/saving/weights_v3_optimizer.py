"""The state of an optimizer in the tree of `weights_v3`: its count, from Keras 3 on the learning rate, and its slots.

Keras 3 has the slots in the order of Keras 2.15, with these differences: an SGD without momentum has none; Nadam keeps
the product of its momenta; Adafactor keeps two zeros for each weight without rows and columns. One that scales the
loss has the optimizer inside in `inner_optimizer`, and its own count and scale before a copy of the state of that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from .._core.dialects import KERAS_2_15, Rules
from . import weights_v3
from .hdf5 import FileError
from .weights_v3 import OPTIMIZER

Array = np.ndarray[Any, Any]

INNER = f"{OPTIMIZER}/inner_optimizer"
RULES_3 = replace(KERAS_2_15.rules, idle_momentum=False)


@dataclass(frozen=True)
class OptimizerState:
    """What a file holds for an optimizer.

    Attributes:
        rules: Whose order the slots are in.
        arrays: The count and the slots.
        rate: The learning rate; `None` where the file has none.
        scale: The count of finite steps and the scale of the loss; `None` where the file has none.
    """

    rules: Rules
    arrays: tuple[Array, ...]
    rate: float | None = None
    scale: tuple[int, float] | None = None


def write_state(root: Any, optimizer: Any) -> None:
    """Write the state of an optimizer as Keras 3 does; what is no optimizer of this package has none in files.

    Args:
        root: The file's root.
        optimizer: The optimizer of a model.
    """
    if not _has_state(optimizer):
        return
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is None:
        weights_v3.write_arrays(root, OPTIMIZER, optimizer.name, _arrays(optimizer))
        return
    arrays = _arrays(inner)
    good, scale = np.asarray(int(optimizer._scale.good_steps), "int32"), np.asarray(optimizer._scale.value.cpu())
    zeros = [np.zeros((), "int32"), np.zeros((), "float32")]  # a count and a rate of its own, which nothing uses
    weights_v3.write_arrays(root, OPTIMIZER, optimizer.name, [*zeros, good, scale, *arrays])
    weights_v3.write_arrays(root, INNER, inner.name, arrays)


def read_state(root: Any, optimizer: Any, caller: str) -> OptimizerState | None:
    """Return what a file holds for an optimizer; `None` where it holds nothing.

    Args:
        root: The file's root.
        optimizer: The optimizer that shall get it; it is not changed.
        caller: Who reads, for messages.

    Raises:
        FileError: It is the state of another optimizer.
    """
    outer = weights_v3.datasets(root, OPTIMIZER, caller)
    if _lists_weights(optimizer):
        _expect_sizes(outer, optimizer, caller)
        return OptimizerState(RULES_3, tuple(np.asarray(one[()]) for one in outer)) if outer else None
    inner = weights_v3.datasets(root, INNER, caller) if hasattr(optimizer, "inner_optimizer") else ()
    state = state_of(inner or outer, optimizer, caller)
    if state is not None and inner and len(outer) == len(inner) + 4:
        return replace(state, scale=(int(outer[2][()]), float(outer[3][()])))
    return state


def state_of(data: Sequence[Any], optimizer: Any, caller: str) -> OptimizerState | None:
    """Return the state that datasets hold which Keras 2.15 or 3 wrote one after the other; `None` where there are none.

    Args:
        data: The datasets, not read yet.
        optimizer: The optimizer that shall get it; it is not changed.
        caller: Who reads, for messages.

    Raises:
        FileError: It is the state of another optimizer.
    """
    if not data or not _has_state(optimizer):
        return None
    if data[0].shape == () and not int(data[0][()]):
        return None  # it has not trained
    _expect_sizes(data, optimizer, caller)
    bare = getattr(optimizer, "inner_optimizer", optimizer)
    for form in (_form_3(bare), _Form(KERAS_2_15.rules)):
        if len(data) == form.count(bare) and form.fits(data):
            return form.state([np.asarray(one[()]) for one in data], bare)
    raise FileError(
        f"{caller}: the state of the optimizer in the file has {len(data)} arrays, and that of {type(bare).__name__} "
        f"has {_form_3(bare).count(bare)}."
    )


def _expect_sizes(data: Sequence[Any], optimizer: Any, caller: str) -> None:
    largest = max((p.numel() for p in _params(optimizer)), default=1)
    if any(one.shape is None or np.prod(one.shape, dtype=object) > max(largest, 1) for one in data):
        raise FileError(f"{caller}: {data[0].name!r} and those beside it are larger than the weights that train.")


def assign_state(optimizer: Any, state: OptimizerState) -> str:
    """Give an optimizer the state that `read_state` returned; return why it does not fit, and change nothing then.

    Args:
        optimizer: The optimizer.
        state: The state.
    """
    bare = getattr(optimizer, "inner_optimizer", optimizer)
    try:
        with ordered_by(bare, state.rules):
            bare.set_weights(state.arrays)
    except ValueError as error:
        return str(error)
    if state.rate is not None:
        bare.learning_rate = state.rate
    if state.scale is not None:
        good, scale = state.scale
        optimizer._scale.good_steps.fill_(good)
        optimizer._scale.value.fill_(scale)
    return ""


def _lists_weights(optimizer: Any) -> bool:
    """Tell whether a user's class lists what the state is: `get_updates`, or a step of its own with its variables."""
    return bool(getattr(optimizer, "has_own_updates", False) or getattr(optimizer, "has_own_steps", False))


def _has_state(optimizer: Any) -> bool:
    """Tell whether it is an optimizer of this package, whose state has an order in files."""
    return hasattr(optimizer, "_weight_io")


def _params(optimizer: Any) -> Sequence[torch.Tensor]:
    """Return the weights that an optimizer serves; of one whose steps a user wrote its own variables."""
    if getattr(optimizer, "has_own_steps", False):
        return list(optimizer._weight_io.tensors())
    groups = optimizer.param_groups
    return groups[0]["params"] if groups else ()


@contextlib.contextmanager
def ordered_by(optimizer: Any, rules: Rules) -> Iterator[None]:
    """Have the slots of an optimizer in another dialect's order, inside the `with` block.

    Args:
        optimizer: The optimizer.
        rules: The rules of that dialect.
    """
    own = optimizer._rules
    optimizer._rules = rules
    try:
        yield
    finally:
        optimizer._rules = own


# --- forms -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Form:
    """What stands in a file beside the count and the slots.

    Attributes:
        rules: Whose order the slots are in.
        has_rate: Whether the learning rate follows the count.
        has_product: Whether the product of momenta stands at the end.
        pads: Whether two zeros stand for each weight without rows and columns.
    """

    rules: Rules
    has_rate: bool = False
    has_product: bool = False
    pads: bool = False

    def count(self, optimizer: Any) -> int:
        """Return the number of arrays."""
        slots = len(self._names(optimizer))
        return 1 + self.has_rate + self.has_product + (3 * len(self._ranks(optimizer)) if self.pads else slots)

    def fits(self, data: Sequence[Any]) -> bool:
        """Tell whether the numbers are numbers."""
        numbers = [0, *([1] if self.has_rate else []), *([len(data) - 1] if self.has_product else [])]
        return all(data[i].shape == () for i in numbers)

    def state(self, arrays: list[Array], optimizer: Any) -> OptimizerState:
        """Return the state that arrays of a file are."""
        slots = arrays[1 + self.has_rate : len(arrays) - self.has_product]
        if self.pads:
            apart = [slots[i : i + 3] for i in range(0, len(slots), 3)]
            slots = [
                a for three, rank in zip(apart, self._ranks(optimizer)) for a in (three if rank > 1 else three[2:])
            ]
        rate = float(str(np.float32(arrays[1]))) if self.has_rate else None  # .02, and not the float32 next to it
        return OptimizerState(self.rules, (arrays[0], *slots), rate)

    def arrays(self, optimizer: Any) -> list[Array]:
        """Return the state of an optimizer as a file has it."""
        with ordered_by(optimizer, self.rules):
            count, *slots = optimizer._weight_io.arrays() if _has_begun(optimizer) else [np.zeros((), np.int64)]
        values = [np.asarray(count, "int32")]
        if self.has_rate:
            values.append(np.asarray(optimizer.current_rate(), "float32"))
        product = [np.asarray(optimizer._momentum_product(int(count)), "float32")] if self.has_product else []
        return [*values, *(self._padded(slots, optimizer) if self.pads and slots else slots), *product]

    def _padded(self, slots: Sequence[Array], optimizer: Any) -> list[Array]:
        rest, padded = iter(slots), []
        for rank in self._ranks(optimizer):
            none = [np.zeros((), "int32")] * 2
            padded += [next(rest) for _ in range(3)] if rank > 1 else [*none, next(rest)]
        return padded

    def _names(self, optimizer: Any) -> list[str]:
        with ordered_by(optimizer, self.rules):
            return [place.name for place in optimizer._weight_io.order()]

    def _ranks(self, optimizer: Any) -> list[int]:
        """Return, for each weight, 2 where it has rows and columns and 1 where it has not."""
        ranks, names = [], self._names(optimizer)
        for i, name in enumerate(names):
            if name == "v":
                ranks.append(2 if i and names[i - 1] == "c" else 1)
        return ranks


def _form_3(optimizer: Any) -> _Form:
    kinds = [cls.__name__ for cls in type(optimizer).__mro__]
    has_rate = optimizer._rate.schedule is None and not getattr(optimizer, "decay", 0)  # a schedule is no variable
    return _Form(RULES_3, has_rate, "Nadam" in kinds, "Adafactor" in kinds)


def _has_begun(optimizer: Any) -> bool:
    """Tell whether an optimizer has made a step: before that it has no slots in Keras."""
    return int(optimizer.iterations) > 0


def _arrays(optimizer: Any) -> list[Array]:
    return optimizer.get_weights() if _lists_weights(optimizer) else _form_3(optimizer).arrays(optimizer)
