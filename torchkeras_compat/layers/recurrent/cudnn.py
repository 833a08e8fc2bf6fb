"""CuDNNLSTM and CuDNNGRU: LSTM and GRU as cuDNN has them, with the weights laid out as Keras keeps them for cuDNN.

They run on every device, by the kernels of LSTM and GRU.  cuDNN takes its weights as one row of numbers, the matrix of
each gate as (units, inputs).  Keras keeps that row under the shape (inputs, units) of its own kernels without turning
it, and both of cuDNN's biases, of the input and of the state, one behind the other in one weight.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..._core import registry
from ..._core.weights import Codec
from .cells import GRUCell, LSTMCell, named
from .choose_kernel import SummedBiases
from .gates import ones_to_forget, swapped
from .layers import Recurrent, of_cell, without

# --- the layout ------------------------------------------------------------------------------------------------------


def _read_matrix(weight: Tensor, gates: int) -> Tensor:
    weight = swapped(weight) if gates == 3 else weight
    inputs = weight.shape[1]
    return weight.reshape(gates, inputs, -1).transpose(0, 1).reshape(inputs, -1)


def _write_matrix(kernel: Tensor, gates: int) -> tuple[Tensor]:
    inputs = kernel.shape[0]
    weight = kernel.reshape(inputs, gates, -1).transpose(0, 1).reshape(-1, inputs)
    return (swapped(weight) if gates == 3 else weight,)


def _read_biases(one: Tensor, two: Tensor, gates: int) -> Tensor:
    return torch.cat((swapped(one), swapped(two)) if gates == 3 else (one, two))


def _write_biases(biases: Tensor, gates: int) -> tuple[Tensor, Tensor]:
    one, two = biases.chunk(2)
    return (swapped(one), swapped(two)) if gates == 3 else (one, two)


def _codec(read: Any, write: Any, gates: int) -> Codec:
    return Codec(functools.partial(read, gates=gates), functools.partial(write, gates=gates), is_view=False)


_BOTH = ("bias_ih_l0", "bias_hh_l0")


class CuDNNLSTMCell(LSTMCell):
    """One step of CuDNNLSTM."""

    _matrix_codec = _codec(_read_matrix, _write_matrix, 4)
    _bias_codec = _codec(_read_biases, _write_biases, 4)
    _facts_class = SummedBiases

    def _bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        initializer = self.bias_initializer
        if self.unit_forget_bias:  # the bias of the state, which stands behind the four gates of the input's
            initializer = ones_to_forget(initializer, self.units, before=5)
        return _BOTH, self._bias_codec, initializer


class CuDNNGRUCell(GRUCell):
    """One step of CuDNNGRU."""

    _matrix_codec = _codec(_read_matrix, _write_matrix, 3)
    _bias_codec = _codec(_read_biases, _write_biases, 3)

    def _bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        return _BOTH, self._bias_codec, self.bias_initializer


# --- the layers ------------------------------------------------------------------------------------------------------


class CuDNNRecurrent(Recurrent):
    """Base of CuDNNLSTM and CuDNNGRU, whose activations are fixed and which take no masks."""

    supports_masking = False

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        initial_state: Any = None,
        constants: Sequence[Any] | None = None,
    ) -> Any:
        """Return the last output, or all of them; with `return_state` a list of that and the last states.

        Raises:
            ValueError: There is a mask.
        """
        if mask is not None:
            name = type(self).__name__.removeprefix("CuDNN")
            raise ValueError(f"{self}: it takes no masks, as cuDNN's kernels in Keras; write {name}({self.units}, …).")
        return super().call(inputs, None, training, initial_state, constants)

    forward = call

    def _drops_each_step(self) -> bool:
        """Tell whether input dropout is drawn for each step; there is none."""
        return False

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        return without(without(super().get_config(), "implementation"), "unroll")


@registry.register("layer")
class CuDNNLSTM(CuDNNRecurrent):
    """LSTM with tanh and sigmoid, and its weights laid out for cuDNN; it runs on every device.

    Args:
        units: Size of the states and the output.
        kernel_initializer: Fills the kernel; gates in the order i, f, c, o.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the two biases, which are one weight of size 8 · units.
        unit_forget_bias: Whether the state's bias of the forget gate begins at one.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the biases.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the biases after each update.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last h and c are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        kwargs: `time_major` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a stateful layer has no batch size, or there is a mask.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.CuDNNLSTM(4, input_shape=(10, 8))
        >>> layer._build_from((None, 10, 8))
        >>> [tuple(w.shape) for w in layer.weights]
        [(8, 16), (4, 16), (32,)]

    Source: Hochreiter and Schmidhuber 1997; NVIDIA's cuDNN reference, `cudnnRNNMode_t`, for the two biases.
    """

    _cell_class = CuDNNLSTMCell

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)

    unit_forget_bias = of_cell("unit_forget_bias")


@registry.register("layer")
class CuDNNGRU(CuDNNRecurrent):
    """GRU with tanh and sigmoid that resets after the product, and its weights laid out for cuDNN; for every device.

    Args:
        units: Size of the state and the output.
        kernel_initializer: Fills the kernel; gates in the order z, r, h.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the two biases, which are one weight of size 6 · units.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the biases.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the biases after each update.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last state is returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last state of each sample starts the next batch.
        kwargs: `time_major` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a stateful layer has no batch size, or there is a mask.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.CuDNNGRU(4, input_shape=(10, 8))
        >>> layer._build_from((None, 10, 8))
        >>> [tuple(w.shape) for w in layer.weights]
        [(8, 12), (4, 12), (24,)]

    Source: Cho et al. 2014; NVIDIA's cuDNN reference, `cudnnRNNMode_t`, for the reset behind the product.
    """

    _cell_class = CuDNNGRUCell

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(named(locals()), **kwargs)
