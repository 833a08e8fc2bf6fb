"""The recurrent layers: SimpleRNN, LSTM and GRU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import activations
from ..._core import registry
from ..._core.graph_capture import capturing
from ..._core.user_tensors import calling
from ..._core.weights import Codec, initial_value
from .base import Recurrent, is_sigmoid, is_tanh, is_traced, runs_on_onednn
from .formulas import Cell, GRUCellBefore, GRUCellMath, LSTMCellMath, SimpleCell


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the named arguments of a constructor out of its `locals()`."""
    return {name: value for name, value in arguments.items() if name not in ("self", "kwargs", "__class__")}


@registry.register("layer")
class SimpleRNN(Recurrent):
    """`h = activation(x · kernel + h · recurrent_kernel + bias)` at each step, on a `torch.nn.RNN`.

    Args:
        units: Size of the state and the output.
        activation: By name or function; `None` is linear.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training, the same at all steps of a sequence.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last state is returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last state of each sample starts the next batch.
        unroll: Accepted; the result is the same.
        kwargs: `time_major`, `implementation` and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a fraction lies outside [0, 1], or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.layers.SimpleRNN(8, return_sequences=True).compute_output_shape((None, 5, 3))
        (None, 5, 8)
    """

    module_class = nn.RNN

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**_given(locals()), **kwargs)

    @property
    def _is_relu(self) -> bool:
        return self.activation in (activations.relu, torch.relu, F.relu)

    @property
    def cell(self) -> Cell:
        """The mathematics of one step."""
        return SimpleCell(calling(self.activation))

    @property
    def is_torchs(self) -> bool:
        """Whether `nn.RNN` computes the same: with tanh and relu."""
        return is_tanh(self.activation) or self._is_relu

    @property
    def torch_function(self) -> str:
        """The name of torch's function that runs its kernel over a sequence."""
        return "rnn_relu" if self._is_relu else "rnn_tanh"

    def module_options(self) -> dict[str, Any]:
        """Return the nonlinearity of `nn.RNN`."""
        return {"nonlinearity": "relu" if self._is_relu else "tanh"}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; Keras's SimpleRNN has no `implementation`."""
        return {k: v for k, v in super().get_config().items() if k != "implementation"}


@registry.register("layer")
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), on a `torch.nn.LSTM`.

    torch's fused kernel runs with tanh and sigmoid and without recurrent dropout; everything else in one loop.

    Args:
        units: Size of the states and the output.
        activation: Of the candidate and the output, by name or function; `None` is linear.
        recurrent_activation: Of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel; gates in the order i, f, c, o.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the bias.
        unit_forget_bias: Whether the bias of the forget gate begins at one.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last h and c are returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last states of each sample start the next batch.
        time_major: Whether input and output are `(steps, batch, …)`.
        unroll: Accepted; the result is the same.
        kwargs: `implementation` (1 draws dropout for each gate) and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a fraction lies outside [0, 1], or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.LSTM(32, input_shape=(10, 8))
        >>> layer.compute_output_shape((None, 10, 8))
        (None, 32)
    """

    module_class = nn.LSTM
    state_names = ("h", "c")
    torch_faster_on_cpu = True

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        time_major: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        given = _given(locals())
        gate, forget = given.pop("recurrent_activation"), given.pop("unit_forget_bias")
        super().__init__(**given, **kwargs)
        self.recurrent_activation = activations.get(gate)
        self.unit_forget_bias = bool(forget)

    @property
    def cell(self) -> Cell:
        """The mathematics of one step."""
        return LSTMCellMath(calling(self.activation), calling(self.recurrent_activation))

    @property
    def is_torchs(self) -> bool:
        """Whether `nn.LSTM` computes the same: with tanh and sigmoid."""
        return is_tanh(self.activation) and is_sigmoid(self.recurrent_activation)

    @property
    def torch_function(self) -> str:
        """The name of torch's function that runs its kernel over a sequence."""
        return "lstm"

    def bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        """Return the torch name behind the bias, its codec and its initializer."""
        names, codec, initializer = super().bias_entry()
        return names, codec, self._forgetting if self.unit_forget_bias else initializer

    def _torch(self, name: str, x: Tensor, start: Sequence[Tensor | None]) -> list[tuple[Tensor, Tensor]]:
        if is_traced(x) or not (runs_on_onednn(x) and x.numel()):
            return super()._torch(name, x, start)
        # The kernel that torch.lstm calls for each of its layers: alone it does without stacking and splitting layers,
        # which saves a tenth of a small batch's time. Same arguments from torch 2.0 to 2.13.
        kernel: Any = torch.mkldnn_rnn_layer  # typed for other arguments in torch's stubs
        h, c = start
        if h is None or c is None:
            h = c = x.new_zeros(x.shape[1], self.units)
        weights = (
            self.rnn._flat_weights if self.use_bias else [*self.rnn._flat_weights, *[x.new_zeros(4 * self.units)] * 2]
        )
        if capturing():
            from .graph_ops import OnednnLSTM, small_lstm  # operators take time to define, which only graphs need

            found = small_lstm(x, self.rnn._flat_weights[:2], self.rnn._flat_weights[2:3], h, c)
            if found is not None:
                return found
            output, last_h, last_c = OnednnLSTM.apply(x.contiguous(), *weights, h, c)  # type: ignore[no-untyped-call]
            return [(output, last_h), (output, last_c)]
        mode, layers, has_bias, train = 2, 1, True, torch.is_grad_enabled()
        options: Any = (False, [], mode, self.units, layers, has_bias, False, False, train)
        output, last_h, last_c, _ = kernel(x.contiguous(), *weights, h, c, *options)
        return [(output, last_h), (output, last_c)]

    def _forgetting(self, shape: tuple[int, ...], dtype: str) -> Tensor:
        kind = getattr(torch, dtype)
        parts = [initial_value(self.bias_initializer, (n,), kind) for n in (self.units, 2 * self.units)]
        return torch.cat((parts[0], torch.ones(self.units, dtype=kind, device="cpu"), parts[1]))


def _swapped(gates: Tensor) -> Tensor:
    """Return the rows of GRU gates with the first two gates exchanged: Keras has z, r, h and torch r, z, n."""
    first, second, last = gates.chunk(3)
    return torch.cat((second, first, last))


def _read_matrix(weight: Tensor) -> Tensor:
    return _swapped(weight).t()


def _write_matrix(kernel: Tensor) -> tuple[Tensor]:
    return (_swapped(kernel.t()),)


def _write_bias(bias: Tensor) -> tuple[Tensor]:
    return (_swapped(bias),)


def _read_biases(one: Tensor, two: Tensor) -> Tensor:
    return torch.stack((_swapped(one), _swapped(two)))


def _write_biases(biases: Tensor) -> tuple[Tensor, Tensor]:
    return _swapped(biases[0]), _swapped(biases[1])


_MATRIX = Codec(_read_matrix, _write_matrix, is_view=False)
_BIAS = Codec(_swapped, _write_bias, is_view=False)
_BIASES = Codec(_read_biases, _write_biases, is_view=False)


@registry.register("layer")
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014), on a `torch.nn.GRU`.

    torch's kernel computes the variant `reset_after=True` with tanh and sigmoid; everything else runs in one loop.

    Args:
        units: Size of the state and the output.
        activation: Of the candidate, by name or function; `None` is linear.
        recurrent_activation: Of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: Fills the kernel; gates in the order z, r, h.
        recurrent_initializer: Fills the recurrent kernel.
        bias_initializer: Fills the bias.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Applied to the kernel after each update.
        recurrent_constraint: Applied to the recurrent kernel after each update.
        bias_constraint: Applied to the bias after each update.
        dropout: Fraction of the input features dropped in training.
        recurrent_dropout: Fraction of the state dropped in the recurrent product.
        return_sequences: Whether the output of each step is returned, not only the last.
        return_state: Whether the last state is returned too.
        go_backwards: Whether the sequence is read from its end; the outputs come in that order.
        stateful: Whether the last state of each sample starts the next batch.
        unroll: Accepted; the result is the same.
        time_major: Whether input and output are `(steps, batch, …)`.
        reset_after: Whether the reset gate acts after the recurrent product, with a bias of its own (cuDNN's variant).
        kwargs: `implementation` (1 draws dropout for each gate) and the arguments of every layer.

    Shape:
        Input: `(batch, steps, features)`. Output: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: `units` is not positive, a fraction lies outside [0, 1], or a stateful layer has no batch size.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer = keras.layers.GRU(4, reset_after=True, input_shape=(10, 8))
        >>> layer._build_from((None, 10, 8))
        >>> [tuple(w.shape) for w in layer.weights]
        [(8, 12), (4, 12), (2, 12)]
    """

    module_class = nn.GRU
    matrix_codec = _MATRIX

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        given = _given(locals())
        gate, after = given.pop("recurrent_activation"), given.pop("reset_after")
        super().__init__(**given, **kwargs)
        self.recurrent_activation = activations.get(gate)
        self.reset_after = bool(after)

    @property
    def cell(self) -> Cell:
        """The mathematics of one step."""
        kind = GRUCellMath if self.reset_after else GRUCellBefore
        return kind(calling(self.activation), calling(self.recurrent_activation))

    @property
    def is_torchs(self) -> bool:
        """Whether `nn.GRU` computes the same: reset after, with tanh and sigmoid."""
        return self.reset_after and is_tanh(self.activation) and is_sigmoid(self.recurrent_activation)

    @property
    def torch_function(self) -> str:
        """The name of torch's function that runs its kernel over a sequence."""
        return "gru"

    def bias_entry(self) -> tuple[tuple[str, ...], Codec, Any]:
        """Return the torch names behind the bias, its codec and its initializer."""
        if self.reset_after:
            return ("bias_ih_l0", "bias_hh_l0"), _BIASES, self.bias_initializer
        return ("bias_ih_l0",), _BIAS, self.bias_initializer
