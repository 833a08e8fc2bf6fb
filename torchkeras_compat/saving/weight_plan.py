"""What a call loads, found before anything is read: which weight gets which arrays of a file.

Shapes and types are compared while the plan is made, data are read when all of it fits, and weights are written when
all data are read, so that a call loads everything that it names or changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._core.allocator import take_pages
from .._core.transposing import copy_into
from .._core.weights import Weight
from .conversions import Conversion, Function, Origin, as_it_is, conversions, hint
from .hdf5 import FileError
from .weight_arrays import PIECE, is_large, made_ahead

Array = np.ndarray[Any, Any]

# Kind of type that a weight is kept in → kinds in a file.
KINDS = {True: "f", False: "iub"}
MANY = 2**24
"""Numbers of a layer's arrays from which on shapes are found without numbers."""


SUMMARY = "summary:0"
"""What files of Keras call a summary."""

IDF = "idf_weights"
"""What files of Keras call the weights of words that a lookup has learned."""

MOST_VALUES = 2**20
"""Values that a summary of data may have."""


def learns_summary(layer: Any) -> bool:
    """Tell whether a layer finds its intervals in a summary of data, which files of Keras hold among the weights."""
    return hasattr(layer, "set_summary") and layer.num_bins is not None


def learned(layer: Any) -> Iterator[tuple[str, str, Array]]:
    """Return what a layer has learned from data that is no weight here, and stands among the weights in files of Keras.

    Args:
        layer: The layer.

    Returns:
        The group below the layer's, the name there, and the array.
    """
    if learns_summary(layer):
        yield "", "0", layer.summary
    elif (weights := getattr(layer, "idf_weights_by_index", None)) is not None:
        yield "", IDF, weights
        if hasattr(layer, "_lookup"):  # TextVectorization, whose words a layer inside it looks up
            yield "_lookup_layer", IDF, weights


def ordered(layer: Any) -> list[Weight]:
    """Return a layer's weights as Keras files order them: those that train now first."""
    table = layer._weight_table()
    trained = {w.place for w in layer._trained_table()}
    return sorted(table, key=lambda w: w.place not in trained)


def orders(layer: Any) -> list[list[Weight]]:
    """Return the orders in which a file may hold a layer's weights: frozen sublayers change theirs in Keras."""
    table = layer._weight_table()
    return [ordered(layer), sorted(table, key=lambda w: not w.trainable), list(table)]


@dataclass(frozen=True)
class Stored:
    """What a file holds for one layer.

    Attributes:
        name: The layer's name there.
        names: The names of its weights.
        data: Their datasets, none of them read yet.
    """

    name: str
    names: tuple[str, ...]
    data: tuple[Any, ...]

    def only(self, numbers: Sequence[int]) -> Stored:
        """Return some of it.

        Args:
            numbers: Which of the weights.
        """
        return Stored(self.name, tuple(self.names[i] for i in numbers), tuple(self.data[i] for i in numbers))


class Scratch:
    """Memory for two arrays by turns: the system gives fresh memory page by page, which takes longer than reading."""

    def __init__(self) -> None:
        self._memories: list[Array] = [np.empty(0, np.uint8)] * 2

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return an array that is valid until the next but one is asked for.

        Args:
            shape: Its shape.
            dtype: Its type.
        """
        size = _size(shape) * dtype.itemsize
        memory = self._memories.pop(0)
        if memory.nbytes < size:
            memory = np.empty(size, np.uint8)
        self._memories.append(memory)
        return memory[:size].view(dtype).reshape(shape)


@dataclass(frozen=True)
class Match:
    """A weight and the data it shall get.

    Attributes:
        weight: The weight.
        data: The datasets that it is made of.
        function: What is made of them.
    """

    weight: Weight
    data: tuple[Any, ...]
    function: Function = as_it_is

    def read(self, scratch: Scratch | None = None) -> Tensor:
        """Return what the weight shall be.

        Args:
            scratch: Where the data may lie until the next weight is read.
        """
        empty = np.empty if scratch is None or len(self.data) > 1 else scratch.empty
        values = (_as_tensor(one.read(empty), one) for one in self.data)
        return self.function(*values).reshape(self.weight.shape)

    def load(self, scratch: Scratch) -> None:
        """Write the data into the weight, some rows at a time where both allow it.

        Args:
            scratch: Where the data lie meanwhile.
        """
        value = self.weight.read().detach()
        if not self.weight.codec.is_view or self.function is not as_it_is or _shape(self.data[0]) != value.shape:
            self.weight.assign(self.read(scratch))
            return
        for start, rows in self.data[0].rows(scratch.empty, PIECE):
            copy_into(value[start : start + len(rows)] if value.dim() else value, _as_tensor(rows, self.data[0]))


@dataclass
class Plan:
    """What to load, found before anything is read.

    Attributes:
        caller: Who loads, for messages.
        skip_mismatch: Whether what does not fit is left out with a warning.
        reshape: Whether data of the right size and another shape are taken.
        origin: What the file says of the Keras that wrote it.
    """

    caller: str
    skip_mismatch: bool = False
    reshape: bool = False
    origin: Origin = field(default_factory=Origin)

    def __post_init__(self) -> None:
        self.matches: list[Match] = []
        self.skipped: list[str] = []
        self._summaries: list[tuple[Any, Array]] = []  # a layer that has learned from data, and what
        self._idf: list[tuple[Any, Array]] = []  # a lookup, and the weights of its words

    def add(self, layer: Any, stored: Stored) -> None:
        """Match one layer with what the file holds for it.

        Raises:
            FileError: They do not fit, and mismatches are not to be skipped.
        """
        if self.add_summary(layer, stored):
            return
        inside = [one for one in layer._flatten_layers(include_self=False) if learns_summary(one)]
        summaries = [i for i, name in enumerate(stored.names) if name.rpartition("/")[2] == SUMMARY]
        if inside and len(inside) == len(summaries):
            for one, i in zip(inside, summaries):
                self.add_summary(one, stored.only([i]))
            stored = stored.only([i for i in range(len(stored.names)) if i not in summaries])
        if stored.data or layer._weight_table():
            self.add_weights(f"{layer}", orders(layer), stored)

    def add_summary(self, layer: Any, stored: Stored) -> bool:
        """Take on what a Discretization has learned, which is a weight of any size in Keras; tell whether it is that.

        Args:
            layer: The layer.
            stored: What the file holds for it.
        """
        if not hasattr(layer, "set_summary") or len(stored.data) != 1:
            return False
        (data,) = stored.data
        shape = _shape(data)
        if len(shape) != 2 or shape[0] != 2 or shape[1] > MOST_VALUES or _kind_of(data) != "f":
            return False
        if shape[1] and layer.num_bins is not None:  # none where it has learned nothing, or has its intervals
            self._summaries.append((layer, np.asarray(data[()])))
        return True

    def add_idf(self, layer: Any, data: Any) -> None:
        """Take on the weights of the words that a lookup knows.

        Args:
            layer: The layer.
            data: Their dataset.

        Raises:
            FileError: They are not one for each word, and mismatches are not to be skipped.
        """
        weights = getattr(layer, "idf_weights_by_index", None)
        if weights is None:  # it has not got its words yet
            return
        if _shape(data) != weights.shape or _kind_of(data) != "f":
            self.mismatch(f"{layer}: the file has {IDF} of shape {_shape(data)}; it has {len(weights)} words")
            return
        self._idf.append((layer, np.asarray(data[()])))

    def take_over(self, other: Plan) -> None:
        """Load what another plan has found, too.

        Args:
            other: The other plan.
        """
        self.matches += other.matches
        self._summaries += other._summaries
        self._idf += other._idf

    def finish(self) -> None:
        """Give layers what they have learned, once all weights have their values."""
        for layer, summary in self._summaries:
            layer.set_summary(summary)
        for layer, weights in self._idf:
            layer.set_idf_weights(weights)

    def add_weights(self, title: str, possible: Sequence[Sequence[Weight]], stored: Stored) -> None:
        """Match weights, which may stand in the file in one of several orders, with what it holds.

        Args:
            title: Whose weights, for messages.
            possible: The orders, the likeliest first.
            stored: What the file holds.

        Raises:
            FileError: They do not fit, and mismatches are not to be skipped.
        """
        for named in (True, False):
            for weights in possible:
                matches = self._matches(weights, stored)
                if matches is not None and (not named or _same_names(weights, stored.names)):
                    self.matches += matches
                    return
        self._add_one_by_one(title, possible[0], stored)

    def _matches(self, weights: Sequence[Weight], stored: Stored) -> list[Match] | None:
        """Return the matches where everything fits in this order; `None` otherwise."""
        data, matches = list(stored.data), []
        for part in _by_owner(weights):
            of_part = next(self._forms_of(part, data), None)
            if of_part is None:
                return None
            count, matches_of_part = of_part
            matches += matches_of_part
            data = data[count:]
        return None if data else matches

    def _forms_of(self, weights: Sequence[Weight], data: Sequence[Any]) -> Iterator[tuple[int, list[Match]]]:
        """Yield how many of the next arrays are those of one layer, and its matches, for each form that fits."""
        for form in conversions(weights[0].owner, self.origin, len(weights)):
            if form.count <= len(data) and (matches := self._match_form(form, weights, data[: form.count])):
                yield form.count, matches

    def _match_form(self, form: Conversion, weights: Sequence[Weight], data: Sequence[Any]) -> list[Match] | None:
        if form.applies is not None and not form.applies([_shape(one) for one in data]):
            return None
        matches = [
            Match(weight, tuple(data[i] for i in picks), function)
            for weight, (picks, function) in zip(weights, form.recipes)
        ]
        return matches if all(map(self._fits, matches)) else None

    def _fits(self, match: Match) -> bool:
        """Tell whether shape and type are those of the weight; nothing is read."""
        weight = match.weight
        if any(one.shape is None or _kind_of(one) not in KINDS[_is_float(weight)] for one in match.data):
            return False
        shape = _shape_made_of(match)
        if shape == weight.shape:
            return True
        return self.reshape and shape is not None and not _other_function(weight, shape) and _size(shape) == weight.size

    def _add_one_by_one(self, title: str, weights: Sequence[Weight], stored: Stored) -> None:
        """Match what fits and say of each other weight why it does not."""
        if len(weights) != len(stored.data):
            self.mismatch(
                f"{title}: it has {len(weights)} weights and {stored.name!r} in the file has {len(stored.data)}"
            )
            return
        for part, data in _in_parts(weights, stored.data):
            for weight, one in zip(part, data):
                match = Match(weight, (one,))
                if self._fits(match):
                    self.matches.append(match)
                    continue
                advice = hint(weight.owner, [_shape(d) for d in data])
                self.mismatch(
                    f"{weight.path}: the weight has shape {weight.shape} and type {_type_of(weight)}; in the file "
                    f"{one.name!r} has shape {one.shape} and type {one.dtype}{f': {advice}' if advice else ''}"
                )

    def mismatch(self, text: str) -> None:
        """Note what does not fit, or raise where mismatches are not to be skipped.

        Raises:
            FileError: It says `text`.
        """
        if not self.skip_mismatch:
            raise FileError(f"{self.caller}: {text}.")
        self.skipped.append(text)

    def read(self) -> list[tuple[Weight, Tensor]]:
        """Return every weight with what it shall be."""
        return [(match.weight, match.read()) for match in self.matches]

    def fill(self, model: Any) -> None:
        """Write every weight of a model that is new: what was there before counts for nothing.

        Args:
            model: The model, whose weights have no values yet.

        Raises:
            FileError: The file has nothing for some weight.
        """
        in_file = {id(parameter) for match in self.matches for parameter in match.weight.parameters}
        for weight in model._weight_table():
            if not in_file.issuperset(map(id, weight.parameters)):
                raise FileError(f"{self.caller}: the file has no values for {weight.path}.")
        scratch = Scratch()
        # The system gives new memory page by page, which takes longer than reading what shall stand there.
        for match in made_ahead(map(_with_pages, self.matches), any(is_large(match.weight) for match in self.matches)):
            match.load(scratch)
        self.finish()


@torch.no_grad()
def _with_pages(match: Match) -> Match:
    """Return a match, the memory of whose weight the system has given, where that is large."""
    for parameter in match.weight.parameters if is_large(match.weight) else ():
        if parameter.device.type == "cpu" and parameter.is_contiguous():
            take_pages(parameter)
    return match


def listing(names: Iterable[str], limit: int = 8) -> str:
    """Return names as a message lists them.

    Args:
        names: The names.
        limit: How many of them it has.
    """
    known = list(names)
    return ", ".join(map(repr, known[:limit])) + (", …" if len(known) > limit else "") if known else "none"


class Assignable(Protocol):
    """A weight, or a tensor of a module."""

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The tensors behind it."""

    def assign(self, value: Any) -> None:
        """Write a value into them."""


A = TypeVar("A", bound=Assignable)


def assign_all(values: list[tuple[A, Tensor]]) -> None:
    """Write all values; when anything fails on the way, all weights are as before.

    The list is emptied: what a weight was takes the place of what it gets, so that no more than one copy of all weights
    is held at any time.

    Args:
        values: Weights, and what they shall be.
    """
    before: list[tuple[Tensor, Tensor]] = []
    try:
        while values:
            weight, value = values.pop()
            before += [(p, p.detach().clone()) for p in weight.parameters]
            weight.assign(value)
    except BaseException:
        with torch.no_grad():
            for parameter, old in reversed(before):
                parameter.copy_(old)
        raise


# --- weights ---------------------------------------------------------------------------------------------------------


def _by_owner(weights: Iterable[Weight]) -> list[list[Weight]]:
    """Return the weights in runs of those of one layer."""
    runs: list[list[Weight]] = []
    for weight in weights:
        if runs and runs[-1][0].owner is weight.owner:
            runs[-1].append(weight)
        else:
            runs.append([weight])
    return runs


def _in_parts(weights: Sequence[Weight], data: Sequence[Any]) -> Iterator[tuple[list[Weight], Sequence[Any]]]:
    begin = 0
    for part in _by_owner(weights):
        yield part, data[begin : begin + len(part)]
        begin += len(part)


def _same_names(weights: Sequence[Weight], names: Sequence[str]) -> bool:
    return len(names) == len(weights) and all(_last(w.path) == _last(n) for w, n in zip(weights, names))


def _last(name: str) -> str:
    """Return the last part of a path, as Keras 3 has it: without the number behind a colon."""
    return name.rpartition("/")[2].partition(":")[0]


def _is_float(weight: Weight) -> bool:
    return weight.parameters[0].is_floating_point()


def _type_of(weight: Weight) -> str:
    return "float" if _is_float(weight) else "int"


def _other_function(weight: Weight, shape: tuple[int, ...]) -> bool:
    """Tell whether a bias of another rank is that of another kind of GRU."""
    return isinstance(weight.module, torch.nn.GRU) and len(shape) != len(weight.shape)


# --- data ------------------------------------------------------------------------------------------------------------


def _shape(data: Any) -> tuple[int, ...]:
    return tuple(data.shape or ())


def _size(shape: Sequence[int]) -> int:
    return int(np.prod(shape, dtype=object))


def _shape_made_of(match: Match) -> tuple[int, ...] | None:
    """Return the shape of what a match makes; `None` where the function does not take arrays of these shapes."""
    if match.function is as_it_is:
        return _shape(match.data[0])
    try:
        return tuple(match.function(*_stand_ins([_shape(one) for one in match.data])).shape)
    except (RuntimeError, IndexError):  # of torch, about the ranks or sizes of what came
        return None


def _stand_ins(shapes: Sequence[Sequence[int]]) -> list[Tensor]:
    """Return tensors of these shapes: for meta tensors, which have no numbers, torch would import its compiler."""
    device = "cpu" if sum(map(_size, shapes)) < MANY else "meta"
    return [torch.zeros((), device=device).expand(tuple(shape)) for shape in shapes]


def _is_bfloat16(data: Any) -> bool:
    return bool(data.dtype.itemsize == 2 and data.dtype.kind == "V" and data.attrs.get("dtype") == "bfloat16")


def _kind_of(data: Any) -> str:
    return "f" if _is_bfloat16(data) else str(data.dtype.kind)


def _as_tensor(value: Array, data: Any) -> Tensor:
    """Return some of what a dataset holds as a tensor of a type that torch has."""
    if _is_bfloat16(data):
        return torch.from_numpy(value.view(np.int16).copy()).view(torch.bfloat16)
    kept = {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1,), "b": (1,)}[value.dtype.kind]
    wide = np.float64 if value.dtype.kind == "f" else np.int64
    native = value.dtype.newbyteorder("=") if value.dtype.itemsize in kept else np.dtype(wide)
    return torch.from_numpy(np.require(value, native, ["C", "W"]))
