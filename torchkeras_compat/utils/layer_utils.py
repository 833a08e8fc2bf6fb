"""The table that `model.summary()` prints, in the form of Keras 2.15."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from .._core.errors import show
from .._core.progress import say
from .._core.symbolic import SymbolicTensor, as_seen, inputs_before

_TRAINABLE_WIDTH = 11
_UNITS = ("Byte", "KB", "MB", "GB", "TB", "PB")
_BREAKS = re.compile(r"\),|\},|\],|',")


def count_params(weights: Iterable[Any]) -> int:
    """Return the number of elements of `weights`, each weight counted once.

    Example:
        >>> import torch
        >>> kernel = torch.zeros(3, 4)
        >>> count_params([kernel, kernel, torch.zeros(4)])
        16
    """
    return sum(prod(w.shape) for w in _distinct(weights))


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> list[Any]:
    """Return the inputs that a symbolic tensor is computed from, in the order in which its graph meets them.

    Args:
        tensor: The symbolic tensor; anything else is returned as it is, as in Keras.
        layer: The layer whose output it is; known from the tensor.
        node_index: Which call of the layer gave it; known from the tensor.

    Example:
        >>> import torchkeras_compat as keras
        >>> a, b = keras.Input((3,), name='a'), keras.Input((3,), name='b')
        >>> [tensor.name for tensor in get_source_inputs(keras.layers.add([a, b]))]
        ['a', 'b']
    """
    if not isinstance(tensor, SymbolicTensor):
        return tensor  # type: ignore[no-any-return]
    return [as_seen(source) for source in inputs_before(tensor)]


def readable_memory_size(size: float) -> str:
    """Return a number of bytes as `81.00 Byte`, `99.41 KB` and so on."""
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.2f} {_UNITS[unit]}"


def _distinct(weights: Iterable[Any]) -> list[Any]:
    return list({id(getattr(w, "_weight", w)): w for w in weights}.values())


def _memory(weights: Iterable[Any]) -> int:
    total = 0
    for weight in _distinct(weights):
        dtype = weight.dtype if hasattr(weight, "dtype") else weight.parameters[0].dtype
        total += prod(weight.shape) * int(dtype.itemsize)
    return total


@dataclass(frozen=True)
class _Table:
    """Where the columns end, and how lines are put together."""

    ends: Sequence[int]
    length: int
    expand_nested: bool
    show_trainable: bool
    emit: Callable[[str], Any]
    connections: Callable[[Any], list[str]] | None = None
    shapes_known: bool = True

    def rule(self, mark: str, level: int = 0) -> None:
        """Print a line of `mark` between the bars of `level` nested models."""
        self.emit("|" * level + mark * (self.length - 2 * level) + "|" * level)

    def row(self, fields: Iterable[Any], level: int = 0) -> None:
        """Print one row, over as many lines as its longest field needs."""
        left = [str(field) for field in fields]
        while any(left):
            line, start = "", 0
            for column, end in enumerate(self.ends[: len(left)]):  # Keras allows more ends than columns
                last = column == len(self.ends) - 1
                room = end - start - (0 if last else 3) - (level if column == 0 else 0)
                part, left[column] = _cut(left[column], max(room, 1))
                line += ("|" * level + " " if column == 0 else "") + part + ("" if last else "  ")
                line += " " * (end - len(line) - (level if last else 0))
                start = end
            self.emit(line + "|" * level)

    def layer(self, layer: Any, level: int = 0, is_last: bool = False) -> None:
        """Print a layer, and with `expand_nested` the layers inside it."""
        shape = _shape_of(layer) if self.shapes_known else "multiple"
        fields = [f"{layer.name} ({class_of(layer)})", shape, _params_of(layer)]
        if self.connections is not None:
            fields.append(self.connections(layer))
        if self.show_trainable:
            fields.append("Y" if getattr(layer, "trainable", True) else "N")
        self.row(fields, level)
        inner = list(getattr(layer, "layers", None) or ()) if self.expand_nested else []
        if inner:
            self.rule("¯", level + 1)
            for index, child in enumerate(inner):
                self.layer(child, level + 1, index == len(inner) - 1)
            self.rule("¯", level)
        elif not is_last:
            self.rule(" ", level)


def _cut(text: str, room: int) -> tuple[str, str]:
    part = text[:room]
    line_break = _BREAKS.search(part)  # a nested shape is broken after its first part
    room = line_break.end() if line_break else room
    return part[:room], text[room:]


def class_of(layer: Any) -> str:
    """Return what Keras calls the class of a layer."""
    return str(getattr(layer, "_class_name", None) or type(layer).__name__)


def _shape_of(layer: Any) -> Any:
    try:
        return [layer.output_shape] if type(layer).__name__ == "InputLayer" else layer.output_shape
    except AttributeError:
        return "multiple"
    except RuntimeError:
        return "?"


def _params_of(layer: Any) -> Any:
    return layer.count_params() if getattr(layer, "built", True) else "0 (unused)"


def selected(owner: str, model: Any, layer_range: Sequence[str] | None) -> list[Any]:
    """Return the layers of a model from the first to the last one of a range.

    Args:
        owner: What an error names.
        model: The model.
        layer_range: Names, or regular expressions, of the first and the last layer; all layers when `None`.

    Raises:
        ValueError: `layer_range` fits no layer.
    """
    layers = list(model.layers)
    if layer_range is None:
        return layers
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"{owner}(layer_range={show(layer_range)}): layer_range must be two names of layers.")
    first, last = ([i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range)
    if not first or not last:
        names = ", ".join(layer.name for layer in layers)
        raise ValueError(f"{owner}(layer_range={show(layer_range)}): no layer has such a name; the layers are {names}.")
    if min(first) > max(last):
        first, last = last, first
    return layers[min(first) : max(last) + 1]


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print the table of a model's layers, their output shapes and numbers of parameters.

    Args:
        model: What has `name`, `layers`, `trainable_weights` and `non_trainable_weights`; Keras 1 gives `model.layers`.
        line_length: Length of a line; 65 when `None`, 98 for a graph.
        positions: Where the columns end, in characters or as fractions of the line; `[.45, .85, 1.]` when `None`, and
            `[.3, .6, .7, 1.]` for a graph, whose fourth column is what a layer is connected to.
        print_fn: Called with each line; the screen when `None`.
        expand_nested: Whether the layers of nested models are shown.
        show_trainable: Whether a column tells which layers are trainable.
        layer_range: Names, or regular expressions, of the first and the last layer to show.

    Raises:
        ValueError: `layer_range` or `positions` that fit no layer or no line.
    """
    model = getattr(model, "_model", model)
    connections = model._connections() if hasattr(model, "_connections") else None
    length = line_length or (65 if connections is None else 98)
    ends = list(positions or ((0.45, 0.85, 1.0) if connections is None else (0.3, 0.6, 0.7, 1.0)))
    if len(ends) < 3 or ends != sorted(ends):
        raise ValueError(f"summary(positions={show(positions)}): positions must be three or four rising numbers.")
    if ends[-1] <= 1:
        ends = [int(length * end) for end in ends]
    header = ["Layer (type)", "Output Shape", "Param #", *([] if connections is None else ["Connected to"])]
    if show_trainable:
        length += _TRAINABLE_WIDTH
        ends, header = [*ends, length], [*header, "Trainable"]
    emit = say if print_fn is None else print_fn
    known = not getattr(model, "_is_users", False)
    table = _Table([int(end) for end in ends], length, expand_nested, show_trainable, emit, connections, known)
    shown = selected("summary", model, layer_range)
    emit(f'Model: "{model.name}"')
    table.rule("_")
    table.row(header)
    table.rule("=")
    for layer in shown:
        table.layer(layer)
    table.rule("=")
    _print_totals(model, emit)
    table.rule("_")


def _print_totals(model: Any, emit: Callable[[str], Any]) -> None:
    trainable, frozen = list(model.trainable_weights), list(model.non_trainable_weights)
    for label, weights in (("Total", trainable + frozen), ("Trainable", trainable), ("Non-trainable", frozen)):
        emit(f"{label} params: {count_params(weights)} ({readable_memory_size(_memory(weights))})")
