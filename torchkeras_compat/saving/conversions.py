"""Other forms in which files hold the weights of a layer, and what is made of them.

Keras 1 kept each gate of a recurrent layer apart and kernels in the ordering of Theano; the layers for cuDNN have their
matrices turned and two biases. A `Conversion` says, weight by weight, which arrays of the file it comes from and what
is done to them. Functions are of tensors, so that shapes are known before anything is read: torch's meta tensors have
shapes and no data.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .._core.ownership import own_names

Function = Callable[..., Tensor]


@dataclass(frozen=True)
class Origin:
    """What a file says of the Keras that wrote it.

    Attributes:
        is_keras_1: Whether it was a release before 2.0.
        is_before_1: Whether it was one before 1.0, whose files number layers.
        flipped: Whether kernels are held flipped: Theano convolves where others correlate.
    """

    is_keras_1: bool = False
    is_before_1: bool = False
    flipped: bool = False


@dataclass(frozen=True)
class Conversion:
    """How the weights of a layer are made of the arrays in a file.

    Attributes:
        form: What the file holds, for messages.
        count: The number of arrays in the file.
        recipes: For each weight, the numbers of the arrays that it is made of, and the function of them.
        applies: Whether arrays of these shapes are in this form; `None` where the shapes that come out say it.
    """

    form: str
    count: int
    recipes: tuple[tuple[tuple[int, ...], Function], ...]
    applies: Callable[[Sequence[tuple[int, ...]]], bool] | None = None


def as_it_is(value: Tensor) -> Tensor:
    """Return what the file holds."""
    return value


def unchanged(count: int) -> Conversion:
    """Return the conversion of arrays that are as the layer has them."""
    return Conversion("Keras 2", count, tuple(((i,), as_it_is) for i in range(count)))


def conversions(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    """Return the forms in which a file of this origin may hold the weights of a layer, the likeliest first.

    Args:
        layer: The layer itself, not one around it.
        origin: Where the file is from.
        count: The number of its weights.

    Example:
        >>> import torchkeras_compat as keras
        >>> cell = keras.layers.LSTM(2).cell
        >>> [one.form for one in conversions(cell, Origin(is_keras_1=True), 3)]
        ['the gates of Keras 1', 'CuDNNLSTM', 'Keras 2']
    """
    kinds = own_names(type(layer))
    others = next((TABLE[kind](layer, origin, count) for kind in kinds if kind in TABLE), [])
    every = [*others, unchanged(count)]
    return [_flipped(one, kinds) for one in every] if origin.flipped else every


# --- gates -----------------------------------------------------------------------------------------------------------

_GATES = "the gates of Keras 1"


def _joined(*parts: Tensor) -> Tensor:
    return torch.cat(parts, -1)


def _gates_apart(order: Sequence[int], of_each: Function = as_it_is) -> Conversion:
    """Return the form of one kernel, recurrent kernel and bias for each gate.

    Args:
        order: Which of the file's gates is the first here, the second, …
        of_each: What is done to each kernel before they are joined.
    """

    def kernel(*parts: Tensor) -> Tensor:
        return _joined(*map(of_each, parts))

    picks = [tuple(3 * gate + i for gate in order) for i in range(3)]
    return Conversion(_GATES, 3 * len(order), ((picks[0], kernel), (picks[1], kernel), (picks[2], _joined)))


# --- cuDNN -----------------------------------------------------------------------------------------------------------


def _each_gate(value: Tensor, gates: int, function: Function) -> Tensor:
    return torch.cat([function(part) for part in value.chunk(gates, 1)], 1)


def _from_columns(part: Tensor) -> Tensor:
    """Read a matrix of cuDNN, whose numbers lie in the order (units, inputs) under the shape (inputs, units)."""
    return part.reshape(part.shape[1], part.shape[0]).t()


def _to_columns(part: Tensor) -> Tensor:
    return part.t().reshape(part.shape)


def _halves_added(biases: Tensor) -> Tensor:
    first, second = biases.chunk(2)
    return first + second


def _halved(bias: Tensor) -> Tensor:
    return torch.cat([bias / 2, bias / 2])


def _in_two_lines(biases: Tensor) -> Tensor:
    return biases.reshape(2, -1)


def _in_one_line(biases: Tensor) -> Tensor:
    return biases.reshape(-1)


def _between(form: str, gates: int, turn: Function, biases: Function, shape: tuple[int, ...]) -> Conversion:
    """Return the conversion between cuDNN's matrices and Keras's.

    Args:
        form: What the file holds.
        gates: How many matrices stand beside each other.
        turn: What is done to each matrix of the kernel; those of the recurrent kernel are square, and transposed.
        biases: What is done to the biases.
        shape: That of the biases in the file.
    """
    kernel = functools.partial(_each_gate, gates=gates, function=turn)
    recurrent = functools.partial(_each_gate, gates=gates, function=torch.t)
    recipes = (((0,), kernel), ((1,), recurrent), ((2,), biases))
    return Conversion(form, 3, recipes, lambda shapes: shapes[2] == shape)


def _lstm(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    if count != 3:  # without biases, which neither has
        return []
    apart = _gates_apart((0, 2, 1, 3))  # i, c, f, o → i, f, c, o
    return [apart, _between("CuDNNLSTM", 4, _from_columns, _halves_added, (8 * layer.units,))]


def _gru(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    if count != 3:
        return []
    if layer.reset_after:
        return [_between("CuDNNGRU", 3, _from_columns, _in_two_lines, (6 * layer.units,))]
    return [_gates_apart((0, 1, 2))]  # z, r, h


def _cudnn_lstm(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    return [_between("LSTM", 4, _to_columns, _halved, (4 * layer.units,))]


def _cudnn_gru(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    return [_between("GRU(reset_after=True)", 3, _to_columns, _in_one_line, (2, 3 * layer.units))]


# --- kernels ---------------------------------------------------------------------------------------------------------

_THEANO = "Theano's ordering"
_KEPT_1D = "a Conv1D of Keras 1"


def _axes(*order: int) -> Function:
    return functools.partial(torch.permute, dims=order)


def _with_kernel(form: str, count: int, *functions: Function) -> Conversion:
    """Return the conversion that changes the first weights, one function each, and leaves the others."""
    every = [*functions, *[as_it_is] * (count - len(functions))][:count]
    return Conversion(form, count, tuple(((i,), function) for i, function in enumerate(every)))


def _without_height(kernel: Tensor) -> Tensor:
    """(length, 1, in, out) → (length, in, out)."""
    return kernel.flatten(0, 1)


def _without_height_theano(kernel: Tensor) -> Tensor:
    """(out, in, length, 1) → (length, in, out)."""
    return kernel.flatten(2, 3).permute(2, 1, 0)


def _conv1d(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    length, filters = layer.kernel_size[0], layer.filters

    def later(shapes: Sequence[tuple[int, ...]]) -> bool:
        return len(shapes[0]) == 4 and shapes[0][:2] == (length, 1) and shapes[0][3] == filters

    def earlier(shapes: Sequence[tuple[int, ...]]) -> bool:
        return len(shapes[0]) == 4 and shapes[0][0] == filters and shapes[0][2:] == (length, 1)

    forms = ((_without_height, later), (_without_height_theano, earlier))
    return [replace(_with_kernel(_KEPT_1D, count, function), applies=test) for function, test in forms]


def _kernel(theano: Sequence[int], tensorflow: Sequence[int] | None = None) -> Any:
    """Return the entry of a convolution.

    Args:
        theano: The axes of Keras 1's kernel in the order of Keras 2, for channels first.
        tensorflow: Those for channels last, where they differ.
    """

    def entry(layer: Any, origin: Origin, count: int) -> list[Conversion]:
        order = theano if layer.data_format == "channels_first" else tensorflow
        return [_with_kernel(_THEANO, count, _axes(*order))] if origin.is_keras_1 and order else []

    return entry


def _separable(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    if not origin.is_keras_1 or layer.data_format != "channels_first":
        return []
    return [_with_kernel(_THEANO, count, _axes(2, 3, 1, 0), _axes(2, 3, 1, 0))]


def _conv_lstm(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    if not origin.is_keras_1 or count != 3:
        return []
    turn = _axes(2, 3, 1, 0) if layer.data_format == "channels_first" else as_it_is
    return [_gates_apart((0, 2, 1, 3), turn)]


# --- others ----------------------------------------------------------------------------------------------------------


def _squared(deviation: Tensor) -> Tensor:
    return deviation * deviation


def _batch_normalization(layer: Any, origin: Origin, count: int) -> list[Conversion]:
    if not origin.is_before_1 or count < 2:
        return []  # those of 1.0.0 to 1.0.5 are deviations, too; no file says so, and Keras takes them as they are
    return [_with_kernel("a standard deviation", count, *[as_it_is] * (count - 1), _squared)]


# Class → its other forms.
TABLE: Mapping[str, Callable[[Any, Origin, int], list[Conversion]]] = {
    "LSTMCell": _lstm,
    "GRUCell": _gru,
    "CuDNNLSTMCell": _cudnn_lstm,
    "CuDNNGRUCell": _cudnn_gru,
    "Conv1D": _conv1d,
    "Conv2D": _kernel((2, 3, 1, 0)),
    "Conv3D": _kernel((2, 3, 4, 1, 0)),
    "Conv2DTranspose": _kernel((2, 3, 0, 1), (0, 1, 3, 2)),
    "SeparableConv2D": _separable,
    "ConvLSTM2DCell": _conv_lstm,
    "BatchNormalization": _batch_normalization,
}

# Class → the number of its first weights that are kernels, which a file written under Theano holds flipped.
FLIPPED = {"Conv1D": 1, "Conv2D": 1, "Conv3D": 1, "Conv2DTranspose": 1, "ConvLSTM2DCell": 2}


def _flipped(conversion: Conversion, kinds: Sequence[str]) -> Conversion:
    kernels = next((FLIPPED[kind] for kind in kinds if kind in FLIPPED), 0)
    recipes = tuple(
        (picks, _then_flip(function) if i < kernels else function)
        for i, (picks, function) in enumerate(conversion.recipes)
    )
    return replace(conversion, recipes=recipes)


def _then_flip(function: Function) -> Function:
    def flipped(*values: Tensor) -> Tensor:
        kernel = function(*values)
        return kernel.flip(tuple(range(kernel.dim() - 2)))

    return flipped


def hint(layer: Any, shapes: Sequence[tuple[int, ...]]) -> str:
    """Return what to write where arrays of these shapes are another function than a layer's; empty otherwise."""
    kinds = own_names(type(layer))
    if len(shapes) != 3 or not {"GRUCell", "CuDNNGRUCell"} & set(kinds):
        return ""
    wanted = 3 * layer.units
    one = shapes[2] == (wanted,)
    if "CuDNNGRUCell" in kinds:
        return "the file holds a GRU(reset_after=False), which is another function" if one else ""
    if layer.reset_after and one:
        return "the file holds a GRU(reset_after=False), which is another function; write reset_after=False"
    if not layer.reset_after and shapes[2] in {(2, wanted), (2 * wanted,)}:
        return "the file holds a GRU(reset_after=True) or CuDNNGRU, which is another function; write reset_after=True"
    return ""
